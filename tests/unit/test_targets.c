/*
 * What stands between a target and its channel: the tables that remember,
 * and when a direct channel is tried again.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/vectors.h"
#include "workers/account/cache.h"
#include "workers/account/dm_retry.h"

static struct monotime
at(int64_t ms)
{
	return (struct monotime){ms};
}

static void
test_cache(void **state)
{
	struct cache *c = cache_new(3, 1000);

	assert_null(cache_get(c, "a", at(0)));
	cache_put(c, "a", "1", at(0));
	cache_put(c, "b", "2", at(10));
	assert_string_equal(cache_get(c, "a", at(999)), "1");
	assert_null(cache_get(c, "a", at(1000)));
	assert_int_equal(cache_count(c), 1);
	cache_put(c, "b", "3", at(20)); /* as new */
	assert_string_equal(cache_get(c, "b", at(1015)), "3");
	cache_put(c, "c", "4", at(30));
	cache_put(c, "d", "5", at(40));
	cache_put(c, "b", "6", at(50));
	cache_put(c, "e", "7", at(60)); /* c is the oldest */
	assert_int_equal(cache_count(c), 3);
	assert_null(cache_get(c, "c", at(60)));
	assert_string_equal(cache_get(c, "b", at(60)), "6");
	cache_forget(c, "b");
	cache_forget(c, "b");
	assert_null(cache_get(c, "b", at(60)));
	cache_free(c);

	c = cache_new(1, 0);
	cache_put(c, "a", "1", at(0));
	assert_string_equal(cache_get(c, "a", at(INT64_MAX / 2)), "1");
	cache_free(c);
}

/*
 * The peer's stack had names and words for what this client has numbers
 * for. "network error" is a failure without a number.
 */
static const struct {
	const char *word;
	int err; /* 0: no number; the network's */
} numbers[] = {
    {"ECONNRESET", ECONNRESET},
    {"ECONNREFUSED", ECONNREFUSED},
    {"ESOCKETTIMEDOUT", ETIMEDOUT},
    {"ETIMEDOUT", ETIMEDOUT},
    {"ENOTFOUND", 0},
    {"EAI_AGAIN", 0},
    {"ENETUNREACH", ENETUNREACH},
    {"EPIPE", EPIPE},
    {"UND_ERR_SOCKET", ECONNRESET},
    {"UND_ERR_BODY_TIMEOUT", ETIMEDOUT},
    {"EACCES", EACCES},
    {"EADDRINUSE", EADDRINUSE},
    {"TimeoutError", ETIMEDOUT},
    {"AbortError", ETIMEDOUT},
    {"ConnectTimeoutError", ETIMEDOUT},
    {"BodyTimeoutError", ETIMEDOUT},
    {"network error", 0},
    {"timed out", ETIMEDOUT},
    {"Timeout", ETIMEDOUT},
    {"getaddrinfo", 0},
    {"Connection refused", ECONNREFUSED},
};

static int
find_number(const char *text, struct dm_failure *f)
{
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strstr(text, numbers[i].word) != NULL) {
			f->err = numbers[i].err;
			f->network = 1;
			return 1;
		}
	return 0;
}

/* The innermost cause that has a number is what our client sees. */
static struct dm_failure
failure_of(struct json_object *e)
{
	struct dm_failure f = {0};
	struct json_object *v;
	const char *words;

	if ((v = vec_get(e, "status")) != NULL) {
		f.status = json_object_get_int(v);
		return f;
	}
	if (find_number(vec_str(e, "code"), &f) ||
	    find_number(vec_str(e, "name"), &f))
		return f;
	if ((v = vec_get(e, "cause")) != NULL ||
	    (v = vec_get(e, "reason")) != NULL)
		return failure_of(v);
	if ((v = vec_get(e, "errors")) != NULL)
		return failure_of(json_object_array_get_idx(v, 0));
	words = vec_str(e, "message");
	if (strncmp(words, "mattermost api ", 15) == 0)
		f.status = (int)strtol(words + 15, NULL, 10);
	else
		(void)find_number(words, &f);
	return f;
}

static void
put_delays(struct json_object *in, struct json_object *got)
{
	struct dm_retry r = {
	    .max_retries = json_object_get_int(vec_get(in, "max_retries")),
	    .initial_ms = json_object_get_int(vec_get(in, "initial_delay_ms")),
	    .max_ms = json_object_get_int(vec_get(in, "max_delay_ms"))};
	struct json_object *list = json_object_new_array(), *pair;
	int n;

	for (n = 1; n <= r.max_retries; n++) {
		pair = json_object_new_array();
		json_object_array_add(
		    pair, json_object_new_int64(dm_retry_delay(&r, n, 0)));
		json_object_array_add(pair,
		    json_object_new_int64(dm_retry_delay(&r, n, UINT32_MAX)));
		json_object_array_add(list, pair);
	}
	json_object_object_add(
	    got, "requests", json_object_new_int(r.max_retries + 1));
	json_object_object_add(got, "bounds_ms", list);
}

static void
retry_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct dm_failure f;

	if (strcmp(vec_str(in, "op"), "delays") == 0) {
		put_delays(in, got);
		vec_want(want, out, "requests");
		vec_want(want, out, "bounds_ms");
		return;
	}
	f = failure_of(vec_get(in, "error"));
	vec_put_bool(got, "transient", dm_retry_transient(&f));
	vec_want(want, out, "transient");
}

static const struct deviation deviations[] = {
    {"classify: status 403 detail says too many requests",
	"{\"transient\":false}",
	"a refusal is one whatever words its text quotes: the status counts"},
    {NULL, NULL, NULL},
};

static void
test_retry_vectors(void **state)
{
	vectors_run("dm_retry_transient", retry_case, deviations);
}

static void
test_retry_config(void **state)
{
	struct dm_retry r;
	struct json_object *o;

	dm_retry_init(&r, NULL);
	assert_int_equal(r.max_retries, 3);
	assert_int_equal(r.initial_ms, 1000);
	assert_int_equal(r.max_ms, 10000);
	assert_int_equal(r.timeout_ms, 30000);
	o = json_tokener_parse(
	    "{\"dmChannelRetry\":{\"maxRetries\":0,\"initialDelayMs\":200,"
	    "\"maxDelayMs\":\"x\",\"timeoutMs\":1}}");
	dm_retry_init(&r, o);
	assert_int_equal(r.max_retries, 0);
	assert_int_equal(r.initial_ms, 200);
	assert_int_equal(r.max_ms, 10000);
	assert_int_equal(r.timeout_ms, 30000);
	json_object_put(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cache),
	    cmocka_unit_test(test_retry_vectors),
	    cmocka_unit_test(test_retry_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
