#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/lookup.h"
#include "workers/account/outbox.h"
#include "workers/account/preview/draft.h"
#include "workers/account/preview/preview.h"
#include "workers/account/preview/progress_text.h"

/*
 * Previews against a server that answers when the test says so. What is
 * asked of it stands in calls[], in order.
 */

#define POST_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define POST_B "bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define POST_C "cccccccccccccccccccccccccc"
#define EVENT "eeeeeeeeeeeeeeeeeeeeeeeeee"

struct net_request {
	char path[64];
	char message[6000];
	char event[64]; /* the mark */
	api_fn fn;
	void *arg;
	int open;
};

static struct net_request calls[64];
static size_t n_calls;

static struct {
	lookup_all_fn fn;
	void *arg;
	int open;
} look;

struct net_request *
api_send(struct account *a, const char *method, const char *path,
    struct json_object *body, api_fn fn, void *arg)
{
	struct net_request *c = &calls[n_calls++];
	struct json_object *props = NULL;

	assert_true(n_calls < sizeof(calls) / sizeof(calls[0]));
	memset(c, 0, sizeof(*c));
	strlcpy(c->path, path, sizeof(c->path));
	strlcpy(c->message, api_str(body, "message"), sizeof(c->message));
	json_object_object_get_ex(body, "props", &props);
	strlcpy(c->event, api_str(props, MARK_DRAFT), sizeof(c->event));
	c->fn = fn;
	c->arg = arg;
	c->open = 1;
	json_object_put(body);
	return c;
}

enum net_ending
net_request_cancel(struct net_request *c)
{
	assert_true(c->open);
	c->open = 0;
	return NET_MAYBE;
}

const char *
api_str(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

void
api_copy(char *dst, const char *src, size_t size)
{
	assert_true(strlcpy(dst, src, size) < size);
}

const char *
api_error(const struct net_result *r, struct json_object *body, char *buf,
    size_t size)
{
	snprintf(buf, size, "%d", r->status);
	return buf;
}

struct lookup *
lookup_all(struct account *a, const char *channel, int64_t since,
    const char *mark, const char *value, lookup_all_fn fn, void *arg)
{
	assert_string_equal(mark, MARK_DRAFT);
	assert_string_equal(value, EVENT);
	look.fn = fn;
	look.arg = arg;
	look.open = 1;
	return (struct lookup *)&look;
}

void
lookup_cancel(struct lookup *l)
{
	if (l != NULL)
		look.open = 0;
}

void
outbox_key(char *buf, int64_t seq, int n)
{
	snprintf(buf, OUTBOX_KEY_SIZE, "k%d", n);
}

struct json_object *
outbox_item(const char *key, const char *op, const char *channel,
    const char *root, const char *post, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "op", json_object_new_string(op));
	json_object_object_add(o, "post", json_object_new_string(post));
	json_object_object_add(o, "text", json_object_new_string(text));
	return o;
}

/* The scene */

static struct account acc;
static struct row row;
static struct preview *pv;
static int rested;

static void
scene(const char *streaming, const char *config, int recovered)
{
	struct json_object *s = json_tokener_parse(streaming);
	struct json_object *c = json_tokener_parse(config);

	assert_non_null(s);
	assert_non_null(c);
	n_calls = 0;
	rested = 0;
	memset(&look, 0, sizeof(look));
	memset(&acc, 0, sizeof(acc));
	memset(&row, 0, sizeof(row));
	acc.base = loop_new();
	acc.id = (char *)"acc";
	assert_null(out_cfg_read(&acc.out, c));
	assert_null(stream_cfg_read(&acc.stream, s, acc.out.limit));
	ID_COPY(row.event, EVENT);
	strlcpy(row.channel, "c", sizeof(row.channel));
	row.begun = recovered;
	row.at = 5;
	pv = preview_new(&acc, &row, "main");
	json_object_put(s);
	json_object_put(c);
}

