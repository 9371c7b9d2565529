#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"
#include "workers/account/command/slash_text.h"

static void
line_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct json_object *map = vec_get(in, "trigger_map");
	const char *trigger = vec_str(in, "command"), *name = NULL;
	char *line;

	if (*trigger == '/')
		trigger++;
	if (map != NULL && vec_get(map, trigger) != NULL)
		name = vec_str(map, trigger);
	line = slash_line(vec_str(in, "command"), name, vec_str(in, "text"));
	vec_put_str(got, "trigger", trigger);
	vec_want(want, out, "trigger");
	vec_put_str(got, "command_text", line);
	vec_want(want, out, "command_text");
	free(line);
}

static void
test_vectors(void **state)
{
	vectors_run("slash_command_text", line_case, NULL);
}

static void
test_trigger(void **state)
{
	static const struct {
		const char *name, *trigger;
	} t[] = {
	    {"status", "oc_status"}, {"oc_status", "oc_status"},
	    {"My-Skill", "oc_my-skill"}, {"two words", ""}, {"", ""},
	    {"oc_", ""}, {"a/b", ""}, {"tab\tx", ""}, {"\x01", ""},
	    {"caf\xc3\xa9", "oc_caf\xc3\xa9"},
	};
	char out[SLASH_TRIGGER_MAX + 1], big[200];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		slash_trigger(t[i].name, out, sizeof(out));
		assert_string_equal(out, t[i].trigger);
	}
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	slash_trigger(big, out, sizeof(out));
	assert_string_equal(out, "");
	big[SLASH_TRIGGER_MAX - 3] = '\0';
	slash_trigger(big, out, sizeof(out));
	assert_int_equal(strlen(out), SLASH_TRIGGER_MAX);
}

/* 128 bytes, and no half characters. */
static void
test_desc(void **state)
{
	char out[SLASH_DESC_MAX + 1], text[300];

	slash_desc("short", out);
	assert_string_equal(out, "short");
	memset(text, 'x', 127);
	text[127] = '\0';
	strlcat(text, "\xc3\xa9more", sizeof(text));
	slash_desc(text, out);
	assert_int_equal(strlen(out), 127);
}

static void
test_builtins(void **state)
{
	const struct slash_builtin *b;
	char trigger[64], cut[SLASH_DESC_MAX + 1];
	int n = 0;

	for (b = slash_builtins; b->name != NULL; b++, n++) {
		slash_trigger(b->name, trigger, sizeof(trigger));
		assert_string_equal(trigger + strlen(SLASH_PREFIX), b->name);
		slash_desc(b->desc, cut);
		assert_string_equal(cut, b->desc);
	}
	assert_int_equal(n, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_trigger),
	    cmocka_unit_test(test_desc),
	    cmocka_unit_test(test_builtins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
