#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "workers/agent/answer.h"
#include "workers/net/url.h"

static const struct {
	const char *in;
	const char *out;
	int thought;
} table[] = {
    {"", "", 0},
    {"hello", "hello", 0},
    {"  hello\n", "  hello\n", 0},
    {"<think>hm</think>yes", "yes", 1},
    {"<think>hm</think>\n\n yes", "yes", 1},
    {"\n<think>\nhm\n</think>\n\nyes", "yes", 1},
    {"<thinking>hm</thinking>yes", "yes", 1},
    {"<think></think>yes", "yes", 0},
    {"<think>a</think> <think>b</think> yes", "yes", 1},
    {"<think>a < b </ </thin </think>yes", "yes", 1},
    {"<think>a<</think>yes", "yes", 1},
    {"<think>a</thinking>b</think>yes", "yes", 1},
    {"<think>never closed", "", 1},
    /* Not at the beginning, or not quite a tag. */
    {"see <think>x</think>", "see <think>x</think>", 0},
    {"<thin", "<thin", 0},
    {"<thinker>x", "<thinker>x", 0},
    {"<THINK>x</THINK>", "<THINK>x</THINK>", 0},
    {"<think>a</think><thi", "<thi", 1},
    {"   ", "   ", 0},
    /* UTF-8: whole, broken, overlong, surrogate, cut off. */
    {"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "h\xc3\xa9 \xe2\x82\xac "
						"\xf0\x9f\x98\x80", 0},
    {"a\xffz", "a\xef\xbf\xbdz", 0},
    {"a\xc3(", "a\xef\xbf\xbd(", 0},
    {"a\xc0\xafz", "a\xef\xbf\xbd\xef\xbf\xbdz", 0},
    {"a\xed\xa0\x80z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz", 0},
    {"a\xe2\x82", "a\xef\xbf\xbd", 0},
    {"a\xe2\x82\xc3\xa9", "a\xef\xbf\xbd\xc3\xa9", 0},
    {"a\xf4\x90\x80\x80z",
	"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz", 0},
};

static void
test_table(void **state)
{
	struct answer a;
	size_t i, step, n, len;
	unsigned what;
	const char *p;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (step = 1; step < 12; step++) {
			answer_init(&a, 1000);
			what = 0;
			p = table[i].in;
			for (len = strlen(p); len > 0; p += n, len -= n) {
				n = len < step ? len : step;
				what |= answer_add(&a, p, n);
			}
			what |= answer_end(&a);
			assert_string_equal(strbuf_str(&a.text), table[i].out);
			if (table[i].thought)
				assert_true(what & ANSWER_THINK);
			assert_int_equal(!!(what & ANSWER_GREW),
			    table[i].out[0] != '\0');
			assert_false(what & ANSWER_FULL);
			answer_free(&a);
		}
}

static void
test_nul(void **state)
{
	struct answer a;

	answer_init(&a, 100);
	answer_add(&a, "a\0b\0", 4);
	assert_int_equal(a.text.len, 2);
	assert_string_equal(a.text.s, "ab");
	answer_free(&a);
}

static void
test_bound(void **state)
{
	struct answer a;
	unsigned what;

	/* Ends before the character that does not fit. */
	answer_init(&a, 6);
	what = answer_add(&a, "abcd\xe2\x82\xac" "e", 8);
	assert_true(what & ANSWER_FULL);
	assert_string_equal(a.text.s, "abcd");
	assert_int_equal(answer_add(&a, "z", 1), ANSWER_FULL);
	assert_string_equal(a.text.s, "abcd");
	answer_free(&a);
	/* Counted as JSON: a quote is two bytes, a bell six. */
	answer_init(&a, 9);
	answer_add(&a, "a\"\a\a", 4);
	assert_string_equal(a.text.s, "a\"\a");
	assert_int_equal(a.escaped, 9);
	answer_free(&a);
}

static void
test_lead_bound(void **state)
{
	struct answer a;
	int i;

	answer_init(&a, 10000);
	for (i = 0; i < 3000; i++)
		answer_add(&a, " ", 1);
	assert_int_equal(a.text.len, 3000);
	answer_free(&a);
}

static void
test_prefix(void **state)
{
	assert_int_equal(answer_prefix("abc", 3, 5), 3);
	assert_int_equal(answer_prefix("abc", 3, 2), 2);
	assert_int_equal(answer_prefix("a\xc3\xa9z", 4, 2), 1);
	assert_int_equal(answer_prefix("a\xc3\xa9z", 4, 3), 3);
	assert_int_equal(answer_prefix("\x80\x80", 2, 1), 0);
	assert_int_equal(answer_escaped("a\n\"/\x01", 5), 1 + 6 + 2 + 2 + 6);
}

static const struct {
	const char *text;
	int https;
	const char *host;
	int port; /* 0: refused */
	const char *base;
} urls[] = {
    {"https://api.openai.com:443/v1", 1, "api.openai.com", 443, "/v1"},
    {"https://api.openai.com/v1/", 1, "api.openai.com", 443, "/v1"},
    {"HTTP://127.0.0.1:11434", 0, "127.0.0.1", 11434, ""},
    {"http://h", 0, "h", 80, ""},
    {"http://h/", 0, "h", 80, ""},
    {"http://[::1]:8080/a/b//", 0, "::1", 8080, "/a/b"},
    {"http://[::1]", 0, "::1", 80, ""},
    {"ftp://h/", 0, "", 0, ""},
    {"http://", 0, "", 0, ""},
    {"http://:80/", 0, "", 0, ""},
    {"http://h:/", 0, "", 0, ""},
    {"http://h:0/", 0, "", 0, ""},
    {"http://h:65536/", 0, "", 0, ""},
    {"http://h:8x/", 0, "", 0, ""},
    {"http://u@h/", 0, "", 0, ""},
    {"http://h/?q", 0, "", 0, ""},
    {"http://h/#f", 0, "", 0, ""},
    {"http://h/a b", 0, "", 0, ""},
    {"http://h/\r\nX: y", 0, "", 0, ""},
    {"http://[]:80/", 0, "", 0, ""},
    {"http://[::1/", 0, "", 0, ""},
    {"http://[::1]x/", 0, "", 0, ""},
};

static void
test_url(void **state)
{
	struct base_url u;
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		if (urls[i].port == 0) {
			assert_int_equal(
			    base_url_parse(&u, urls[i].text), -1);
			continue;
		}
		assert_int_equal(base_url_parse(&u, urls[i].text), 0);
		assert_int_equal(u.https, urls[i].https);
		assert_string_equal(u.host, urls[i].host);
		assert_int_equal(u.port, urls[i].port);
		assert_string_equal(u.base, urls[i].base);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_lead_bound),
	    cmocka_unit_test(test_prefix),
	    cmocka_unit_test(test_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
