#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "workers/agent/classify.h"
#include "workers/agent/delta.h"

#define NOW 1445412480000ll /* Wed, 21 Oct 2015 07:28:00 GMT */

static const struct {
	int status;
	const char *body;
	const char *after, *after_ms;
	const char *code;
	int transient;
	int retry_ms;
	const char *detail;
} table[] = {
    {401, "{\"error\":{\"message\":\"Incorrect API key provided: "
	  "sk-abc123\",\"code\":\"invalid_api_key\"}}",
	NULL, NULL, "auth", 0, 0,
	"HTTP 401 [invalid_api_key] Incorrect API key provided: sk-******"},
    {403, "", NULL, NULL, "auth", 0, 0, "HTTP 403"},
    {404, "{\"error\":{\"message\":\"no such model\",\"type\":"
	  "\"not_found_error\"}}", NULL, NULL, "config", 0, 0,
	"HTTP 404 [not_found_error] no such model"},
    {400, "{\"detail\":\"bad\"}", NULL, NULL, "config", 0, 0,
	"HTTP 400 bad"},
    {422, "<html>", "5", NULL, "config", 0, 0, "HTTP 422"},
    {302, "", NULL, NULL, "config", 0, 0, "HTTP 302"},
    {429, "{}", "7", NULL, "rate", 1, 7000, "HTTP 429"},
    {429, "", "7", "250", "rate", 1, 250, "HTTP 429"},
    {429, "", "7", "soon", "rate", 1, 7000, "HTTP 429"},
    {429, "", "Wed, 21 Oct 2015 07:28:30 GMT", NULL, "rate", 1, 30000,
	"HTTP 429"},
    {429, "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"x\"}}",
	"7", NULL, "rate", 0, 0, "HTTP 429 [insufficient_quota] x"},
    {402, "", NULL, NULL, "rate", 0, 0, "HTTP 402"},
    {408, "", NULL, NULL, "server", 1, 0, "HTTP 408"},
    {500, "", NULL, NULL, "server", 1, 0, "HTTP 500"},
    {503, "", "2", NULL, "server", 1, 2000, "HTTP 503"},
    {529, "", "99999999", NULL, "server", 1, CLASSIFY_RETRY_MAX, "HTTP 529"},
};

static void
test_status(void **state)
{
	struct verdict v;
	struct delta d;
	size_t i;
	int known;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		known = delta_parse(&d, table[i].body,
			    strlen(table[i].body)) == 0 && d.is_error;
		classify_status(&v, table[i].status, known ? &d : NULL,
		    table[i].after, table[i].after_ms, NOW);
		assert_string_equal(v.code, table[i].code);
		assert_int_equal(v.transient, table[i].transient);
		assert_int_equal(v.retry_ms, table[i].retry_ms);
		assert_string_equal(v.detail, table[i].detail);
		assert_true(strlen(v.text) > 5);
		delta_free(&d);
	}
}

/* A frame must not carry what the link would refuse. */
static void
test_detail_is_clean(void **state)
{
	const char json[] = "{\"error\":{\"message\":\"a\\u0007b\\n\xff"
			    "\\u00e9 Bearer abc 'Bearer x'\"}}";
	char big[2000];
	struct verdict v;
	struct delta d;
	size_t i;

	assert_int_equal(delta_parse(&d, json, strlen(json)), 0);
	classify_status(&v, 500, &d, NULL, NULL, NOW);
	assert_string_equal(
	    v.detail, "HTTP 500 a?b????" " Bearer *** 'Bearer *'");
	delta_free(&d);
	memset(big, 'x', sizeof(big));
	memcpy(big, "{\"error\":\"", 10);
	memcpy(big + sizeof(big) - 2, "\"}", 2);
	assert_int_equal(delta_parse(&d, big, sizeof(big)), 0);
	classify_status(&v, 500, &d, NULL, NULL, NOW);
	assert_int_equal(strlen(v.detail), 9 + 200);
	delta_free(&d);
	classify_network(&v, 1, "r\xff\n");
	for (i = 0; v.detail[i] != '\0'; i++)
		assert_in_range(v.detail[i], ' ', '~');
}

static void
test_network(void **state)
{
	struct verdict v;

	classify_network(&v, 0, "connect: Connection refused");
	assert_string_equal(v.code, "network");
	assert_int_equal(v.transient, 1);
	assert_string_equal(v.detail, "connect: Connection refused");
	classify_network(&v, 1, NULL);
	assert_string_equal(v.code, "cut");
	assert_string_equal(v.detail, "");
}

static void
test_too_long(void **state)
{
	static const char *const yes[] = {
	    "{\"error\":{\"code\":\"context_length_exceeded\"}}",
	    "{\"error\":{\"type\":\"exceed_context_size_error\"}}",
	    "{\"object\":\"error\",\"message\":\"maximum context length\"}",
	};
	struct delta d;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(delta_parse(&d, yes[i], strlen(yes[i])), 0);
		assert_true(classify_too_long(400, &d));
		assert_false(classify_too_long(500, &d));
		delta_free(&d);
	}
	assert_int_equal(delta_parse(&d, "{\"error\":\"x\"}", 13), 0);
	assert_false(classify_too_long(400, &d));
	delta_free(&d);
	assert_false(classify_too_long(400, NULL));
}

static void
test_retry_after(void **state)
{
	assert_int_equal(classify_retry_after("0", NOW), 0);
	assert_int_equal(classify_retry_after("12", NOW), 12000);
	assert_int_equal(classify_retry_after("-1", NOW), 0);
	assert_int_equal(classify_retry_after("1.5", NOW), 0);
	assert_int_equal(classify_retry_after("", NOW), 0);
	assert_int_equal(classify_retry_after(
	    "Wed, 21 Oct 2015 07:28:05 GMT", NOW), 5000);
	assert_int_equal(classify_retry_after(
	    "Wed, 21 Oct 2015 07:27:00 GMT", NOW), 0);
	assert_int_equal(classify_retry_after(
	    "Fri, 31 Dec 9999 23:59:59 GMT", NOW), CLASSIFY_RETRY_MAX);
	assert_int_equal(classify_retry_after(
	    "Wed, 21 Foo 2015 07:28:05 GMT", NOW), 0);
	assert_int_equal(classify_retry_after(
	    "Wed, 21 anF 2015 07:28:05 GMT", NOW), 0);
	assert_int_equal(classify_retry_after(
	    "Wed, 21 Oct 2015 07:28:05 CET", NOW), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_detail_is_clean),
	    cmocka_unit_test(test_network),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
