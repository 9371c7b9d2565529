#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"
#include "workers/account/lane.h"
#include "workers/account/route.h"
#include "workers/account/session_key.h"

static enum reply_mode
mode_from(const char *s)
{
	return strcmp(s, "first") == 0 ? REPLY_FIRST :
	    strcmp(s, "all") == 0      ? REPLY_ALL :
	    strcmp(s, "batched") == 0  ? REPLY_BATCHED : REPLY_OFF;
}

static void
add_agent(struct json_object *config, const char *id, struct json_object *a)
{
	struct json_object *o = json_object_new_object();

	vec_put_str(o, "id", id);
	json_object_array_add(vec_get(config, "agents"), o);
	if (vec_bool(a, "default"))
		vec_put_str(config, "defaultAgent", id);
}

/* What the supervisor hands over for agents in either form of the file. */
static void
add_agents(struct json_object *config, struct json_object *agents)
{
	struct json_object *entries = vec_get(agents, "entries");
	struct json_object *list = vec_get(agents, "list"), *a;
	size_t i;

	json_object_object_add(config, "agents", json_object_new_array());
	if (entries != NULL) {
		json_object_object_foreach(entries, key, val)
		{
			add_agent(config, key, val);
		}
	}
	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		a = json_object_array_get_idx(list, i);
		add_agent(config, vec_str(a, "id"), a);
	}
}

static struct policy *
policy_of(struct json_object *in)
{
	struct json_object *config = json_object_new_object();
	struct json_object *file = vec_get(in, "config");
	const char *why = "";
	struct policy *p;

	vec_put_str(config, "account", vec_str(in, "account_id"));
	add_agents(config, vec_get(file, "agents"));
	json_object_object_add(
	    config, "session", json_object_get(vec_get(file, "session")));
	json_object_object_add(
	    config, "bindings", json_object_get(vec_get(file, "bindings")));
	p = policy_compile(config, &why);
	json_object_put(config);
	assert_non_null(p);
	return p;
}

static void
put_keys(struct policy *p, struct json_object *in, struct json_object *got)
{
	enum surface s = surface_from(vec_str(in, "kind"));
	const char *sender = vec_str(in, "sender_id");
	const char *channel = vec_str(in, "channel_id");
	const struct agent *agent;
	struct session_keys k;
	char root[MM_ID_SIZE];

	agent = route_agent(p, s, s == SURFACE_DIRECT ? sender : channel,
	    vec_str(in, "team_id"));
	if (agent == NULL) {
		vec_put_str(got, "error", "agent_not_determined");
		return;
	}
	lane_root(mode_from(vec_str(in, "reply_mode")), s,
	    vec_str(in, "post_id"), vec_str(in, "root_id"), root);
	session_keys(p, agent->id, s, sender, channel, root, &k);
	vec_put_str(got, "agent", agent->id);
	vec_put_str(got, "base_key", k.base);
	vec_put_str(got, "session_key", k.key);
	vec_put_str(got, "parent_key", k.parent[0] == '\0' ? NULL : k.parent);
	vec_put_str(got, "main_key", k.main);
}

static void
session_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct policy *p = policy_of(in);

	put_keys(p, in, got);
	json_object_object_foreach(out, key, val)
	{
		(void)val;
		vec_want(want, out, key);
	}
	policy_free(p);
}

static void
test_session_keys(void **state)
{
	vectors_run("session_key", session_case, NULL);
}

static void
thread_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct json_object *config = json_object_new_object();
	static const char *const modes[] = {"off", "first", "all", "batched"};
	enum surface s = surface_from(vec_str(in, "kind"));
	const char *why = "";
	enum reply_mode mode;
	struct policy *p;
	char root[MM_ID_SIZE];

	vec_put_str(config, "account", "a");
	json_object_object_add(config, "replyToMode",
	    json_object_get(vec_get(in, "reply_to_mode")));
	json_object_object_add(config, "replyToModeByChatType",
	    json_object_get(vec_get(in, "reply_to_mode_by_chat_type")));
	p = policy_compile(config, &why);
	json_object_put(config);
	assert_non_null(p);
	mode = lane_reply_mode(p, s);
	lane_root(mode, s, vec_str(in, "post_id"), vec_str(in, "root_id"), root);
	vec_put_str(got, "mode", modes[mode]);
	vec_put_str(got, "effective_root", *root == '\0' ? NULL : root);
	vec_want(want, out, "mode");
	vec_want(want, out, "effective_root");
	policy_free(p);
}

static void
test_thread_roots(void **state)
{
	vectors_run("thread_root", thread_case, NULL);
}

static void
test_lane_keys(void **state)
{
	char a[LANE_KEY_SIZE], b[LANE_KEY_SIZE];

	lane_key("work", "c10123456789abcdefghijklmn", "", a);
	lane_key("work", "c10123456789abcdefghijklmn",
	    "r10123456789abcdefghijklmn", b);
	assert_string_equal(a, "work:c10123456789abcdefghijklmn:");
	assert_string_equal(b, "work:c10123456789abcdefghijklmn:"
			       "r10123456789abcdefghijklmn");
}

static void
test_surfaces(void **state)
{
	int i;

	for (i = SURFACE_UNKNOWN; i < SURFACE_MAX; i++)
		assert_int_equal(surface_from(surface_name(i)), i);
	assert_int_equal(surface_from(""), SURFACE_UNKNOWN);
	assert_int_equal(surface_from("Direct"), SURFACE_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_keys),
	    cmocka_unit_test(test_thread_roots),
	    cmocka_unit_test(test_lane_keys),
	    cmocka_unit_test(test_surfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
