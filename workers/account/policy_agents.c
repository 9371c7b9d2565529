#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/grow.h"
#include "common/log.h"
#include "common/pattern.h"
#include "common/proto.h"
#include "common/text.h"
#include "workers/account/policy.h"
#include "workers/account/policy_impl.h"
#include "workers/account/route.h"

static void
add_pattern(struct agent *a, struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	a->patterns = grow(a->patterns, a->n_patterns, sizeof(*a->patterns));
	a->patterns[a->n_patterns++] = pattern;
}

static void
configured_patterns(struct agent *a, struct json_object *list)
{
	struct json_object *v;
	struct pattern *pattern;
	const char *why;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_string) ||
		    *json_object_get_string(v) == '\0')
			continue;
		pattern = pattern_compile(json_object_get_string(v), &why);
		if (pattern == NULL)
			log_event(LOG_WARNING, "config.mention_pattern",
			    "agent", a->id, "refused", why, NULL);
		add_pattern(a, pattern);
	}
}

static void
add_models(struct agent *a, struct json_object *model)
{
	struct json_object *list, *v;
	const char *provider, *name;
	struct fields g;
	size_t i, n;

	if (model == NULL) {
		a->provider = text_dup("");
		a->model = text_dup("");
		return;
	}
	fields_open(&g, model);
	provider = fields_opt_str(&g, "provider", 128);
	name = fields_opt_str(&g, "model", 256);
	a->provider = text_dup(provider == NULL ? "" : provider);
	a->model = text_dup(name == NULL ? "" : name);
	list = fields_opt_arr(&g, "models", PROTO_LIST);
	n = list == NULL ? 0 : json_object_array_length(list);
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_string) ||
		    json_object_get_string_len(v) > 256)
			continue;
		a->models =
		    grow(a->models, a->n_models, sizeof(*a->models));
		a->models[a->n_models++] = text_dup(json_object_get_string(v));
	}
}

static void
add_agent(struct policy *p, struct json_object *o)
{
	struct fields g;
	struct json_object *patterns;
	struct agent *a;
	const char *s;

	fields_open(&g, o);
	p->agents = grow(p->agents, p->n_agents, sizeof(*p->agents));
	a = &p->agents[p->n_agents];
	/* "id" is a frame's own member to fields.h: it may be read all the same. */
	route_normal_id(fields_str(&g, "id", ACCOUNT_ID_SIZE - 1), a->id);
	if (a->id[0] == '\0')
		return;
	p->n_agents++;
	add_models(a, fields_opt_obj(&g, "choice"));
	a->deadline_ms = fields_opt_int(
	    &g, "deadlineMs", 1, TURN_DEADLINE_MAX_MS, TURN_DEADLINE_MS);
	patterns = fields_opt_arr(&g, "mentionPatterns", 100);
	if (patterns != NULL) {
		configured_patterns(a, patterns);
		return;
	}
	if ((s = fields_opt_str(&g, "name", PATTERN_MAX)) != NULL)
		add_pattern(a, pattern_of_name(s));
	if ((s = fields_opt_str(&g, "emoji", 64)) != NULL)
		add_pattern(a, pattern_of_literal(s));
}

void
policy_compile_agents(struct policy *p, struct fields *f)
{
	struct json_object *list = fields_opt_arr(f, "agents", 1000);
	const char *dflt = fields_opt_str(f, "defaultAgent", ACCOUNT_ID_SIZE - 1);
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);
	struct json_object *main_agent;

	for (i = 0; i < n; i++)
		add_agent(p, json_object_array_get_idx(list, i));
	if (p->n_agents == 0) {
		main_agent = json_object_new_object();
		add_str(main_agent, "id", "main");
		add_agent(p, main_agent);
		json_object_put(main_agent);
	}
	if (dflt != NULL)
		route_normal_id(dflt, p->default_agent);
	else if (p->n_agents == 1)
		(void)strlcpy(p->default_agent, p->agents[0].id,
		    sizeof(p->default_agent));
	if (route_find_agent(p, p->default_agent) == NULL)
		p->default_agent[0] = '\0';
}

static enum surface
surface_named(const char *s)
{
	return strcmp(s, "dm") == 0 ? SURFACE_DIRECT : surface_from(s);
}

/* 0, or -1 when the binding can never match here. */
static int
read_match(struct binding *b, struct json_object *match)
{
	struct json_object *peer;
	struct fields m, g;
	const char *s;

	fields_open(&m, match);
	s = fields_opt_str(&m, "channel", 64);
	if (s == NULL || strcmp(s, "mattermost") != 0)
		return -1;
	s = fields_opt_str(&m, "accountId", ACCOUNT_ID_SIZE - 1);
	if (s != NULL && strcmp(s, "*") == 0)
		(void)strlcpy(b->account, "*", sizeof(b->account));
	else
		route_normal_id(s == NULL ? "default" : s, b->account);
	if ((s = fields_opt_str(&m, "teamId", MM_ID_LEN)) != NULL)
		(void)strlcpy(b->team_id, s, sizeof(b->team_id));
	if ((peer = fields_opt_obj(&m, "peer")) != NULL) {
		fields_open(&g, peer);
		b->peer_kind = surface_named(fields_str(&g, "kind", 16));
		(void)strlcpy(b->peer_id, fields_str(&g, "id", MM_NAME_MAX),
		    sizeof(b->peer_id));
		if (fields_ok(&g) != 0 || b->peer_id[0] == '\0')
			return -1;
	}
	return fields_ok(&m);
}

void
policy_compile_bindings(struct policy *p, struct fields *f)
{
	struct json_object *list = fields_opt_arr(f, "bindings", PROTO_LIST);
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);
	struct binding *b;
	struct fields g;

	for (i = 0; i < n; i++) {
		fields_open(&g, json_object_array_get_idx(list, i));
		p->bindings =
		    grow(p->bindings, p->n_bindings, sizeof(*p->bindings));
		b = &p->bindings[p->n_bindings];
		route_normal_id(
		    fields_str(&g, "agentId", ACCOUNT_ID_SIZE - 1), b->agent);
		if (read_match(b, fields_obj(&g, "match")) != 0 ||
		    fields_ok(&g) != 0)
			continue;
		if (route_find_agent(p, b->agent) == NULL)
			b->agent[0] = '\0';
		p->n_bindings++;
	}
}
