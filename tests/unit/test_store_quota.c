/*
 * One account that takes all it can get, and what is left for the others.
 * Each test is an attack that once had no end.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_store_util.h"

#define BIG 1000000 /* bytes of text in one frame */
#define ENOUGH 30   /* such frames: beyond every share that is near */

static char *big;

static int
setup(void **state)
{
	if ((big = malloc(BIG + 1)) == NULL)
		return -1;
	memset(big, 'x', BIG);
	big[BIG] = '\0';
	return ts_setup(state);
}

static int
teardown(void **state)
{
	free(big);
	return ts_teardown(state);
}

/* text is freed. */
static enum store_rc
run(const char *type, char *text)
{
	enum store_rc rc;

	json_object_put(ts_run(ts_db, ts_main, type, text, &rc));
	free(text);
	return rc;
}

static char *frame(const char *, ...)
    __attribute__((format(printf, 1, 2)));

static char *
frame(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		fail();
	va_end(ap);
	return text;
}

/* As often as it goes, at most ENOUGH times. */
static int
flood(enum store_rc (*one)(int))
{
	enum store_rc rc = STORE_OK;
	int n;

	for (n = 0; n < ENOUGH && rc == STORE_OK; n++)
		rc = one(n);
	if (rc != STORE_OK)
		assert_int_equal(rc, STORE_QUOTA);
	return n;
}

static enum store_rc
put(int n)
{
	return run("inbox.put",
	    frame("{\"kind\":\"post\",\"event\":\"e%d\",\"lane\":\"l\","
		  "\"channel\":\"c\",\"at\":1,\"data\":{\"text\":\"%s\"}}",
		n, big));
}

static enum store_rc
out(int n)
{
	return run("outbox.put",
	    frame("{\"outbox\":[{\"key\":\"k%d\",\"op\":\"post\","
		  "\"channel\":\"c\",\"text\":\"%s\"}]}",
		n, big));
}

static void
others_go_on(void)
{
	assert_true(ts_put(ts_db, ts_other, "theirs") > 0);
	ts_ok(ts_db, ts_other, "outbox.put",
	    "{\"outbox\":[{\"key\":\"theirs\",\"op\":\"post\","
	    "\"channel\":\"c\",\"text\":\"hello\"}]}");
}

static int64_t
sql(const char *text)
{
	return ts_sql(ts_db, text);
}

/* What it costs to have counted is not to be had again at once. */
static void
a_second_later(void)
{
	ts_main->quota.queue_at = ts_main->quota.sessions_at =
	    (struct monotime){0};
}

