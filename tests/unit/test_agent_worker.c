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

#define SSE "Content-Type: text/event-stream\r\n"
#define JSON "Content-Type: application/json\r\n"

/* The agent's frames to an account, in order, as one string of initials. */
static const char *
order(struct rig *r, int account)
{
	static char buf[RIG_FRAMES + 1];
	size_t i, n = 0;

	for (i = 0; i < r->nframes; i++)
		if (r->frames[i].account == account)
			buf[n++] = r->frames[i].type[1];
	buf[n] = '\0';
	return buf; /* tExt tHinking tOol fInal eRror */
}

static struct json_object *
sent_messages(struct rig *r, struct json_object **body)
{
	struct json_object *list;

	*body = json_tokener_parse(r->body);
	assert_non_null(*body);
	assert_true(json_object_object_get_ex(*body, "messages", &list));
	return list;
}

static const char *
content(struct json_object *list, size_t i)
{
	return rig_str(json_object_array_get_idx(list, i), "content");
}

/* The runtime without a model. */

static void
test_echo(void **state)
{
	struct rig_opts o = {.echo = 1};
	struct rig *r = rig_new(&o);
	struct json_object *msg, *list;

	rig_start_with(r, 0, 7, "a secret text \xc3\xa9", 0,
	    "{\"is_group_chat\":true}", "{\"fresh\":true}");
	msg = rig_frame(r, 0, "final", 7, 0);
	assert_string_equal(rig_str(msg, "text"), "echo: a secret text \xc3\xa9");
	assert_true(json_object_object_get_ex(msg, "transcript", &list));
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(content(list, 0), "ann: a secret text \xc3\xa9");
	assert_string_equal(content(list, 1), rig_str(msg, "text"));
	assert_string_equal(order(r, 0), "i");
	assert_string_equal(r->health, "connected");
	assert_int_equal(r->loads, 0);
	rig_free(r);
}

static void
test_echo_of_much(void **state)
{
	struct rig_opts o = {.echo = 1};
	struct rig *r = rig_new(&o);
	size_t n = 900 * 1024;
	char *big = malloc(n + 1);

	assert_non_null(big);
	memset(big, 'x', n);
	big[n] = '\0';
	rig_start(r, 0, 1, big);
	assert_int_equal(strlen(rig_final(r, 0, 1)), 384 * 1024);
	memset(big, '\a', 150 * 1024);
	big[150 * 1024] = '\0';
	rig_start(r, 0, 2, big);
	assert_in_range(strlen(rig_final(r, 0, 2)), 60000, 70000);
	free(big);
	rig_free(r);
}

/* What an account may not send ends its link, and no other. */
static void
test_bad_frame(void **state)
{
	struct rig_opts o = {.echo = 1};
	struct rig *r = rig_new(&o);
	struct json_object *msg = chan_msg("turn.start");

	json_object_object_add(msg, "turn", json_object_new_int(1));
	chan_send(r->turn[0], msg, -1);
	rig_until(r, &r->turn_closed, 1);
	assert_null(r->turn[0]);
	rig_start(r, 1, 1, "hi");
	assert_string_equal(rig_final(r, 1, 1), "echo: hi");
	/* The account comes back. */
	rig_link_turn(r, 0);
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "echo: hi");
	rig_start_with(r, 0, 2, "hi", 0, "", "{\"colour\":\"red\"}");
	rig_until(r, &r->turn_closed, 2);
	rig_free(r);
}

/* A model that answers well. */

static void
last_piece(struct rig *r, struct rig_conn *c)
{
	rig_piece(c, "lo");
	rig_done(c);
}

static void
serve_hello(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_piece(c, "Hel");
	rig_later(c, 30, last_piece);
}

