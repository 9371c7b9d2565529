#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"
#include "workers/account/command/command.h"
#include "workers/account/gate.h"

static void
overlay(struct json_object *config, struct json_object *from)
{
	if (from == NULL)
		return;
	json_object_object_foreach(from, key, val)
	{
		if (strcmp(key, "accounts") == 0)
			continue;
		/* An empty map of the one account inherits the root's. */
		if (strcmp(key, "groups") == 0 &&
		    json_object_object_length(val) == 0)
			continue;
		json_object_object_add(config, key, json_object_get(val));
	}
}

/* What the supervisor hands over: the account laid over the root. */
static struct policy *
account_policy(struct json_object *in)
{
	struct json_object *config = json_object_new_object();
	struct json_object *root = vec_get(in, "settings");
	const char *id = vec_str(in, "account_id"), *why = "";
	struct policy *p;

	overlay(config, root);
	overlay(config, vec_get(vec_get(root, "accounts"), id));
	vec_put_str(config, "account", id);
	p = policy_compile(config, &why);
	json_object_put(config);
	assert_non_null(p);
	return p;
}

static void
require_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct policy *p = account_policy(in);
	const char *kind = vec_str(in, "kind");
	const char *channel = vec_str(in, "channel_id");
	enum surface s = strcmp(kind, "direct") == 0 ? SURFACE_DIRECT :
	    strcmp(kind, "group") == 0 ? SURFACE_GROUP : SURFACE_CHANNEL;

	vec_put_bool(got, "require_mention", gate_required(p, s, channel));
	vec_put_bool(got, "gate", gate_applied(p, s, channel));
	vec_want(want, out, "require_mention");
	vec_want(want, out, "gate");
	policy_free(p);
}

static void
test_require_mention(void **state)
{
	vectors_run("require_mention", require_case, NULL);
}

static void
onchar_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct json_object *config = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const char *why = "", *rest;
	struct policy *p;
	size_t i;

	vec_put_str(config, "account", "a");
	vec_put_str(config, "chatmode", "onchar");
	json_object_object_add(config, "oncharPrefixes",
	    json_object_get(vec_get(in, "prefixes")));
	p = policy_compile(config, &why);
	json_object_put(config);
	assert_non_null(p);
	for (i = 0; i < p->n_onchar; i++)
		json_object_array_add(
		    list, json_object_new_string(p->onchar[i]));
	json_object_object_add(got, "prefixes", list);
	vec_put_bool(got, "triggered",
	    gate_onchar(p, vec_str(in, "text"), &rest));
	vec_put_str(got, "text", rest);
	vec_want(want, out, "prefixes");
	vec_want(want, out, "triggered");
	vec_want(want, out, "text");
	policy_free(p);
}

static void
test_onchar(void **state)
{
	vectors_run("onchar", onchar_case, NULL);
}

struct command_case {
	const char *text;
	enum command_id id;
	const char *args;
};

static const struct command_case commands[] = {
    {"/new", COMMAND_NEW, ""},
    {"  /NEW  ", COMMAND_NEW, ""},
    {"/new gpt-5", COMMAND_NEW, "gpt-5"},
    {"/new: gpt-5 ", COMMAND_NEW, "gpt-5"},
    {"/new:gpt-5", COMMAND_NEW, "gpt-5"},
    {"/new gpt-5\nhello", COMMAND_NEW, "gpt-5"},
    {"/newer", COMMAND_NONE, NULL},
    {"/status", COMMAND_STATUS, ""},
    {"/status:", COMMAND_STATUS, ""},
    {"/status now", COMMAND_NONE, NULL},
    {"/status\nand more", COMMAND_STATUS, ""},
    {"/id", COMMAND_WHOAMI, ""},
    {"/t high", COMMAND_THINK, "high"},
    {"/thinking low", COMMAND_THINK, "low"},
    {"/v on", COMMAND_VERBOSE, "on"},
    {"/btw one\ntwo", COMMAND_BTW, "one\ntwo"},
    {"/export-session", COMMAND_EXPORT, ""},
    {"/approve ab12 allow-once", COMMAND_APPROVE, "ab12 allow-once"},
    {"say /new", COMMAND_NONE, NULL},
    {"/", COMMAND_NONE, NULL},
    {"", COMMAND_NONE, NULL},
    {"/unknown", COMMAND_NONE, NULL},
    {"// new", COMMAND_NONE, NULL},
    {"stop", COMMAND_STOP, ""},
    {" STOP!! ", COMMAND_STOP, ""},
    {"please stop.", COMMAND_STOP, ""},
    {"Det\xc3\xa9n", COMMAND_STOP, ""},
    {"\xd0\xa1\xd0\xa2\xd0\x9e\xd0\x9f", COMMAND_STOP, ""},
    {"\xe5\x81\x9c\xe6\xad\xa2\xe3\x80\x82", COMMAND_STOP, ""},
    {"stop the press", COMMAND_NONE, NULL},
    {"/stop", COMMAND_STOP, ""},
};

static void
test_commands(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command_case *c = &commands[i];
		struct command cmd;
		int is = command_parse(c->text, &cmd);

		if (is != (c->id != COMMAND_NONE) || cmd.id != c->id)
			fail_msg("%s: %s", c->text, command_name(cmd.id));
		if (!is)
			continue;
		if (cmd.args_len != strlen(c->args) ||
		    memcmp(cmd.args, c->args, cmd.args_len) != 0)
			fail_msg("%s: %.*s", c->text, (int)cmd.args_len,
			    cmd.args);
	}
	for (i = COMMAND_NONE + 1; i < COMMAND_MAX; i++)
		assert_true(*command_name((enum command_id)i) != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_require_mention),
	    cmocka_unit_test(test_onchar),
	    cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
