#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"
#include "workers/account/decode.h"
#include "workers/account/echo.h"

#define U "u10123456789abcdefghijklmn"
#define V "v10123456789abcdefghijklmn"
#define C "c10123456789abcdefghijklmn"
#define P "p10123456789abcdefghijklmn"

/* What tells an echo is what decode_message() says of the same. */
static void
same(const char *frame, const struct event *echo)
{
	const struct inbound *a = echo->in, *b;
	struct event ev;

	decode_message(frame, strlen(frame), "acct", &ev);
	assert_int_equal(ev.type, echo->type);
	assert_int_equal(ev.seq, echo->seq);
	assert_int_equal(ev.kind, echo->kind);
	assert_string_equal(ev.name, echo->name);
	assert_string_equal(ev.post_id, echo->post_id);
	assert_string_equal(ev.channel_id, echo->channel_id);
	assert_string_equal(ev.user_id, echo->user_id);
	b = ev.in;
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->account, b->account);
	assert_string_equal(a->event_id, b->event_id);
	assert_string_equal(a->actor_id, b->actor_id);
	assert_string_equal(a->channel_id, b->channel_id);
	assert_string_equal(a->post_id, b->post_id);
	assert_string_equal(a->root_id, b->root_id);
	assert_int_equal(a->create_at, b->create_at);
	assert_int_equal(a->edit_at, b->edit_at);
	assert_int_equal(b->delete_at, 0);
	assert_string_equal(b->type, "");
	event_clear(&ev);
}

static int
is_echo(const char *frame, const char *bot)
{
	struct event ev;
	int rc = echo_read(frame, strlen(frame), "acct", bot, &ev);

	if (rc)
		same(frame, &ev);
	else
		assert_null(ev.in);
	event_clear(&ev);
	return rc;
}

/* Every post that a real server told of, as if its author were the bot. */
static void
test_captures(void **state)
{
	struct json_object *cases, *file = vectors_load("events", &cases);
	size_t i, n = 0, all = json_object_array_length(cases);
	const char *frame;
	struct event ev;

	for (i = 0; i < all; i++) {
		frame = vec_str(vec_get(json_object_array_get_idx(cases, i),
		    "in"), "frame");
		decode_message(frame, strlen(frame), "acct", &ev);
		if (ev.in != NULL && *ev.in->type == '\0' &&
		    ev.in->kind != INBOUND_REACTION) {
			assert_int_equal(is_echo(frame, ev.user_id), 1);
			n++;
		} else if (ev.user_id[0] != '\0')
			assert_int_equal(is_echo(frame, ev.user_id), 0);
		assert_int_equal(is_echo(frame, V), 0);
		event_clear(&ev);
	}
	assert_true(n >= 10);
	json_object_put(file);
}

#define HEAD "{\"event\":\"posted\",\"data\":{\"channel_type\":\"O\","
#define IDS \
	"{\\\"id\\\":\\\"" P "\\\",\\\"create_at\\\":5,\\\"update_at\\\":6," \
	"\\\"edit_at\\\":0,\\\"delete_at\\\":0,\\\"is_pinned\\\":false," \
	"\\\"user_id\\\":\\\"" U "\\\",\\\"channel_id\\\":\\\"" C "\\\"," \
	"\\\"root_id\\\":\\\"\\\",\\\"original_id\\\":\\\"\\\","
#define TEXT(t) "\\\"message\\\":\\\"" t "\\\","
#define TYPE "\\\"type\\\":\\\"\\\","
#define REST "\\\"props\\\":{}}\"},"
#define TAIL "\"broadcast\":{\"channel_id\":\"" C "\"},\"seq\":7}"

