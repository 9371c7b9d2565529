#include "config.h"

#include <event2/bufferevent.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/chan.h"
#include "tests/unit/agent_rig.h"

/* The server's failures. */

static const char *fail_headers, *fail_body;
static int fail_status;

static void
serve_failure(struct rig *r, struct rig_conn *c)
{
	rig_answer(c, fail_status, fail_headers, fail_body);
}

static const struct {
	int status;
	const char *headers, *body;
	const char *code;
	int transient;
	int retry_ms;
	const char *health;
} failures[] = {
    {401, RIG_JSON, "{\"error\":{\"message\":\"bad key " RIG_KEY "\"}}", "auth",
	0, 0, "parked"},
    {429, RIG_JSON "Retry-After: 3\r\n", "{\"error\":{\"message\":\"slow\"}}",
	"rate", 1, 3000, "connected"},
    {429, "retry-after-ms: 20\r\nRetry-After: 1\r\n", "", "rate", 1, 20,
	"connected"},
    {429, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", "", "rate", 1,
	3600000, "connected"},
    {404, RIG_JSON, "{\"error\":{\"message\":\"no model\"}}", "config", 0, 0,
	"parked"},
    {302, "Location: http://127.0.0.1:1/\r\n", "", "config", 0, 0, "parked"},
    {503, "", "<html>busy</html>", "server", 1, 0, "backoff"},
    {200, "Content-Type: text/html\r\n", "<html>\n<p>log in</p>\n", "protocol",
	0, 0, "connected"},
    {200, RIG_SSE, "data: {\"error\":{\"message\":\"x\",\"code\":503}}\n\n",
	"server", 1, 0, "backoff"},
};

static void
test_failures(void **state)
{
	struct rig_opts o = {0};
	struct json_object *msg;
	struct rig *r;
	size_t i;

	r = rig_new(&o);
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		r->serve = rig_serve_json;
		rig_start(r, 0, (int)i * 2 + 1, "hi");
		rig_final(r, 0, (int)i * 2 + 1);
		fail_status = failures[i].status;
		fail_headers = failures[i].headers;
		fail_body = failures[i].body;
		r->serve = serve_failure;
		rig_start(r, 0, (int)i * 2, "hi");
		msg = rig_error(r, 0, (int)i * 2);
		assert_string_equal(rig_str(msg, "code"), failures[i].code);
		assert_int_equal(
		    rig_int(msg, "transient"), failures[i].transient);
		assert_int_equal(
		    rig_int(msg, "retry_ms"), failures[i].retry_ms);
		assert_null(strstr(rig_str(msg, "detail"), RIG_KEY));
		assert_null(strstr(rig_str(msg, "text"), "slow"));
		rig_run(r, 20);
		assert_string_equal(r->health, failures[i].health);
	}
	rig_free(r);
}

static void
cut_fin(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	rig_piece(c, "half");
	rig_close(c);
}

static void
cut_reset(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	rig_piece(c, "half");
	rig_reset(c);
}

static void
cut_end(struct rig *r, struct rig_conn *c)
{
	/* A proper end of the body in the middle of the answer. */
	rig_answer(c, 200, RIG_SSE,
	    "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n");
}

static void
cut_before(struct rig *r, struct rig_conn *c)
{
	rig_reset(c);
}

static void
test_cut(void **state)
{
	static const rig_serve_fn how[] = {cut_fin, cut_reset, cut_end};
	struct rig_opts o = {.serve = cut_before};
	struct rig *r = rig_new(&o);
	struct json_object *msg;
	int i;

	for (i = 0; i < 3; i++) {
		r->serve = how[i];
		rig_start(r, 0, i, "hi");
		msg = rig_error(r, 0, i);
		assert_string_equal(rig_str(msg, "code"), "cut");
		assert_int_equal(rig_int(msg, "transient"), 1);
		assert_int_equal(rig_count(r, 0, "text", i), 1);
		assert_int_equal(rig_count(r, 0, "final", i), 0);
	}
	r->serve = cut_before;
	rig_start(r, 0, 9, "hi");
	msg = rig_error(r, 0, 9);
	assert_string_equal(rig_str(msg, "code"), "network");
	assert_int_equal(rig_int(msg, "transient"), 1);
	/* A completion costs money: it is not asked for twice unasked. */
	assert_int_equal(r->requests, 4);
	rig_free(r);
}

static void
serve_garbage(struct rig *r, struct rig_conn *c)
{
	int i;

	rig_head(c, 200, RIG_SSE);
	for (i = 0; i < 100; i++)
		rig_send(c, "data: junk\nwhat\n\n");
}

static void
test_garbage(void **state)
{
	struct rig_opts o = {.serve = serve_garbage};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_string_equal(
	    rig_str(rig_error(r, 0, 1), "code"), "protocol");
	rig_free(r);
}

