/*
 * Directives within a message: what is one, what is left, and what becomes
 * of them in a decision and in the row that the inbox keeps.
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

#include "workers/account/command/directive.h"
#include "workers/account/pipeline.h"
#include "workers/account/rowdata.h"

#define BOT "b10123456789abcdefghijklmn"
#define USER "u10123456789abcdefghijklmn"
#define OTHER "o10123456789abcdefghijklmn"
#define CHANNEL "c10123456789abcdefghijklmn"
#define POST "p10123456789abcdefghijklmn"

static void
test_take(void **state)
{
	static const struct {
		const char *text;
		const char *rest;
		const char *found; /* "name=arg name=arg +shortcuts" */
	} cases[] = {
	    {"hello", "hello", ""},
	    {"/think high why?", "why?", "think=high"},
	    {"/t: LOW why?", "why?", "think=low"},
	    {"why? /thinking max", "why?", "think=high"},
	    {"why /think none is it", "why is it", "think=off"},
	    {"/think inherit go", "go", "think=default"},
	    {"/model Big/Name-1 go", "go", "model=Big/Name-1"},
	    {"/think high /model m go", "go", "think=high model=m"},
	    {"/think high", "", "think=high"},
	    {"/think low x /think high y", "x y", "think=low think=high"},
	    {"/verbose on a", "a", "verbose=on"},
	    {"/v off a", "a", "verbose=off"},
	    {"/reasoning stream a", "a", "reasoning=stream"},
	    {"/queue collect a", "a", "queue=collect"},
	    {"/exec deny a", "a", "exec=deny"},
	    {"/elevated ask a", "a", "elevated=ask"},
	    {"/fast on a", "a", "fast=on"},
	    {"/trace off a", "a", "trace=off"},
	    {"say /status please", "say please", "+status"},
	    {"/help me", "me", "+help"},
	    {"who /whoami", "who", "+whoami"},
	    {"/commands and /status", "and", "+commands+status"},
	    {"a\n/think high\n  b", "a\n\n  b", "think=high"},
	    {"/think high\n  b", "b", "think=high"},
	    /* Not one of them: text as it was, to the blank. */
	    {" /thinker high ", " /thinker high ", ""},
	    {"/think", "/think", ""},
	    {"/think hard about it", "/think hard about it", ""},
	    {"/model", "/model", ""},
	    {"/model /etc", "/model /etc", ""},
	    {"see /model/x and a/think high", "see /model/x and a/think high",
		""},
	    {"/verbose maybe", "/verbose maybe", ""},
	    {"the path /status/x", "the path /status/x", ""},
	    {"`/think high` is how", "`/think high` is how", ""},
	    {"```\n/model x\n```", "```\n/model x\n```", ""},
	    {"/new x", "/new x", ""},
	    {"", "", ""},
	};
	char found[512];
	struct directives d;
	size_t i, k;
	char *rest;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rest = directives_take(cases[i].text, &d);
		found[0] = '\0';
		for (k = 0; k < d.n; k++)
			snprintf(found + strlen(found),
			    sizeof(found) - strlen(found), "%s%s=%s",
			    k > 0 ? " " : "", command_name(d.v[k].id),
			    d.v[k].arg);
		if (d.shortcuts & SHORTCUT_HELP)
			strlcat(found, "+help", sizeof(found));
		if (d.shortcuts & SHORTCUT_COMMANDS)
			strlcat(found, "+commands", sizeof(found));
		if (d.shortcuts & SHORTCUT_STATUS)
			strlcat(found, "+status", sizeof(found));
		if (d.shortcuts & SHORTCUT_WHOAMI)
			strlcat(found, "+whoami", sizeof(found));
		if (strcmp(rest, cases[i].rest) != 0 ||
		    strcmp(found, cases[i].found) != 0)
			fail_msg("\"%s\": \"%s\" %s", cases[i].text, rest,
			    found);
		free(rest);
	}
}

