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
	assert_string_equal(rig_order(r, 0), "i");
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

static void
start_with_media(struct rig *r, int turn, const char *media)
{
	struct json_object *msg = chan_msg("turn.start");

	json_object_object_add(msg, "turn", json_object_new_int(turn));
	json_object_object_add(
	    msg, "session", json_object_new_string("agent:ann:main"));
	json_object_object_add(msg, "text", json_object_new_string("see"));
	json_object_object_add(msg, "context", json_object_new_string(""));
	json_object_object_add(msg, "sender", json_object_new_string("ann"));
	json_object_object_add(msg, "addressed", json_object_new_boolean(1));
	json_object_object_add(msg, "deadline_ms", json_object_new_int(0));
	json_object_object_add(msg, "media", json_tokener_parse(media));
	assert_int_equal(chan_send(r->turn[0], msg, -1), 0);
}

/* What the store has lost is said to be lost; the message is answered. */
static void
test_lost_media(void **state)
{
	struct rig_opts o = {.serve = rig_serve_hello};
	struct rig *r = rig_new(&o);

	start_with_media(r, 1, "[{\"media\":\"m\",\"name\":\"a.txt\","
	    "\"type\":\"text/plain\",\"size\":3}]");
	assert_string_equal(rig_final(r, 0, 1), "Hello");
	assert_non_null(strstr(r->body,
	    "\\\"a.txt\\\" (text/plain, 3 bytes): not here any more"));
	/* Not of its shape: the end of the link. */
	start_with_media(r, 2, "[{\"media\":\"m\"}]");
	rig_until(r, &r->turn_closed, 1);
	rig_free(r);
}

/* A model that answers well. */

static void
test_stream(void **state)
{
	struct rig_opts o = {.serve = rig_serve_hello};
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
	assert_string_equal(rig_order(r, 0), "ei");
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
	assert_non_null(strstr(content(list, 3), "> {\"chat_id"));
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
	struct rig_opts o = {.serve = rig_serve_hello};
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
test_not_streamed(void **state)
{
	struct rig_opts o = {.serve = rig_serve_json};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	assert_string_equal(rig_order(r, 0), "i");
	rig_free(r);
}

static void
serve_thinking(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	rig_send(c, "data: {\"choices\":[{\"delta\":{\"reasoning\":\"let\"}}]}"
		    "\n\ndata: {\"choices\":[{\"delta\":{\"reasoning_content\""
		    ":\"me\"}}]}\n\n");
	rig_piece(c, "yes");
	rig_done(c);
}

static void
serve_think_tag(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
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
	rig_head(c, 200, RIG_SSE);
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
	rig_head(c, 200, RIG_SSE);
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
test_slow_first_byte(void **state)
{
	struct rig_opts o = {.serve = rig_serve_slowly};
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

	rig_until(r, &r->warmed, 1);
	rig_run(r, 50);
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

/* The store. */

static void
test_store_comes_late(void **state)
{
	struct rig_opts o = {.serve = rig_serve_json, .no_store = 1};
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
	struct rig_opts o = {.serve = rig_serve_json, .no_store = 1};
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
	struct rig_opts o = {.serve = rig_serve_json};
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
		rig_answer(c, 400, RIG_JSON,
		    "{\"error\":{\"code\":\"context_length_exceeded\","
		    "\"message\":\"x\"}}");
	else
		rig_serve_json(r, c);
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

static void
serve_newer(struct rig *r, struct rig_conn *c)
{
	if (strstr(r->body, "\"max_tokens\"") != NULL)
		rig_answer(c, 400, RIG_JSON,
		    "{\"error\":{\"message\":\"Unsupported parameter: "
		    "'max_tokens'. Use 'max_completion_tokens' instead.\","
		    "\"code\":\"unsupported_parameter\"}}");
	else
		rig_serve_json(r, c);
}

static void
test_newer_model(void **state)
{
	struct rig_opts o = {.serve = serve_newer, .max_tokens = 77};
	struct rig *r = rig_new(&o);
	struct json_object *body;

	rig_start(r, 0, 1, "hi");
	assert_string_equal(rig_final(r, 0, 1), "whole");
	sent_messages(r, &body);
	assert_int_equal(rig_int(body, "max_completion_tokens"), 77);
	json_object_put(body);
	/* Learnt once. */
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_final(r, 0, 2), "whole");
	assert_int_equal(r->requests, 3);
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
	struct rig_opts o = {.serve = rig_serve_half, .parallel = 1};
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
	struct rig_opts o = {.serve = rig_serve_slowly};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	rig_until(r, &r->requests, 1);
	chan_send(r->up, chan_msg("stop"), -1);
	rig_run(r, 150);
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_str(rig_error(r, 0, 2), "code"), "busy");
	assert_string_equal(rig_final(r, 0, 1), "Hello");
	rig_free(r);
}

/* One account has its share, and leaves the others theirs. */
static void
test_share(void **state)
{
	struct rig_opts o = {.serve = rig_serve_half};
	struct rig *r = rig_new(&o);
	int i;

	for (i = 1; i <= 128; i++)
		rig_start(r, 0, i, "hi");
	rig_start(r, 0, 129, "hi");
	assert_string_equal(rig_str(rig_error(r, 0, 129), "code"), "busy");
	rig_start(r, 1, 1, "hi");
	rig_run(r, 50);
	assert_int_equal(rig_count(r, 1, "error", 1), 0);
	for (i = 1; i <= 128; i++)
		rig_cancel(r, 0, i);
	rig_cancel(r, 1, 1);
	rig_free(r);
}

static char order[128];

/* Which text it was asked about, of the words that the test used. */
static void
serve_in_order(struct rig *r, struct rig_conn *c)
{
	static const char *const words[] = {"qone", "qtwo", "qthree", "qfour",
	    "qfive", "qhers", "qagain", "qelsewhere"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(r->body, words[i]) != NULL) {
			strlcat(order, words[i], sizeof(order));
			strlcat(order, " ", sizeof(order));
		}
	rig_later(c, 50, rig_serve_hello);
}

/* Who asks little does not wait behind all that somebody else has asked. */
static void
test_fair(void **state)
{
	struct rig_opts o = {.serve = serve_in_order, .parallel = 1};
	struct rig *r = rig_new(&o);
	static const char *const first[] = {"qone", "qtwo", "qthree", "qfour"};
	int i;

	order[0] = '\0';
	for (i = 0; i < 4; i++)
		rig_start(r, 0, i + 1, first[i]);
	rig_until(r, &r->requests, 1);
	r->sender = "eve";
	rig_start(r, 0, 5, "qhers");
	rig_start(r, 0, 6, "qagain");
	/* The same name in another account is somebody else. */
	r->sender = "ann";
	rig_start(r, 1, 1, "qelsewhere");
	rig_start(r, 0, 7, "qfive");
	rig_until(r, &r->requests, 8);
	rig_final(r, 0, 7);
	assert_string_equal(
	    order, "qone qhers qelsewhere qtwo qagain qthree qfour qfive ");
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_echo_of_much),
	    cmocka_unit_test(test_bad_frame),
	    cmocka_unit_test(test_lost_media),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_fresh_and_model),
	    cmocka_unit_test(test_not_streamed),
	    cmocka_unit_test(test_thinking),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_no_done),
	    cmocka_unit_test(test_slow_first_byte),
	    cmocka_unit_test(test_warm),
	    cmocka_unit_test(test_store_comes_late),
	    cmocka_unit_test(test_no_store),
	    cmocka_unit_test(test_store_refuses),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_newer_model),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_share),
	    cmocka_unit_test(test_fair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
