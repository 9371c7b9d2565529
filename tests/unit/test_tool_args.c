/*
 * The arguments of the message tool, as models write them.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "workers/account/tool/tool_args.h"

#define P "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TEN \
	"\"#a\",\"#a\",\"#a\",\"#a\",\"#a\",\"#a\",\"#a\",\"#a\",\"#a\",\"#a\""
#define Q "bbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
	const char *in;
	const char *error; /* a part of it; NULL: good */
} table[] = {
    {"{}", "action is required"},
    {"{\"action\":7}", "action is required"},
    {"{\"action\":\" \"}", "action is required"},
    {"{\"action\":\"edit\"}",
	"Message action edit not supported for channel mattermost."},
    {"{\"action\":\"broadcast\",\"targets\":[]}",
	"broadcast requires targets"},
    {"{\"action\":\"broadcast\",\"target\":\"#a\",\"message\":\"x\"}",
	"broadcast requires targets"},
    {"{\"action\":\"broadcast\",\"targets\":\"#a\",\"message\":\"x\"}",
	"targets has to be an array"},
    {"{\"action\":\"broadcast\",\"targets\":[\"#a\",7],\"message\":\"x\"}",
	"targets has to be an array"},
    {"{\"action\":\"broadcast\",\"targets\":[\"#a\",\" \"],\"message\":\"x\"}",
	"targets has an empty one"},
    {"{\"action\":\"broadcast\",\"targets\":[\"#a\"]}", "send requires text"},
    {"{\"action\":\"broadcast\",\"targets\":[\"#a\"],\"message\":\"x\","
     "\"channel\":\"all\"}", NULL},
    {"{\"action\":\"send\",\"message\":\"x\",\"channel\":\"all\"}",
	"channel has to be mattermost"},
    {"{\"action\":\"broadcast\",\"message\":\"x\",\"targets\":[" TEN "," TEN
     "]}", NULL},
    {"{\"action\":\"broadcast\",\"message\":\"x\",\"targets\":[" TEN "," TEN
     ",\"#a\"]}", "no more than 20 targets"},
    {"{\"action\":\"SEND\",\"message\":\"x\"}", NULL},
    {"{\"action\":\"send\"}", "send requires text or media or location"},
    {"{\"action\":\"send\",\"message\":\" \"}", "send requires text"},
    {"{\"action\":\"send\",\"message\":7}", "send requires text"},
    {"{\"action\":\"send\",\"message\":\"x\",\"channel\":\"Mattermost\"}",
	NULL},
    {"{\"action\":\"send\",\"message\":\"x\",\"channel\":\"irc\"}",
	"channel has to be mattermost"},
    {"{\"action\":\"send\",\"message\":\"x\",\"accountId\":\"me\"}", NULL},
    {"{\"action\":\"send\",\"message\":\"x\",\"accountId\":\"you\"}",
	"another account"},
    {"{\"action\":\"read\",\"accountId\":\"you\"}",
	"Mattermost delegated reads require the current Mattermost account."},
    {"{\"action\":\"send\",\"message\":\"x\",\"target\":\"#a\","
     "\"targets\":[\"#b\"]}", "either target or targets"},
    {"{\"action\":\"send\",\"message\":\"x\",\"target\":\"#a\","
     "\"targets\":[]}", NULL},
    {"{\"action\":\"read\",\"targets\":[\"#a\",\"#b\"]}", "one target"},
    {"{\"action\":\"send\",\"message\":\"x\",\"delivery\":\"pin\"}",
	"delivery has to be an object"},
    {"{\"action\":\"send\",\"message\":\"x\",\"delivery\":{\"mode\":\"x\"}}",
	"delivery: mode is not supported for channel mattermost"},
    {"{\"action\":\"send\",\"message\":\"x\",\"delivery\":{\"pin\":7}}",
	"pin is true, false or an object"},
    {"{\"action\":\"send\",\"message\":\"x\",\"silent\":true,\"asVoice\":true,"
     "\"bestEffort\":true,\"channelData\":{}}", NULL},
    {"{\"action\":\"send\",\"media\":\"https://h/a.png\"}", NULL},
    {"{\"action\":\"send\",\"media\":\"/etc/passwd\"}", "by http"},
    {"{\"action\":\"send\",\"media\":\"file:///etc/passwd\"}", "by http"},
    {"{\"action\":\"send\",\"mediaUrls\":[\"https://h/a\",\"https://h/b\"]}",
	"one attachment per message"},
    {"{\"action\":\"send\",\"media\":\"https://h/a\",\"attachments\":"
     "[{\"media\":\"https://h/a\"}]}", NULL},
    {"{\"action\":\"send\",\"attachments\":[{\"buffer\":\"AAAA\"}]}",
	"by URL only"},
    {"{\"action\":\"send\",\"message\":\"x\",\"base64\":\"AA==\"}",
	"by URL only"},
    {"{\"action\":\"send\",\"message\":\"x\",\"pollQuestion\":\"y\"}",
	"polls"},
    {"{\"action\":\"send\",\"buttons\":\"[]\"}", "has to be an array"},
    {"{\"action\":\"send\",\"buttons\":[[]]}", NULL},
    {"{\"action\":\"send\",\"presentation\":[]}", "has to be an object"},
    {"{\"action\":\"send\",\"presentation\":{}}", NULL},
    {"{\"action\":\"send\",\"message\":\"x\",\"replyTo\":\"../x\"}",
	"replyTo is not the id of a post"},
    {"{\"action\":\"send\",\"message\":\"x\",\"threadId\":\"x\"}",
	"threadId is not the id of a post"},
    {"{\"action\":\"react\",\"emoji\":\"x\"}",
	"Mattermost react requires messageId (post id)"},
    {"{\"action\":\"react\",\"messageId\":\"" P "\"}",
	"Mattermost react requires emoji"},
    {"{\"action\":\"react\",\"messageId\":\"a/b\",\"emoji\":\"x\"}",
	"messageId is not"},
    {"{\"action\":\"react\",\"postId\":\"" P "\",\"emoji\":\"x\"}", NULL},
    {"{\"action\":\"read\"}", NULL},
    {"{\"action\":\"read\",\"limit\":0}",
	"Mattermost read limit must be a positive integer."},
    {"{\"action\":\"read\",\"limit\":\"ten\"}", "positive integer"},
    {"{\"action\":\"read\",\"limit\":1.5}", "positive integer"},
    {"{\"action\":\"read\",\"before\":\"" P "\",\"after\":\"" Q "\"}",
	"Mattermost read accepts either before or after, not both."},
    {"{\"action\":\"read\",\"before\":\"x&after=y\"}", "before is not"},
};

