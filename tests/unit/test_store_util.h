/*
 * What the tests of the store share: a directory of their own, and running
 * single operations on a database without a loop.
 */
#ifndef TESTS_UNIT_TEST_STORE_UTIL_H
#define TESTS_UNIT_TEST_STORE_UTIL_H

#include "workers/store/db.h"
#include "workers/store/peer.h"

struct json_object;

#define TS_SESSION "agent:helper:main"
/* A turn.commit. %d: seq; %s: session, key and op of a second row. */
#define TS_COMMIT                                                              \
	"{\"seq\":%d,\"session\":\"%s\",\"agent\":\"helper\","                 \
	"\"outcome\":\"answered\",\"transcript\":["                            \
	"{\"role\":\"user\",\"content\":\"hi/there\"},"                        \
	"{\"role\":\"assistant\",\"content\":\"hello\"}],"                     \
	"\"outbox\":[{\"key\":\"k1\",\"op\":\"post\",\"channel\":\"c1\","      \
	"\"text\":\"hello\",\"props\":{\"a\":1}},"                             \
	"{\"key\":\"%s\",\"op\":\"%s\",\"channel\":\"c1\",\"root\":\"r\"}]}"

/* A new directory, which becomes the working directory. */
void ts_enter(void);
/* Removes the files in it and the directory. */
void ts_leave(void);

struct db *ts_open(void);
struct peer *ts_account(const char *id, const char *agents);

/*
 * The fixture: a new database, account "main" bound to the agent "helper",
 * account "other" bound to "spy", and posternctl.
 */
extern struct db *ts_db;
extern struct peer *ts_main, *ts_other, *ts_ctl;
int ts_setup(void **state);
int ts_teardown(void **state);
void ts_reopen(void);

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
/* The answer to a question of posternctl's; the caller's. */
struct json_object *ts_ask(const char *type, const char *text);
/* Row i of an answer; how many it has. */
struct json_object *ts_row(struct json_object *answer, size_t i);
size_t ts_rows(struct json_object *answer);
/* Prune all that is older than cutoff (ms since 1970). */
void ts_prune(struct db *, int64_t cutoff);

int64_t ts_int(struct json_object *, const char *key);
const char *ts_str(struct json_object *, const char *key);
/* One number from SQL of the test. */
int64_t ts_sql(struct db *, const char *sql);

#endif