static void
test_stream(void **state)
{
	struct rig_opts o = {.serve = serve_hello};
	struct rig *r = rig_new(&o);
	struct json_object *msg, *body, *list, *usage;

	r->history = "[{\"role\":\"user\",\"content\":\"before\"},"
		     "{\"role\":\"assistant\",\"content\":\"yes\"}]";
	rig_start_with(r, 0, 3, "a secret text", 0, "{\"chat_id\":\"c\"}",
	    "{\"thinking\":\"low\"}");
	msg = rig_frame(r, 0, "final", 3, 0);
	assert_string_equal(rig_str(msg, "text"), "Hello");
	assert_string_equal(rig_str(msg, "model"), "rig-1");
	assert_true(json_object_object_get_ex(msg, "usage", &usage));
	assert_int_equal(rig_int(usage, "prompt"), 11);
	assert_int_equal(rig_int(usage, "completion"), 22);
	assert_string_equal(order(r, 0), "ei");
	assert_string_equal(rig_str(rig_frame(r, 0, "text", 3, 0), "text"),
	    "Hel");
	assert_int_equal(r->loads, 1);
	assert_string_equal(r->session, "agent:ann:main");

	list = sent_messages(r, &body);
	assert_string_equal(rig_str(body, "model"), "gpt-rig");
	assert_string_equal(rig_str(body, "reasoning_effort"), "low");
	assert_int_equal(rig_int(body, "stream"), 1);
	assert_false(json_object_object_get_ex(body, "max_tokens", NULL));
	assert_int_equal(json_object_array_length(list), 4);
	assert_string_equal(
	    rig_str(json_object_array_get_idx(list, 0), "role"), "system");
	assert_int_equal(strncmp(content(list, 0), "Be kind.", 8), 0);
	assert_null(strstr(content(list, 0), "chat_id"));
	assert_string_equal(content(list, 1), "before");
	assert_non_null(strstr(content(list, 3), "> conversation: {\"chat_id"));
	assert_non_null(strstr(content(list, 3), "\n\na secret text"));
	json_object_put(body);
	assert_non_null(
	    strstr(r->request, "Authorization: Bearer " RIG_KEY "\r\n"));
	assert_non_null(strstr(r->request, "Accept: text/event-stream"));
	rig_free(r);
}

static void
test_fresh_and_model(void **state)
{
	struct rig_opts o = {.serve = serve_hello};
	struct rig *r = rig_new(&o);
	struct json_object *body, *list;

	rig_start_with(
	    r, 0, 3, "hi", 0, "", "{\"fresh\":true,\"model\":\"other\"}");
	assert_string_equal(rig_final(r, 0, 3), "Hello");
	assert_int_equal(r->loads, 0);
	list = sent_messages(r, &body);
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(rig_str(body, "model"), "other");
	json_object_put(body);
	rig_free(r);
}

static void
serve_json(struct rig *r, struct rig_conn *c)
{
	rig_answer(c, 200, JSON,
	    "{\"id\":\"x\",\"choices\":[{\"message\":{\"role\":\"assistant\","
	    "\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}");
}

static void
test_not_streamed(void **state)
{
	struct rig_opts o = {.serve = serve_json};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	assert_string_equal(order(r, 0), "i");
	rig_free(r);
}

static void
serve_thinking(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_send(c, "data: {\"choices\":[{\"delta\":{\"reasoning\":\"let\"}}]}"
		    "\n\ndata: {\"choices\":[{\"delta\":{\"reasoning_content\""
		    ":\"me\"}}]}\n\n");
	rig_piece(c, "yes");
	rig_done(c);
}

static void
serve_think_tag(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_piece(c, "<think>let");
	rig_piece(c, "me</thi");
	rig_piece(c, "nk>\n\nyes");
	rig_done(c);
}

static void
test_thinking(void **state)
{
	struct rig_opts o = {.serve = serve_thinking};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "yes");
	r->serve = serve_think_tag;
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_final(r, 0, 2), "yes");
	assert_int_equal(rig_count(r, 0, "thinking", 1), 1);
	assert_int_equal(rig_count(r, 0, "thinking", 2), 1);
	rig_free(r);
}

static void
serve_nothing(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_done(c);
}

static void
test_empty(void **state)
{
	struct rig_opts o = {.serve = serve_nothing};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "");
	rig_free(r);
}

/* A server that finishes and then keeps the connection to itself. */
static void
serve_no_done(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_piece(c, "yes");
	rig_send(c, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":"
		    "\"length\"}]}\n\n");
}

static void
test_no_done(void **state)
{
	struct rig_opts o = {.serve = serve_no_done};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "yes");
	rig_free(r);
}

static void
slow_start(struct rig *r, struct rig_conn *c)
{
	serve_hello(r, c);
}

static void
serve_slowly(struct rig *r, struct rig_conn *c)
{
	rig_later(c, 400, slow_start);
}

