/*
 * The operations of the store on a real database: once each, in order, all
 * or nothing, and only what is the peer's.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_store_util.h"
#include "workers/store/op.h"

static void
test_put_is_once(void **state)
{
	struct json_object *r;
	enum store_rc rc;
	int64_t a, b;

	a = ts_put(ts_db, ts_main, "p1");
	b = ts_put(ts_db, ts_main, "p2");
	assert_true(b > a);
	assert_int_equal(ts_put(ts_db, ts_main, "p1"), a);
	r = ts_run(ts_db, ts_main, "inbox.put",
	    "{\"kind\":\"post\",\"event\":\"p2\",\"lane\":\"x\","
	    "\"channel\":\"c1\",\"at\":1,\"data\":{}}",
	    &rc);
	assert_int_equal(ts_int(r, "dup"), 1);
	assert_int_equal(ts_int(r, "seq"), b);
	assert_int_equal(ts_int(r, "id"), 7);
	json_object_put(r);
	/* Another kind and another account are ts_other events. */
	r = ts_run(ts_db, ts_main, "inbox.put",
	    "{\"kind\":\"edit\",\"event\":\"p1\",\"lane\":\"x\","
	    "\"channel\":\"c1\",\"at\":1,\"data\":{}}",
	    &rc);
	assert_int_equal(ts_int(r, "dup"), 0);
	json_object_put(r);
	assert_true(ts_put(ts_db, ts_other, "p1") > b);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM inbox"), 4);
	ts_reopen();
	assert_int_equal(ts_put(ts_db, ts_main, "p1"), a);
}

static void
test_put_done_is_still_known(void **state)
{
	int64_t seq = ts_put(ts_db, ts_main, "p1");
	struct json_object *r;
	enum store_rc rc;
	char text[64];

	snprintf(text, sizeof(text), "{\"seq\":%d,\"outcome\":\"silent\"}",
	    (int)seq);
	ts_ok(ts_db, ts_main, "turn.commit", text);
	assert_int_equal(ts_put(ts_db, ts_main, "p1"), seq);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT state FROM inbox WHERE event = 'p1'"), 1);
	/* The content of what is done is not kept. */
	assert_int_equal(ts_sql(ts_db, "SELECT data IS NULL FROM inbox"), 1);
	r = ts_run(ts_db, ts_main, "turn.commit", text, &rc);
	assert_int_equal(rc, STORE_OK);
	assert_int_equal(ts_int(r, "dup"), 1);
	json_object_put(r);
}

static void
test_marks(void **state)
{
#define MARK "SELECT at FROM mark WHERE account = 'main' AND channel = 'c9'"
	ts_ok(ts_db, ts_main, "mark",
	    "{\"channel\":\"c9\",\"post\":\"a\",\"at\":500}");
	assert_int_equal(ts_sql(ts_db, MARK), 500);
	ts_ok(ts_db, ts_main, "mark",
	    "{\"channel\":\"c9\",\"post\":\"b\",\"at\":400}");
	assert_int_equal(ts_sql(ts_db, MARK), 500);
	ts_ok(ts_db, ts_main, "inbox.put",
	    "{\"kind\":\"post\",\"event\":\"e\",\"lane\":\"l\","
	    "\"channel\":\"c9\",\"at\":450,\"data\":{},\"mark\":true}");
	assert_int_equal(ts_sql(ts_db, MARK), 500);
	ts_ok(ts_db, ts_main, "drops",
	    "{\"drops\":[{\"post\":\"d1\",\"channel\":\"c9\",\"at\":700,"
	    "\"stage\":\"gate\",\"reason\":\"no-mention\",\"mark\":true},"
	    "{\"post\":\"d0\",\"channel\":\"c9\",\"at\":600,"
	    "\"stage\":\"gate\",\"reason\":\"no-mention\",\"mark\":true}]}");
	assert_int_equal(ts_sql(ts_db, MARK), 700);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT post = 'd1' FROM mark WHERE channel = 'c9'"),
	    1);
	/* Without "mark" it stays; another account has its own. */
	ts_ok(ts_db, ts_main, "inbox.put",
	    "{\"kind\":\"post\",\"event\":\"f\",\"lane\":\"l\","
	    "\"channel\":\"c9\",\"at\":900,\"data\":{}}");
	ts_ok(ts_db, ts_other, "mark",
	    "{\"channel\":\"c9\",\"post\":\"z\",\"at\":9000}");
	assert_int_equal(ts_sql(ts_db, MARK), 700);
	/* post names the post when the event is something else. */
	ts_ok(ts_db, ts_main, "inbox.put",
	    "{\"kind\":\"edit\",\"event\":\"g\",\"lane\":\"l\","
	    "\"channel\":\"c9\",\"at\":901,\"data\":{},\"mark\":true,"
	    "\"post\":\"gp\"}");
	assert_int_equal(ts_sql(ts_db, "SELECT post = 'gp' FROM mark"
				       " WHERE account = 'main'"),
	    1);
}

