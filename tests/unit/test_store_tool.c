/*
 * What the tools of a turn have sent: put once, known with its end, and
 * gone with the turn.
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
#include "workers/store/tool.h"

#define ROWS "SELECT count(*) FROM outbox"
#define KNOWN "SELECT count(*) FROM tool"

static int64_t seq;

static int
setup(void **state)
{
	ts_setup(state);
	seq = ts_put(ts_db, ts_main, "p1");
	return 0;
}

static struct json_object *
put(struct peer *p, enum store_rc *rc)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"outbox\":["
	    "{\"key\":\"t1\",\"op\":\"post\",\"channel\":\"c1\","
	    "\"text\":\"a\"},"
	    "{\"key\":\"t2\",\"op\":\"post\",\"channel\":\"c1\","
	    "\"text\":\"b\"}]}", (int)seq);
	return ts_run(ts_db, p, "tool.put", text, rc);
}

/* "dup:state:post:error " for each row. */
static const char *
rows(struct json_object *reply)
{
	static char buf[256];
	struct json_object *list, *o;
	size_t i;

	buf[0] = '\0';
	assert_true(json_object_object_get_ex(reply, "rows", &list));
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf),
		    "%d:%s:%s:%s ", (int)ts_int(o, "dup"), ts_str(o, "state"),
		    ts_str(o, "post"), ts_str(o, "error"));
	}
	json_object_put(reply);
	return buf;
}

static const char *
again(void)
{
	enum store_rc rc;
	struct json_object *r = put(ts_main, &rc);

	assert_int_equal(rc, STORE_OK);
	return rows(r);
}

static void
over(const char *type, const char *rest)
{
	char text[256];

	snprintf(text, sizeof(text), "{\"seq\":%d,%s}", (int)seq, rest);
	ts_ok(ts_db, ts_main, type, text);
}

static void
test_once(void **state)
{
	assert_string_equal(again(), "0:open:: 0:open:: ");
	assert_int_equal(ts_sql(ts_db, ROWS), 2);
	assert_string_equal(again(), "1:open:: 1:open:: ");
	assert_int_equal(ts_sql(ts_db, ROWS), 2);
	ts_ok(
	    ts_db, ts_main, "outbox.done", "{\"key\":\"t1\",\"post\":\"x1\"}");
	ts_ok(ts_db, ts_main, "outbox.dead",
	    "{\"key\":\"t2\",\"reason\":\"refused\",\"status\":403,"
	    "\"text\":\"403 no\"}");
	assert_string_equal(again(), "1:done:x1: 1:dead::403 no ");
	/* What was sent is not put again, over a restart and a retry. */
	db_close(ts_db);
	ts_db = ts_open();
	over("turn.retry", "\"not_before\":1,\"reason\":\"x\"");
	assert_string_equal(again(), "1:done:x1: 1:dead::403 no ");
	assert_int_equal(ts_sql(ts_db, ROWS " WHERE state = 0"), 0);
	/* The post is one of the event's answers. */
	assert_int_equal(ts_sql(ts_db, "SELECT answers = 'x1' FROM inbox"), 1);
}

static void
test_gone_with_the_turn(void **state)
{
	enum store_rc rc;

	(void)again();
	over("turn.commit", "\"outcome\":\"silent\"");
	assert_int_equal(ts_sql(ts_db, KNOWN), 0);
	/* Rows that wait are still sent. */
	assert_int_equal(ts_sql(ts_db, ROWS), 2);
	ts_ok(
	    ts_db, ts_main, "outbox.done", "{\"key\":\"t1\",\"post\":\"x1\"}");
	assert_null(put(ts_main, &rc));
	assert_int_equal(rc, STORE_DENIED);
}

/* A turn that was given up may be taken up again by an operator. */
static void
test_kept_with_the_dead(void **state)
{
	(void)again();
	over("turn.dead", "\"reason\":\"x\",\"status\":0");
	assert_int_equal(ts_sql(ts_db, KNOWN), 2);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {"{}", "{\"seq\":1}",
	    "{\"seq\":1,\"outbox\":[{}]}", "{\"seq\":1,\"outbox\":[7]}",
	    "{\"seq\":1,\"outbox\":[{\"key\":\"\",\"op\":\"post\","
	    "\"channel\":\"c\"}]}",
	    "{\"seq\":1,\"outbox\":[{\"key\":\"k\",\"op\":\"fly\","
	    "\"channel\":\"c\"}]}"};
	enum store_rc rc;
	size_t i;

	assert_null(put(ts_other, &rc));
	assert_int_equal(rc, STORE_DENIED);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ts_fail(ts_db, ts_main, "tool.put", bad[i], STORE_BAD);
	assert_int_equal(ts_sql(ts_db, KNOWN), 0);
	assert_int_equal(ts_sql(ts_db, ROWS), 0);
	/* The same key of another account is another row. */
	(void)again();
	ts_ok(
	    ts_db, ts_other, "outbox.done", "{\"key\":\"t1\",\"post\":\"x\"}");
	assert_string_equal(again(), "1:open:: 1:open:: ");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, ts_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_once),
	    T(test_gone_with_the_turn),
	    T(test_kept_with_the_dead),
	    T(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