static void
test_errors(void **state)
{
	struct json_object *in;
	struct tool_args t;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_non_null(in = json_tokener_parse(table[i].in));
		tool_args_parse(in, "me", &t);
		if (table[i].error == NULL) {
			if (t.action == TOOL_BAD)
				fail_msg("%s: %s", table[i].in, t.error);
			assert_null(t.error);
		} else if (t.error == NULL ||
		    strstr(t.error, table[i].error) == NULL)
			fail_msg("%s: %s", table[i].in,
			    t.error == NULL ? "good" : t.error);
		else
			assert_int_equal(t.action, TOOL_BAD);
		tool_args_clear(&t);
		json_object_put(in);
	}
}

static struct tool_args
parsed(const char *text, struct json_object **in)
{
	struct tool_args t;

	assert_non_null(*in = json_tokener_parse(text));
	tool_args_parse(*in, "me", &t);
	assert_null(t.error);
	return t;
}

static void
test_send(void **state)
{
	struct json_object *in;
	struct tool_args t;

	t = parsed("{\"action\":\"send\",\"content\":\"a\\\\nb\\n\\\\\\\\n\","
		   "\"to\":\" #town \",\"caption\":\"no\",\"replyTo\":\"" P
		   "\",\"threadId\":\"" Q "\",\"topLevel\":\"TRUE\","
		   "\"dryRun\":1,\"buttons\":[]}", &in);
	assert_string_equal(t.text, "a\nb\n\\\n");
	assert_string_equal(t.target, "#town");
	assert_string_equal(t.post, P);
	assert_int_equal(t.top_level, 1);
	assert_int_equal(t.dry_run, 0);
	assert_non_null(t.buttons);
	tool_args_clear(&t);
	json_object_put(in);

	t = parsed("{\"action\":\"send\",\"message\":\" \",\"caption\":\"yes\","
		   "\"media\":\"http://h/x\",\"threadId\":null,"
		   "\"dryRun\":true}", &in);
	assert_string_equal(t.text, "yes");
	assert_string_equal(t.media, "http://h/x");
	assert_int_equal(t.top_level, 1);
	assert_int_equal(t.dry_run, 1);
	assert_null(t.target);
	tool_args_clear(&t);
	json_object_put(in);

	t = parsed("{\"action\":\"send\",\"message\":"
		   "\"[[reply_to_current]] so\"}", &in);
	assert_string_equal(t.text, "so");
	assert_string_equal(t.post, "");
	tool_args_clear(&t);
	json_object_put(in);
}