/* Many, and long ones: bounded, and nothing is lost of the text. */
static void
test_bounds(void **state)
{
	char text[70000], *rest;
	struct directives d;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < 20; i++)
		strlcat(text, "/think low ", sizeof(text));
	rest = directives_take(text, &d);
	assert_int_equal(d.n, DIRECTIVES_MAX);
	assert_int_equal(strlen(rest),
	    (20 - DIRECTIVES_MAX) * strlen("/think low ") - 1);
	free(rest);
	memset(text, 'x', sizeof(text));
	memcpy(text, "/model ", 7);
	text[sizeof(text) - 1] = '\0';
	rest = directives_take(text, &d);
	assert_int_equal(d.n, 0);
	assert_string_equal(rest, text);
	free(rest);
	for (i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "/ ", 2);
	text[i] = '\0';
	rest = directives_take(text, &d);
	assert_string_equal(rest, text);
	free(rest);
}

/* A decision and its row, of a text in a direct message or a channel. */
struct fixture {
	struct policy *p;
	struct inbound *in;
	struct verdict v;
	struct json_object *row;
};

static void
setup(struct fixture *f, const char *members, char type, const char *text)
{
	static const struct bot_identity bot = {BOT, "bot"};
	struct channel_info channel = {type, "town", "Town", ""};
	struct facts facts = {0};
	const char *why = "";
	struct json_object *o;
	char config[1024];

	memset(f, 0, sizeof(*f));
	snprintf(config, sizeof(config),
	    "{\"account\":\"a\",\"groupPolicy\":\"open\",\"dmPolicy\":\"open\","
	    "\"allowFrom\":[\"*\"],\"agents\":[{\"id\":\"main\",\"choice\":{"
	    "\"provider\":\"sim\",\"model\":\"one\",\"models\":[\"one\","
	    "\"two\"]}}]%s%s}", *members == '\0' ? "" : ",", members);
	o = json_tokener_parse(config);
	assert_non_null(o);
	f->p = policy_compile(o, &why);
	json_object_put(o);
	if (f->p == NULL)
		fail_msg("%s", why);
	f->in = inbound_new(INBOUND_POST);
	strlcpy(f->in->account, "a", sizeof(f->in->account));
	strlcpy(f->in->actor_id, USER, MM_ID_SIZE);
	strlcpy(f->in->channel_id, CHANNEL, MM_ID_SIZE);
	strlcpy(f->in->post_id, POST, MM_ID_SIZE);
	f->in->create_at = 1795341160956;
	f->in->actor_is_bot = TRI_NO;
	inbound_set(&f->in->text, text);
	decide(f->p, &bot, &channel, &facts, f->in, &f->v);
	if (f->v.kind == VERDICT_ACCEPT)
		f->row = rowdata_make(f->p, f->in, &f->v, "alice");
}

static void
teardown(struct fixture *f)
{
	json_object_put(f->row);
	verdict_clear(&f->v);
	inbound_free(f->in);
	policy_free(f->p);
}

static const char *
member(const struct fixture *f, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(f->row, key, &v);
	return v == NULL ? "" : json_object_get_string(v);
}

static void
test_rows(void **state)
{
	static const struct {
		const char *text, *command, *args, *left, *think, *model;
		int reset;
	} cases[] = {
	    {"hello", "", "", "hello", "", "", 0},
	    {"/status", "status", "", "/status", "", "", 0},
	    {"stop", "stop", "", "stop", "", "", 0},
	    {"/model two", "model", "two", "/model two", "", "two", 0},
	    {"/think high /model two", "think", "high /model two",
		"/think high /model two", "high", "two", 0},
	    {"/think high why", "", "", "why", "high", "", 0},
	    {"/think hard", "think", "hard", "/think hard", "", "", 0},
	    {"/new", "new", "", "/new", "", "", 0},
	    {"/new two", "new", "two", "/new two", "", "two", 0},
	    {"/new SIM/two go", "", "", "go", "", "SIM/two", 1},
	    {"/new go on", "", "", "go on", "", "", 1},
	    {"/reset", "reset", "", "/reset", "", "", 0},
	    {"/reset soft now", "reset", "soft now", "/reset soft now", "", "",
		0},
	    {"/id", "whoami", "", "/id", "", "", 0},
	    {"a /status b", "", "", "a b", "", "", 0},
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(&f, "", 'D', cases[i].text);
		if (strcmp(member(&f, "command"), cases[i].command) != 0 ||
		    strcmp(member(&f, "args"), cases[i].args) != 0 ||
		    strcmp(member(&f, "text"), cases[i].left) != 0 ||
		    strcmp(member(&f, "think"), cases[i].think) != 0 ||
		    strcmp(member(&f, "model"), cases[i].model) != 0 ||
		    rowdata_bool(f.row, "reset") != cases[i].reset)
			fail_msg("%s: %s", cases[i].text,
			    json_object_to_json_string(f.row));
		assert_int_equal(rowdata_command(f.row) != COMMAND_NONE,
		    cases[i].command[0] != '\0');
		teardown(&f);
	}
}

