#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "common/utf8.h"
#include "tests/unit/vectors.h"
#include "workers/account/pairing_text.h"
#include "workers/account/preview/draft_text.h"
#include "workers/account/target.h"
#include "workers/account/text/chunk.h"
#include "workers/account/text/emoji.h"
#include "workers/account/text/reasoning.h"
#include "workers/account/text/tables.h"

typedef char **(*chunk_fn)(const char *, size_t, size_t *);

static void
chunk_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want, chunk_fn cut)
{
	struct json_object *list = json_object_new_array();
	size_t i, n;
	char **v;

	v = cut(vec_str(in, "text"),
	    (size_t)json_object_get_int(vec_get(in, "limit")), &n);
	for (i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(v[i]));
	json_object_object_add(got, "chunks", list);
	vec_want(want, out, "chunks");
	chunk_free(v, n);
}

static void
length_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	chunk_case(in, out, got, want, chunk_length);
}

static void
newline_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	chunk_case(in, out, got, want, chunk_newline);
}

static void
test_chunks(void **state)
{
	vectors_run("chunk_length", length_case, NULL);
	vectors_run("chunk_newline", newline_case, NULL);
}

/* Any text, any limit: pieces within it, nothing visible lost. */
static void
check_chunks(const char *text, chunk_fn cut, size_t limit)
{
	size_t i, n, seen = 0, words = 0;
	char **v = cut(text, limit, &n);
	const char *p;

	for (i = 0; i < n; i++) {
		/* A piece may hold one character more than a tiny limit. */
		if (utf8_units(v[i], strlen(v[i])) > (limit < 2 ? 2 : limit))
			fail_msg("limit %zu: %zu", limit, strlen(v[i]));
		assert_true(text_valid(v[i], strlen(v[i])));
		for (p = v[i]; *p != '\0'; p++)
			seen += *p == 'w';
	}
	for (p = text; *p != '\0'; p++)
		words += *p == 'w';
	if (limit > 12) /* "w" is in no fence marker */
		assert_true(seen >= words);
	chunk_free(v, n);
}

static void
test_chunk_bounds(void **state)
{
	static const char *const parts[] = {"w", "ww ww", "\n", "\n\n", "(",
	    ")", "\xf0\x9f\x98\x80", "```c\n", "```\n", "~~~~\n", "  ```\n",
	    " ", "w\r\n", "\xe6\xbc\xa2\xe5\xad\x97", "\xe2\x80\xa8"};
	char text[2048];
	unsigned seed = 1;
	int round, i;

	for (round = 0; round < 3000; round++) {
		text[0] = '\0';
		for (i = 0; i < 60; i++) {
			seed = seed * 1103515245u + 12345u;
			strlcat(text, parts[(seed >> 16) % 15], sizeof(text));
		}
		seed = seed * 1103515245u + 12345u;
		check_chunks(text, round % 2 ? chunk_newline : chunk_length,
		    1 + (seed >> 16) % 60);
	}
}

/* Whatever a model says, and whatever the limit: nobody has to wait for it. */
static void
test_chunk_speed(void **state)
{
	static const struct {
		const char *part;
		size_t limit;
	} cases[] = {{"~", 1}, {"`", 2}, {"a\n\n", 16383}, {"a\n \n", 16383},
	    {"```\n", 1}, {"(", 16383}};
	static char text[150001];
	clock_t begun;
	size_t i, k, n;
	char **v;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = strlen(cases[i].part);
		for (k = 0; k + n < sizeof(text); k += n)
			memcpy(text + k, cases[i].part, n + 1);
		begun = clock();
		v = chunk_newline(text, cases[i].limit, &n);
		chunk_free(v, n);
		if (clock() - begun > CLOCKS_PER_SEC)
			fail_msg("%s at %zu: too slow", cases[i].part,
			    cases[i].limit);
	}
}

static void
table_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	char *s = tables_convert(
	    vec_str(in, "text"), tables_mode(vec_str(in, "mode")));

	vec_put_str(got, "text", s);
	vec_want(want, out, "text");
	free(s);
}

static void
test_tables(void **state)
{
	char *s;

	vectors_run("tables", table_case, NULL);
	s = tables_convert("> | a | b |\n> |---|---|\n> | 1 | 2 |\n> | 3 | 4 |",
	    TABLES_BULLETS);
	assert_string_equal(s, "> **1**\n> \xe2\x80\xa2 b: 2\n>\n> **3**\n"
			       "> \xe2\x80\xa2 b: 4");
	free(s);
	s = tables_convert("    | a | b |\n    |---|---|\n", TABLES_CODE);
	assert_string_equal(s, "    | a | b |\n    |---|---|\n");
	free(s);
}

static void
draft_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	char *s = draft_truncate(vec_str(in, "text"), DRAFT_UNITS);

	if (s == NULL)
		s = strdup("");
	vec_put_str(got, "text", s);
	json_object_object_add(got, "units",
	    json_object_new_int((int)utf8_units(s, strlen(s))));
	vec_want(want, out, "text");
	vec_want(want, out, "units");
	free(s);
}

static void
test_drafts(void **state)
{
	char *s;

	vectors_run("draft_truncate", draft_case, NULL);
	assert_true(draft_text_grows("", "a"));
	assert_true(draft_text_grows("a", "ab"));
	assert_true(draft_text_grows("ab", "ac"));
	assert_false(draft_text_grows("ab", "ab"));
	assert_false(draft_text_grows("ab", "a"));
	s = draft_text_line(" Exec: ls\n-l ", 0);
	assert_string_equal(s, "\xe2\x80\xa2 Exec: ls -l");
	free(s);
	s = draft_text_line("\xf0\x9f\x93\x96 Read: a long path", 10);
	assert_string_equal(s, "\xf0\x9f\x93\x96 Read:\xe2\x80\xa6");
	free(s);
}

