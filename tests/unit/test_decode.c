#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "tests/unit/vectors.h"
#include "workers/account/decode.h"
#include "workers/account/shallow.h"

#define U "u10123456789abcdefghijklmn"
#define C "c10123456789abcdefghijklmn"
#define P "p10123456789abcdefghijklmn"

static enum event_type
type_expected(const char *name)
{
	static const struct {
		const char *name;
		enum event_type type;
	} types[] = {{"posted", EVENT_POSTED}, {"post_edited", EVENT_EDITED},
	    {"post_deleted", EVENT_DELETED},
	    {"reaction_added", EVENT_REACTION_ADDED},
	    {"reaction_removed", EVENT_REACTION_REMOVED},
	    {"reply", EVENT_REPLY}, {"hello", EVENT_HELLO},
	    {"typing", EVENT_TYPING}, {"status_change", EVENT_STATUS},
	    {"direct_added", EVENT_DIRECT_ADDED},
	    {"group_added", EVENT_GROUP_ADDED},
	    {"channel_created", EVENT_CHANNEL_CREATED},
	    {"channel_updated", EVENT_CHANNEL_UPDATED},
	    {"channel_converted", EVENT_CHANNEL_UPDATED},
	    {"channel_deleted", EVENT_CHANNEL_DELETED},
	    {"user_added", EVENT_USER_ADDED},
	    {"user_removed", EVENT_USER_REMOVED},
	    {"added_to_team", EVENT_ADDED_TO_TEAM},
	    {"memberrole_updated", EVENT_TEAM_ROLE},
	    {"leave_team", EVENT_LEAVE_TEAM},
	    {"user_updated", EVENT_USER_UPDATED}};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return EVENT_OTHER;
}

static void
put_int(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

/* Everything we know, under the names of the vectors. */
static void
put_inbound(struct json_object *o, const struct inbound *in)
{
	char type[2] = {in->channel_type, '\0'};

	vec_put_str(o, "post_id", in->post_id);
	vec_put_str(o, "channel_id", in->channel_id);
	vec_put_str(o, "actor_id", in->actor_id);
	vec_put_str(o, "root_id", in->root_id);
	vec_put_str(o, "text", in->text);
	vec_put_str(o, "post_type", in->type);
	vec_put_bool(o, "from_bot", in->from_bot);
	vec_put_bool(o, "from_webhook", in->from_webhook);
	put_int(o, "files", (int64_t)in->n_files);
	put_int(o, "mentions", (int64_t)in->n_mentions);
	vec_put_str(o, "channel_type", type);
	vec_put_str(o, "sender", in->actor_name);
	vec_put_str(o, "team_id", in->team_id);
	put_int(o, "create_at", in->create_at);
	put_int(o, "edit_at", in->edit_at);
	vec_put_str(o, "emoji", in->emoji);
}

static void
put_event(struct json_object *o, const struct event *ev)
{
	put_int(o, "seq", ev->seq);
	vec_put_str(o, "channel_id", ev->channel_id);
	vec_put_str(o, "team_id", ev->team_id);
	vec_put_str(o, "user_id", ev->user_id);
	vec_put_str(o, "post_id", ev->post_id);
	vec_put_str(o, "username", ev->username);
	vec_put_bool(o, "is_bot", ev->is_bot == TRI_YES);
	vec_put_bool(o, "ok", ev->ok);
	put_int(o, "seq_reply", ev->seq_reply);
	vec_put_str(o, "error_id", ev->error_id);
	vec_put_str(o, "connection_id", ev->connection_id);
}

static void
event_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct json_object *all = json_object_new_object();
	const char *frame = vec_str(in, "frame"), *type = vec_str(out, "type");
	struct event ev;

	decode_message(frame, strlen(frame), "default", &ev);
	put_event(all, &ev);
	if (ev.in != NULL)
		put_inbound(all, ev.in);
	json_object_object_foreach(out, key, val)
	{
		(void)val;
		vec_want(want, out, key);
		vec_want(got, all, key);
	}
	vec_put_str(got, "type",
	    ev.type == type_expected(type) ? type : "another");
	json_object_put(all);
	event_clear(&ev);
}

static void
test_events(void **state)
{
	vectors_run("events", event_case, NULL);
}

#define POST(more)                                                             \
	"{\"id\":\"" P "\",\"user_id\":\"" U "\",\"channel_id\":\"" C          \
	"\",\"create_at\":5,\"update_at\":5,\"message\":\"hi\"" more "}"

