#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

static char line[4096];
static int lines, last_prio;

static void
sink(int prio, const char *text, void *arg)
{
	lines++;
	last_prio = prio;
	strlcpy(line, text, sizeof(line));
}

static int
setup(void **state)
{
	log_init("account", 0);
	log_set_sink(sink, NULL);
	log_set_json(0);
	lines = 0;
	return 0;
}

static void
test_plain(void **state)
{
	log_event(LOG_INFO, "account.connected", "account", "default", "n",
	    LOG_NUM(-42), "why", "two words", "absent", NULL, "empty", "",
	    NULL);
	assert_string_equal(line, "account: account.connected account=default "
				  "n=-42 why=\"two words\" empty=\"\"");
	assert_int_equal(last_prio, LOG_INFO);
}

/* No value can begin a line, a pair or an escape sequence of its own. */
static void
test_injection(void **state)
{
	log_event(LOG_INFO, "x", "a", "1\nposternd: y z=2", "b", "q\" c=\"d",
	    "e", "\033[31m", "f", "back\\slash", "g", "k=v", NULL);
	assert_string_equal(line, "account: x a=\"1?posternd: y z=2\" "
				  "b=\"q\\\" c=\\\"d\" e=\"?[31m\" "
				  "f=\"back\\\\slash\" g=\"k=v\"");
	log_warnx("text %s", "a\r\nb\x7f");
	assert_string_equal(line, "account: text a??b?");
}

