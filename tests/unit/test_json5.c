#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/json5.h"

static struct cval *
parse(const char *text)
{
	struct json5_error err;
	struct cval *v = json5_parse(text, strlen(text), &err);

	if (v == NULL)
		fail_msg("%s: %d:%d: %s", text, err.line, err.column, err.text);
	return v;
}

static void
refuse(const char *text, size_t len, int line, int column, const char *why)
{
	struct json5_error err;
	struct cval *v = json5_parse(text, len, &err);

	if (v != NULL)
		fail_msg("taken: %s", text);
	if (err.line != line || err.column != column ||
	    strcmp(err.text, why) != 0)
		fail_msg("%s: %d:%d: %s", text, err.line, err.column, err.text);
}

#define REFUSE(text, line, column, why)                                        \
	refuse(text, sizeof(text) - 1, line, column, why)

static void
test_values(void **state)
{
	static const char *const table[][2] = {
	    {"+1", "1"}, {"-0x10", "-16"}, {".5e1", "5"}, {"5.", "5"},
	    {"1e3", "1000"}, {"0xdecaf", "912559"}, {"true", "true"},
	    {"null", "null"}, {"'a\\'b'", "\"a'b\""},
	    {"\"\\x41\\u0042\\v\"", "\"AB\\u000b\""},
	    {"'\\ud83d\\ude00'", "\"\xf0\x9f\x98\x80\""},
	    {"'a\\\nb\\\r\nc'", "\"abc\""}, {"'\\q'", "\"q\""},
	    {"'\xe2\x80\xa8'", "\"\xe2\x80\xa8\""},
	    {"{a:1,$b_9:2,'c d':3,\xc3\xbc:4,\\u0065:5,}",
		"{\"a\":1,\"$b_9\":2,\"c d\":3,\"\xc3\xbc\":4,\"e\":5}"},
	    {"/*x*/[1,/**/2,//y\n]", "[1,2]"},
	    {"\xef\xbb\xbf{}\xc2\xa0", "{}"},
	};
	struct json_object *got, *want;
	struct cval *v;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		v = parse(table[i][0]);
		got = cval_json(v);
		want = json_tokener_parse(table[i][1]);
		if (!json_object_equal(got, want))
			fail_msg("%s: %s", table[i][0],
			    json_object_to_json_string(got));
		json_object_put(got);
		json_object_put(want);
		cval_free(v);
	}
	v = parse("[NaN, -Infinity, 1.5, 9007199254740993e3]");
	assert_true(isnan(v->first->num) && !v->first->is_int);
	assert_true(isinf(v->first->next->num) && v->first->next->num < 0);
	assert_false(v->first->next->next->is_int);
	assert_false(v->last->is_int);
	cval_free(v);
}

static void
test_places(void **state)
{
	struct cval *v = parse("{\n  // c\r\n  \xc3\xbc: 1,\r  b: [true,\n'x']}");
	struct cval *b = cval_get(v, "b");

	assert_int_equal(v->first->key_line, 3);
	assert_int_equal(v->first->key_column, 3);
	assert_int_equal(v->first->column, 6);
	assert_int_equal(b->key_line, 4);
	assert_int_equal(b->first->line, 4);
	assert_int_equal(b->first->column, 7);
	assert_int_equal(b->last->line, 5);
	assert_int_equal(b->last->column, 1);
	cval_free(v);
}

/* What a newcomer writes is told what is meant. */
static void
test_hints(void **state)
{
	REFUSE("{a:open}", 1, 4,
	    "'o' where a value should be: text belongs in quotes");
	REFUSE("{a:Infinite}", 1, 4,
	    "'I' where a number should be: text belongs in quotes");
	REFUSE("{a:True}", 1, 4,
	    "'T' where a value should be: it is true, false or null");
	REFUSE("{a:None}", 1, 4,
	    "'N' where a number should be: it is true, false or null");
	REFUSE("[\xe2\x80\x9c" "a]", 1, 2,
	    "'\xe2\x80\x9c' where a value should be: a quote is \" or '");
	REFUSE("{\n# x\n}", 2, 1,
	    "'#' where a name should be: a comment begins with //");
	REFUSE("{a:1, # x\n}", 1, 7,
	    "'#' where a name should be: a comment begins with //");
	REFUSE("{my-bot:{}}", 1, 4,
	    "'-' where ':' should be: such a name belongs in quotes");
	REFUSE("{*:{}}", 1, 2,
	    "'*' where a name should be: such a name belongs in quotes");
	REFUSE("{a:'x'\n'b':1}", 2, 1,
	    "''' where ',' or '}' should be: a comma is missing");
	REFUSE("{\n a:{\n b:[1],\n", 4, 1, "the text ends where a name should "
	    "be: what opens in line 2 does not end");
	REFUSE("{\n a:{\n b:1},\n", 4, 1, "the text ends where a name should "
	    "be: what opens in line 1 does not end");
}

