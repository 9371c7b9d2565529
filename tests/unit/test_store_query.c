/* What posternctl asks the store: why, what is dead, and how many. */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_store_util.h"

static void
test_explain(void **state)
{
	struct json_object *r, *list;
	char text[1024];
	int64_t seq;

	ts_ok(ts_db, ts_other, "drops",
	    "{\"drops\":[{\"post\":\"p1\",\"channel\":\"c1\",\"at\":1000,"
	    "\"stage\":\"mention\",\"reason\":\"no-mention\","
	    "\"rule\":\"requireMention\",\"kind\":\"post\"}]}");
	seq = ts_put(ts_db, ts_main, "p1");
	snprintf(
	    text, sizeof(text), TS_COMMIT, (int)seq, TS_SESSION, "k2", "post");
	ts_ok(ts_db, ts_main, "turn.commit", text);
	ts_ok(
	    ts_db, ts_main, "outbox.done", "{\"key\":\"k1\",\"post\":\"a1\"}");
	ts_ok(
	    ts_db, ts_main, "outbox.done", "{\"key\":\"k2\",\"post\":\"a2\"}");

	r = ts_ask("explain", "{\"post\":\"p1\"}");
	assert_string_equal(ts_str(ts_row(r, 0), "account"), "other");
	assert_string_equal(ts_str(ts_row(r, 0), "state"), "ignored");
	assert_string_equal(ts_str(ts_row(r, 0), "reason"), "no-mention");
	assert_string_equal(ts_str(ts_row(r, 0), "rule"), "requireMention");
	assert_string_equal(ts_str(ts_row(r, 1), "account"), "main");
	assert_string_equal(ts_str(ts_row(r, 1), "state"), "done");
	assert_string_equal(ts_str(ts_row(r, 1), "outcome"), "answered");
	list = json_object_object_get(ts_row(r, 1), "answer_posts");
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(
	    json_object_get_string(json_object_array_get_idx(list, 1)), "a2");
	json_object_put(r);

	r = ts_ask("explain", "{\"post\":\"p1\",\"account\":\"other\"}");
	assert_int_equal(ts_rows(r), 1);
	json_object_put(r);
	r = ts_ask("explain", "{\"post\":\"unknown\"}");
	assert_int_equal(ts_rows(r), 0);
	json_object_put(r);
}

static void
test_explain_more(void **state)
{
#define OWN "a1b2c3d4e5f6g7h8i9j0k1l2m3"
	struct json_object *r, *o;
	char text[512];
	int64_t seq;

	/* A reaction that was taken is told of, and is no drop. */
	ts_ok(ts_db, ts_main, "drops",
	    "{\"drops\":[{\"post\":\"p1\",\"at\":1,\"stage\":\"turn\","
	    "\"reason\":\"ok\",\"rule\":\"r\",\"kind\":\"reaction\"}]}");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM drop_count"), 0);
	r = ts_ask("explain", "{\"post\":\"p1\"}");
	assert_string_equal(ts_str(ts_row(r, 0), "state"), "noted");
	assert_string_equal(ts_str(ts_row(r, 0), "rule"), "r");
	json_object_put(r);
	/* A click is found by the post that has the button. */
	ts_ok(ts_db, ts_main, "inbox.put",
	    "{\"kind\":\"button\",\"event\":\"nonce\",\"lane\":\"l\","
	    "\"channel\":\"c\",\"at\":1,\"data\":{},\"post\":\"p2\","
	    "\"rule\":\"groupPolicy\"}");
	r = ts_ask("explain", "{\"post\":\"p2\"}");
	o = ts_row(r, 0);
	assert_string_equal(ts_str(o, "kind"), "button");
	assert_string_equal(ts_str(o, "rule"), "groupPolicy");
	assert_string_equal(ts_str(o, "event"), "nonce");
	json_object_put(r);
	/* A post of the bot is found by what it answers. */
	seq = ts_put(ts_db, ts_main, "p3");
	snprintf(
	    text, sizeof(text), TS_COMMIT, (int)seq, TS_SESSION, "k2", "post");
	ts_ok(ts_db, ts_main, "turn.commit", text);
	ts_ok(ts_db, ts_main, "outbox.done",
	    "{\"key\":\"k1\",\"post\":\"z1b2c3d4e5f6g7h8i9j0k1l2m3\"}");
	ts_ok(ts_db, ts_main, "outbox.done",
	    "{\"key\":\"k2\",\"post\":\"" OWN "\"}");
	r = ts_ask("explain", "{\"post\":\"" OWN "\"}");
	o = ts_row(r, 0);
	assert_string_equal(ts_str(o, "event"), "p3");
	assert_true(json_object_get_boolean(json_object_object_get(o, "own")));
	json_object_put(r);
	r = ts_ask("explain", "{\"post\":\"" OWN "\",\"account\":\"other\"}");
	assert_int_equal(ts_rows(r), 0);
	json_object_put(r);
	/* A piece of an id is none. */
	r = ts_ask("explain", "{\"post\":\"a1b2\"}");
	assert_int_equal(ts_rows(r), 0);
	json_object_put(r);
}