static void
test_utf8(void **state)
{
	char out[64];

	/* Good ones stay; broken ones, C1 and bidi controls do not. */
	log_clean(out, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", sizeof(out));
	assert_string_equal(out, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	log_clean(out, "\xff|\xc0\x80|\xed\xa0\x80|\xf8|\xe2\x82|\xc3",
	    sizeof(out));
	assert_string_equal(out, "?|\?\?|\?\?\?|?|\?\?|?");
	log_clean(out, "\xc2\x9b|\xe2\x80\xae|\xe2\x80\xa8|\xe2\x81\xa6",
	    sizeof(out));
	assert_string_equal(out, "?|?|?|?");
	/* Cut at the end of a character. */
	log_clean(out, "ab\xe2\x82\xac", 5);
	assert_string_equal(out, "ab");
	log_clean(out, "ab\xe2\x82\xac", 6);
	assert_string_equal(out, "ab\xe2\x82\xac");
	log_clean(out, "x", 1);
	assert_string_equal(out, "");
}

static struct json_object *
parsed(void)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o;

	json_tokener_set_flags(
	    tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, line, (int)strlen(line) + 1);
	if (o == NULL || !json_object_is_type(o, json_type_object))
		fail_msg("not JSON: %s", line);
	json_tokener_free(tok);
	return o;
}

static const char *
member(struct json_object *o, const char *key)
{
	const char *s =
	    json_object_get_string(json_object_object_get(o, key));

	return s == NULL ? "(none)" : s;
}

static void
test_json(void **state)
{
	struct json_object *o;

	log_set_json(1);
	log_event(LOG_WARNING, "a.b", "key", "v\"\\\n\xff\xc3\xa9", NULL);
	o = parsed();
	assert_string_equal(member(o, "event"), "a.b");
	assert_string_equal(member(o, "role"), "account");
	assert_string_equal(member(o, "key"), "v\"\\??\xc3\xa9");
	json_object_put(o);
	log_warnx("%s \"%s\"", "some", "text");
	o = parsed();
	assert_string_equal(member(o, "event"), "log");
	assert_string_equal(member(o, "text"), "some \"text\"");
	json_object_put(o);
}

/* On stderr a JSON line has its time and level. */
static void
test_json_stderr(void **state)
{
	struct json_object *o;
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_set_sink(NULL, NULL);
	log_set_json(1);
	log_event(LOG_WARNING, "a.b", "key", "v", NULL);
	dup2(saved, STDERR_FILENO);
	n = read(fds[0], line, sizeof(line) - 1);
	assert_true(n > 1 && line[n - 1] == '\n');
	line[n - 1] = '\0';
	o = parsed();
	assert_string_equal(member(o, "level"), "warn");
	assert_int_equal(strlen(member(o, "time")), 24);
	assert_string_equal(member(o, "key"), "v");
	json_object_put(o);
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

/* At every length, of the value, the key and what is in them. */
static void
test_cut_is_well_formed(void **state)
{
	static const char *const fill[] = {"x", "\"", "\\", "\xe2\x82\xac",
	    "\xff", "\n"};
	char value[2000], pad[1200];
	size_t i, n, len;

	log_set_json(1);
	for (i = 0; i < sizeof(fill) / sizeof(fill[0]); i++) {
		value[0] = '\0';
		while (strlcat(value, fill[i], sizeof(value)) <
		    sizeof(value) - 1)
			continue;
		for (n = 850; n < 1100; n++) {
			memset(pad, 'p', n);
			pad[n] = '\0';
			log_event(LOG_INFO, "e", "pad", pad, "v", value,
			    "last", "z", NULL);
			assert_true(strlen(line) < LOG_LINE_MAX);
			json_object_put(parsed());
		}
		log_event(LOG_INFO, "e", "v", value, NULL);
		len = strlen(line);
		assert_in_range(len, LOG_LINE_MAX - 8, LOG_LINE_MAX - 1);
		json_object_put(parsed());
		log_warnx("%s", value);
		json_object_put(parsed());
	}
}

static void
test_cut_plain(void **state)
{
	char value[2000];

	memset(value, ' ', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_event(LOG_INFO, "e", "v", value, "k", "w", NULL);
	assert_true(strlen(line) < LOG_LINE_MAX);
	assert_int_equal(line[strlen(line) - 1], '"');
}

static void
test_relay(void **state)
{
	log_relay(LOG_INFO, "agent: x\nforged: y\033]0;z\a\xff");
	assert_string_equal(line, "agent: x?forged: y?]0;z??");
	log_relay(LOG_DEBUG, "quiet");
	assert_int_equal(lines, 1);
}

static void
test_errno_and_verbose(void **state)
{
	errno = ENOENT;
	log_warn("open %s", "f");
	assert_string_equal(line, "account: open f: No such file or directory");
	assert_int_equal(errno, ENOENT);
	log_debug("no");
	log_event(LOG_DEBUG, "no", NULL);
	assert_int_equal(lines, 1);
	log_set_verbose(1);
	log_debug("yes");
	assert_string_equal(line, "account: yes");
	log_set_verbose(0);
}

/* A sink that logs, or dies, must not go round and round. */
static void
sink_logs(int prio, const char *text, void *arg)
{
	lines++;
	log_warnx("in the sink");
}

static void
sink_dies(int prio, const char *text, void *arg)
{
	fatalx("in the sink");
}

static void
test_recursion(void **state)
{
	int status;
	pid_t pid;

	log_set_sink(sink_logs, NULL);
	log_warnx("once");
	assert_int_equal(lines, 1);
	if ((pid = fork()) == 0) {
		log_set_sink(sink_dies, NULL);
		fatalx("the first");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_plain, setup),
	    cmocka_unit_test_setup(test_injection, setup),
	    cmocka_unit_test_setup(test_utf8, setup),
	    cmocka_unit_test_setup(test_json, setup),
	    cmocka_unit_test_setup(test_json_stderr, setup),
	    cmocka_unit_test_setup(test_cut_is_well_formed, setup),
	    cmocka_unit_test_setup(test_cut_plain, setup),
	    cmocka_unit_test_setup(test_relay, setup),
	    cmocka_unit_test_setup(test_errno_and_verbose, setup),
	    cmocka_unit_test_setup(test_recursion, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
