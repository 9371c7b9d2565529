/* The transcript of a session: read by its agent alone, cut and reset. */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/test_store_util.h"
#include "workers/store/op.h"
#include "workers/store/session.h"

static struct json_object *
session_load(const char *agent, const char *key, int max, enum store_rc *rc)
{
	struct peer *p = peer_new(PEER_AGENT, agent, NULL);
	struct json_object *r, *copy;
	char text[256];

	snprintf(text, sizeof(text), "{\"session\":\"%s\",\"max_bytes\":%d}",
	    key, max);
	r = ts_run(ts_db, p, "session.load", text, rc);
	peer_free(p);
	/* As it goes over the wire: raw parts become real ones. */
	copy = r == NULL ? NULL
			 : json_tokener_parse(json_object_to_json_string(r));
	json_object_put(r);
	return copy;
}

static void
turn(int n, const char *extra)
{
	char event[32], text[512];
	int64_t seq;

	snprintf(event, sizeof(event), "ev%d", n);
	seq = ts_put(ts_db, ts_main, event);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"session\":\"" TS_SESSION "\",\"agent\":\"helper\","
	    "\"outcome\":\"answered\",\"transcript\":["
	    "{\"role\":\"user\",\"content\":\"%04d\"},"
	    "{\"role\":\"assistant\",\"content\":\"%04d\"}]%s}",
	    (int)seq, 2 * n, 2 * n + 1, extra);
	ts_ok(ts_db, ts_main, "turn.commit", text);
}

static void
test_session(void **state)
{
	struct json_object *r, *list;
	enum store_rc rc;
	int i;

	r = session_load("helper", TS_SESSION, 1000, &rc);
	assert_int_equal(rc, STORE_OK);
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "messages")), 0);
	json_object_put(r);
	assert_null(session_load("spy", TS_SESSION, 1000, &rc));
	assert_int_equal(rc, STORE_DENIED);
	for (i = 0; i < 5; i++)
		turn(i, "");
	ts_reopen();
	r = session_load("helper", TS_SESSION, 1 << 20, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), 10);
	for (i = 0; i < 10; i++)
		assert_int_equal(
		    atoi(ts_str(json_object_array_get_idx(list, i), "content")),
		    i);
	json_object_put(r);
	/* {"role":"user","content":"0000"} is 32 bytes, the ts_other 37. */
	r = session_load("helper", TS_SESSION, 32 + 37 + 37 + 31, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), 3);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "content"), "0007");
	json_object_put(r);
}

static void
test_session_trim_reset(void **state)
{
	struct json_object *r, *list;
	enum store_rc rc;
	int i, n;

	for (i = 0; i < STORE_SESSION_KEEP / 2 + 20; i++)
		turn(i, "");
	n = (int)ts_sql(ts_db, "SELECT count(*) FROM message");
	assert_in_range(
	    n, STORE_SESSION_KEEP, STORE_SESSION_KEEP + STORE_SESSION_SLACK);
	assert_int_equal(ts_sql(ts_db, "SELECT sum(length(body)) FROM message"),
	    ts_sql(ts_db, "SELECT bytes FROM session"));
	r = session_load("helper", TS_SESSION, 1 << 20, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), n);
	assert_string_equal(ts_str(json_object_array_get_idx(list,
				       (size_t)n - STORE_SESSION_KEEP),
				"content"),
	    "0040");
	json_object_put(r);
	turn(4000, ",\"reset\":true");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM message"), 2);
	r = session_load("helper", TS_SESSION, 1 << 20, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "content"), "8000");
	json_object_put(r);
}
static void
test_session_prefix(void **state)
{
	assert_true(session_is_of("agent:a:main", "a"));
	assert_true(session_is_of("agent:a:mattermost:group:x", "a"));
	assert_false(session_is_of("agent:a:", "a"));
	assert_false(session_is_of("agent:a", "a"));
	assert_false(session_is_of("agent:ab:main", "a"));
	assert_false(session_is_of("agent::main", ""));
	assert_false(session_is_of("Agent:a:main", "a"));
	assert_false(session_is_of("", "a"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, ts_setup, ts_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_session),
	    T(test_session_trim_reset),
	    T(test_session_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
