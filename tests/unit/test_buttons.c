#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/signed_context.h"
#include "tests/unit/vectors.h"
#include "workers/account/callback/buttons.h"

static char secret[SIGNED_HEX_SIZE];

static struct json_object *
at(struct json_object *o, const char *key)
{
	return vec_get(o, key);
}

static struct json_object *
actions_of(struct json_object *props)
{
	struct json_object *atts = at(props, "attachments");

	return atts == NULL ? NULL :
	    at(json_object_array_get_idx(atts, 0), "actions");
}

/* Ours alone: they make the token another one. */
static void
strip(struct json_object *ctx)
{
	json_object_object_del(ctx, CTX_TOKEN);
	json_object_object_del(ctx, CTX_EXPIRES);
	json_object_object_del(ctx, CTX_NONCE);
	json_object_object_del(ctx, CTX_VALUE);
}

static void
strip_all(struct json_object *props, int verify)
{
	struct json_object *acts = actions_of(props), *ctx;
	size_t i;

	for (i = 0; acts != NULL && i < json_object_array_length(acts); i++) {
		ctx = at(at(json_object_array_get_idx(acts, i),
			     "integration"), "context");
		if (verify)
			assert_true(signed_context_verify(
			    secret, ctx, vec_str(ctx, CTX_TOKEN)));
		strip(ctx);
	}
}

/* Texts in which the order of members does not matter. */
static void
put_sorted(struct json_object *o, const char *key, struct json_object *v)
{
	size_t len;
	char *text = signed_context_text(v, 0, &len);

	json_object_object_add(o, key, json_object_new_string(text));
	free(text);
}

/* Where we differ: real ids, real menus, no questions, own tokens only. */
static const char *const ours[] = {"do it: now", "--_--", "\"select\"",
    "questionId", "\"action\"", "\"disabled\"", "\"action_id\"", NULL};

static int
differs(struct json_object *in)
{
	const char *text = json_object_to_json_string_ext(
	    in, JSON_C_TO_STRING_PLAIN);
	int i;

	for (i = 0; ours[i] != NULL; i++)
		if (strstr(text, ours[i]) != NULL)
			return 1;
	return 0;
}

static void
payload_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct buttons_opts o = {.url = vec_str(in, "callback_url"),
	    .channel = vec_str(in, "channel_id"), .secret = secret,
	    .nonce = "n", .expires = 1, .text = vec_str(in,
		"attachment_text")};
	struct json_object *props, *wanted;
	const char *bot = vec_str(in, "bot_token"), *why;
	char *text;

	signed_context_secret(bot, strlen(bot), secret);
	if (at(out, "message") != NULL) {
		text = buttons_text(
		    vec_str(in, "text"), at(in, "presentation"));
		vec_put_str(got, "message", text);
		vec_want(want, out, "message");
		free(text);
	}
	props = buttons_props(
	    &o, at(in, "buttons"), at(in, "presentation"), &why);
	assert_null(why);
	strip_all(props, 1);
	wanted = at(out, "props");
	strip_all(wanted, 0);
	if (!differs(in)) {
		put_sorted(got, "props", props);
		put_sorted(want, "props", wanted);
	}
	json_object_put(props);
}

static void
test_vectors(void **state)
{
	vectors_run("button_payload", payload_case, NULL);
}

static struct json_object *
build(const char *buttons, const char *presentation, const char **why)
{
	struct buttons_opts o = {.url = "http://127.0.0.1/i", .secret = secret,
	    .channel = "c10123456789abcdefghijklmn", .nonce = "abc",
	    .expires = 1795341549};
	struct json_object *b = json_tokener_parse(buttons), *p, *props;

	p = json_tokener_parse(presentation);
	props = buttons_props(&o, b, p, why);
	json_object_put(b);
	json_object_put(p);
	return props;
}

static const char *
id_of(struct json_object *props, size_t i)
{
	struct json_object *a =
	    json_object_array_get_idx(actions_of(props), i);
	struct json_object *ctx = at(at(a, "integration"), "context");

	assert_string_equal(vec_str(a, "id"), vec_str(ctx, CTX_ACTION));
	return vec_str(a, "id");
}

