/*
 * Calls of tools out of the pieces of a stream, in the ways of several
 * servers, and what the model is told about its tools.
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

#include "workers/agent/delta.h"
#include "workers/agent/tool_schema.h"
#include "workers/agent/toolcalls.h"

/* Each row is a chunk's "tool_calls"; calls come out as id:name:args. */
static const struct {
	const char *in[5];
	const char *out;
} table[] = {
    /* As OpenAI does it. */
    {{"[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"message\","
      "\"arguments\":\"\"}}]",
	 "[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}}]",
	 "[{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"x\","
	 "\"arguments\":\"{\"}},"
	 "{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]",
	 "[{\"index\":1,\"function\":{\"arguments\":\"}\"}}]"},
	"c1:message:{\"a\":1}|c2:x:{}|"},
    /* All numbered 0, told apart by id. */
    {{"[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"m\","
      "\"arguments\":\"{}\"}}]",
	 "[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"m\","
	 "\"arguments\":\"{\"}}]",
	 "[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]"},
	"a:m:{}|b:m:{}|"},
    /* Not numbered: whole calls, with ids or without. */
    {{"[{\"id\":\"a\",\"function\":{\"name\":\"m\",\"arguments\":\"{}\"}}]",
	 "[{\"id\":\"b\",\"function\":{\"name\":\"m\",\"arguments\":\"{\"}},"
	 "{\"function\":{\"arguments\":\"}\"}}]"},
	"a:m:{}|b:m:{}|"},
    {{"[{\"function\":{\"name\":\"m\",\"arguments\":\"{}\"}},"
      "{\"function\":{\"name\":\"n\",\"arguments\":\"{}\"}}]"},
	"postern_call_0:m:{}|postern_call_1:n:{}|"},
    /* Arguments as an object. */
    {{"[{\"function\":{\"name\":\"m\",\"arguments\":{\"a\":[1]}}}]"},
	"postern_call_0:m:{\"a\":[1]}|"},
    /* One id for two calls: the second gets another. */
    {{"[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"m\"}},"
      "{\"index\":1,\"id\":\"a\",\"function\":{\"name\":\"n\"}}]"},
	"a:m:|postern_call_1:n:|"},
    /* Odd ones. */
    {{"[{}]"}, "postern_call_0::|"},
    {{"[{\"index\":-5,\"id\":7,\"function\":\"x\"}]"}, "postern_call_0::|"},
    {{"[{\"index\":0,\"id\":\"a b\\u0007\",\"function\":{\"name\":"
      "\"\xc3\xa9\\n\"}}]"}, "a?b?:???:|"},
};

static void
feed(struct toolcalls *tc, const char *list)
{
	struct delta_tool t;
	struct delta d;
	char *json;
	size_t i;

	assert_true(asprintf(&json, "{\"choices\":[{\"delta\":{\"tool_calls\":"
	    "%s}}]}", list) != -1);
	assert_int_equal(delta_parse(&d, json, strlen(json)), 0);
	for (i = 0; i < delta_ntools(&d); i++) {
		delta_tool(&d, i, &t);
		toolcalls_add(tc, &t);
	}
	delta_free(&d);
	free(json);
}

static void
test_pieces(void **state)
{
	struct toolcalls tc;
	char got[512];
	size_t i, j;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(&tc, 0, sizeof(tc));
		for (j = 0; j < 5 && table[i].in[j] != NULL; j++)
			feed(&tc, table[i].in[j]);
		toolcalls_end(&tc);
		got[0] = '\0';
		for (j = 0; j < tc.n; j++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got),
			    "%s:%s:%s|", tc.v[j].id, tc.v[j].name,
			    strbuf_str(&tc.v[j].args));
		assert_string_equal(got, table[i].out);
		toolcalls_free(&tc);
	}
}

