#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/account/outtext.h"
#include "workers/account/preview/block.h"
#include "workers/account/preview/progress_text.h"
#include "workers/account/preview/stream_cfg.h"
#include "workers/account/text/chunk.h"
#include "workers/account/text/reasoning.h"
#include "workers/account/text/replytag.h"

#define READ "\xf0\x9f\x93\x96 Read"
#define EXEC "\xf0\x9f\x9b\xa0\xef\xb8\x8f Exec"
#define THINKING "\xf0\x9f\xa7\xa0 Thinking\xe2\x80\xa6"

static struct json_object *
parse(const char *s)
{
	struct json_object *o = json_tokener_parse(s);

	assert_non_null(o);
	return o;
}

/* What is shown of an answer while it grows, and whether it is posted. */
static const struct {
	const char *text;
	int silent;
	int hold;
} growing[] = {
    {"", 1, 1},
    {" \n", 1, 1},
    {"N", 0, 1},
    {"NO", 0, 1},
    {"NO_REPL", 0, 1},
    {"NO_REPLY", 1, 1},
    {" NO_REPLY\n", 1, 1},
    {"NO_REPLY.", 0, 0},
    {"NO, thanks", 0, 0},
    {"Not so", 0, 0},
    {"r", 0, 1},
    {"> Reas", 0, 1},
    {"> Reasoning:", 1, 1},
    {"Reasonable", 0, 0},
    {"Think", 0, 1},
    {"Thinking", 0, 1},
    {"Thinking...", 0, 1},
    {"Thinking... ", 0, 1},
    {"Thinking... _I", 1, 1},
    {"Thinking....", 0, 0},
    {"Thinking about it", 0, 0},
    {"hello", 0, 0},
    {"[", 0, 1},
    {"[[reply_to: 8d3b", 0, 1},
    {"[1] is the source", 0, 0},
    {"[[a]] is a link", 0, 0},
};

static void
test_growing(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
		if (out_silent(growing[i].text) != growing[i].silent)
			fail_msg("silent: \"%s\"", growing[i].text);
		if (out_hold(growing[i].text) != growing[i].hold)
			fail_msg("hold: \"%s\"", growing[i].text);
	}
}

static const struct {
	const char *text;
	const char *want; /* NULL: there is no tag in it */
} tags[] = {
    {"hello", NULL},
    {"a [[link]] and [[", NULL},
    {"[[reply_to_current]] hello", "hello"},
    {"[[reply_to_current]]\n\nhello", "\n\nhello"},
    {"[[ Reply_To : 8d3bmxcs1tnfxqs5h7k9qk3t1e ]]NO_REPLY", "NO_REPLY"},
    {"one [[audio_as_voice]] two", "one two"},
    {"one[[reply_to:x]] two", "one two"},
    {"one\n[[reply_to:x]]\ntwo", "one\n\ntwo"},
    {"[[reply_to:x]][[audio_as_voice]]", ""},
    {"[[reply_to]] and [[reply_to:x\n]]", NULL},
    {"write `[[reply_to_current]]`", NULL},
    {"```\n[[reply_to_current]]\n```\n[[reply_to_current]]",
	"```\n[[reply_to_current]]\n```\n"},
};

static void
test_reply_tags(void **state)
{
	size_t i;
	char *s;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		s = replytag_strip(tags[i].text);
		if ((s == NULL) != (tags[i].want == NULL) ||
		    (s != NULL && strcmp(s, tags[i].want) != 0))
			fail_msg("\"%s\": \"%s\"", tags[i].text,
			    s == NULL ? "nothing" : s);
		free(s);
	}
}

/* No text may be shown that is reasoning in the end. */
static void
test_no_reasoning_slips_out(void **state)
{
	static const char *const texts[] = {"Reasoning: because",
	    "> > reasoning:\n> x", "Thinking\n> _so_", "thinking..._x_",
	    "  thinking. > _x"};
	char part[64];
	size_t i, n;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(reasoning_suppressed(texts[i], 0));
		for (n = 0; n <= strlen(texts[i]); n++) {
			memcpy(part, texts[i], n);
			part[n] = '\0';
			if (!out_hold(part))
				fail_msg("shown: \"%s\"", part);
		}
	}
}

static const char agents[] =
    "\"agents\":[{\"id\":\"main\",\"label\":\"Desk\"},"
    "{\"id\":\"ada\",\"name\":\"Ada\",\"label\":\"x\","
    "\"model\":\"sim/gpt/4\"}]";