static void
scene_end(void)
{
	preview_free(pv);
	out_cfg_clear(&acc.out);
	stream_cfg_clear(&acc.stream);
	event_base_free(acc.base);
}

static void
answer(size_t i, int status, const char *post)
{
	struct net_result r = {.ending = NET_ANSWERED, .status = status};
	struct json_object *body = json_object_new_object();

	assert_true(i < n_calls && calls[i].open);
	if (post != NULL)
		json_object_object_add(
		    body, "id", json_object_new_string(post));
	calls[i].open = 0;
	calls[i].fn(&acc, &r, body, calls[i].arg);
	json_object_put(body);
}

static void
answer_maybe(size_t i)
{
	struct net_result r = {.ending = NET_MAYBE, .error = "reset"};

	calls[i].open = 0;
	calls[i].fn(&acc, &r, NULL, calls[i].arg);
}

static void
on_end(int fd, short what, void *arg)
{
	event_base_loopbreak(acc.base);
}

/* Let this time pass. */
static void
pass(int64_t ms)
{
	struct event *ev = evtimer_new(acc.base, on_end, NULL);

	loop_timer(ev, ms);
	event_base_dispatch(acc.base);
	event_free(ev);
}

static void
on_rest(void *arg)
{
	rested++;
	event_base_loopbreak(acc.base);
}

static void
rest(void)
{
	preview_finish(pv, on_rest, NULL);
	assert_int_equal(rested, 0);
	event_base_dispatch(acc.base);
	assert_int_equal(rested, 1);
}

static void
want_call(size_t i, const char *path, const char *message)
{
	if (i >= n_calls)
		fail_msg("no call %zu (%s)", i, message);
	assert_string_equal(calls[i].path, path);
	assert_string_equal(calls[i].message, message);
}

/* The rows as "op post text|op post text...". */
static void
want_items(const char *text, const char *want)
{
	struct json_object *items, *o;
	char got[2048] = "", one[512];
	size_t i;

	items = preview_items(&acc, &row, "main", pv, text);
	for (i = 0; i < json_object_array_length(items); i++) {
		o = json_object_array_get_idx(items, i);
		snprintf(one, sizeof(one), "%s%s %.1s %s", i > 0 ? "|" : "",
		    api_str(o, "op"), api_str(o, "post"), api_str(o, "text"));
		strlcat(got, one, sizeof(got));
	}
	assert_string_equal(got, want);
	json_object_put(items);
}

#define EDIT(post) "/posts/" post "/patch"
#define BLOCK "{\"mode\":\"block\"}"
#define FINISHED                                                               \
	"{\"mode\":\"off\",\"block\":{\"enabled\":true,\"coalesce\":{"         \
	"\"minChars\":1,\"idleMs\":0}}}"

static void
tool(const char *call, enum tool_phase phase)
{
	struct tool_event ev = {call, "read", NULL, phase, 1};

	preview_tool(pv, &ev);
}

/* Newest text only, one request at a time, not the same twice. */
static void
test_throttle(void **state)
{
	scene("{}", "{}", 0);
	preview_text(pv, "one");
	want_call(0, "/posts", "one");
	assert_string_equal(calls[0].event, EVENT);
	preview_text(pv, "one two");
	preview_text(pv, "one two three");
	assert_int_equal(n_calls, 1);
	answer(0, 201, POST_A);
	assert_int_equal(n_calls, 1);
	pass(DRAFT_THROTTLE_MS + 300);
	assert_int_equal(n_calls, 2);
	want_call(1, EDIT(POST_A), "one two three");
	answer(1, 200, POST_A);
	preview_text(pv, "one two three");
	preview_text(pv, "one");
	pass(DRAFT_THROTTLE_MS + 300);
	assert_int_equal(n_calls, 2);
	preview_text(pv, "one two three four");
	rest();
	assert_int_equal(n_calls, 3); /* the throttle was over */
	want_call(2, EDIT(POST_A), "one two three four");
	scene_end();
}