/* Read again after a crash: neither recorded nor counted a second time. */
static void
test_drop_again(void **state)
{
	static const char drop[] =
	    "{\"drops\":[{\"post\":\"%s\",\"channel\":\"c9\",\"at\":%d,"
	    "\"stage\":\"gate\",\"reason\":\"%s\",\"kind\":\"%s\"}]}";
	static const struct {
		const char *post, *reason, *kind;
		int at, rows, count;
	} cases[] = {
	    {"d1", "no-mention", "post", 700, 1, 1},
	    {"d1", "no-mention", "post", 700, 1, 1},
	    {"d2", "no-mention", "post", 700, 2, 2},
	    {"d1", "bot-author", "post", 700, 3, 2},  /* by another rule now */
	    {"d1", "no-mention", "edit", 700, 4, 3}, /* each edit is one */
	    {"d1", "no-mention", "edit", 700, 5, 4},
	    {"r1", "no-mention", "reaction", 800, 6, 5},
	    {"r1", "no-mention", "reaction", 801, 7, 6},
	    {"r1", "no-mention", "reaction", 801, 7, 6},
	    {"", "no-mention", "post", 0, 8, 7}, /* who knows which */
	    {"", "no-mention", "post", 0, 9, 8},
	};
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), drop, cases[i].post, cases[i].at,
		    cases[i].reason, cases[i].kind);
		ts_ok(ts_db, ts_main, "drops", text);
		assert_int_equal(
		    ts_sql(ts_db, "SELECT count(*) FROM decision"),
		    cases[i].rows);
		assert_int_equal(ts_sql(ts_db, "SELECT n FROM drop_count"
					       " WHERE reason ="
					       " 'no-mention'"),
		    cases[i].count);
	}
}

static void
test_posts_find(void **state)
{
	struct json_object *r;
	enum store_rc rc;

	ts_ok(ts_db, ts_main, "drops",
	    "{\"drops\":[{\"post\":\"d1\",\"at\":1,\"stage\":\"s\","
	    "\"reason\":\"bot-author\",\"kind\":\"post\"},"
	    "{\"post\":\"d2\",\"at\":1,\"stage\":\"s\","
	    "\"reason\":\"bot-author\",\"kind\":\"reaction\"},"
	    "{\"post\":\"d3\",\"at\":1,\"stage\":\"s\","
	    "\"reason\":\"ok\",\"kind\":\"post\"}]}");
	ts_put(ts_db, ts_main, "p1");
	r = ts_run(ts_db, ts_main, "posts.find",
	    "{\"posts\":[\"d0\",\"d1\",\"d2\",\"d3\",\"\",7,\"p1\"]}", &rc);
	assert_int_equal(rc, STORE_OK);
	assert_string_equal(
	    json_object_to_json_string_ext(
		json_object_object_get(r, "posts"), JSON_C_TO_STRING_PLAIN),
	    "[\"d1\",\"p1\"]");
	json_object_put(r);
	/* Another account's are its own. */
	r = ts_run(ts_db, ts_other, "posts.find",
	    "{\"posts\":[\"d1\",\"p1\"]}", &rc);
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "posts")), 0);
	json_object_put(r);
}

static void
test_commit(void **state)
{
	int64_t seq = ts_put(ts_db, ts_main, "p1");
	char text[1024];

	snprintf(text, sizeof(text), TS_COMMIT, (int)seq, TS_SESSION, "k2",
	    "delete");
	ts_ok(ts_db, ts_main, "turn.commit", text);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM message"), 2);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"
				       " WHERE lane = 'c1/' AND seq > 0"),
	    2);
	assert_int_equal(ts_sql(ts_db, "SELECT n FROM outbox"
				       " WHERE key = 'k1'"),
	    1);
	/* Again: no second effect. */
	ts_ok(ts_db, ts_main, "turn.commit", text);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM message"), 2);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"), 2);
}