static void
test_forms(void **state)
{
	static const struct {
		const char *frame;
		int echo;
	} t[] = {
	    {HEAD "\"post\":\"" IDS TEXT("x") TYPE REST TAIL, 1},
	    {HEAD "\"post\":\"" IDS TEXT("x") TYPE REST TAIL "\n", 1},
	    {HEAD "\"post\":\"" IDS TEXT("") TYPE REST TAIL, 1},
	    /* Quotes and backslashes, also where the text ends. */
	    {HEAD "\"post\":\"" IDS TEXT("a \\\\\\\"b\\\\\\\"") TYPE REST TAIL,
		1},
	    {HEAD "\"post\":\"" IDS TEXT("a\\\\\\\\") TYPE REST TAIL, 1},
	    {HEAD "\"post\":\"" IDS TEXT("a\\\\\\\\\\\\\\\"") TYPE REST TAIL,
		1},
	    /* A text that looks like what stands around it. */
	    {HEAD "\"post\":\"" IDS
		TEXT("\\\\\\\",\\\\\\\"type\\\\\\\":\\\\\\\"system_x")
		TYPE REST TAIL, 1},
	    /* It ends as one does, and so the event has no number. */
	    {HEAD "\"post\":\"" IDS TEXT("x") TYPE
		"\\\"props\\\":{}}\",\"x\":\",\\\"seq\\\":7}\"}}", 0},
	    {HEAD "\"post\":\"" IDS TEXT("x") TYPE REST
		"\"broadcast\":{},\"seq\":7} ", 0},
	    {HEAD "\"post\":\"" IDS TEXT("x") TYPE REST
		"\"broadcast\":{},\"seq\":-7}", 0},
	    {HEAD "\"post\":\"" IDS TEXT("x") TYPE REST
		"\"broadcast\":{},\"seq\":7777777777777777777}", 0},
	    /* The server's own posts are not the bot's words. */
	    {HEAD "\"post\":\"" IDS TEXT("x")
		"\\\"type\\\":\\\"system_join_channel\\\"," REST TAIL, 0},
	    /* A text that does not end, or that ends all. */
	    {HEAD "\"post\":\"" IDS "\\\"message\\\":\\\"x\"}," TAIL, 0},
	    {HEAD "\"post\":\"" IDS "\\\"message\\\":\\\"x", 0},
	    {HEAD "\"post\":\"" IDS, 0},
	    {HEAD "\"post\":\"" IDS TEXT("x") REST TAIL, 0},
	    /* Members in another place. */
	    {HEAD "\"post\":\"{" TEXT("x") TYPE REST TAIL, 0},
	    {HEAD "\"post\":\"{\\\"props\\\":{\\\"user_id\\\":\\\"" U
		"\\\"}," TEXT("x") TYPE REST TAIL, 0},
	    {HEAD "\"post\":" IDS TEXT("x") TYPE REST TAIL, 0},
	    {"{\"event\":\"ephemeral_message\",\"data\":{\"post\":\"" IDS
		TEXT("x") TYPE REST TAIL, 0},
	    {"{\"event\":\"posted\"", 0},
	    {"{}", 0},
	    {"", 0},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (is_echo(t[i].frame, U) != t[i].echo)
			fail_msg("%s", t[i].frame);
		assert_int_equal(is_echo(t[i].frame, V), 0);
		assert_int_equal(is_echo(t[i].frame, ""), 0);
	}
}

/* What a gone post or a damaged one says is for decode_message(). */
static void
test_replaced(void **state)
{
	static const char good[] =
	    HEAD "\"post\":\"" IDS TEXT("x") TYPE REST TAIL;
	static const struct {
		const char *this, *that;
	} t[] = {{"delete_at\\\":0", "delete_at\\\":9"},
	    {"create_at\\\":5", "create_at\\\":0"},
	    {"create_at\\\":5", "create_at\\\":\\\"5\\\""},
	    {"create_at\\\":5", "create_at\\\":"},
	    {"edit_at\\\":0", "edit_at\\\":null"},
	    {"is_pinned\\\":false", "is_pinned\\\":0"},
	    {"is_pinned\\\":", "is_unknown\\\":"}, {P, "../../../etc/passwd"},
	    {P, ""}, {C, ""}, {"\\\"root_id\\\":\\\"\\\"",
		"\\\"root_id\\\":\\\"x\\\""}, {",\"post\":", ",\"toast\":"}};
	char *frame, *at;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		at = strstr(good, t[i].this);
		assert_non_null(at);
		assert_true(asprintf(&frame, "%.*s%s%s", (int)(at - good),
		    good, t[i].that, at + strlen(t[i].this)) > 0);
		if (is_echo(frame, U))
			fail_msg("%s", frame);
		free(frame);
	}
}

/* Cut anywhere it is none, and nothing behind its end is looked at. */
static void
test_cut(void **state)
{
	static const char good[] =
	    HEAD "\"post\":\"" IDS TEXT("x") TYPE REST TAIL;
	size_t n, len = strlen(good);
	struct event ev;
	char *copy;

	for (n = 0; n < len; n++) {
		copy = malloc(n + 1); /* malloc(0) may be NULL */
		assert_non_null(copy);
		memcpy(copy, good, n);
		copy = realloc(copy, n > 0 ? n : 1);
		assert_int_equal(echo_read(copy, n, "acct", U, &ev), 0);
		assert_null(ev.in);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_captures),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_replaced),
	    cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