static void
test_dead_list_stats(void **state)
{
	struct json_object *r, *a;
	char text[256];
	int64_t seq = ts_put(ts_db, ts_main, "p1");

	ts_ok(ts_db, ts_main, "load", "{}");
	ts_ok(ts_db, ts_other, "load", "{}");
	ts_put(ts_db, ts_main, "p2");
	ts_put(ts_db, ts_main, "p3");
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"reason\":\"auth\",\"status\":401}", (int)seq);
	ts_ok(ts_db, ts_main, "turn.dead", text);
	ts_ok(ts_db, ts_other, "outbox.put",
	    "{\"outbox\":[{\"key\":\"k3\",\"op\":\"post\",\"channel\":\"c\","
	    "\"text\":\"t\"},{\"key\":\"k4\",\"op\":\"post\","
	    "\"channel\":\"c\",\"text\":\"t\"}]}");
	ts_ok(ts_db, ts_other, "outbox.dead",
	    "{\"key\":\"k3\",\"reason\":\"rejected\",\"status\":403,"
	    "\"text\":\"no permission\"}");
	ts_ok(ts_db, ts_other, "drops",
	    "{\"drops\":[{\"at\":1,\"stage\":\"s\",\"reason\":\"bot-author\"},"
	    "{\"at\":1,\"stage\":\"s\",\"reason\":\"bot-author\"}]}");

	r = ts_ask("dead.list", "{\"limit\":10}");
	assert_int_equal(ts_rows(r), 2);
	json_object_put(r);
	r = ts_ask("dead.list", "{\"limit\":10,\"account\":\"other\"}");
	assert_string_equal(ts_str(ts_row(r, 0), "what"), "outbox");
	assert_string_equal(ts_str(ts_row(r, 0), "error"), "no permission");
	assert_int_equal(ts_int(ts_row(r, 0), "status"), 403);
	json_object_put(r);

	r = ts_ask("stats", "{}");
	assert_true(ts_int(r, "db_bytes") > 4096);
	a = json_object_object_get(
	    json_object_object_get(r, "accounts"), "main");
	assert_int_equal(ts_int(a, "inbox_pending"), 2);
	assert_int_equal(ts_int(a, "dead"), 1);
	assert_true(ts_int(a, "oldest_pending_at") > 0);
	a = json_object_object_get(
	    json_object_object_get(r, "accounts"), "other");
	assert_int_equal(ts_int(a, "outbox_pending"), 1);
	assert_int_equal(ts_int(a, "dead"), 1);
	assert_int_equal(ts_int(json_object_object_get(a, "drops"),
			     "bot-author"), 2);
	json_object_put(r);
}

/* One account's long texts: the newest are told, and not none at all. */
static void
test_dead_list_fits(void **state)
{
	char text[4096], quotes[2 * 1000 + 1];
	struct json_object *r;
	size_t len;
	int i;

	for (i = 0; i < 1000; i++)
		memcpy(quotes + 2 * i, "\\\"", 3);
	for (i = 0; i < 500; i++) {
		snprintf(text, sizeof(text),
		    "{\"outbox\":[{\"key\":\"k%d\",\"op\":\"post\","
		    "\"channel\":\"c\",\"text\":\"t\"}]}", i);
		ts_ok(ts_db, ts_main, "outbox.put", text);
		snprintf(text, sizeof(text),
		    "{\"key\":\"k%d\",\"reason\":\"r\",\"status\":403,"
		    "\"text\":\"%s\"}", i, quotes);
		ts_ok(ts_db, ts_main, "outbox.dead", text);
	}
	r = ts_ask("dead.list", "{\"limit\":500}");
	assert_in_range(ts_rows(r), 400, 499);
	json_object_to_json_string_length(r,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	assert_in_range(len, 900000, PROTO_TEXT);
	json_object_put(r);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, ts_setup, ts_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_explain),
	    T(test_explain_more),
	    T(test_dead_list_stats),
	    T(test_dead_list_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