static void
test_no_server(void **state)
{
	struct rig_opts o = {.no_server = 1};
	struct rig *r = rig_new(&o);
	struct json_object *msg;

	rig_start(r, 0, 1, "hi");
	msg = rig_error(r, 0, 1);
	assert_string_equal(rig_str(msg, "code"), "network");
	assert_int_equal(rig_int(msg, "transient"), 1);
	assert_non_null(strstr(rig_str(msg, "detail"), "refused"));
	rig_free(r);
}

/* Ends that others order. */

/* The server hears that nobody waits for the other answers any more. */
static void
until_busy(struct rig *r, int n)
{
	int i;

	for (i = 0; i < 200 && r->busy > n; i++)
		rig_run(r, 10);
	assert_int_equal(r->busy, n);
}

static void
test_cancel(void **state)
{
	struct rig_opts o = {.serve = rig_serve_half};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_frame(r, 0, "text", 1, 0);
	rig_cancel(r, 0, 1);
	assert_string_equal(
	    rig_str(rig_error(r, 0, 1), "code"), "cancelled");
	until_busy(r, 0);
	rig_cancel(r, 0, 1);
	rig_cancel(r, 0, 99);
	rig_run(r, 50);
	assert_string_equal(rig_order(r, 0), "er");
	/* While the history is on its way. */
	chan_pause(r->store, 1);
	rig_start(r, 0, 2, "hi");
	rig_run(r, 20);
	rig_cancel(r, 0, 2);
	assert_string_equal(
	    rig_str(rig_error(r, 0, 2), "code"), "cancelled");
	chan_pause(r->store, 0);
	rig_run(r, 50);
	assert_int_equal(r->requests, 1);
	/* A number may be used again. */
	r->serve = rig_serve_json;
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	rig_free(r);
}

static void
test_deadline(void **state)
{
	struct rig_opts o = {.serve = rig_serve_half};
	struct rig *r = rig_new(&o);
	int64_t t0 = rig_now_us();

	rig_start_with(r, 0, 1, "hi", 300, "", "{}");
	assert_string_equal(rig_str(rig_error(r, 0, 1), "code"), "deadline");
	assert_in_range(rig_now_us() - t0, 290000, 2000000);
	until_busy(r, 0);
	rig_free(r);
}

static void
test_account_dies(void **state)
{
	struct rig_opts o = {.serve = rig_serve_half};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_frame(r, 0, "text", 1, 0);
	r->serve = rig_serve_slowly;
	rig_start(r, 1, 1, "hi");
	rig_until(r, &r->requests, 2);
	chan_free(r->turn[0]);
	r->turn[0] = NULL;
	until_busy(r, 1);
	assert_string_equal(rig_final(r, 1, 1), "Hello");
	/* The new one may use the old one's numbers. */
	r->serve = rig_serve_json;
	rig_link_turn(r, 0);
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	rig_free(r);
}

static void
test_twice(void **state)
{
	struct rig_opts o = {.serve = rig_serve_slowly};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_start(r, 0, 1, "hi");
	rig_start(r, 1, 1, "hi"); /* another account's number */
	rig_final(r, 0, 1);
	rig_final(r, 1, 1);
	rig_run(r, 100);
	assert_int_equal(rig_count(r, 0, "final", 1), 1);
	assert_int_equal(r->requests, 2);
	rig_free(r);
}

static void
serve_for_a_while(struct rig *r, struct rig_conn *c)
{
	rig_later(c, 50, rig_serve_json);
}

static void
test_queue(void **state)
{
	struct rig_opts o = {.serve = serve_for_a_while, .parallel = 3};
	struct rig *r = rig_new(&o);
	int i;

	for (i = 0; i < 20; i++)
		rig_start(r, i % 2, i, "hi");
	rig_until(r, &r->requests, 3);
	/* One that waits, and one that does not. */
	rig_cancel(r, 1, 19);
	for (i = 0; i < 19; i++)
		assert_string_equal(rig_final(r, i % 2, i), "whole");
	assert_string_equal(
	    rig_str(rig_error(r, 1, 19), "code"), "cancelled");
	assert_int_equal(r->requests, 19);
	assert_int_equal(r->most_busy, 3);
	rig_free(r);
}

/* Queued and running turns that all end by their deadline at once. */
static void
test_queue_dies(void **state)
{
	struct rig_opts o = {.serve = rig_serve_half, .parallel = 2};
	struct rig *r = rig_new(&o);
	int i;

	for (i = 0; i < 10; i++)
		rig_start_with(r, 0, i, "hi", 200, "", "{}");
	for (i = 0; i < 10; i++)
		assert_string_equal(
		    rig_str(rig_error(r, 0, i), "code"), "deadline");
	r->serve = rig_serve_json;
	rig_start(r, 0, 20, "hi");
	assert_string_equal(rig_final(r, 0, 20), "whole");
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_no_server),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_deadline),
	    cmocka_unit_test(test_account_dies),
	    cmocka_unit_test(test_twice),
	    cmocka_unit_test(test_queue),
	    cmocka_unit_test(test_queue_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