static void
test_bounds(void **state)
{
	struct toolcalls tc = {0};
	struct json_object *o;
	const char *why;
	char *big, *json, name[64];
	size_t i, piece = 10000;

	big = malloc(piece + 1);
	assert_non_null(big);
	memset(big, 'x', piece);
	big[piece] = '\0';
	/* Long arguments are dropped, and the call is still a call. */
	feed(&tc, "[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"m\"}}]");
	for (i = 0; i < 100; i++) {
		assert_true(asprintf(&json, "[{\"index\":0,\"function\":"
		    "{\"arguments\":\"%s\"}}]", big) != -1);
		feed(&tc, json);
		free(json);
	}
	free(big);
	assert_int_equal(tc.n, 1);
	assert_int_equal(tc.v[0].cut, 1);
	assert_int_equal(tc.bytes, 0);
	assert_null(toolcall_args(&tc.v[0], &why));
	assert_non_null(strstr(why, "too long"));
	/* Many calls: the first ones are kept, and stay as they are. */
	for (i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "[{\"id\":\"c%zu\","
		    "\"function\":{\"arguments\":\"{}\"}}]", i);
		feed(&tc, name);
		feed(&tc, "[{\"function\":{\"arguments\":\" \"}}]");
	}
	assert_int_equal(tc.n, TOOLCALLS_MAX);
	assert_true(tc.lost > 0);
	assert_string_equal(strbuf_str(&tc.v[TOOLCALLS_MAX - 1].args), "{} ");
	o = toolcall_args(&tc.v[TOOLCALLS_MAX - 1], &why);
	assert_non_null(o);
	json_object_put(o);
	toolcalls_free(&tc);
}

static const struct {
	const char *args;
	int good;
} arguments[] = {
    {"", 1}, {" \n", 1}, {"{}", 1}, {" {\"a\":{\"b\":[1,2]}} ", 1},
    {"{", 0}, {"[]", 0}, {"7", 0}, {"\"{}\"", 0}, {"null", 0}, {"{}x", 0},
    {"{\"a\":\"\xff\"}", 0}, {"{\"a\":1}{\"b\":2}", 0},
    {"{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", 0},
};

static void
test_arguments(void **state)
{
	struct toolcall c = {0};
	struct json_object *o;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		strbuf_puts(&c.args, arguments[i].args);
		o = toolcall_args(&c, &why);
		if (arguments[i].good != (o != NULL))
			fail_msg("%s", arguments[i].args);
		assert_true((o == NULL) == (why != NULL));
		json_object_put(o);
		strbuf_free(&c.args);
	}
}

static const struct {
	const char *in;
	const char *has;    /* NULL: nothing is offered */
	const char *hasnot;
} offers[] = {
    {"{\"actions\":[]}", NULL, ""},
    {"{\"actions\":[\"fly\"]}", NULL, ""},
    {"{\"actions\":[\"send\",\"react\"]}", "\"enum\":[\"send\",\"react\"]",
	"\"read\""},
    {"{\"actions\":[\"send\"]}", "\"message\"", "emoji"},
    {"{\"actions\":[\"send\"]}", "replyTo", "buttons"},
    {"{\"actions\":[\"send\"],\"buttons\":true}", "callback_data", "media"},
    {"{\"actions\":[\"send\"],\"media\":true}", "media", "buttons"},
    {"{\"actions\":[\"send\"],\"media\":true}", "filename", "targets"},
    {"{\"actions\":[\"send\",\"broadcast\"]}", "targets", "filename"},
    {"{\"actions\":[\"read\"]}", "limit", "replyTo"},
};

static void
test_schema(void **state)
{
	static const char *const wrong[] = {"{}", "{\"actions\":7}",
	    "{\"actions\":[7]}", "{\"actions\":[],\"buttons\":1}",
	    "{\"actions\":[],\"more\":1}"};
	struct json_object *in, *out;
	struct tool_offer o;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		in = json_tokener_parse(offers[i].in);
		assert_int_equal(tool_offer_read(&o, in), 0);
		json_object_put(in);
		out = tool_schema(&o);
		assert_true((out == NULL) == (offers[i].has == NULL));
		if (out == NULL)
			continue;
		text = json_object_to_json_string_ext(
		    out, JSON_C_TO_STRING_PLAIN);
		assert_non_null(strstr(text, offers[i].has));
		assert_null(strstr(text, offers[i].hasnot));
		assert_non_null(strstr(text, "\"required\":[\"action\"]"));
		json_object_put(out);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		in = json_tokener_parse(wrong[i]);
		assert_int_equal(tool_offer_read(&o, in), -1);
		json_object_put(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
