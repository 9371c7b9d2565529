/*
 * The store's service on a loop of the test, in a directory of its own, and
 * clients at the other ends of its links.
 */
#ifndef TESTS_UNIT_TEST_STORE_RIG_H
#define TESTS_UNIT_TEST_STORE_RIG_H

#include "tests/unit/test_store_client.h"
#include "workers/store/service.h"

extern struct event_base *rig_base;
extern struct service *rig_sv;
extern char rig_state[32]; /* that it reported last */

/* The service is there and not started; its end. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* Ends it as it is, and starts another on the same database. */
void rig_restart(void);
/* opts: JSON of the link's options, or NULL. */
void rig_open(
    struct client *, const char *kind, const char *id, const char *opts);
void rig_run_ms(int ms);
/* Row i of a load has this type, and this value under key. */
void rig_check_row(struct client *, size_t i, const char *type, const char *key,
    const char *value);

#endif