static const struct {
	const char *in;
	int pin, required;
} pins[] = {
    {"\"pin\":true", 1, 0},
    {"\"pin\":\"true\"", 1, 0},
    {"\"pin\":false", 0, 0},
    {"\"pin\":null", 0, 0},
    {"\"delivery\":{}", 0, 0},
    {"\"delivery\":{\"pin\":true}", 1, 0},
    {"\"delivery\":{\"pin\":{\"enabled\":false}}", 0, 0},
    {"\"delivery\":{\"pin\":{\"notify\":true}}", 1, 0},
    {"\"delivery\":{\"pin\":{\"required\":true}}", 1, 1},
};

static void
test_pin(void **state)
{
	struct json_object *in;
	struct tool_args t;
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"action\":\"send\",\"message\":\"x\",%s}", pins[i].in);
		t = parsed(text, &in);
		assert_int_equal(t.pin, pins[i].pin);
		assert_int_equal(t.pin_required, pins[i].required);
		tool_args_clear(&t);
		json_object_put(in);
	}
}

static void
test_broadcast(void **state)
{
	struct tool_args t, one;
	struct json_object *in;

	/* One target is a send; several are a broadcast. */
	t = parsed("{\"action\":\"send\",\"message\":\"x\","
		   "\"targets\":[\" #a \"]}", &in);
	assert_int_equal(t.action, TOOL_SEND);
	assert_string_equal(t.target, "#a");
	assert_null(t.targets);
	tool_args_clear(&t);
	json_object_put(in);

	t = parsed("{\"action\":\"send\",\"message\":\"x\",\"pin\":true,"
		   "\"media\":\"https://h/a\",\"filename\":\"b.png\","
		   "\"targets\":[\"#a\",\" @b\"]}", &in);
	assert_int_equal(t.action, TOOL_BROADCAST);
	assert_null(t.target);
	tool_args_one(&t,
	    json_object_get_string(json_object_array_get_idx(t.targets, 1)),
	    &one);
	tool_args_clear(&t);
	assert_int_equal(one.action, TOOL_SEND);
	assert_string_equal(one.target, "@b");
	assert_string_equal(one.text, "x");
	assert_string_equal(one.media, "https://h/a");
	assert_string_equal(one.filename, "b.png");
	assert_int_equal(one.pin, 1);
	assert_null(one.targets);
	tool_args_clear(&one);
	json_object_put(in);
}

static void
test_rest(void **state)
{
	struct json_object *in;
	struct tool_args t;

	t = parsed("{\"action\":\"react\",\"message_id\":\"" P "\","
		   "\"emoji\":\":x:\",\"remove\":true}", &in);
	assert_string_equal(t.post, P);
	assert_string_equal(t.emoji, ":x:");
	assert_int_equal(t.remove, 1);
	tool_args_clear(&t);
	json_object_put(in);
	t = parsed("{\"action\":\"react\",\"messageId\":\"" P "\","
		   "\"emoji\":\"x\",\"remove\":1}", &in);
	assert_int_equal(t.remove, 0);
	tool_args_clear(&t);
	json_object_put(in);
	t = parsed("{\"action\":\"read\",\"limit\":100000,\"after\":\"" Q
		   "\"}", &in);
	assert_int_equal(t.limit, READ_LIMIT_MAX);
	assert_string_equal(t.after, Q);
	assert_string_equal(t.before, "");
	tool_args_clear(&t);
	json_object_put(in);
	t = parsed("{\"action\":\"read\"}", &in);
	assert_int_equal(t.limit, READ_LIMIT);
	tool_args_clear(&t);
	json_object_put(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_send),
	    cmocka_unit_test(test_pin),
	    cmocka_unit_test(test_broadcast),
	    cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