static void
test_errors(void **state)
{
	REFUSE("", 1, 1, "the text ends where a value should be");
	REFUSE("{a:1 b:2}", 1, 6, "'b' where ',' or '}' should be: "
	    "a comma is missing");
	REFUSE("{\n a 1}", 2, 4, "'1' where ':' should be");
	REFUSE("[1;2]", 1, 3, "';' where ',' or ']' should be");
	REFUSE("[1", 1, 3, "the text ends where ',' or ']' should be: "
	    "what opens in line 1 does not end");
	REFUSE("{,}", 1, 2, "',' where a name should be");
	REFUSE("{} x", 1, 4, "'x' where the end should be");
	REFUSE("truex", 1, 1, "'t' where a value should be");
	REFUSE("010", 1, 1, "a number does not begin with 0");
	REFUSE("1.e+", 1, 5, "the text ends where a digit should be");
	REFUSE(".", 1, 2, "the text ends where a digit should be");
	REFUSE("0x", 1, 3, "the text ends where a hexadecimal digit should be");
	REFUSE("1a", 1, 2, "'a' where the end of a number should be");
	REFUSE("- 1", 1, 2, "' ' where a number should be");
	REFUSE("'ab\n'", 1, 1, "this string does not end");
	REFUSE("\n 'ab", 2, 2, "this string does not end");
	REFUSE("'\\", 1, 3, "the text ends inside a string");
	REFUSE("'\\1'", 1, 3, "no such escape: \\1");
	REFUSE("'\\x4'", 1, 5, "''' where a hexadecimal digit should be");
	REFUSE("'\\0'", 1, 4, "a string cannot hold a NUL");
	REFUSE("'\\u0000'", 1, 8, "a string cannot hold a NUL");
	REFUSE("'a\0'", 1, 3, "a string cannot hold a NUL");
	REFUSE("'\\ud83d'", 1, 8, "half a surrogate pair");
	REFUSE("'\\ude00'", 1, 8, "half a surrogate pair");
	REFUSE("'\\ud83d\\u0041'", 1, 14, "half a surrogate pair");
	REFUSE("{\\u002d:1}", 1, 8, "this escape is not for a name");
	REFUSE("{\xc2\xa9:1}", 1, 2, "'\xc2\xa9' where a name should be: "
	    "such a name belongs in quotes");
	REFUSE("/* x", 1, 1, "this comment does not end");
	REFUSE("\x01", 1, 1, "'?' where a value should be");
	REFUSE("'\xff'", 1, 2, "this is not UTF-8");
	REFUSE("'\xc0\xaf'", 1, 2, "this is not UTF-8");
	REFUSE("'\xe0\x80\x80'", 1, 2, "this is not UTF-8");
	REFUSE("'\xed\xa0\x80'", 1, 2, "this is not UTF-8");
	REFUSE("'\xf4\x90\x80\x80'", 1, 2, "this is not UTF-8");
	REFUSE("'\xe2\x82", 1, 2, "this is not UTF-8");
}

static void
test_limits(void **state)
{
	char *big = malloc(JSON5_SIZE + 2);
	char number[300];
	struct cval *v;
	size_t i;

	assert_non_null(big);
	memset(big, '[', 64);
	memset(big + 64, ']', 64);
	big[128] = '\0';
	cval_free(parse(big));
	memset(big, '[', 65);
	big[65] = '\0';
	refuse(big, 65, 1, 65, "nested deeper than 64");
	memset(big, '[', 1 << 20);
	refuse(big, 1 << 20, 1, 65, "nested deeper than 64");

	memset(big, ' ', JSON5_SIZE + 1);
	big[0] = '1';
	v = json5_parse(big, JSON5_SIZE, &(struct json5_error){0});
	assert_non_null(v);
	cval_free(v);
	refuse(big, JSON5_SIZE + 1, 1, 1, "larger than 4194304 bytes");

	big[0] = '[';
	for (i = 0; i < JSON5_VALUES; i++)
		memcpy(big + 1 + 2 * i, "1,", 2);
	refuse(big, 1 + 2 * JSON5_VALUES, 1, 2 * JSON5_VALUES,
	    "more than 200000 values");
	free(big);

	memset(number, '1', sizeof(number));
	refuse(number, sizeof(number), 1, 129, "this number is too long");
}

static void
count(const struct cval *again, const struct cval *first, void *arg)
{
	assert_true(again->key_column > first->key_column);
	++*(int *)arg;
}

static void
test_duplicates(void **state)
{
	char text[4096] = "{";
	struct cval *v = parse("{a:1,b:2,a:3,'\\u0061':4}");
	int n = 0, i;

	cval_duplicates(v, count, &n);
	assert_int_equal(n, 2);
	assert_int_equal(cval_int(cval_get(v, "a"), 0), 1);
	cval_free(v);
	for (i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "k%d:1,", i % 90);
	strlcat(text, "}", sizeof(text));
	v = parse(text);
	n = 0;
	cval_duplicates(v, count, &n);
	assert_int_equal(n, 10);
	cval_free(v);
}

static void
test_tree(void **state)
{
	struct cval *v = parse("{a:{b:{c:'x'}},n:7,t:true}"), *copy, *m;

	assert_string_equal(cval_string(cval_path(v, "a.b.c"), ""), "x");
	assert_null(cval_path(v, "a.x.c"));
	assert_null(cval_path(v, "n.x"));
	copy = cval_clone(v);
	m = cval_take(v, "t");
	assert_true(cval_bool(m, 0));
	assert_null(cval_get(v, "t"));
	cval_free(m);
	cval_put(v, "n", cval_str("s", 1, 1, 1));
	assert_int_equal(v->count, 2);
	assert_int_equal(cval_int(cval_get(v, "n"), -1), -1);
	assert_int_equal(cval_int(cval_get(copy, "n"), -1), 7);
	cval_get(copy, "n")->bad = 1;
	assert_null(cval_get(copy, "n"));
	assert_non_null(cval_find(copy, "n"));
	cval_free(v);
	cval_free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_hints),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_duplicates),
	    cmocka_unit_test(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
