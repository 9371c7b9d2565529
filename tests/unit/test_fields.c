#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/text.h"

static struct json_object *obj;
static struct fields f;

static void
open_text(const char *text)
{
	json_object_put(obj);
	obj = json_tokener_parse(text);
	fields_open(&f, obj);
}

static int
teardown(void **state)
{
	json_object_put(obj);
	obj = NULL;
	return 0;
}

/* 0.005, and not 0.0050000000000000001. */
static void
test_double(void **state)
{
	static const struct {
		double n;
		const char *text;
	} cases[] = {{0, "0"}, {0.005, "0.005"}, {0.1, "0.1"}, {-2.5, "-2.5"},
	    {0.1 + 0.2, "0.30000000000000004"}, {1.0 / 3, "0.3333333333333333"},
	    {1795790384.244, "1795790384.244"}, {1e21, "1e+21"},
	    {5e-324, "4.94065645841247e-324"},
	    {9007199254740991, "9007199254740991"}};
	struct json_object *o;
	char text[TEXT_DOUBLE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_double(cases[i].n, text);
		assert_string_equal(text, cases[i].text);
		assert_true(strtod(text, NULL) == cases[i].n);
		o = add_new_double(cases[i].n);
		assert_string_equal(json_object_to_json_string(o),
		    cases[i].text);
		json_object_put(o);
	}
}

static void
test_good(void **state)
{
	open_text("{\"t\":\"x\",\"id\":7,\"s\":\"abc\",\"n\":-5,\"b\":true,"
		  "\"o\":{\"q\":1},\"a\":[1,2]}");
	assert_string_equal(fields_str(&f, "s", 3), "abc");
	assert_int_equal(fields_int(&f, "n", -5, 5), -5);
	assert_int_equal(fields_bool(&f, "b"), 1);
	assert_non_null(fields_obj(&f, "o"));
	assert_non_null(fields_arr(&f, "a", 2));
	assert_null(fields_opt_str(&f, "none", 3));
	assert_int_equal(fields_opt_int(&f, "none", 0, 9, 4), 4);
	assert_int_equal(fields_opt_bool(&f, "none", 1), 1);
	assert_null(fields_opt_obj(&f, "none"));
	assert_null(fields_opt_arr(&f, "none", 1));
	assert_int_equal(fields_end(&f), 0);
	assert_string_equal(fields_error(&f), "no error");
}

/* Each wrong member fails the whole, and the first is named. */
static void
test_wrong(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
	    {"{\"s\":1,\"n\":1}", "s: wrong type"},
	    {"{\"s\":null,\"n\":1}", "s: missing"},
	    {"{\"n\":1}", "s: missing"},
	    {"{\"s\":\"abcd\",\"n\":1}", "s: too long"},
	    {"{\"s\":\"a\\u0000b\",\"n\":1}", "s: has a NUL"},
	    {"{\"s\":\"abc\",\"n\":\"1\"}", "n: wrong type"},
	    {"{\"s\":\"abc\",\"n\":1.0}", "n: wrong type"},
	    {"{\"s\":\"abc\",\"n\":true}", "n: wrong type"},
	    {"{\"s\":\"abc\",\"n\":NaN}", "n: wrong type"},
	    {"{\"s\":\"abc\",\"n\":6}", "n: out of range"},
	    {"{\"s\":\"abc\",\"n\":-1}", "n: out of range"},
	    {"{\"s\":\"abc\",\"n\":99999999999999999999}", "n: out of range"},
	    {"{\"s\":\"abc\",\"n\":18446744073709551615}", "n: out of range"},
	    {"{\"s\":\"abc\",\"n\":-99999999999999999999}", "n: out of range"},
	    {"{\"s\":\"abc\",\"n\":1,\"x\":1}",
		"*: members that nobody asked for"},
	    {"{\"s\":\"abc\",\"n\":1,\"\":1}",
		"*: members that nobody asked for"},
	    {"[]", ": not an object"},
	    {"3", ": not an object"},
	    {"null", ": not an object"},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		open_text(bad[i].text);
		fields_str(&f, "s", 3);
		fields_int(&f, "n", 0, 5);
		if (fields_end(&f) != -1 ||
		    strcmp(fields_error(&f), bad[i].error) != 0)
			fail_msg("%s: %s", bad[i].text, fields_error(&f));
	}
}

/* What failed reads as nothing, so that a handler may take all first. */
static void
test_failed_values(void **state)
{
	open_text("{\"s\":[],\"n\":\"x\",\"b\":1,\"o\":[],\"a\":{}}");
	assert_string_equal(fields_str(&f, "s", 9), "");
	assert_int_equal(fields_int(&f, "n", 0, 9), 0);
	assert_int_equal(fields_opt_int(&f, "n", 0, 9, 5), 5);
	assert_int_equal(fields_bool(&f, "b"), 0);
	assert_null(fields_obj(&f, "o"));
	assert_null(fields_arr(&f, "a", 9));
	assert_int_equal(fields_ok(&f), -1);
	assert_string_equal(fields_error(&f), "s: wrong type");
}

static void
test_array_bound(void **state)
{
	open_text("{\"a\":[1,2,3]}");
	assert_null(fields_arr(&f, "a", 2));
	assert_string_equal(fields_error(&f), "a: too many");
	open_text("{\"a\":[1,2,3]}");
	assert_non_null(fields_opt_arr(&f, "a", 3));
	assert_int_equal(fields_end(&f), 0);
}

/* An optional member of the wrong type is not the same as absent. */
static void
test_optional_wrong(void **state)
{
	open_text("{\"s\":5}");
	assert_null(fields_opt_str(&f, "s", 9));
	assert_int_equal(fields_end(&f), -1);
	open_text("{\"s\":null}");
	assert_null(fields_opt_str(&f, "s", 9));
	assert_int_equal(fields_end(&f), 0);
}

/* The last of two members of one name counts, once. */
static void
test_duplicates(void **state)
{
	open_text("{\"s\":\"first\",\"s\":\"last\"}");
	assert_string_equal(fields_str(&f, "s", 9), "last");
	assert_int_equal(fields_end(&f), 0);
}

/* Members that the network adds are no error of fields_ok(). */
static void
test_network(void **state)
{
	open_text("{\"s\":\"abc\",\"new\":1}");
	fields_str(&f, "s", 9);
	assert_int_equal(fields_ok(&f), 0);
	assert_int_equal(fields_end(&f), -1);
}

static void
test_no_object(void **state)
{
	fields_open(&f, NULL);
	assert_string_equal(fields_str(&f, "s", 9), "");
	assert_int_equal(fields_end(&f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_double),
	    cmocka_unit_test_teardown(test_good, teardown),
	    cmocka_unit_test_teardown(test_wrong, teardown),
	    cmocka_unit_test_teardown(test_failed_values, teardown),
	    cmocka_unit_test_teardown(test_array_bound, teardown),
	    cmocka_unit_test_teardown(test_optional_wrong, teardown),
	    cmocka_unit_test_teardown(test_duplicates, teardown),
	    cmocka_unit_test_teardown(test_network, teardown),
	    cmocka_unit_test_teardown(test_no_object, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
