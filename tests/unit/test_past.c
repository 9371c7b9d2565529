/*
 * History on its way to the model and back: whole groups of calls and
 * results, or none.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "workers/agent/past.h"

#define USER(t) "{\"role\":\"user\",\"content\":\"" t "\"}"
#define BOT(t) "{\"role\":\"assistant\",\"content\":\"" t "\"}"
#define ONE(id, args)                                                         \
	"{\"id\":\"" id "\",\"type\":\"function\",\"function\":"               \
	"{\"name\":\"message\",\"arguments\":\"" args "\"}}"
#define CALLS(t, list)                                                        \
	"{\"role\":\"assistant\",\"content\":" t ",\"tool_calls\":[" list "]}"
#define GOT(id, t)                                                            \
	"{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"" t     \
	"\"}"

static const struct {
	const char *in;
	size_t budget;
	const char *out; /* contents joined by '|' */
	int tools;
} trims[] = {
    {"[]", 100, "", 1},
    {"[{\"role\":\"user\",\"content\":\"a\"},"
     "{\"role\":\"assistant\",\"content\":\"b\"},"
     "{\"role\":\"user\",\"content\":\"c\"},"
     "{\"role\":\"assistant\",\"content\":\"d\"}]", 1000, "a|b|c|d|", 1},
    /* Each costs 17: three fit, and two are kept, from a user's on. */
    {"[{\"role\":\"user\",\"content\":\"a\"},"
     "{\"role\":\"assistant\",\"content\":\"b\"},"
     "{\"role\":\"user\",\"content\":\"c\"},"
     "{\"role\":\"assistant\",\"content\":\"d\"}]", 51, "c|d|", 1},
    {"[{\"role\":\"user\",\"content\":\"a\"},"
     "{\"role\":\"assistant\",\"content\":\"b\"}]", 20, "", 1},
    {"[{\"role\":\"user\",\"content\":\"a\"}]", 17, "a|", 1},
    {"[{\"role\":\"user\",\"content\":\"a\"}]", 0, "", 1},
    /* Nobody gets into the system role through the history. */
    {"[{\"role\":\"system\",\"content\":\"x\"},"
     "{\"role\":\"user\",\"content\":\"a\"},7,{\"role\":\"user\"},"
     "{\"role\":3,\"content\":\"x\"},{\"role\":\"tool\",\"content\":\"x\"},"
     "{\"role\":\"assistant\",\"content\":[]}]", 1000, "a|", 1},
    /* A group is kept whole, ... */
    {"[" USER("a") "," CALLS("null", ONE("1", "{}") "," ONE("2", "{}")) ","
     GOT("1", "x") "," GOT("2", "y") "," BOT("b") "]", 1000, "a||x|y|b|", 1},
    /* ... or left out where no tools are offered, */
    {"[" USER("a") "," CALLS("\"t\"", ONE("1", "{}")) "," GOT("1", "x") ","
     BOT("b") "]", 1000, "a|b|", 0},
    /* or when a result is missing, of another call, or without its call. */
    {"[" USER("a") "," CALLS("\"t\"", ONE("1", "{}") "," ONE("2", "{}")) ","
     GOT("1", "x") "," BOT("b") "]", 1000, "a|b|", 1},
    {"[" USER("a") "," CALLS("\"t\"", ONE("1", "{}")) "," GOT("7", "x") ","
     BOT("b") "]", 1000, "a|b|", 1},
    {"[" GOT("1", "x") "," USER("a") "," GOT("1", "x") "," BOT("b") "]", 1000,
	"a|b|", 1},
    {"[" USER("a") "," CALLS("\"t\"", "{\"id\":\"1\"}") "," GOT("1", "x") "]",
	1000, "a|", 1},
    {"[" USER("a") "," CALLS("\"t\"", ONE("1", "{}")) "]", 1000, "a|", 1},
    /* The budget never begins inside of one. */
    {"[" USER("a") "," CALLS("\"t\"", ONE("1", "{}")) "," GOT("1", "x") ","
     BOT("b") "," USER("c") "," BOT("d") "]", 160, "c|d|", 1},
};

static const char *
content(struct json_object *list, size_t i)
{
	return json_object_get_string(json_object_object_get(
	    json_object_array_get_idx(list, i), "content"));
}

static void
test_trim(void **state)
{
	struct json_object *in, *out;
	char joined[256];
	size_t i, j;

	for (i = 0; i < sizeof(trims) / sizeof(trims[0]); i++) {
		assert_non_null(in = json_tokener_parse(trims[i].in));
		out = past_trim(
		    in, trims[i].budget, trims[i].tools);
		joined[0] = '\0';
		for (j = 0; j < json_object_array_length(out); j++) {
			strcat(joined, content(out, j));
			strcat(joined, "|");
		}
		assert_string_equal(joined, trims[i].out);
		assert_in_range(past_size(out), 0, trims[i].budget);
		json_object_put(in);
		json_object_put(out);
	}
	out = past_trim(NULL, 10, 1);
	assert_int_equal(json_object_array_length(out), 0);
	json_object_put(out);
}

/* What is kept is short, whole JSON, and again good history. */
static void
test_record(void **state)
{
	struct json_object *in = json_object_new_array(), *out, *again, *m, *f;
	char big[5000], *json;
	size_t i, len;

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	for (i = 0; i < 40; i++) {
		assert_true(asprintf(&json, "[" CALLS("\"t\"", ONE("%zu",
		    "{\\\"m\\\":\\\"%s\\\"}")) "," GOT("%zu", "%zu%s")
		    "]", i, i == 39 ? "short" : big, i, i, big) != -1);
		assert_non_null(m = json_tokener_parse(json));
		free(json);
		json_object_array_add(in,
		    json_object_get(json_object_array_get_idx(m, 0)));
		json_object_array_add(in,
		    json_object_get(json_object_array_get_idx(m, 1)));
		json_object_put(m);
	}
	out = past_record(in);
	json_object_to_json_string_length(out, JSON_C_TO_STRING_PLAIN, &len);
	assert_in_range(len, PAST_TOOLS_MAX / 2, PAST_TOOLS_MAX);
	len = json_object_array_length(out);
	assert_int_equal(len % 2, 0);
	/* The newest stays, with its arguments, and its result cut. */
	m = json_object_array_get_idx(out, len - 2);
	m = json_object_array_get_idx(
	    json_object_object_get(m, "tool_calls"), 0);
	f = json_object_object_get(m, "function");
	assert_string_equal(json_object_get_string(
	    json_object_object_get(f, "arguments")), "{\"m\":\"short\"}");
	assert_int_equal(strncmp(content(out, len - 1), "39xx", 4), 0);
	assert_in_range(strlen(content(out, len - 1)), PAST_RESULT_MAX,
	    PAST_RESULT_MAX + 8);
	m = json_object_array_get_idx(
	    json_object_object_get(
		json_object_array_get_idx(out, 0), "tool_calls"), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(
	    json_object_object_get(m, "function"), "arguments")),
	    "{\"left_out\":true}");
	m = json_tokener_parse("[" USER("a") "]");
	for (i = 0; i < len; i++)
		json_object_array_add(
		    m, json_object_get(json_object_array_get_idx(out, i)));
	again = past_trim(m, 1000000, 1);
	assert_int_equal(json_object_array_length(again), len + 1);
	json_object_put(again);
	json_object_put(m);
	json_object_put(out);
	json_object_put(in);
	out = past_record(NULL);
	assert_int_equal(json_object_array_length(out), 0);
	json_object_put(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