static void
test_posts(void **state)
{
	static const struct {
		const char *json;
		enum reason why; /* REASON_OK: it is one */
		enum tri bot;
	} cases[] = {
	    {POST(""), REASON_OK, TRI_NO},
	    {POST(",\"future\":{\"a\":[1]}"), REASON_OK, TRI_NO},
	    {POST(",\"props\":{\"from_bot\":\"true\"}"), REASON_OK, TRI_YES},
	    {POST(",\"props\":{\"from_bot\":true}"), REASON_OK, TRI_YES},
	    {POST(",\"props\":{\"from_bot\":\"false\"}"), REASON_OK, TRI_NO},
	    {POST(",\"props\":null,\"file_ids\":null"), REASON_OK, TRI_NO},
	    {POST(",\"update_at\":6"), REASON_OK, TRI_UNKNOWN},
	    {POST(",\"root_id\":null"), REASON_OK, TRI_NO},
	    {POST(",\"root_id\":\"short\""), REASON_MALFORMED, 0},
	    {POST(",\"root_id\":5"), REASON_MALFORMED, 0},
	    {POST(",\"message\":null"), REASON_OK, TRI_NO},
	    {POST(",\"message\":[]"), REASON_MALFORMED, 0},
	    {POST(",\"message\":\"a\\u0000b\""), REASON_MALFORMED, 0},
	    {POST(",\"type\":1"), REASON_MALFORMED, 0},
	    {POST(",\"file_ids\":[1]"), REASON_MALFORMED, 0},
	    {POST(",\"file_ids\":[\"../../x\"]"), REASON_OK, TRI_NO},
	    {POST(",\"id\":\"\""), REASON_NO_POST_ID, 0},
	    {POST(",\"id\":\"P10123456789abcdefghijklmn\""),
		REASON_NO_POST_ID, 0},
	    {POST(",\"id\":\"p10123456789abcdefghijklmno\""),
		REASON_NO_POST_ID, 0},
	    {POST(",\"user_id\":\"\""), REASON_NO_ACTOR, 0},
	    {POST(",\"user_id\":{}"), REASON_NO_ACTOR, 0},
	    {POST(",\"channel_id\":null"), REASON_NO_CHANNEL, 0},
	    {"[]", REASON_MALFORMED, 0},
	};
	struct json_object *o;
	struct inbound *in;
	enum reason why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o = decode_json(cases[i].json, strlen(cases[i].json));
		assert_non_null(o);
		in = decode_post(o, INBOUND_POST, "a", &why);
		if (why != cases[i].why ||
		    (in != NULL) != (why == REASON_OK) ||
		    (in != NULL && in->actor_is_bot != cases[i].bot))
			fail_msg("%s: %s", cases[i].json, reason_name(why));
		inbound_free(in);
		json_object_put(o);
	}
}

static enum event_type
type_of(const char *frame, size_t len)
{
	struct event ev;
	enum event_type t = decode_message(frame, len, "a", &ev);

	if (t == EVENT_BAD) {
		assert_null(ev.in);
		assert_int_not_equal(ev.reason, REASON_NONE);
		assert_int_not_equal(ev.reason, REASON_OK);
	}
	event_clear(&ev);
	return t;
}

static void
test_bad_frames(void **state)
{
	static const char *const bad[] = {"", "x", "[1]", "null", "{}", "5",
	    "{\"event\":5}", "{\"status\":5}", "{\"event\":\"posted\"}",
	    "{\"event\":\"posted\",\"data\":{\"post\":\"{\"}}",
	    "{\"event\":\"posted\",\"data\":{\"post\":\"[]\"}}",
	    "{\"event\":\"posted\",\"data\":{\"post\":5}}",
	    "{\"event\":\"posted\",\"data\":\"x\"}",
	    "{\"event\":\"reaction_added\",\"data\":{\"reaction\":\"{}\"}}",
	    "{\"event\":\"hello\",\"data\":{\"connection_id\":\"nope\"}}",
	    "{\"event\":\"user_removed\",\"data\":{\"user_id\":\"" U "\"}}",
	    "{\"event\":\"direct_added\",\"data\":{}}",
	    "{\"event\":\"typing\"} {\"event\":\"typing\"}",
	    "{\"event\":\"typing\",\"seq\":9223372036854775807}",
	    "{\"event\":\"hello\",\"seq\":99999999999999999999}",
	    "{\"event\":\"hello\",\"data\":{\"server_version\":\"\xff\"}}"};
	char deep[400];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (type_of(bad[i], strlen(bad[i])) != EVENT_BAD)
			fail_msg("taken: %s", bad[i]);
	memset(deep, '[', sizeof(deep));
	assert_int_equal(type_of(deep, sizeof(deep)), EVENT_BAD);
	assert_int_equal(type_of("{\"event\":\"typing\"}\n", 19), EVENT_TYPING);
}

