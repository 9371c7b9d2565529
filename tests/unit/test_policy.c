#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"
#include "workers/account/policy.h"

#define USER "u10123456789abcdefghijklmn"
#define CHANNEL "c10123456789abcdefghijklmn"

/* A copy of in's member under another name in config. */
static void
copy(struct json_object *config, const char *to, struct json_object *in,
    const char *from)
{
	struct json_object *v = vec_get(in, from);

	if (v != NULL)
		json_object_object_add(config, to, json_object_get(v));
}

static const char *
vector_reason(enum reason r)
{
	switch (r) {
	case REASON_OK:
		return "ok";
	case REASON_NOT_IN_ALLOWLIST:
	case REASON_OPEN_WITHOUT_WILDCARD:
		return "sender_not_listed";
	case REASON_DM_DISABLED:
	case REASON_GROUP_DISABLED:
		return "policy_disabled";
	case REASON_EMPTY_ALLOWLIST:
		return "list_empty";
	case REASON_PAIRING:
		return "pairing_needed";
	case REASON_ACCESS_GROUP_MISSING:
		return "group_reference_missing";
	case REASON_ACCESS_GROUP_UNSUPPORTED:
		return "group_reference_unsupported";
	case REASON_COMMAND_NOT_AUTHORISED:
		return "command_not_authorized";
	default:
		return reason_name(r);
	}
}

static struct policy *
policy_of(struct json_object *in)
{
	struct json_object *config = json_object_new_object(), *paired;
	struct policy *p;
	const char *why = "";
	size_t i;

	vec_put_str(config, "account", "default");
	copy(config, "dmPolicy", in, "dm_policy");
	copy(config, "groupPolicy", in, "group_policy");
	copy(config, "allowFrom", in, "allow_from");
	copy(config, "groupAllowFrom", in, "group_allow_from");
	copy(config, "accessGroups", in, "access_groups");
	copy(config, "dangerouslyAllowNameMatching", in, "name_matching");
	p = policy_compile(config, &why);
	json_object_put(config);
	assert_non_null(p);
	paired = vec_get(in, "paired");
	for (i = 0; i < json_object_array_length(paired); i++)
		policy_pair(p, json_object_get_string(
				   json_object_array_get_idx(paired, i)));
	return p;
}

static void
access_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	static const char *const kinds[] = {"drop", "allow", "pair"};
	struct policy *p = policy_of(in);
	struct inbound *msg = inbound_new(INBOUND_POST);
	struct decision d;

	strlcpy(msg->account, "default", sizeof(msg->account));
	strlcpy(msg->actor_id, vec_str(in, "sender_id"), MM_ID_SIZE);
	strlcpy(msg->channel_id, CHANNEL, MM_ID_SIZE);
	inbound_set(&msg->actor_name, vec_str(in, "sender_name"));
	msg->surface = surface_from(vec_str(in, "kind"));
	msg->actor_is_bot = TRI_NO;
	msg->control_command =
	    vec_bool(in, "control_command") && vec_bool(in, "text_commands");
	d = authorise(p, msg);
	assert_non_null(d.rule);
	vec_put_str(got, "decision", kinds[d.kind]);
	vec_put_str(got, "reason", vector_reason(d.reason));
	vec_want(want, out, "decision");
	vec_want(want, out, "reason");
	if (vec_get(out, "command_authorized") != NULL) {
		vec_put_bool(got, "command_authorized", d.command_authorised);
		vec_want(want, out, "command_authorized");
	}
	inbound_free(msg);
	policy_free(p);
}

static void
test_access(void **state)
{
	static const struct deviation ours[] = {
	    {"dm pairing: wildcard in paired store",
		"{\"decision\":\"pair\",\"reason\":\"pairing_needed\","
		"\"command_authorized\":false}",
		"the pairing store grants persons: it holds ids, so a \"*\" "
		"in it cannot open the account to everyone"},
	    {NULL, NULL, NULL}};

	vectors_run("access_decision", access_case, ours);
}