/* As if it had gone on for long: table rows from 1 to max. */
#define MANY(max, insert, select)                                              \
	sql("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c"  \
	    " LIMIT " #max ") INSERT INTO " insert " SELECT " select " FROM c")

/* Rows of a megabyte that were there before. */
#define ROWS(n, state)                                                         \
	MANY(n, "inbox(account, kind, event, lane, channel, root, at,"         \
		" put_at, state, done_at, data)",                              \
	    "'main', 'post', 'old' || x, '', '', '', x, x, " #state            \
	    ", 4000000000000, zeroblob(1000000)")
#define ANSWERS(n, state)                                                      \
	MANY(n, "outbox(n, account, key, seq, lane, op, channel, root, post,"     \
		" created, state, done_at, text)",                             \
	    "1000 + x, 'main', 'old' || x, 0, '', 'post', '', '', '', x, " #state        \
	    ", 4000000000000, zeroblob(1000000)")

/* Nothing is known of the account. */
static void
anew(void)
{
	memset(&ts_main->quota, 0, sizeof(ts_main->quota));
}

static void
test_open_rows(void **state)
{
	int seq;

	ROWS(125, 0);
	assert_in_range(flood(put), 5, 15);
	others_go_on();
	/* Another link is no other share. */
	anew();
	assert_int_equal(put(1000), STORE_QUOTA);
	/* Its turns end all the same, and make room. */
	for (seq = 1; seq < 10; seq++)
		assert_int_equal(run("turn.commit",
				     frame("{\"seq\":%d,\"outcome\":"
					   "\"silent\"}", seq)),
		    STORE_OK);
	a_second_later();
	assert_int_equal(put(1000), STORE_OK);
}

static void
test_outbox(void **state)
{
	ANSWERS(125, 0);
	assert_in_range(flood(out), 5, 15);
	others_go_on();
	assert_int_equal(put(1), STORE_QUOTA);
	assert_int_equal(run("outbox.done", frame("{\"key\":\"old1\"}")),
	    STORE_OK);
	a_second_later();
	assert_int_equal(out(1000), STORE_OK);
}

/* A row of its own. */
static int
numbered(int n)
{
	char event[16];

	snprintf(event, sizeof(event), "n%d", n);
	return (int)ts_put(ts_db, ts_main, event);
}

/* A small row, and a large answer that is never sent. */
static enum store_rc
answer(int n)
{
	int seq = n + 1;

	return run("turn.commit",
	    frame("{\"seq\":%d,\"outcome\":\"answered\",\"outbox\":[{"
		  "\"key\":\"a%d\",\"op\":\"post\",\"channel\":\"c\","
		  "\"text\":\"%s\"}]}", seq, n, big));
}

/* What ends a turn may go beyond the share, but not for ever. */
static void
test_answers(void **state)
{
	int i;

	for (i = 0; i < ENOUGH; i++)
		numbered(i);
	ANSWERS(255, 0);
	anew();
	assert_in_range(flood(answer), 5, 20);
	others_go_on();
}

static enum store_rc
die(int n)
{
	enum store_rc rc = put(n);

	if (rc != STORE_OK)
		return rc;
	return run("turn.dead", frame("{\"seq\":%d,\"reason\":\"r\","
				      "\"status\":0}", n + 1));
}

static void
test_dead_rows(void **state)
{
	int n;

	ROWS(120, 2);
	for (n = 120; n < 160 && die(n) == STORE_OK; n++)
		if (n % 4 == 3)
			anew();
	assert_in_range(n, 125, 150);
	others_go_on();
	assert_true(db_wants_prune(ts_db));
	ts_prune(ts_db, 1);
	assert_false(db_wants_prune(ts_db));
	assert_true(sql("SELECT total(length(data)) FROM inbox"
			" WHERE state = 2") <= STORE_DEAD_KEEP);
	a_second_later();
	assert_int_equal(put(1000), STORE_OK);
}

static enum store_rc
say(int n, const char *session)
{
	return run("turn.commit",
	    frame("{\"seq\":%d,\"session\":\"agent:helper:%s\",\"agent\":"
		  "\"helper\",\"outcome\":\"silent\",\"transcript\":[{"
		  "\"role\":\"user\",\"content\":\"%s\"}]}",
		numbered(n), session, big));
}

static void
test_long_session(void **state)
{
	int i;

	for (i = 0; i < 12; i++)
		assert_int_equal(say(i, "one"), STORE_OK);
	assert_in_range(sql("SELECT count(*) FROM message"), 5, 8);
	assert_true(
	    sql("SELECT sum(length(body)) = (SELECT bytes FROM session)"
		" FROM message"));
}

/* Sessions without number: those that were used last stay. */
static void
test_sessions(void **state)
{
	char name[16];
	int i;

	ts_ok(ts_db, ts_other, "turn.commit",
	    (ts_put(ts_db, ts_other, "theirs"),
		"{\"seq\":1,\"session\":\"agent:spy:main\",\"agent\":\"spy\","
		"\"outcome\":\"silent\",\"transcript\":[{\"role\":\"user\"}]}"));
	assert_int_equal(say(0, "old"), STORE_OK);
	assert_int_equal(say(1, "used"), STORE_OK);
	/* As if it had said much more. */
	sql("UPDATE session SET bytes = 1000000, updated = 0"
	    " WHERE key = 'agent:helper:old'");
	MANY(600, "session(key, first, next, updated, account, bytes)",
	    "'agent:helper:' || x, 0, 0, x, 'main', 1000000");
	anew();
	for (i = 2; i < 9; i++) {
		snprintf(name, sizeof(name), "new%d", i);
		assert_int_equal(say(i, name), STORE_OK);
		a_second_later();
	}
	assert_in_range(sql("SELECT total(bytes) FROM session"
			    " WHERE account = 'main'"),
	    STORE_SESSIONS_KEEP / 2, STORE_SESSIONS_KEEP);
	assert_int_equal(sql("SELECT count(*) FROM session WHERE key IN"
			     " ('agent:helper:used', 'agent:spy:main',"
			     " 'agent:helper:new2', 'agent:helper:new8')"),
	    4);
	assert_int_equal(
	    sql("SELECT count(*) FROM session WHERE key = 'agent:helper:old'"),
	    0);
	/* Messages of none are not left. */
	assert_int_equal(sql("SELECT count(*) FROM message WHERE id >> 32"
			     " NOT IN (SELECT num FROM session)"),
	    0);
}

static void
test_notes(void **state)
{
	int i;

	MANY(60000, "note(session, key, at, text, account)",
	    "'agent:x:' || x, 'k', 1, 'x', iif(x > 100, 'main', 'other')");
	for (i = 0; i < 3; i++)
		assert_int_equal(run("note.put",
				     frame("{\"session\":\"agent:helper:%d\","
					   "\"agent\":\"helper\",\"key\":\"k\","
					   "\"at\":1,\"text\":\"x\"}", i)),
		    STORE_OK);
	assert_int_equal(sql("SELECT count(*) FROM note"),
	    STORE_NOTES_KEEP + 3 + 100);
	assert_int_equal(ts_main->quota.notes, STORE_NOTES_KEEP / 10 - 2);
}

static void
test_marks(void **state)
{
	int i;

	MANY(150000, "mark", "iif(x > 100, 'main', 'other'), x, '', x");
	for (i = 0; i < 3; i++)
		assert_int_equal(run("mark", frame("{\"channel\":\"c%d\","
						   "\"post\":\"\",\"at\":%d}",
						 i, 200000 + i)),
		    STORE_OK);
	assert_int_equal(sql("SELECT count(*) FROM mark"),
	    STORE_MARKS_KEEP + 3 + 100);
	assert_int_equal(ts_main->quota.marks, STORE_MARKS_KEEP / 10 - 2);
}

static void
test_commands(void **state)
{
	MANY(2000, "command", "'main', 't' || x, 'x', 'c'");
	assert_int_equal(run("command.set",
			     frame("{\"team\":\"new\",\"trigger\":\"x\","
				   "\"command\":\"c\"}")),
	    STORE_QUOTA);
	ts_ok(ts_db, ts_main, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"x\",\"command\":\"new\"}");
	ts_ok(ts_db, ts_other, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"x\",\"command\":\"new\"}");
}

static void
test_gates(void **state)
{
	int i;

	MANY(1000, "gate", "'main', 'c' || x, 'always'");
	for (i = 1000; i < 1003; i++)
		assert_int_equal(run("turn.commit",
				     frame("{\"seq\":%d,\"outcome\":"
					   "\"command\",\"gate\":{\"channel\":"
					   "\"c%d\",\"mode\":\"mention\"}}",
					 numbered(i), i)),
		    STORE_OK);
	assert_int_equal(sql("SELECT count(*) FROM gate"), 1000);
	assert_int_equal(
	    sql("SELECT count(*) FROM gate WHERE mode = 'mention'"), 1);
}

/* Keys that were sent are remembered until their turn ends. */
static void
test_tool(void **state)
{
	enum store_rc rc = STORE_OK;
	int i;

	ts_put(ts_db, ts_main, "e");
	MANY(200000, "tool(account, key, seq)", "'main', 'old' || x, 1");
	anew();
	for (i = 0; i < 10 && rc == STORE_OK; i++)
		rc = run("tool.put", frame("{\"seq\":1,\"outbox\":[{\"key\":"
					   "\"t%d\",\"op\":\"post\","
					   "\"channel\":\"c\"}]}", i));
	assert_int_equal(rc, STORE_QUOTA);
	assert_int_equal(run("turn.commit",
			     frame("{\"seq\":1,\"outcome\":\"silent\"}")),
	    STORE_OK);
	a_second_later();
	assert_int_equal(put(1), STORE_OK);
}

/* Turns of bots in channels without number. */
static void
test_loops(void **state)
{
	int i;

	MANY(50000, "bot_turn", "iif(x > 10, 'main', 'other'), x, '', 9, x");
	for (i = 0; i < 3; i++)
		assert_int_equal(run("inbox.put",
				     frame("{\"kind\":\"post\",\"event\":"
					   "\"b%d\",\"lane\":\"l\",\"channel\":"
					   "\"1000\",\"at\":1,\"bots\":true,"
					   "\"data\":{}}", i)),
		    STORE_OK);
	assert_int_equal(sql("SELECT count(*) FROM bot_turn"), 11);
	assert_int_equal(
	    sql("SELECT n FROM bot_turn WHERE account = 'main'"), 3);
	assert_in_range(ts_main->quota.loops, 1, 1000);
}

/* Faster than anybody could want to have it explained. */
static void
test_drops(void **state)
{
	static char drops[4000 * 80];
	size_t len = 0;
	int i;

	for (i = 0; i < 4000; i++)
		len += (size_t)snprintf(drops + len, sizeof(drops) - len,
		    "%s{\"at\":1,\"stage\":\"gate\",\"reason\":"
		    "\"no-mention\"}", i == 0 ? "" : ",");
	for (i = 0; i < 50; i++)
		assert_int_equal(
		    run("drops", frame("{\"drops\":[%s]}", drops)),
		    STORE_OK);
	assert_in_range(sql("SELECT count(*) FROM decision"),
	    STORE_DECISIONS_BURST, STORE_DECISIONS_BURST * 3 / 2);
	assert_int_equal(sql("SELECT n FROM drop_count"), 200000);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_open_rows),
	    T(test_outbox),
	    T(test_answers),
	    T(test_dead_rows),
	    T(test_long_session),
	    T(test_sessions),
	    T(test_notes),
	    T(test_marks),
	    T(test_commands),
	    T(test_gates),
	    T(test_tool),
	    T(test_loops),
	    T(test_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