static void
test_slow_first_byte(void **state)
{
	struct rig_opts o = {.serve = serve_slowly};
	struct rig *r = rig_new(&o);
	int64_t t0 = rig_now_us();

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "Hello");
	assert_true(rig_now_us() - t0 >= 400000);
	rig_free(r);
}

/* Twenty turns, one after the other, on the connection that is kept. */
static void
test_warm(void **state)
{
	struct rig_opts o = {.serve = serve_thinking};
	struct rig *r = rig_new(&o);
	int64_t t0, us, sum = 0, worst = 0;
	int i;

	rig_run(r, 100);
	for (i = 0; i < 20; i++) {
		t0 = rig_now_us();
		rig_start(r, 0, i, "hi");
		assert_string_equal(rig_final(r, 0, i), "yes");
		us = r->asked_at - t0;
		sum += us;
		worst = us > worst ? us : worst;
	}
	assert_int_equal(r->conns, 1);
	print_message("start to request: mean %lld us, worst %lld us\n",
	    (long long)sum / 20, (long long)worst);
	rig_free(r);
}

/* Many small pieces: few frames, and all of the text. */

static int pieces;

static void
more_pieces(struct rig *r, struct rig_conn *c)
{
	if (pieces-- == 0) {
		rig_done(c);
		return;
	}
	rig_piece(c, "0123456789");
	rig_later(c, 1, more_pieces);
}

static void
serve_pieces(struct rig *r, struct rig_conn *c)
{
	pieces = 300;
	rig_head(c, 200, SSE);
	more_pieces(r, c);
}

static void
test_throttle(void **state)
{
	struct rig_opts o = {.serve = serve_pieces};
	struct rig *r = rig_new(&o);
	int64_t t0 = rig_now_us(), ms;

	rig_start(r, 0, 1, "hi");
	assert_int_equal(strlen(rig_final(r, 0, 1)), 3000);
	ms = (rig_now_us() - t0) / 1000;
	assert_in_range(rig_count(r, 0, "text", 1), 2, ms / 50 + 1);
	rig_free(r);
}

static void
serve_big(struct rig *r, struct rig_conn *c)
{
	char piece[4001];
	int i;

	memset(piece, 'b', 4000);
	piece[4000] = '\0';
	rig_head(c, 200, SSE);
	for (i = 0; i < 150; i++)
		rig_piece(c, piece);
	rig_done(c);
}

static void
test_answer_cap(void **state)
{
	struct rig_opts o = {.serve = serve_big};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_int_equal(strlen(rig_final(r, 0, 1)), 384 * 1024);
	r->serve = serve_json;
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_final(r, 0, 2), "whole");
	rig_free(r);
}

/* An account that does not read for a while loses nothing. */

static void
more_big(struct rig *r, struct rig_conn *c)
{
	char piece[4001];

	if (pieces-- <= 0) {
		rig_done(c);
		return;
	}
	memset(piece, 'b', 4000);
	piece[4000] = '\0';
	rig_piece(c, piece);
	rig_later(c, 5, more_big);
}

static void
serve_long(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	more_big(r, c);
}

static void
test_full_link(void **state)
{
	struct rig_opts o = {.serve = serve_long};
	struct rig *r = rig_new(&o);
	size_t len = 0;
	int i;

	pieces = 4 * 90;
	for (i = 0; i < 4; i++)
		rig_start(r, 0, i, "hi");
	rig_until(r, &r->requests, 4);
	chan_pause(r->turn[0], 1);
	rig_run(r, 800);
	/* The other account is served meanwhile. */
	r->serve = serve_json;
	rig_start(r, 1, 1, "hi");
	assert_string_equal(rig_final(r, 1, 1), "whole");
	chan_pause(r->turn[0], 0);
	for (i = 0; i < 4; i++)
		len += strlen(rig_final(r, 0, i));
	assert_int_equal(len, 4 * 90 * 4000);
	rig_free(r);
}