static void
match_case(struct json_object *in, struct json_object *got)
{
	struct allow_list *list =
	    allow_compile(vec_get(in, "allow_from"), NULL);
	struct json_object *name = vec_get(in, "sender_name");

	vec_put_bool(got, "allowed",
	    allow_find(list, vec_str(in, "sender_id"),
		name == NULL ? NULL : json_object_get_string(name),
		vec_bool(in, "name_matching")) != ALLOW_NONE);
	allow_free(list);
}

static void
allow_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	char *normal;

	if (strcmp(vec_str(in, "op"), "match") == 0) {
		match_case(in, got);
		vec_want(want, out, "allowed");
		return;
	}
	normal = allow_normalise(vec_str(in, "entry"));
	vec_put_str(got, "normalised", normal);
	vec_want(want, out, "normalised");
	free(normal);
}

static void
test_allow_entries(void **state)
{
	static const struct deviation ours[] = {
	    {"normalise 37: \xce\xa3\xce\x91\xce\xa3",
		"{\"normalised\":\"\xcf\x83\xce\xb1\xcf\x83\"}",
		"lower case letter by letter: the form of a final sigma "
		"depends on its neighbours, and both sides are treated alike"},
	    {"match: group reference name collision", "{\"allowed\":false}",
		"a display name cannot stand for an access group: allowlists "
		"match ids, names only as names"},
	    {NULL, NULL, NULL}};

	vectors_run("allow_entry", allow_case, ours);
}

static struct policy *
compile(const char *json)
{
	struct json_object *o = json_tokener_parse(json);
	const char *why = NULL;
	struct policy *p;

	assert_non_null(o);
	p = policy_compile(o, &why);
	json_object_put(o);
	if (p == NULL)
		assert_non_null(why);
	return p;
}

static void
test_defaults(void **state)
{
	struct policy *p = compile("{\"account\":\"a\"}");

	assert_non_null(p);
	assert_int_equal(p->dm_policy, DM_PAIRING);
	assert_int_equal(p->group_policy, GROUPS_ALLOWLIST);
	assert_int_equal(p->chatmode, CHATMODE_UNSET);
	assert_int_equal(p->reply_mode, REPLY_OFF);
	assert_int_equal(p->n_onchar, 2);
	assert_int_equal(p->history_limit, 50);
	assert_int_equal(p->max_age_ms, 3600000);
	assert_int_equal(p->allow_bots, 0);
	assert_int_equal(p->by_name, 0);
	assert_int_equal(p->thread_participation, 1);
	assert_int_equal(p->text_commands, 1);
	assert_string_equal(p->default_agent, "main");
	policy_free(p);
}

/* What nobody knows denies; what has the wrong type is refused. */
static void
test_unknown_denies(void **state)
{
	static const char *const refused[] = {"{}", "{\"account\":\"\"}",
	    "{\"account\":\"a\",\"dmPolicy\":true}",
	    "{\"account\":\"a\",\"allowFrom\":\"*\"}",
	    "{\"account\":\"a\",\"allowBots\":\"no\"}",
	    "{\"account\":\"a\",\"groups\":[]}", "[]"};
	struct policy *p;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_null(compile(refused[i]));
	p = compile("{\"account\":\"a\",\"dmPolicy\":\"OPEN\","
		    "\"groupPolicy\":\"everyone\",\"chatmode\":\"all\","
		    "\"contextVisibility\":\"most\",\"allowFrom\":[\"*\"],"
		    "\"groups\":{\"*\":{\"requireMention\":\"no\"}}}");
	assert_non_null(p);
	assert_int_equal(p->dm_policy, DM_DISABLED);
	assert_int_equal(p->group_policy, GROUPS_DISABLED);
	assert_int_equal(p->chatmode, CHATMODE_ONCALL);
	assert_int_equal(p->visibility, VISIBLE_ALLOWLIST);
	assert_int_equal(p->groups[0].require_mention, TRI_YES);
	policy_free(p);
}