/* Props as deep as their author likes hide nothing else. */
static void
test_deep_props(void **state)
{
	static const int levels[] = {1, DECODE_DEPTH - 4, DECODE_DEPTH - 3,
	    DECODE_DEPTH - 2, DECODE_DEPTH, 5000};
	struct json_tokener *tok = json_tokener_new_ex(DECODE_DEPTH);
	struct json_object *o, *v;
	struct strbuf b = STRBUF_INIT;
	size_t i;
	int n;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		strbuf_truncate(&b, 0);
		strbuf_puts(&b, "{\"a\":{\"p\":");
		for (n = 0; n < levels[i]; n++)
			strbuf_puts(&b, n % 2 ? "[" : "{\"]}\\\"\":");
		strbuf_puts(&b, "1");
		while (n-- > 0)
			strbuf_puts(&b, n % 2 ? "]" : "}");
		strbuf_puts(&b, ",\"q\":[\"x\"]},\"b\":7}");
		o = shallow_parse(tok, DECODE_DEPTH, b.s, b.len);
		if (o == NULL)
			fail_msg("%d: %s", levels[i], json_tokener_error_desc(
			    json_tokener_get_error(tok)));
		assert_int_equal(json_tokener_get_parse_end(tok), b.len);
		assert_true(json_object_object_get_ex(o, "b", &v));
		assert_int_equal(json_object_get_int(v), 7);
		assert_true(json_object_object_get_ex(o, "a", &v) &&
		    json_object_object_get_ex(v, "q", &v));
		assert_int_equal(json_object_array_length(v), 1);
		json_object_put(o);
		json_tokener_reset(tok);
	}
	/* A bracket too few or too many is still none. */
	b.s[b.len - 1] = ' ';
	assert_null(shallow_parse(tok, DECODE_DEPTH, b.s, b.len));
	strbuf_free(&b);
	json_tokener_free(tok);
}

static void
test_too_large(void **state)
{
	size_t size = DECODE_MAX + 16;
	char *big = malloc(size);

	assert_non_null(big);
	memset(big, ' ', size);
	memcpy(big, "{\"event\":\"typing\"}", 18);
	assert_int_equal(type_of(big, DECODE_MAX), EVENT_TYPING);
	assert_int_equal(type_of(big, DECODE_MAX + 1), EVENT_BAD);
	free(big);
}

static void
test_long_post(void **state)
{
	struct json_object *o = json_tokener_parse(POST(""));
	char *text = malloc(MM_TEXT_MAX + 2);
	struct inbound *in;
	enum reason why;

	memset(text, 'a', MM_TEXT_MAX + 1);
	text[MM_TEXT_MAX] = '\0';
	vec_put_str(o, "message", text);
	in = decode_post(o, INBOUND_POST, "a", &why);
	assert_non_null(in);
	inbound_free(in);
	text[MM_TEXT_MAX] = 'a';
	text[MM_TEXT_MAX + 1] = '\0';
	vec_put_str(o, "message", text);
	assert_null(decode_post(o, INBOUND_POST, "a", &why));
	assert_int_equal(why, REASON_TOO_LARGE);
	free(text);
	json_object_put(o);
}

static void
test_event_ids(void **state)
{
	struct inbound *in = inbound_new(INBOUND_REACTION);
	char key[EVENT_ID_SIZE];

	strlcpy(in->post_id, P, MM_ID_SIZE);
	strlcpy(in->actor_id, U, MM_ID_SIZE);
	inbound_set(&in->emoji, "tada");
	inbound_make_event_id(in);
	assert_string_equal(in->event_id, P ":tada:" U ":added");
	in->kind = INBOUND_BUTTON;
	inbound_set(&in->action_id, "yes");
	inbound_make_event_id(in);
	assert_string_equal(in->event_id, P ":yes");
	in->kind = INBOUND_EDIT; /* the post's, but every edit is looked at */
	inbound_make_event_id(in);
	assert_string_equal(in->event_id, P);
	in->edit_at = 7;
	inbound_seen_key(in, key);
	assert_string_equal(key, P ":edit:7");
	in->kind = INBOUND_POST;
	inbound_seen_key(in, key);
	assert_string_equal(key, P);
	inbound_free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_events),
	    cmocka_unit_test(test_posts),
	    cmocka_unit_test(test_bad_frames),
	    cmocka_unit_test(test_deep_props),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_long_post),
	    cmocka_unit_test(test_event_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