static void
test_commit_is_all_or_nothing(void **state)
{
	int64_t seq = ts_put(ts_db, ts_main, "p1");
	char text[1024];

	/* The last outbox row is malformed: nothing of it may stay. */
	snprintf(
	    text, sizeof(text), TS_COMMIT, (int)seq, TS_SESSION, "k2", "shout");
	ts_fail(ts_db, ts_main, "turn.commit", text, STORE_BAD);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM message"), 0);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM session"), 0);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(ts_sql(ts_db, "SELECT state FROM inbox"), 0);
	snprintf(
	    text, sizeof(text), TS_COMMIT, (int)seq, TS_SESSION, "k2", "edit");
	ts_ok(ts_db, ts_main, "turn.commit", text);
}

static void
test_denied(void **state)
{
	int64_t seq = ts_put(ts_db, ts_main, "p1");
	char text[1024];

	/* Another account's row; a row that is not there. */
	snprintf(text, sizeof(text), "{\"seq\":%d,\"outcome\":\"silent\"}",
	    (int)seq);
	ts_fail(ts_db, ts_other, "turn.commit", text, STORE_DENIED);
	ts_fail(ts_db, ts_main, "turn.commit",
	    "{\"seq\":999,\"outcome\":\"silent\"}", STORE_DENIED);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"not_before\":1,\"reason\":\"r\"}", (int)seq);
	ts_fail(ts_db, ts_other, "turn.retry", text, STORE_DENIED);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"status\":0,\"reason\":\"r\"}", (int)seq);
	ts_fail(ts_db, ts_other, "turn.dead", text, STORE_DENIED);
	/* Sessions of an agent that is not bound, or hidden in the key. */
	snprintf(text, sizeof(text), TS_COMMIT, (int)seq, "agent:spy:main",
	    "k2", "edit");
	ts_fail(ts_db, ts_main, "turn.commit", text, STORE_DENIED);
	snprintf(text, sizeof(text), TS_COMMIT, (int)seq, "agent:helper2:main",
	    "k2", "edit");
	ts_fail(ts_db, ts_main, "turn.commit", text, STORE_DENIED);
	snprintf(text, sizeof(text), TS_COMMIT, (int)seq, "", "k2", "edit");
	ts_fail(ts_db, ts_main, "turn.commit", text, STORE_DENIED);
	assert_int_equal(ts_sql(ts_db, "SELECT state FROM inbox"), 0);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM session"), 0);
}

static void
test_bad_shapes(void **state)
{
	static const struct {
		const char *type, *text;
	} bad[] = {
	    {"load", "{\"x\":1}"},
	    {"inbox.put", "{}"},
	    {"inbox.put", "{\"kind\":\"\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":1,\"data\":{}}"},
	    {"inbox.put", "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":-1,\"data\":{}}"},
	    {"inbox.put", "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":1,\"data\":[]}"},
	    {"inbox.put", "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":1,\"data\":{},"
			  "\"extra\":1}"},
	    {"drops", "{\"drops\":[{\"at\":1,\"stage\":\"s\"}]}"},
	    {"drops", "{\"drops\":[1]}"},
	    {"drops", "{\"drops\":[{\"at\":1,\"stage\":\"s\","
		      "\"reason\":\"no-mention\",\"mark\":true}]}"},
	    {"drops", "{\"drops\":[{\"at\":1,\"stage\":\"s\","
		      "\"reason\":\"made up\"}]}"},
	    {"turn.begin", "{\"seq\":0}"},
	    {"turn.commit", "{\"seq\":1,\"outcome\":\"maybe\"}"},
	    {"turn.commit", "{\"seq\":\"1\",\"outcome\":\"silent\"}"},
	    {"turn.dead", "{\"seq\":1,\"reason\":\"r\",\"status\":1000}"},
	    {"outbox.put", "{\"outbox\":[{\"key\":\"\",\"op\":\"post\","
			   "\"channel\":\"c\"}]}"},
	    {"outbox.put", "{\"outbox\":{}}"},
	    {"outbox.done", "{\"post\":\"x\"}"},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ts_fail(ts_db, ts_main, bad[i].type, bad[i].text, STORE_BAD);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM inbox"), 0);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM decision"), 0);
}