static void
test_pairing_comes_and_goes(void **state)
{
	struct policy *p = compile("{\"account\":\"a\"}");
	struct inbound *in = inbound_new(INBOUND_POST);

	strlcpy(in->account, "a", sizeof(in->account));
	strlcpy(in->actor_id, USER, MM_ID_SIZE);
	strlcpy(in->channel_id, CHANNEL, MM_ID_SIZE);
	in->surface = SURFACE_DIRECT;
	in->actor_is_bot = TRI_NO;
	assert_int_equal(authorise(p, in).kind, DECISION_PAIR);
	policy_pair(p, USER);
	policy_pair(p, USER);
	assert_int_equal(authorise(p, in).kind, DECISION_ALLOW);
	in->surface = SURFACE_CHANNEL;
	assert_int_equal(authorise(p, in).kind, DECISION_DROP);
	in->surface = SURFACE_DIRECT;
	policy_unpair(p, USER);
	assert_int_equal(authorise(p, in).kind, DECISION_PAIR);
	policy_pair(p, USER);
	policy_unpair_all(p);
	assert_int_equal(authorise(p, in).kind, DECISION_PAIR);
	inbound_free(in);
	policy_free(p);
}

static void
collect(const char *name, void *arg)
{
	char *all = arg;

	strlcat(all, name, 256);
	strlcat(all, " ", 256);
}

/* A name stands for the id that it had when it was asked for. */
static void
test_names(void **state)
{
	struct policy *p = compile("{\"account\":\"a\","
	    "\"dangerouslyAllowNameMatching\":true,\"dmPolicy\":"
	    "\"allowlist\",\"allowFrom\":[\"@Alice\",\"accessGroup:g\","
	    "\"" CHANNEL "\"],\"groupAllowFrom\":[\"alice\"],"
	    "\"commandAllowFrom\":[\"carol\"],\"accessGroups\":{\"g\":{"
	    "\"type\":\"message.senders\",\"members\":{\"*\":"
	    "[\"bob\"]}}}}");
	struct inbound *in = inbound_new(INBOUND_POST);
	char all[256] = "";

	assert_non_null(p);
	policy_names(p, collect, all);
	assert_string_equal(all, "alice bob alice carol ");
	p->by_name = 0; /* as the worker does */
	strlcpy(in->account, "a", sizeof(in->account));
	strlcpy(in->actor_id, USER, MM_ID_SIZE);
	strlcpy(in->channel_id, CHANNEL, MM_ID_SIZE);
	inbound_set(&in->actor_name, "alice");
	in->surface = SURFACE_DIRECT;
	in->actor_is_bot = TRI_NO;
	assert_int_equal(authorise(p, in).kind, DECISION_DROP);
	policy_resolve(p, "nobody", USER);
	assert_int_equal(authorise(p, in).kind, DECISION_DROP);
	policy_resolve(p, "alice", USER);
	assert_int_equal(authorise(p, in).kind, DECISION_ALLOW);
	in->surface = SURFACE_GROUP;
	assert_int_equal(authorise(p, in).kind, DECISION_ALLOW);
	/* The name is somebody else's now. */
	in->actor_id[0] = 'z';
	assert_int_equal(authorise(p, in).kind, DECISION_DROP);
	in->surface = SURFACE_DIRECT;
	policy_resolve(p, "bob", in->actor_id);
	assert_int_equal(authorise(p, in).kind, DECISION_ALLOW);
	all[0] = '\0';
	policy_names(p, collect, all);
	assert_string_equal(all, "carol ");
	inbound_free(in);
	policy_free(p);
}

static void
test_reasons(void **state)
{
	int r, k;

	for (r = REASON_NONE; r < REASON_MAX; r++) {
		const char *name = reason_name((enum reason)r);

		assert_non_null(name);
		assert_true(strlen(reason_explain((enum reason)r)) > 10);
		assert_non_null(stage_name(reason_stage((enum reason)r)));
		for (k = r + 1; k < REASON_MAX; k++)
			assert_string_not_equal(
			    name, reason_name((enum reason)k));
		if (r != REASON_NONE)
			assert_int_equal(reason_from(name), r);
	}
	assert_int_equal(reason_from("nonsense"), REASON_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_access),
	    cmocka_unit_test(test_allow_entries),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_unknown_denies),
	    cmocka_unit_test(test_pairing_comes_and_goes),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