/* Of somebody who gives no commands they are words. */
static void
test_unauthorised(void **state)
{
	struct fixture f;

	setup(&f, "\"commandAllowFrom\":[\"" OTHER "\"]", 'D',
	    "/think high why /status");
	assert_string_equal(member(&f, "text"), "/think high why /status");
	assert_string_equal(member(&f, "think"), "");
	assert_string_equal(member(&f, "shortcuts"), "");
	teardown(&f);
	setup(&f, "\"commandAllowFrom\":[\"" OTHER "\"]", 'D', "/status");
	assert_int_equal(rowdata_command(f.row), COMMAND_NONE);
	assert_string_equal(member(&f, "text"), "/status");
	teardown(&f);
	setup(&f, "\"textCommands\":false", 'D', "/think high why");
	assert_string_equal(member(&f, "text"), "/think high why");
	teardown(&f);
	setup(&f, "\"commandAllowFrom\":[\"" OTHER "\"]", 'O',
	    "@bot /status");
	assert_int_equal(f.v.reason, REASON_COMMAND_NOT_AUTHORISED);
	teardown(&f);
}

/* What is dropped, but may be read, says where it belongs. */
static void
test_history(void **state)
{
	struct fixture f;

	setup(&f, "", 'O', "nobody was named");
	assert_int_equal(f.v.reason, REASON_NO_MENTION);
	assert_int_equal(f.v.history, 1);
	assert_string_equal(f.v.session.key,
	    "agent:main:mattermost:channel:" CHANNEL);
	assert_string_equal(f.v.text, "nobody was named");
	teardown(&f);
	setup(&f, "\"groupPolicy\":\"allowlist\",\"groupAllowFrom\":[\"" OTHER
	    "\"]", 'O', "@bot let me in");
	assert_int_equal(f.v.reason, REASON_NOT_IN_ALLOWLIST);
	assert_int_equal(f.v.history, 1);
	assert_string_equal(f.v.text, "let me in");
	teardown(&f);
	setup(&f, "\"groupPolicy\":\"allowlist\",\"groupAllowFrom\":[\"" OTHER
	    "\"],\"contextVisibility\":\"allowlist_quote\"", 'O', "hello");
	assert_int_equal(f.v.history, 0);
	assert_null(f.v.text);
	teardown(&f);
	setup(&f, "\"bindings\":[],\"defaultAgent\":\"nobody\"", 'O', "hello");
	assert_int_equal(f.v.history, 0);
	teardown(&f);
}

static void
test_models(void **state)
{
	static char one[] = "One", two[] = "two/b", sim[] = "sim";
	static char *list[] = {one, two};
	struct agent a = {.provider = sim, .model = one, .models = list,
	    .n_models = 2};

	assert_string_equal(rowdata_model(&a, "one"), "One");
	assert_string_equal(rowdata_model(&a, "SIM/one"), "One");
	assert_string_equal(rowdata_model(&a, "two/b"), "two/b");
	assert_string_equal(rowdata_model(&a, "2"), "two/b");
	assert_null(rowdata_model(&a, "3"));
	assert_null(rowdata_model(&a, "0"));
	assert_null(rowdata_model(&a, "else/one"));
	assert_null(rowdata_model(&a, ""));
	assert_null(rowdata_model(&a, "sim/"));
	a.n_models = 0; /* a server that lists nothing takes what it knows */
	assert_string_equal(rowdata_model(&a, "sim/any:7b"), "any:7b");
	a.model = sim + 3;
	assert_null(rowdata_model(&a, "any"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_take),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_unauthorised),
	    cmocka_unit_test(test_history),
	    cmocka_unit_test(test_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
