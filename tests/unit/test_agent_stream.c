#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "workers/agent/delta.h"
#include "workers/agent/stream.h"

#define CHUNK(text)                                                           \
	"data: {\"object\":\"chat.completion.chunk\",\"model\":\"m 1\","          \
	"\"choices\":[{\"index\":0,\"delta\":" text                               \
	",\"finish_reason\":null}]}\n\n"
#define FINISH(why)                                                           \
	"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" why              \
	"\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

static const struct {
	const char *in;
	const char *why;  /* how the network ended it */
	const char *text; /* NULL: failed */
	const char *code; /* then: of the verdict */
	int transient;
} table[] = {
    /* As OpenAI does it. */
    {CHUNK("{\"role\":\"assistant\",\"content\":\"\"}")
	    CHUNK("{\"content\":\"Hel\"}") CHUNK("{\"content\":\"lo\"}")
		FINISH("stop") DONE,
	NULL, "Hello", NULL, 0},
    /* Reasoning is never text. */
    {CHUNK("{\"reasoning_content\":\"hm\"}") CHUNK("{\"content\":\"a\"}")
	    FINISH("stop") DONE, NULL, "a", NULL, 0},
    {CHUNK("{\"reasoning\":\"hm\",\"content\":null}")
	    CHUNK("{\"content\":\"a\"}") DONE, NULL, "a", NULL, 0},
    {CHUNK("{\"content\":\"<think>\"}") CHUNK("{\"content\":\"x\"}")
	    CHUNK("{\"content\":\"</think>a\"}") DONE, NULL, "a", NULL, 0},
    /* Content in parts, a refusal, a whole message in a stream. */
    {CHUNK("{\"content\":[{\"type\":\"thinking\",\"thinking\":[]},"
	   "{\"type\":\"text\",\"text\":\"a\"}]}") DONE, NULL, "a", NULL, 0},
    {CHUNK("{\"refusal\":\"no\"}") DONE, NULL, "no", NULL, 0},
    {"data: {\"choices\":[{\"message\":{\"content\":\"a\"},"
     "\"finish_reason\":\"stop\"}]}\n\n", NULL, "a", NULL, 0},
    /* A finish, and then the end in any way. */
    {CHUNK("{\"content\":\"a\"}") FINISH("length"), NULL, "a", NULL, 0},
    {CHUNK("{\"content\":\"a\"}") FINISH("stop"), "reset", "a", NULL, 0},
    {CHUNK("{\"content\":\"a\"}") DONE "data: {\"error\":\"x\"}\n\n", NULL,
	"a", NULL, 0},
    {FINISH("stop") DONE, NULL, "", NULL, 0},
    {DONE, NULL, "", NULL, 0},
    /* One JSON object. */
    {"{\"choices\":[{\"message\":{\"role\":\"assistant\","
     "\"content\":\"a\"},\"finish_reason\":\"stop\"}]}", NULL, "a", NULL, 0},
    {" \n {\"choices\":[{\"message\":{\"content\":\"a\"}}]}", "no length",
	"a", NULL, 0},
    {"{\"choices\":[{\"mess", "reset", NULL, "cut", 1},
    {"{\"choices\":[{\"mess", NULL, NULL, "protocol", 0},
    {"{\"error\":{\"message\":\"x\",\"code\":429}}", NULL, NULL, "rate", 1},
    /* Broken off. */
    {CHUNK("{\"content\":\"a\"}"), NULL, NULL, "cut", 1},
    {CHUNK("{\"content\":\"a\"}"), "reset", NULL, "cut", 1},
    {CHUNK("{\"content\":\"a\"}") "data: {\"choi", "reset", NULL, "cut", 1},
    {"", "reset", NULL, "network", 1},
    {": wait\n\n", "reset", NULL, "network", 1},
    /* Not a completion. */
    {"", NULL, NULL, "protocol", 0},
    {"<html>hello</html>", NULL, NULL, "protocol", 0},
    {"data: hello\n\n", NULL, NULL, "protocol", 0},
    {"data: [1]\n\n", NULL, NULL, "protocol", 0},
    /* Some garbage is passed over. */
    {"what\n\ndata: {\n\n" CHUNK("{\"content\":\"a\"}") DONE, NULL, "a",
	NULL, 0},
    /* Odd types read as absent. */
    {"data: {\"choices\":7,\"model\":[],\"usage\":1,\"error\":null}\n\n"
     "data: {\"choices\":[3]}\n\n"
     "data: {\"choices\":[{\"delta\":{\"content\":5}}]}\n\n" DONE,
	NULL, "", NULL, 0},
    /* Errors inside the stream. */
    {CHUNK("{\"content\":\"a\"}")
	    "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}"
	    "\n\n", NULL, NULL, "server", 1},
    {"data: {\"error\":{\"message\":\"x\",\"code\":401}}\n\n", NULL, NULL,
	"auth", 0},
    {"event: error\ndata: {\"error\":\"model crashed\"}\n\n", NULL, NULL,
	"server", 1},
    {"data: {\"object\":\"error\",\"message\":\"x\",\"code\":404}\n\n", NULL,
	NULL, "config", 0},
    /* A tool that was not offered. */
    {CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":"
	   "\"function\",\"function\":{\"name\":\"rm\",\"arguments\":\"\"}}]}")
	    FINISH("tool_calls") DONE, NULL, NULL, "protocol", 0},
    {CHUNK("{\"content\":\"a\",\"tool_calls\":[{}]}") DONE, NULL, "a", NULL,
	0},
};