/* The end waits for the request, not for the throttle. */
static void
test_end_waits_for_no_throttle(void **state)
{
	scene("{}", "{}", 0);
	preview_text(pv, "one");
	answer(0, 201, POST_A);
	preview_text(pv, "one two");
	rest();
	assert_int_equal(n_calls, 1);
	want_items("one two three", "edit a one two three");
	want_items("one\n\ntwo", "edit a one\n\ntwo");
	want_items("on", "post  on|delete a ");
	want_items(NULL, "delete a ");
	scene_end();
}

static const struct {
	int status;
	const char *id;
	const char *want;
} creates[] = {
    {403, NULL, "post  whole"},
    {429, NULL, "post  whole"},
    {500, NULL, "post  whole|sweep  " EVENT},
    {201, NULL, "post  whole|sweep  " EVENT}, /* accepted, unreadable */
    {0, NULL, "post  whole|sweep  " EVENT},   /* no answer */
};

static void
test_create_fails(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(creates) / sizeof(creates[0]); i++) {
		scene("{}", "{}", 0);
		preview_text(pv, "one");
		if (creates[i].status == 0)
			answer_maybe(0);
		else
			answer(0, creates[i].status, creates[i].id);
		preview_text(pv, "one two");
		pass(10);
		assert_int_equal(n_calls, 1); /* one attempt, then silence */
		rest();
		want_items("whole", creates[i].want);
		scene_end();
	}
}

static const struct {
	int status;
	const char *want;
} edits[] = {
    {403, "post  whole|delete a "},
    {400, "post  whole|delete a "},
    {429, "edit a whole"},
    {500, "edit a whole"},
    {504, "post  whole|delete a "}, /* it may be carried out yet */
    {0, "post  whole|delete a "},
};

static void
test_edit_fails(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		scene(FINISHED, "{}", 0);
		preview_free(pv);
		acc.stream.mode = STREAM_PARTIAL;
		row.begun = 1;
		pv = preview_new(&acc, &row, "main");
		row.begun = 0;
		preview_text(pv, "one");
		assert_int_equal(n_calls, 0); /* it looks first */
		look.fn(&acc, (const char[1][MM_ID_SIZE]){POST_A}, 1, NULL,
		    look.arg);
		want_call(0, EDIT(POST_A), "one");
		if (edits[i].status == 0)
			answer_maybe(0);
		else
			answer(0, edits[i].status, NULL);
		rest();
		assert_int_equal(n_calls, 1);
		want_items("whole", edits[i].want);
		scene_end();
	}
}

/* A request that does not end is given up, and its post with it. */
static void
test_slow_server(void **state)
{
	scene("{}", "{}", 0);
	preview_text(pv, "one");
	rest();
	assert_false(calls[0].open);
	want_items("whole", "post  whole|sweep  " EVENT);
	scene_end();
}

/* What an earlier life left is gone on with, and looked for at the end. */
static void
test_earlier_life(void **state)
{
	scene("{}", "{}", 1);
	preview_text(pv, "one");
	assert_int_equal(n_calls, 0);
	look.fn(&acc, (const char[2][MM_ID_SIZE]){POST_A, POST_B}, 2, NULL,
	    look.arg);
	want_call(0, EDIT(POST_A), "one");
	answer(0, 200, POST_A);
	rest();
	want_items("whole", "edit a whole|sweep  " EVENT);
	scene_end();
	scene("{}", "{}", 1);
	preview_text(pv, "one");
	rest(); /* nobody waits for the search */
	assert_false(look.open);
	want_items("whole", "post  whole|sweep  " EVENT);
	scene_end();
}

