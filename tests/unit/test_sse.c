#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/strbuf.h"
#include "workers/agent/sse.h"

/* What came out, as "name=data|name=data|". */
static struct strbuf seen;
static int stop_at;

static int
note(void *arg, const char *name, const char *data, size_t len)
{
	int *count = arg;

	assert_int_equal(data[len], '\0');
	strbuf_puts(&seen, name);
	strbuf_add(&seen, "=", 1);
	strbuf_add(&seen, data, len);
	strbuf_add(&seen, "|", 1);
	return ++*count == stop_at;
}

static const struct {
	const char *in;
	const char *out;
	unsigned garbage;
} table[] = {
    {"data: a\n\n", "message=a|", 0},
    {"data:a\n\n", "message=a|", 0},
    {"data:  a\n\n", "message= a|", 0},
    {"data: a\ndata: b\n\n", "message=a\nb|", 0},
    {"data\n\n", "message=|", 0},
    {"data:\ndata:\n\n", "message=\n|", 0},
    {"\n\n\ndata: a\n\n\n\n", "message=a|", 0},
    {"event: x\ndata: a\n\ndata: b\n\n", "x=a|message=b|", 0},
    {"event: x\n\ndata: b\n\n", "message=b|", 0},
    {"id: 7\nretry: 10\ndata: a\n\n", "message=a|", 0},
    {": ping\n\n: ping\ndata: a\n\n", "message=a|", 0},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "message=a|message=b|", 0},
    {"data: a\r\rdata: b\r\r", "message=a|message=b|", 0},
    {"data: a\r\ndata: b\n\r\n", "message=a\nb|", 0},
    {"\xef\xbb\xbf" "data: a\n\n", "message=a|", 0},
    {"data: a\n\n\xef\xbb\xbf" "data: b\n\n", "message=a|", 1},
    {"data: {\"a\": \"b: c\"}\n\n", "message={\"a\": \"b: c\"}|", 0},
    {"<html>\n<body>x</body>\n\n", "", 2},
    {"DATA: a\n\n", "", 1},
    /* Without its last line ends. */
    {"data: a\n\ndata: b\n", "message=a|message=b|", 0},
    {"data: a\n\ndata: b", "message=a|message=b|", 0},
    {"", "", 0},
};

static void
feed(struct sse *s, const char *in, size_t len, size_t step)
{
	size_t n;

	for (; len > 0; in += n, len -= n) {
		n = len < step ? len : step;
		assert_int_equal(sse_feed(s, in, n), SSE_OK);
	}
}

static void
test_table(void **state)
{
	struct sse s;
	size_t i, step;
	int count;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (step = 1; step < 40; step++) {
			count = stop_at = 0;
			strbuf_reset(&seen, 1024);
			sse_init(&s, 1024, note, &count);
			feed(&s, table[i].in, strlen(table[i].in), step);
			assert_int_equal(sse_end(&s), SSE_OK);
			assert_string_equal(strbuf_str(&seen), table[i].out);
			assert_int_equal(sse_garbage(&s), table[i].garbage);
			sse_free(&s);
		}
}

static void
test_long_name(void **state)
{
	char in[256];
	struct sse s;
	int count = 0;

	stop_at = 0;
	strbuf_reset(&seen, 1024);
	memset(in, 'n', sizeof(in));
	memcpy(in, "event: ", 7);
	memcpy(in + sizeof(in) - 10, "\ndata: a\n\n", 10);
	sse_init(&s, 1024, note, &count);
	assert_int_equal(sse_feed(&s, in, sizeof(in)), SSE_OK);
	assert_int_equal(seen.len, SSE_NAME_MAX - 1 + 3);
	sse_free(&s);
}

static void
test_stop(void **state)
{
	const char in[] = "data: a\n\ndata: b\n\ndata: c\n\n";
	struct sse s;
	int count = 0;

	stop_at = 2;
	strbuf_reset(&seen, 1024);
	sse_init(&s, 1024, note, &count);
	assert_int_equal(sse_feed(&s, in, strlen(in)), SSE_STOPPED);
	assert_int_equal(sse_feed(&s, in, strlen(in)), SSE_STOPPED);
	assert_int_equal(sse_end(&s), SSE_STOPPED);
	assert_string_equal(strbuf_str(&seen), "message=a|message=b|");
	sse_free(&s);
}

static void
test_bounds(void **state)
{
	struct sse s;
	int count = 0, i;
	enum sse_status st = SSE_OK;

	stop_at = 0;
	/* A line that never ends. */
	sse_init(&s, 100, note, &count);
	for (i = 0; i < 101 && st == SSE_OK; i++)
		st = sse_feed(&s, "x", 1);
	assert_int_equal(st, SSE_TOOBIG);
	assert_int_equal(i, 101);
	sse_free(&s);
	/* An event of many lines. */
	sse_init(&s, 100, note, &count);
	for (st = SSE_OK, i = 0; i < 100 && st == SSE_OK; i++)
		st = sse_feed(&s, "data: 123456789\n", 16);
	assert_int_equal(st, SSE_TOOBIG);
	assert_int_equal(i, 11);
	assert_int_equal(sse_end(&s), SSE_TOOBIG);
	assert_int_equal(count, 0);
	sse_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_long_name),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_bounds),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	strbuf_free(&seen);
	return r;
}