/* Letters and digits alone, unlike each other, equal to action_id. */
static void
test_ids(void **state)
{
	struct json_object *props;
	const char *why;

	props = build("[[{\"text\":\"A\",\"callback_data\":\"a-b\"},"
		      "{\"text\":\"B\",\"callback_data\":\"a_b\"},"
		      "{\"text\":\"C\",\"callback_data\":\"--\"},"
		      "{\"text\":\"D\",\"callback_data\":\"\\u00fc \"},"
		      "{\"text\":\"E\",\"callback_data\":\"x\",\"context\":"
		      "{\"action_id\":\"evil\",\"_token\":\"evil\",\"k\":1}}]]",
	    "null", &why);
	assert_non_null(props);
	assert_string_equal(id_of(props, 0), "ab");
	assert_string_equal(id_of(props, 1), "ab2");
	assert_string_equal(id_of(props, 2), "b");
	assert_string_equal(id_of(props, 3), "b2");
	assert_string_equal(id_of(props, 4), "x");
	strip_all(props, 1);
	json_object_put(props);
}

static void
test_own_members(void **state)
{
	struct json_object *props, *ctx;
	const char *why;

	props = build("[{\"text\":\"A\",\"value\":\"va lue\"}]", "null", &why);
	ctx = at(at(json_object_array_get_idx(actions_of(props), 0),
		     "integration"), "context");
	assert_string_equal(vec_str(ctx, CTX_VALUE), "va lue");
	assert_string_equal(vec_str(ctx, CTX_NONCE), "abc");
	assert_int_equal(
	    json_object_get_int64(at(ctx, CTX_EXPIRES)), 1795341549);
	assert_string_equal(
	    vec_str(ctx, CTX_CHANNEL), "c10123456789abcdefghijklmn");
	json_object_put(props);
	/* Of the picker, whose clicks are commands, are its own alone. */
	props = build("[{\"text\":\"A\",\"value\":\"v\",\"context\":{\"k\":1,"
		      "\"" CTX_PICKER "\":true}}]", "null", &why);
	ctx = at(at(json_object_array_get_idx(actions_of(props), 0),
		     "integration"), "context");
	assert_non_null(at(ctx, "k"));
	assert_null(at(ctx, CTX_PICKER));
	json_object_put(props);
	/* What JSON takes and cannot write is null, as the peer has it. */
	props = build("[{\"text\":\"A\",\"value\":\"v\",\"context\":"
		      "{\"k\":1e999,\"l\":[1.5,-1e999],\"m\":2.5}}]", "null", &why);
	ctx = at(at(json_object_array_get_idx(actions_of(props), 0),
		     "integration"), "context");
	assert_null(at(ctx, "k"));
	assert_string_equal(json_object_to_json_string_ext(at(ctx, "l"),
		JSON_C_TO_STRING_PLAIN), "[1.5,null]");
	assert_string_equal(json_object_get_string(at(ctx, "m")), "2.5");
	assert_true(signed_context_verify(secret, ctx, vec_str(ctx, CTX_TOKEN)));
	json_object_put(props);
}

static void
test_menu(void **state)
{
	struct json_object *props, *a;
	const char *why;

	props = build("null", "{\"blocks\":[{\"type\":\"select\","
	    "\"placeholder\":\"Colour\",\"options\":[{\"label\":\"Red\","
	    "\"value\":\"r\"},{\"label\":\"none\"},7]}]}", &why);
	a = json_object_array_get_idx(actions_of(props), 0);
	assert_string_equal(vec_str(a, "type"), "select");
	assert_string_equal(vec_str(a, "name"), "Colour");
	assert_int_equal(json_object_array_length(at(a, "options")), 1);
	json_object_put(props);
}

static void
test_limits(void **state)
{
	struct json_object *list = json_object_new_array(), *o;
	const char *why;
	char value[32], big[2000];
	int i;

	for (i = 0; i <= BUTTONS_MAX; i++) {
		o = json_object_new_object();
		(void)snprintf(value, sizeof(value), "v%d", i);
		vec_put_str(o, "text", value);
		vec_put_str(o, "callback_data", value);
		json_object_array_add(list, o);
	}
	assert_null(build(json_object_to_json_string(list), "null", &why));
	assert_non_null(why);
	json_object_put(list);
	assert_null(build("[]", "{}", &why));
	assert_null(why);
	assert_null(build("7", "\"x\"", &why));
	assert_null(why);
	(void)snprintf(big, sizeof(big), "[{\"text\":\"%0600d\",\"value\":1}]",
	    1);
	assert_null(build(big, "null", &why));
	assert_non_null(why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_own_members),
	    cmocka_unit_test(test_menu),
	    cmocka_unit_test(test_limits),
	};

	signed_context_secret("test-token-one", 14, secret);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