static const struct {
	const char *prefix;
	const char *agent;
	const char *want;
} prefixes[] = {
    {"[bot]", "main", "[bot]"},
    {"auto", "ada", "[Ada]"},
    {"auto", "main", "[Desk]"},
    {"auto", "nobody", ""},
    {"{identityName} ({model})", "ada", "Ada (gpt/4)"},
    {"{IDENTITYNAME}:", "ada", "Ada:"},
    {"{identity.name}", "ada", "Ada"},
    {"{provider} {modelFull}", "ada", "sim sim/gpt/4"},
    {"{model}", "main", "{model}"},
    {"{other} {", "ada", "{other} {"},
    {"", "ada", ""},
};

static void
test_prefix(void **state)
{
	struct json_object *o;
	struct out_cfg c;
	char buf[1024], *s;
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		snprintf(buf, sizeof(buf), "{\"responsePrefix\":\"%s\",%s}",
		    prefixes[i].prefix, agents);
		o = parse(buf);
		assert_null(out_cfg_read(&c, o));
		s = out_prefix(&c, prefixes[i].agent);
		assert_string_equal(s, prefixes[i].want);
		free(s);
		out_cfg_clear(&c);
		json_object_put(o);
	}
}

static void
test_render(void **state)
{
	struct json_object *o = parse("{\"textChunkLimit\":20,\"markdown\":"
				      "{\"tables\":\"bullets\"},\"streaming\":"
				      "{\"chunkMode\":\"newline\"}}");
	struct out_cfg c;
	char **v, *s;
	size_t n;

	assert_null(out_cfg_read(&c, o));
	s = out_render(&c, "  hello\n", "[x]");
	assert_string_equal(s, "[x] hello");
	free(s);
	s = out_render(&c, "[x] hello", "[x]");
	assert_string_equal(s, "[x] hello");
	free(s);
	s = out_render(&c, " \n ", "[x]");
	assert_string_equal(s, "");
	free(s);
	s = out_render(&c, "| a | b |\n|---|---|\n| 1 | 2 |", "");
	assert_string_equal(s, "**1**\n\xe2\x80\xa2 b: 2");
	free(s);
	v = out_chunks(&c, "one two three\n\nfour five six", &n);
	assert_int_equal(n, 2);
	assert_string_equal(v[0], "one two three");
	assert_string_equal(v[1], "four five six");
	chunk_free(v, n);
	out_cfg_clear(&c);
	json_object_put(o);
	o = parse("{\"textChunkLimit\":\"many\"}");
	assert_non_null(out_cfg_read(&c, o));
	out_cfg_clear(&c);
	json_object_put(o);
}

static void
test_stream_defaults(void **state)
{
	struct stream_cfg c;
	struct json_object *o;

	assert_null(stream_cfg_read(&c, NULL, 4000));
	assert_int_equal(c.mode, STREAM_PARTIAL);
	assert_true(c.tools);
	assert_false(c.raw);
	assert_int_equal(c.max_lines, 8);
	assert_int_equal(c.max_chars, 120);
	assert_int_equal(c.block_min, 1500);
	assert_int_equal(c.block_max, 4000);
	assert_int_equal(c.block_idle_ms, 1000);
	assert_string_equal(stream_label(&c, "a", "b"), "Working");
	stream_cfg_clear(&c);
	o = parse("{\"mode\":\"progress\",\"preview\":{\"commandText\":"
		  "\"raw\"},\"progress\":{\"maxLines\":2}}");
	assert_null(stream_cfg_read(&c, o, 4000));
	assert_int_equal(c.mode, STREAM_PROGRESS);
	assert_int_equal(c.max_lines, 2);
	stream_cfg_clear(&c);
	json_object_put(o);
	o = parse("{\"progress\":{\"maxLines\":0}}");
	assert_non_null(stream_cfg_read(&c, o, 4000));
	stream_cfg_clear(&c);
	json_object_put(o);
}

static const struct {
	const char *progress;
	const char *want; /* NULL: one of two, by channel */
} labels[] = {
    {"{\"label\":false}", ""},
    {"{\"label\":\"Busy\"}", "Busy"},
    {"{\"label\":\"auto\",\"labels\":[]}", "Working"},
    {"{\"label\":\"auto\",\"labels\":[\"One\"]}", "One"},
    {"{\"labels\":[\"One\",\"Two\"]}", NULL},
};

static void
test_labels(void **state)
{
	struct json_object *o;
	struct stream_cfg c;
	char buf[128], channel[2] = "a";
	int one, two;
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		snprintf(buf, sizeof(buf), "{\"progress\":%s}",
		    labels[i].progress);
		o = parse(buf);
		assert_null(stream_cfg_read(&c, o, 4000));
		if (labels[i].want != NULL)
			assert_string_equal(
			    stream_label(&c, "acc", "chan"), labels[i].want);
		else {
			one = two = 0;
			for (; channel[0] <= 'z'; channel[0]++)
				if (strcmp(stream_label(&c, "acc", channel),
					"One") == 0)
					one++;
				else
					two++;
			assert_true(one > 0 && two > 0);
			assert_ptr_equal(stream_label(&c, "acc", "x"),
			    stream_label(&c, "acc", "x"));
		}
		stream_cfg_clear(&c);
		json_object_put(o);
	}
}