static void
test_retry_dead(void **state)
{
	int64_t seq = ts_put(ts_db, ts_main, "p1");
	char text[512], reason[700];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"not_before\":77,\"reason\":\"%.300s\"}", (int)seq,
	    reason);
	ts_ok(ts_db, ts_main, "turn.retry", text);
	ts_ok(ts_db, ts_main, "turn.retry", text);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT attempts * 1000 + not_before FROM inbox"),
	    2077);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"reason\":\"auth\",\"status\":401,\"outbox\":"
	    "[{\"key\":\"n\",\"op\":\"post\",\"channel\":\"c1\","
	    "\"text\":\"sorry\"}]}",
	    (int)seq);
	ts_ok(ts_db, ts_main, "turn.dead", text);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT state * 1000 + status FROM inbox"), 2401);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"), 1);
	/* A dead row keeps its data, and its event is still known. */
	assert_int_equal(
	    ts_sql(ts_db, "SELECT data IS NOT NULL FROM inbox"), 1);
	assert_int_equal(ts_put(ts_db, ts_main, "p1"), seq);
	ts_ok(ts_db, ts_main, "turn.dead", text);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"), 1);
}

static void
test_outbox(void **state)
{
	int64_t seq = ts_put(ts_db, ts_main, "p1");
	char text[1024];

	snprintf(text, sizeof(text), TS_COMMIT, (int)seq, TS_SESSION, "k2",
	    "delete");
	ts_ok(ts_db, ts_main, "turn.commit", text);
	/* Another account cannot end our rows. */
	ts_ok(
	    ts_db, ts_other, "outbox.done", "{\"key\":\"k1\",\"post\":\"x\"}");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"), 2);
	ts_ok(ts_db, ts_main, "outbox.done",
	    "{\"key\":\"k1\",\"post\":\"post1\"}");
	ts_ok(ts_db, ts_main, "outbox.done",
	    "{\"key\":\"k1\",\"post\":\"post1\"}");
	ts_ok(ts_db, ts_main, "outbox.done",
	    "{\"key\":\"k2\",\"post\":\"gone\"}");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT answers = 'post1' FROM inbox"), 1);
	ts_ok(ts_db, ts_main, "outbox.put",
	    "{\"outbox\":[{\"key\":\"k3\",\"op\":\"post\","
	    "\"channel\":\"c\",\"text\":\"t\"}]}");
	ts_ok(ts_db, ts_main, "outbox.dead",
	    "{\"key\":\"k3\",\"reason\":\"rejected\",\"status\":403,"
	    "\"text\":\"no permission\"}");
	assert_int_equal(ts_sql(ts_db, "SELECT state FROM outbox"), 2);
}

/* An inbox.put whose data is a JSON text of len bytes. */
static char *
put_of_size(size_t len)
{
	static const char head[] =
	    "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"l\","
	    "\"channel\":\"c\",\"at\":1,\"data\":{\"x\":\"";
	size_t fill = len - strlen("{\"x\":\"\"}");
	char *text = malloc(sizeof(head) + len + 16);

	assert_non_null(text);
	memcpy(text, head, sizeof(head) - 1);
	memset(text + sizeof(head) - 1, 'y', fill);
	strlcpy(text + sizeof(head) - 1 + fill, "\"}}", 16);
	return text;
}

static void
test_too_large(void **state)
{
	char *text = put_of_size(STORE_DATA + 1);

	ts_fail(ts_db, ts_main, "inbox.put", text, STORE_SIZE);
	free(text);
	text = put_of_size(STORE_DATA);
	ts_ok(ts_db, ts_main, "inbox.put", text);
	free(text);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT length(data) FROM inbox"), STORE_DATA);
}

static void
test_cut(void **state)
{
	char buf[6];

	op_cut(buf, "abc", sizeof(buf));
	assert_string_equal(buf, "abc");
	op_cut(buf, "abcdefgh", sizeof(buf));
	assert_string_equal(buf, "abcde");
	op_cut(buf, "abcd\xc3\xa9z", sizeof(buf));
	assert_string_equal(buf, "abcd");
	op_cut(buf, "ab\xf0\x9f\x98\x80", sizeof(buf));
	assert_string_equal(buf, "ab");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, ts_setup, ts_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_put_is_once),
	    T(test_put_done_is_still_known),
	    T(test_marks),
	    T(test_drop_again),
	    T(test_posts_find),
	    T(test_commit),
	    T(test_commit_is_all_or_nothing),
	    T(test_denied),
	    T(test_bad_shapes),
	    T(test_retry_dead),
	    T(test_outbox),
	    T(test_too_large),
	    T(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