/* Failures. */

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
    {401, JSON, "{\"error\":{\"message\":\"bad key " RIG_KEY "\"}}", "auth",
	0, 0, "parked"},
    {429, JSON "Retry-After: 3\r\n", "{\"error\":{\"message\":\"slow\"}}",
	"rate", 1, 3000, "connected"},
    {429, "retry-after-ms: 20\r\nRetry-After: 1\r\n", "", "rate", 1, 20,
	"connected"},
    {404, JSON, "{\"error\":{\"message\":\"no model\"}}", "config", 0, 0,
	"parked"},
    {302, "Location: http://127.0.0.1:1/\r\n", "", "config", 0, 0, "parked"},
    {503, "", "<html>busy</html>", "server", 1, 0, "backoff"},
    {200, "Content-Type: text/html\r\n", "<html>\n<p>log in</p>\n", "protocol",
	0, 0, "connected"},
    {200, SSE, "data: {\"error\":{\"message\":\"x\",\"code\":503}}\n\n",
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
		r->serve = serve_json;
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
	rig_head(c, 200, SSE);
	rig_piece(c, "half");
	rig_close(c);
}

static void
cut_reset(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_piece(c, "half");
	rig_reset(c);
}

static void
cut_end(struct rig *r, struct rig_conn *c)
{
	/* A proper end of the body in the middle of the answer. */
	rig_answer(c, 200, SSE,
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

	rig_head(c, 200, SSE);
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

static void
serve_half(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, SSE);
	rig_piece(c, "half");
}

static void
until_closed(struct rig *r, int open)
{
	int i;

	for (i = 0; i < 200 && r->open > open; i++)
		rig_run(r, 10);
	assert_int_equal(r->open, open);
}

static void
test_cancel(void **state)
{
	struct rig_opts o = {.serve = serve_half};
	struct rig *r = rig_new(&o);

	rig_run(r, 50);
	rig_start(r, 0, 1, "hi");
	rig_frame(r, 0, "text", 1, 0);
	rig_cancel(r, 0, 1);
	assert_string_equal(
	    rig_str(rig_error(r, 0, 1), "code"), "cancelled");
	until_closed(r, 0); /* the server hears of it */
	rig_cancel(r, 0, 1);
	rig_cancel(r, 0, 99);
	rig_run(r, 50);
	assert_string_equal(order(r, 0), "er");
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
	r->serve = serve_json;
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	rig_free(r);
}

static void
test_deadline(void **state)
{
	struct rig_opts o = {.serve = serve_half};
	struct rig *r = rig_new(&o);
	int64_t t0 = rig_now_us();

	rig_start_with(r, 0, 1, "hi", 300, "", "{}");
	assert_string_equal(rig_str(rig_error(r, 0, 1), "code"), "deadline");
	assert_in_range(rig_now_us() - t0, 290000, 2000000);
	until_closed(r, 0);
	rig_free(r);
}

static void
test_account_dies(void **state)
{
	struct rig_opts o = {.serve = serve_half};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_frame(r, 0, "text", 1, 0);
	r->serve = serve_slowly;
	rig_start(r, 1, 1, "hi");
	rig_until(r, &r->requests, 2);
	chan_free(r->turn[0]);
	r->turn[0] = NULL;
	rig_run(r, 100);
	assert_int_equal(r->busy, 1);
	assert_string_equal(rig_final(r, 1, 1), "Hello");
	/* The new one may use the old one's numbers. */
	r->serve = serve_json;
	rig_link_turn(r, 0);
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	rig_free(r);
}

static void
test_twice(void **state)
{
	struct rig_opts o = {.serve = serve_slowly};
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
	rig_later(c, 50, serve_json);
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
	struct rig_opts o = {.serve = serve_half, .parallel = 2};
	struct rig *r = rig_new(&o);
	int i;

	for (i = 0; i < 10; i++)
		rig_start_with(r, 0, i, "hi", 200, "", "{}");
	for (i = 0; i < 10; i++)
		assert_string_equal(
		    rig_str(rig_error(r, 0, i), "code"), "deadline");
	r->serve = serve_json;
	rig_start(r, 0, 20, "hi");
	assert_string_equal(rig_final(r, 0, 20), "whole");
	rig_free(r);
}

/* The store. */

static void
test_store_comes_late(void **state)
{
	struct rig_opts o = {.serve = serve_json, .no_store = 1};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_run(r, 300);
	assert_int_equal(r->requests, 0);
	rig_link_store(r);
	assert_string_equal(rig_final(r, 0, 1), "whole");
	/* It goes away with a question open, and comes back. */
	chan_pause(r->store, 1);
	rig_start(r, 0, 2, "hi");
	rig_run(r, 50);
	chan_free(r->store);
	r->store = NULL;
	rig_run(r, 50);
	rig_link_store(r);
	assert_string_equal(rig_final(r, 0, 2), "whole");
	rig_free(r);
}

static void
test_no_store(void **state)
{
	struct rig_opts o = {.serve = serve_json, .no_store = 1};
	struct rig *r = rig_new(&o);
	struct json_object *msg;
	int64_t t0 = rig_now_us();

	rig_start(r, 0, 1, "hi");
	msg = rig_error(r, 0, 1);
	assert_string_equal(rig_str(msg, "code"), "server");
	assert_int_equal(rig_int(msg, "transient"), 1);
	assert_in_range(rig_now_us() - t0, 4900000, 7000000);
	assert_int_equal(r->requests, 0);
	rig_free(r);
}

static void
test_store_refuses(void **state)
{
	struct rig_opts o = {.serve = serve_json};
	struct rig *r = rig_new(&o);

	r->history = NULL;
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_str(rig_error(r, 0, 1), "code"), "server");
	rig_free(r);
}