/* A block waits for the post of the one before it. */
static void
test_blocks_in_order(void **state)
{
	scene(BLOCK, "{}", 0);
	preview_text(pv, "First.");
	want_call(0, "/posts", "First.");
	tool("1", TOOL_START);
	tool("1", TOOL_START);
	preview_text(pv, "First.\n\nSecond.");
	preview_text(pv, "First.\n\nSecond.");
	assert_int_equal(n_calls, 1);
	answer(0, 201, POST_A);
	/* The work is over before its post could be made. */
	assert_int_equal(n_calls, 2);
	want_call(1, "/posts", "Second.");
	scene_end();
	scene(BLOCK, "{}", 0);
	preview_text(pv, "First.");
	answer(0, 201, POST_A);
	tool("1", TOOL_START);
	want_call(1, "/posts", "\xf0\x9f\x93\x96 Read");
	preview_text(pv, "First.\n\nSecond.");
	assert_int_equal(n_calls, 2);
	answer(1, 201, POST_B);
	assert_int_equal(n_calls, 3);
	want_call(2, "/posts", "Second.");
	answer(2, 201, POST_C);
	rest();
	assert_int_equal(n_calls, 3);
	want_items("First.\n\nSecond. End.",
	    "edit a First.|edit c Second. End.|delete b ");
	want_items("First.", "edit a First.|delete b |delete c ");
	want_items("Other.", "edit c Other.|delete a |delete b ");
	want_items("Firsts.", "edit c Firsts.|delete a |delete b ");
	want_items(NULL, "delete a |delete b |delete c ");
	scene_end();
}

static void
test_thinking_is_reused(void **state)
{
	scene(BLOCK, "{}", 0);
	preview_thinking(pv);
	want_call(0, "/posts", "Thinking\xe2\x80\xa6");
	answer(0, 201, POST_A);
	preview_text(pv, "Hello");
	preview_thinking(pv);
	rest();
	assert_int_equal(n_calls, 1);
	want_items("Hello you", "edit a Hello you");
	scene_end();
}

/* Blocks longer than a post: in pieces, all or none of which stay. */
static void
test_long_blocks(void **state)
{
	scene(BLOCK, "{\"textChunkLimit\":10}", 0);
	preview_text(pv, "aaaa bbbb cccc");
	answer(0, 201, POST_A);
	tool("1", TOOL_START);
	assert_int_equal(n_calls, 2);
	want_call(1, "/posts", "cccc");
	answer(1, 201, POST_B);
	want_call(2, "/posts", "\xf0\x9f\x93\x96 Read");
	answer(2, 201, POST_C);
	rest();
	want_items("aaaa bbbb cccc dddd",
	    "edit a aaaa bbbb|edit b cccc|edit c dddd");
	scene_end();
}

/* A block whose post never came is said anew, with all after it. */
static void
test_lost_block(void **state)
{
	scene(FINISHED, "{}", 0);
	preview_text(pv, "One.\n\nTwo.\n\nx");
	pass(50);
	want_call(0, "/posts", "One.\n\nTwo.");
	answer(0, 500, NULL);
	rest();
	want_items("One.\n\nTwo.\n\nThree.",
	    "post  One.\n\nTwo.\n\nThree.|sweep  " EVENT);
	scene_end();
}

static void
test_overtaken_and_rewound(void **state)
{
	scene("{}", "{}", 0);
	preview_text(pv, "one");
	answer(0, 201, POST_A);
	preview_overtaken(pv);
	preview_text(pv, "one two");
	want_call(1, "/posts", "one two");
	answer(1, 201, POST_B);
	rest();
	want_items("one two three", "edit b one two three|delete a ");
	preview_rewind(pv);
	preview_text(pv, "o");
	rested = 0;
	rest();
	want_items("on", "edit b on|delete a ");
	scene_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_throttle),
	    cmocka_unit_test(test_end_waits_for_no_throttle),
	    cmocka_unit_test(test_create_fails),
	    cmocka_unit_test(test_edit_fails),
	    cmocka_unit_test(test_slow_server),
	    cmocka_unit_test(test_earlier_life),
	    cmocka_unit_test(test_blocks_in_order),
	    cmocka_unit_test(test_thinking_is_reused),
	    cmocka_unit_test(test_long_blocks),
	    cmocka_unit_test(test_lost_block),
	    cmocka_unit_test(test_overtaken_and_rewound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
