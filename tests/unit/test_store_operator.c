/*
 * What an operator does to the store while it runs, and who hears of it.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/test_store_rig.h"
#include "tests/unit/test_store_util.h"

static int
said(struct client *cl, const char *key)
{
	struct json_object *v;

	assert_true(json_object_object_get_ex(cl->reply, key, &v));
	return json_object_get_boolean(v);
}

/* An account hears of a grant after its commit, and nobody else does. */
static void
test_grants(void **state)
{
#define USER "u10123456789abcdefghijklmn"
	struct client a, b, ctl;
	struct json_object *o;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&b, "account", "b", NULL);
	rig_open(&ctl, "control", "", NULL);
	assert_string_equal(call(&a, "pairing.ask",
				"{\"user\":\"" USER "\",\"code\":"
				"\"ABCDEFGH\",\"name\":\"\",\"channel\":"
				"\"d\",\"kind\":\"post\",\"event\":\"e\","
				"\"at\":1}"),
	    "pairing");
	assert_string_equal(ts_str(a.reply, "state"), "new");
	call(
	    &ctl, "pairing.approve", "{\"code\":\"abcdefgh\",\"notify\":true}");
	assert_true(said(&ctl, "approved"));
	rig_run_ms(5);
	assert_int_equal(a.n_rows, 1);
	assert_int_equal(b.n_rows, 0);
	rig_check_row(&a, 0, "grant.row", "user", USER);
	o = row(&a, 0);
	assert_string_equal(ts_str(o, "notify"), "d");
	json_object_put(o);
	/* Of what was not heard, the next link tells. */
	client_close(&a);
	call(&ctl, "pairing.revoke", "{\"who\":\"" USER "\"}");
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "access.load", "{}"), "access");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(a.reply, "grants")),
	    0);
	client_close(&a);
	client_close(&b);
	client_close(&ctl);
#undef USER
}

static void
test_dead_retry(void **state)
{
	struct client a, ctl;
	struct json_object *o;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&ctl, "control", "", NULL);
	put(&a, "e1", 3);
	wait_replies(&a, 1);
	call(&a, "turn.retry",
	    "{\"seq\":1,\"not_before\":5,"
	    "\"reason\":\"slow\"}");
	assert_string_equal(call(&a, "turn.dead",
				"{\"seq\":1,\"reason\":\"auth\","
				"\"status\":401,\"outbox\":[{\"key\":\"k\","
				"\"op\":\"post\",\"channel\":\"c\","
				"\"text\":\"sorry\"}]}"),
	    "ok");
	tell(&a, "outbox.dead",
	    "{\"key\":\"k\",\"reason\":\"r\",\"status\":403}");
	rig_run_ms(150);
	/* Not the wrong account's, not what is not there. */
	call(&ctl, "dead.retry", "{\"account\":\"b\",\"seq\":1}");
	assert_false(said(&ctl, "retried"));
	call(&ctl, "dead.retry", "{\"account\":\"a\",\"key\":\"x\"}");
	assert_false(said(&ctl, "retried"));
	assert_int_equal(a.n_rows, 0);
	call(&ctl, "dead.retry", "{\"account\":\"a\",\"seq\":1}");
	assert_true(said(&ctl, "retried"));
	call(&ctl, "dead.retry", "{\"account\":\"a\",\"key\":\"k\"}");
	assert_true(said(&ctl, "retried"));
	rig_run_ms(5);
	assert_int_equal(a.n_rows, 2);
	rig_check_row(&a, 0, "inbox.row", "event", "e1");
	o = row(&a, 0);
	assert_int_equal(ts_int(o, "attempts"), 0);
	assert_int_equal(ts_int(o, "not_before"), 0);
	json_object_put(o);
	rig_check_row(&a, 1, "outbox.row", "key", "k");
	call(&ctl, "dead.retry", "{\"account\":\"a\",\"seq\":1}");
	assert_false(said(&ctl, "retried"));
	call(&ctl, "dead.list", "{\"limit\":5}");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(ctl.reply, "rows")),
	    0);
	client_close(&a);
	/* A load gives it, too, once. */
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(a.n_rows, 3);
	client_close(&a);
	client_close(&ctl);
}

static void
test_sessions(void **state)
{
	struct client a, ctl;
	struct json_object *list, *o;

	service_start(rig_sv);
	rig_open(&a, "account", "a", "{\"agents\":[\"g\"]}");
	rig_open(&ctl, "control", "", NULL);
	put(&a, "e1", 3);
	wait_replies(&a, 1);
	call(&a, "turn.commit",
	    "{\"seq\":1,\"session\":\"agent:g:main\",\"agent\":\"g\","
	    "\"outcome\":\"answered\",\"transcript\":["
	    "{\"role\":\"user\",\"content\":\"q\"},"
	    "{\"role\":\"assistant\",\"content\":\"a\"}]}");
	assert_string_equal(a.type, "ok");
	call(&ctl, "session.list", "{\"limit\":5,\"agent\":\"other\"}");
	list = json_object_object_get(ctl.reply, "rows");
	assert_int_equal(json_object_array_length(list), 0);
	call(&ctl, "session.list", "{\"limit\":5}");
	list = json_object_object_get(ctl.reply, "rows");
	assert_int_equal(json_object_array_length(list), 1);
	o = json_object_array_get_idx(list, 0);
	assert_string_equal(ts_str(o, "session"), "agent:g:main");
	assert_int_equal(ts_int(o, "messages"), 2);
	call(&ctl, "session.show",
	    "{\"session\":\"agent:g:main\",\"max_bytes\":1000}");
	list = json_object_object_get(ctl.reply, "messages");
	assert_int_equal(json_object_array_length(list), 2);
	call(&ctl, "session.reset", "{\"session\":\"agent:g:other\"}");
	assert_false(said(&ctl, "reset"));
	call(&ctl, "session.reset", "{\"session\":\"agent:g:main\"}");
	assert_true(said(&ctl, "reset"));
	call(&ctl, "session.show",
	    "{\"session\":\"agent:g:main\",\"max_bytes\":1000}");
	list = json_object_object_get(ctl.reply, "messages");
	assert_int_equal(json_object_array_length(list), 0);
	client_close(&a);
	client_close(&ctl);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_grants),
	    T(test_dead_retry),
	    T(test_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