static int
run(struct stream *s, const char *p, const char *why, size_t step)
{
	size_t n, len = strlen(p);

	stream_init(s, 10000);
	for (; len > 0; p += n, len -= n) {
		n = len < step ? len : step;
		if (stream_feed(s, p, n) & (STREAM_DONE | STREAM_FAILED))
			break;
	}
	return stream_end(s, why);
}

static void
test_table(void **state)
{
	static const size_t steps[] = {1, 2, 7, 64, 100000};
	struct stream s;
	size_t i, j;
	int r;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (j = 0; j < 5; j++) {
			r = run(&s, table[i].in, table[i].why, steps[j]);
			if (table[i].text != NULL) {
				assert_int_equal(r, 0);
				assert_string_equal(
				    strbuf_str(&s.answer.text), table[i].text);
			} else {
				assert_int_equal(r, -1);
				assert_string_equal(
				    s.verdict.code, table[i].code);
				assert_int_equal(s.verdict.transient,
				    table[i].transient);
			}
			stream_free(&s);
		}
}

static unsigned
feed(struct stream *s, const char *p)
{
	return stream_feed(s, p, strlen(p));
}

static void
test_flags(void **state)
{
	struct stream s;

	stream_init(&s, 10000);
	assert_int_equal(feed(&s, CHUNK("{\"content\":\"\"}")), 0);
	assert_int_equal(
	    feed(&s, CHUNK("{\"reasoning\":\"a\"}")), STREAM_THINKING);
	assert_int_equal(feed(&s, CHUNK("{\"reasoning\":\"b\"}")), 0);
	assert_int_equal(feed(&s, CHUNK("{\"content\":\"x\"}")), STREAM_TEXT);
	/* A second phase is a new one. */
	assert_int_equal(
	    feed(&s, CHUNK("{\"reasoning\":\"b\"}")), STREAM_THINKING);
	assert_int_equal(feed(&s, FINISH("stop")), STREAM_FINISH);
	assert_int_equal(feed(&s, "data: {\"choices\":[],\"usage\":"
				  "{\"prompt_tokens\":7,"
				  "\"completion_tokens\":9}}\n\n"), 0);
	/* No model has counted that; such figures are added up. */
	assert_int_equal(feed(&s, "data: {\"choices\":[],\"usage\":"
				  "{\"prompt_tokens\":9223372036854775807}}"
				  "\n\n"), 0);
	assert_int_equal(feed(&s, DONE), STREAM_DONE);
	assert_int_equal(feed(&s, CHUNK("{\"content\":\"x\"}")), 0);
	assert_int_equal(stream_close(&s), 0);
	assert_string_equal(s.answer.text.s, "x");
	assert_int_equal(s.prompt_tokens, 7);
	assert_int_equal(s.completion_tokens, 9);
	assert_string_equal(s.model, "m?1");
	stream_free(&s);
}

static void
test_garbage_bound(void **state)
{
	struct stream s;
	unsigned what = 0;
	int i;

	stream_init(&s, 10000);
	for (i = 0; i < 1000 && !(what & STREAM_FAILED); i++)
		what = feed(&s, i % 2 ? "data: junk\n\n" : "junk\n");
	assert_int_equal(i, STREAM_GARBAGE_MAX + 1);
	assert_string_equal(s.verdict.code, "protocol");
	stream_free(&s);
}

static void
test_full(void **state)
{
	struct stream s;

	stream_init(&s, 4);
	assert_true(feed(&s, CHUNK("{\"content\":\"abcdef\"}")) & STREAM_DONE);
	assert_int_equal(stream_close(&s), 0);
	assert_string_equal(s.answer.text.s, "abcd");
	stream_free(&s);
}

static void
test_json_bound(void **state)
{
	char *big = calloc(1, 65536);
	struct stream s;
	unsigned what = 0;
	int i;

	assert_non_null(big);
	memset(big, ' ', 65535);
	stream_init(&s, 100);
	feed(&s, "{");
	for (i = 0; i < 100 && !(what & STREAM_FAILED); i++)
		what = feed(&s, big);
	assert_string_equal(s.verdict.code, "protocol");
	assert_in_range(s.json.len, 1, STREAM_EVENT_MAX);
	stream_free(&s);
	free(big);
}

static void
test_tools(void **state)
{
	const char json[] =
	    "{\"choices\":[{\"delta\":{\"tool_calls\":["
	    "{\"index\":1,\"id\":\"c1\",\"function\":{\"name\":\"read\","
	    "\"arguments\":\"{\\\"a\"}},{\"function\":{\"arguments\":7}}]}}]}";
	struct delta_tool t;
	struct delta d;

	assert_int_equal(delta_parse(&d, json, strlen(json)), 0);
	assert_int_equal(delta_ntools(&d), 2);
	delta_tool(&d, 0, &t);
	assert_int_equal(t.index, 1);
	assert_string_equal(t.id, "c1");
	assert_string_equal(t.name, "read");
	assert_string_equal(t.args, "{\"a");
	delta_tool(&d, 1, &t);
	assert_int_equal(t.index, -1);
	assert_null(t.id);
	assert_null(t.name);
	assert_string_equal(t.args, "");
	delta_free(&d);
}

static void
test_depth(void **state)
{
	char deep[256];
	struct delta d;

	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	assert_int_equal(delta_parse(&d, deep, sizeof(deep)), -1);
	delta_free(&d);
	/* The parser is none the worse for it. */
	assert_int_equal(delta_parse(&d, "{}", 2), 0);
	delta_free(&d);
	/* Trailing bytes are not looked at by json-c; the object counts. */
	assert_int_equal(delta_parse(&d, "{", 1), -1);
	delta_free(&d);
	assert_int_equal(delta_parse(&d, "null", 4), -1);
	delta_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_garbage_bound),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_json_bound),
	    cmocka_unit_test(test_tools),
	    cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