static void
serve_too_long(struct rig *r, struct rig_conn *c)
{
	if (r->requests < 3)
		rig_answer(c, 400, JSON,
		    "{\"error\":{\"code\":\"context_length_exceeded\","
		    "\"message\":\"x\"}}");
	else
		serve_json(r, c);
}

#define PAST                                                                   \
	"{\"role\":\"user\",\"content\":\"a\"},"                               \
	"{\"role\":\"assistant\",\"content\":\"b\"}"

static void
test_too_long(void **state)
{
	struct rig_opts o = {.serve = serve_too_long};
	struct rig *r = rig_new(&o);
	struct json_object *body, *list;

	r->history = "[" PAST "," PAST "," PAST "," PAST "]";
	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	list = sent_messages(r, &body);
	assert_int_equal(json_object_array_length(list), 2 + 2);
	json_object_put(body);
	/* With nothing to leave out it is the sender's message. */
	r->requests = 0;
	r->history = "[]";
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_str(rig_error(r, 0, 2), "code"), "config");
	rig_free(r);
}

/* Status, and a stop in the middle of an answer. */

static void
on_status(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct rig *r = arg;

	assert_string_equal(type, "data");
	r->status = json_object_get(msg);
}

static void
test_status(void **state)
{
	struct rig_opts o = {.serve = serve_half, .parallel = 1};
	struct rig *r = rig_new(&o);
	int i;

	rig_start(r, 0, 1, "hi");
	rig_frame(r, 0, "text", 1, 0);
	rig_start(r, 0, 2, "hi");
	rig_run(r, 50);
	chan_request(r->control, chan_msg("status"), -1, 1000, on_status, r);
	for (i = 0; i < 100 && r->status == NULL; i++)
		rig_run(r, 10);
	assert_non_null(r->status);
	assert_string_equal(rig_str(r->status, "model"), "gpt-rig");
	assert_int_equal(rig_int(r->status, "turns"), 2);
	assert_int_equal(rig_int(r->status, "queued"), 1);
	rig_cancel(r, 0, 1);
	rig_cancel(r, 0, 2);
	rig_free(r);
}

static void
test_stop(void **state)
{
	struct rig_opts o = {.serve = serve_slowly};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_until(r, &r->requests, 1);
	chan_send(r->up, chan_msg("stop"), -1);
	rig_run(r, 50);
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_str(rig_error(r, 0, 2), "code"), "busy");
	assert_string_equal(rig_final(r, 0, 1), "Hello");
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_echo_of_much),
	    cmocka_unit_test(test_bad_frame),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_fresh_and_model),
	    cmocka_unit_test(test_not_streamed),
	    cmocka_unit_test(test_thinking),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_no_done),
	    cmocka_unit_test(test_slow_first_byte),
	    cmocka_unit_test(test_warm),
	    cmocka_unit_test(test_throttle),
	    cmocka_unit_test(test_answer_cap),
	    cmocka_unit_test(test_full_link),
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
	    cmocka_unit_test(test_store_comes_late),
	    cmocka_unit_test(test_no_store),
	    cmocka_unit_test(test_store_refuses),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