static void
want_text(const struct progress *p, const char *label, const char *want)
{
	char *s = progress_text(p, label);

	if (want == NULL)
		assert_null(s);
	else
		assert_string_equal(s, want);
	free(s);
}

static void
test_progress(void **state)
{
	struct tool_event read = {"1", "read", "a file", TOOL_START, 1};
	struct tool_event exec = {"2", "exec", "ls -l", TOOL_START, 1};
	struct tool_event own = {"3", "my-own_tool", NULL, TOOL_START, 1};
	struct progress p;

	progress_init(&p, 3, 40, 0);
	want_text(&p, "", NULL);
	want_text(&p, "Working", "Working");
	assert_true(progress_tool(&p, &read));
	assert_false(progress_tool(&p, &read));
	want_text(&p, "Working", "Working\n" READ ": a file");
	read.phase = TOOL_UPDATE;
	read.detail = "two files";
	assert_true(progress_tool(&p, &read));
	want_text(&p, "", READ ": two files");
	assert_true(progress_tool(&p, &exec));
	want_text(&p, "", READ ": two files\n" EXEC);
	p.raw = 1;
	want_text(&p, "", READ ": two files\n" EXEC ": ls -l");
	exec.phase = TOOL_END;
	assert_false(progress_tool(&p, &exec));
	exec.ok = 0;
	assert_true(progress_tool(&p, &exec));
	want_text(&p, "", READ ": two files\n" EXEC
			  " \xe2\x80\x93 failed: ls -l");
	p.raw = 0;
	assert_true(progress_thinking(&p));
	assert_false(progress_thinking(&p));
	assert_true(progress_tool(&p, &own));
	want_text(&p, "", EXEC " \xe2\x80\x93 failed\n" THINKING
			  "\n\xf0\x9f\xa7\xa9 My Own Tool");
	read.call = "4";
	read.detail = "a path that is much too long for one line\nand two";
	assert_true(progress_tool(&p, &read));
	want_text(&p, "", THINKING "\n\xf0\x9f\xa7\xa9 My Own Tool\n" READ
			  ": a path that is much too long f\xe2\x80\xa6");
	progress_clear(&p);
	want_text(&p, "", NULL);
	assert_true(progress_is_work("exec"));
	assert_false(progress_is_work("message"));
	assert_false(progress_is_work("Update-Plan"));
}

static const struct {
	const char *text;
	size_t min, max;
	int idle;
	const char *block; /* "" for none yet */
} blocks[] = {
    {"one", 1, 100, 1, ""},
    {"one\n\n", 1, 100, 1, "one"},
    {"one\n\ntwo", 1, 100, 1, "one"},
    {"one\n\ntwo", 1, 100, 0, ""},
    {"one\n\ntwo", 4, 100, 1, ""},
    {"one\n \t\ntwo\n\nthree", 1, 100, 1, "one\n \t\ntwo"},
    {"one\n\ntwo\n\nthree", 1, 3, 0, "one"},
    {"one\n\ntwo\n\nthree", 1, 8, 0, "one\n\ntwo"},
    {"one\n\ntwo\n\nthree", 1, 9, 0, ""},
    {"a long one\n\nx", 1, 5, 0, "a long one"},
    {"```\na\n\nb\n```\n\nc", 1, 100, 1, "```\na\n\nb\n```"},
    {"x\n\n```\na\n\nb", 1, 100, 1, "x"},
    {"\n\n  one\n\ntwo", 1, 100, 1, "\n\n  one"},
    {"", 1, 1, 1, ""},
};

static void
test_blocks(void **state)
{
	size_t i, n;

	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		n = block_ready(blocks[i].text, blocks[i].min, blocks[i].max,
		    blocks[i].idle);
		if (n != strlen(blocks[i].block) ||
		    strncmp(blocks[i].text, blocks[i].block, n) != 0)
			fail_msg("case %zu: %.*s", i, (int)n, blocks[i].text);
	}
	assert_int_equal(block_follows("one two", "one"), 3);
	assert_int_equal(block_follows("\n one two", " one\n"), 5);
	assert_int_equal(block_follows("one", "one"), 3);
	assert_int_equal(block_follows("ones two", "one"), 0);
	assert_int_equal(block_follows("one", "one two"), 0);
	assert_int_equal(block_follows("other", "one"), 0);
	assert_int_equal(block_follows("one", " "), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_growing),
	    cmocka_unit_test(test_reply_tags),
	    cmocka_unit_test(test_no_reasoning_slips_out),
	    cmocka_unit_test(test_prefix),
	    cmocka_unit_test(test_render),
	    cmocka_unit_test(test_stream_defaults),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_progress),
	    cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
