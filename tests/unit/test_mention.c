#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/pattern.h"
#include "tests/unit/vectors.h"
#include "workers/account/mention.h"
#include "workers/account/normalise.h"

static void
detect_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	vec_put_bool(got, "mentioned",
	    mention_find(vec_str(in, "username"), vec_str(in, "text")));
	vec_want(want, out, "mentioned");
}

static void
test_detect(void **state)
{
	vectors_run("mention_detect", detect_case, NULL);
}

static void
strip_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct normal_text t;
	const char *raw = vec_str(in, "text");

	normalise_text(vec_str(in, "username"), raw, raw, &t);
	vec_put_bool(got, "dropped", t.empty);
	vec_put_str(got, "agent_text", t.empty ? NULL : t.agent);
	vec_put_str(got, "command_text", t.command);
	vec_want(want, out, "dropped");
	vec_want(want, out, "agent_text");
	vec_want(want, out, "command_text");
	normal_text_free(&t);
}

static void
test_strip(void **state)
{
	vectors_run("mention_strip", strip_case, NULL);
}

struct pattern_case {
	const char *pattern;
	const char *text;
	int match;
};

static const struct pattern_case patterns[] = {
    {"\\bclaw\\b", "Hey CLAW!", 1},
    {"\\bclaw\\b", "clawed", 0},
    {"\\b@?claw\\b", "ask @claw now", 1},
    {"@?open[ _-]?claw", "ping OpenClaw", 1},
    {"@?open[ _-]?claw", "ping open-claw", 1},
    {"@?open[ _-]?claw", "open  claw", 0},
    {"^hey (bot|agent)", "hey agent x", 1},
    {"^hey (bot|agent)", "oh hey agent", 0},
    {"(?:a|b)+c$", "xxababc", 1},
    {"(?:a|b)+c$", "xxababcd", 0},
    {"\\+15555550123", "call +15555550123", 1},
    {"\\+15555550123", "call 15555550123", 0},
    {"b.t", "b\nt", 0},
    {"b.t", "B\xc3\xa9T", 1},
    {"[^a-c]x", "dx", 1},
    {"[^a-c]x", "ax", 0},
    {"[A-C]x", "bx", 1},
    {"[\\w-]+@", "foo-bar@", 1},
    {"\\d{3}", "a12b345", 1},
    {"\\d{3}", "12 34", 0},
    {"x{2,3}y", "xxxxy", 1},
    {"^x{2,3}y", "xxxxy", 0},
    {"a{,2}", "a{,2}", 1},
    {"bot\\s+now", "bot \t now", 1},
    {"\\S\\D\\W", "a .", 1},
    {"\\u0061\\x62\\u{63}", "ABC", 1},
    {"\xd0\x91\xd0\xbe\xd1\x82", "\xd0\xb1\xd0\xbe\xd1\x82", 1}, /* Бот */
    {"bot", "b\xe2\x80\x8bo\xe2\x80\x8dt", 1}, /* zero width inside */
    {"a*?b", "aaab", 1},
    {"\\Bb", "ab", 1},
    {"\\Bb", "a b", 0},
};

static void
test_patterns(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct pattern_case *c = &patterns[i];
		const char *why = NULL;
		struct pattern *p = pattern_compile(c->pattern, &why);

		if (p == NULL)
			fail_msg("%s: %s", c->pattern, why);
		if (pattern_search(p, c->text, strlen(c->text)) != c->match)
			fail_msg("%s on %s", c->pattern, c->text);
		pattern_free(p);
	}
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {"(?=a)b", "(?!a)b", "(?<=a)b",
	    "(?<n>a)", "(a)\\1", "\\p{L}", "a(", "a)", "[a", "*a", "a**",
	    "a{3,2}", "a{1000}", "a*", "", "^", "[z-a]", "\\", "a|",
	    "((((((((((((((((((a))))))))))))))))))",
	    "(((a{60}){60}){60}){60}", "((((((){60}){60}){60}){60}){60})x"};
	const char *why;
	size_t i;
	struct pattern *p;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		p = pattern_compile(bad[i], &why);
		if (p != NULL)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

/* The classic traps for engines that backtrack: each must end at once. */
static void
test_no_backtracking(void **state)
{
	static const char *const evil[] = {"(a+)+$", "(a|a)*b", "(a|aa)+c",
	    "(.*)*x", "(a?){30}a{30}", "([a-z]+)*=", "(\\w+\\s?)*!"};
	char text[20001];
	struct timespec a, b;
	size_t i;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 2] = '-';
	text[sizeof(text) - 1] = '\0';
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		const char *why = NULL;
		struct pattern *p = pattern_compile(evil[i], &why);

		if (p == NULL)
			fail_msg("%s: %s", evil[i], why);
		(void)pattern_search(p, text, strlen(text));
		pattern_free(p);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 5);
}

static int
name_in(const char *name, const char *text)
{
	struct pattern *p = pattern_of_name(name);
	int rc;

	assert_non_null(p);
	rc = pattern_search(p, text, strlen(text));
	pattern_free(p);
	return rc;
}

static void
test_names(void **state)
{
	struct pattern *p;

	assert_true(name_in("Claw", "hi claw?"));
	assert_true(name_in("Claw", "hi @Claw?"));
	assert_false(name_in("Claw", "clawback"));
	assert_false(name_in("Claw", "\xc3\xa9" "claw")); /* é is a letter */
	assert_true(name_in("Mr.  Bot", "dear mr. bot, hi"));
	assert_false(name_in("Mr. Bot", "dear mrx bot"));
	assert_true(name_in("C++", "use C++!"));
	assert_true(name_in("\xe5\x8a\xa9\xe6\x89\x8b",
	    "\xe5\x8a\xa9\xe6\x89\x8b, hi"));
	assert_null(pattern_of_name("  "));
	p = pattern_of_literal("\xf0\x9f\xa6\x9e");
	assert_true(pattern_search(p, "a \xf0\x9f\xa6\x9e b", 8));
	assert_false(pattern_search(p, "a \xf0\x9f\xa6\x9f b", 8));
	pattern_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_detect),
	    cmocka_unit_test(test_strip),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_no_backtracking),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
