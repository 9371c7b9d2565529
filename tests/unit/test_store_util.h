/*
 * What the tests of the store share: a directory of their own, and running
 * single operations on a database without a loop.
 */
#ifndef TESTS_UNIT_TEST_STORE_UTIL_H
#define TESTS_UNIT_TEST_STORE_UTIL_H

#include "workers/store/db.h"
#include "workers/store/peer.h"

struct json_object;

/* A new directory, which becomes the working directory. */
void ts_enter(void);
/* Removes the files in it and the directory. */
void ts_leave(void);

struct db *ts_open(void);
struct peer *ts_account(const char *id, const char *agents);

/*
 * Run one operation in a transaction of its own. text: JSON without "t".
 * The reply is the caller's; NULL when there was none. *rc: its outcome.
 */
struct json_object *ts_run(struct db *, struct peer *, const char *type,
    const char *text, enum store_rc *rc);
/* The frames that the last operation left for its account; "" for none. */
const char *ts_push(void);
/* The same, which must succeed; the reply is dropped. */
void ts_ok(struct db *, struct peer *, const char *type, const char *text);
/* And must fail with rc. */
void ts_fail(struct db *, struct peer *, const char *type, const char *text,
    enum store_rc rc);

/* Puts an event; its seq. */
int64_t ts_put(struct db *, struct peer *, const char *event);

int64_t ts_int(struct json_object *, const char *key);
const char *ts_str(struct json_object *, const char *key);
/* One number from SQL of the test. */
int64_t ts_sql(struct db *, const char *sql);

#endif