static void
reasoning_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	vec_put_bool(got, "suppressed", reasoning_suppressed(
	    vec_str(in, "text"), vec_bool(in, "is_reasoning")));
	vec_want(want, out, "suppressed");
}

static void
test_reasoning(void **state)
{
	vectors_run("reasoning_suppress", reasoning_case, NULL);
}

static void
emoji_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	char *s = emoji_name(vec_str(in, "emoji"));

	vec_put_str(got, "name", s);
	vec_want(want, out, "name");
	free(s);
}

static void
test_emoji(void **state)
{
	vectors_run("emoji_name", emoji_case, NULL);
	assert_true(emoji_name_valid("+1"));
	assert_true(emoji_name_valid("thumbsup_medium_skin_tone"));
	assert_false(emoji_name_valid(""));
	assert_false(emoji_name_valid("a:b"));
	assert_false(emoji_name_valid("\xf0\x9f\x91\x8d"));
}

static struct json_object *
parsed(const struct target *t)
{
	static const char *const kinds[] = {"", "channel_id", "channel_name",
	    "user_id", "user_name"};
	static const struct {
		const char *text;
		const char *code;
	} errors[] = {{"Recipient", "recipient_missing"},
	    {"Channel id", "channel_id_missing"},
	    {"Channel name", "channel_name_missing"},
	    {"User id", "user_id_missing"}, {"Username", "user_name_missing"}};
	struct json_object *o = json_object_new_object();
	size_t i;

	if (t->kind != TARGET_BAD) {
		vec_put_str(o, "kind", kinds[t->kind]);
		vec_put_str(o,
		    strstr(kinds[t->kind], "_id") != NULL ? "id" : "name",
		    t->value);
		return o;
	}
	for (i = 0; i < 5; i++)
		if (strncmp(t->error, errors[i].text,
			strlen(errors[i].text)) == 0)
			vec_put_str(o, "error", errors[i].code);
	return o;
}

static void
target_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	const char *text = vec_str(in, "target");
	struct target t;
	char *normal;

	target_parse(text, &t);
	json_object_object_add(got, "parsed", parsed(&t));
	vec_put_bool(got, "bare_id", t.bare_id);
	normal = target_normalise(text);
	vec_put_str(got, "normalised", normal);
	vec_want(want, out, "parsed");
	vec_want(want, out, "bare_id");
	vec_want(want, out, "normalised");
	free(normal);
	target_clear(&t);
}

static void
test_targets(void **state)
{
	vectors_run("target_parse", target_case, NULL);
}

/* The words after the program's name, as an array. */
static struct json_object *
arguments(const char *line)
{
	struct json_object *a = json_object_new_array();
	char *copy = strdup(line), *save = NULL, *word;

	(void)strtok_r(copy, " ", &save);
	while ((word = strtok_r(NULL, " ", &save)) != NULL)
		json_object_array_add(a, json_object_new_string(word));
	free(copy);
	return a;
}

static struct json_object *
block(int from, int to, const char *line, int second)
{
	struct json_object *b = json_object_new_object();

	json_object_object_add(b, "from_line", json_object_new_int(from));
	json_object_object_add(b, "to_line", json_object_new_int(to));
	if (second)
		json_object_object_add(
		    b, "command_arguments", arguments(line));
	else
		vec_put_str(b, "text", line);
	return b;
}

/* The shape of the answer: lines counted from 1. */
static void
pairing_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	char *text = pairing_text(vec_str(in, "user_id"), vec_str(in, "code"));
	const char *id = vec_str(out, "id_line_ends_with"), *ends = "";
	struct json_object *blank = json_object_new_array();
	struct json_object *blocks = json_object_new_array();
	char *line, *next = text, last[128] = "";
	int n = 0, open = 0, id_line = 0;

	while ((line = strsep(&next, "\n")) != NULL) {
		n++;
		if (*line == '\0')
			json_object_array_add(blank, json_object_new_int(n));
		if (strlen(line) > strlen(id) &&
		    strcmp(line + strlen(line) - strlen(id), id) == 0) {
			id_line = n;
			ends = id;
		}
		if (strcmp(line, "```") == 0 && open != 0) {
			json_object_array_add(blocks, block(open, n, last,
			    json_object_array_length(blocks) == 1));
			open = 0;
		} else if (strcmp(line, "```") == 0)
			open = n;
		strlcpy(last, line, sizeof(last));
	}
	json_object_object_add(got, "lines", json_object_new_int(n));
	json_object_object_add(got, "id_line", json_object_new_int(id_line));
	vec_put_str(got, "id_line_ends_with", ends);
	json_object_object_add(got, "blank_lines", blank);
	json_object_object_add(got, "blocks", blocks);
	json_object_object_foreach(out, key, val)
	{
		(void)val;
		vec_want(want, out, key);
	}
	free(text);
}

static void
test_pairing(void **state)
{
	static const uint8_t random[PAIRING_CODE_LEN] = {
	    0, 31, 32, 255, 7, 13, 25, 128};
	char code[PAIRING_CODE_SIZE];

	vectors_run("pairing_reply", pairing_case, NULL);
	pairing_code(random, code);
	assert_string_equal(code, "A9A9HP3A");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chunks),
	    cmocka_unit_test(test_chunk_bounds),
	    cmocka_unit_test(test_chunk_speed),
	    cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_drafts),
	    cmocka_unit_test(test_reasoning),
	    cmocka_unit_test(test_emoji),
	    cmocka_unit_test(test_targets),
	    cmocka_unit_test(test_pairing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
