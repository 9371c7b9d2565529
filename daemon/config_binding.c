#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/config_private.h"

/* A binding of ours: those of other services are left out. */
struct binding {
	size_t agent;
	char account[65]; /* normalised, or "*" */
	const struct cval *match;
	int whole; /* no team and no peer: it takes all of the account */
};

struct bindings {
	struct binding *v;
	size_t n;
};

static void
fill_account(struct binding *b)
{
	const char *id = cval_string(cval_get(b->match, "accountId"), "");

	if (strcmp(id, "*") == 0 ||
	    config_id_normalise(id, b->account, sizeof(b->account)) == -1)
		strlcpy(b->account, "*", sizeof(b->account));
	b->whole = cval_get(b->match, "peer") == NULL &&
	    cval_get(b->match, "teamId") == NULL;
}

static void
check_account(struct config_ctx *ctx, const struct binding *b, size_t i)
{
	const struct cval *v = cval_get(b->match, "accountId");

	if (strcmp(b->account, "*") == 0 ||
	    config_account_find(ctx->cfg, b->account) != NULL)
		return;
	config_say(ctx, CONFIG_WARNING, v != NULL ? v : b->match,
	    "bindings[%zu].match.accountId: there is no account \"%s\"", i,
	    b->account);
}

static int
check_peer(struct config_ctx *ctx, const struct cval *match, size_t i)
{
	const struct cval *peer = cval_get(match, "peer");
	const char *kind = cval_string(cval_get(peer, "kind"), "");
	const char *id = cval_string(cval_get(peer, "id"), "");

	if (peer == NULL)
		return 0;
	if (*id != '\0' && (strcmp(kind, "direct") == 0 ||
	    strcmp(kind, "dm") == 0 || strcmp(kind, "group") == 0 ||
	    strcmp(kind, "channel") == 0))
		return 0;
	config_say(ctx, CONFIG_ERROR, peer,
	    "bindings[%zu].match.peer: needs an id and a kind: \"direct\", "
	    "\"group\" or \"channel\"", i);
	return -1;
}

/* 0 when the binding is one of ours and in order. */
static int
read_binding(struct config_ctx *ctx, const struct cval *v, size_t i,
    struct binding *b)
{
	const struct cval *id = cval_get(v, "agentId");
	const struct config_agent *agent;
	const char *channel;
	char name[65];

	memset(b, 0, sizeof(*b));
	b->match = cval_get(v, "match");
	channel = cval_string(cval_get(b->match, "channel"), NULL);
	if (b->match == NULL || channel == NULL) {
		config_say(ctx, CONFIG_ERROR, b->match ? b->match : v,
		    "bindings[%zu].match.channel: is missing", i);
		return -1;
	}
	if (strcasecmp(channel, "mattermost") != 0)
		return -1;
	agent = id == NULL || id->str_len == 0 ||
	    config_id_normalise(id->str, name, sizeof(name)) == -1
	    ? NULL : config_agent_find(ctx->cfg, name);
	if (agent == NULL) {
		config_say(ctx, CONFIG_ERROR, id != NULL ? id : v,
		    id == NULL ? "bindings[%zu].agentId: is missing"
			       : "bindings[%zu].agentId: there is no agent "
				 "\"%s\"", i, id == NULL ? "" : id->str);
		return -1;
	}
	if (check_peer(ctx, b->match, i) == -1)
		return -1;
	b->agent = (size_t)(agent - ctx->cfg->agents);
	fill_account(b);
	check_account(ctx, b, i);
	return 0;
}

static struct json_object *
peer_json(struct config_ctx *ctx, const struct cval *peer)
{
	struct json_object *o;
	const char *kind;

	if (peer == NULL)
		return NULL;
	o = config_json_fill(
	    ctx, config_key_find("bindings[].match.peer"), peer);
	kind = cval_string(cval_get(peer, "kind"), "");
	if (strcmp(kind, "dm") == 0)
		config_json_str(o, "kind", "direct");
	return o;
}

/* {"agentId", "match": {"accountId", "teamId", "peer"}}, as in the file. */
static struct json_object *
binding_json(struct config_ctx *ctx, const struct binding *b)
{
	struct json_object *o = json_object_new_object();
	struct json_object *match = json_object_new_object();

	config_json_str(o, "agentId", ctx->cfg->agents[b->agent].id);
	config_json_str(match, "channel", "mattermost");
	config_json_str(match, "accountId", b->account);
	config_json_str(match, "teamId",
	    cval_string(cval_get(b->match, "teamId"), NULL));
	config_json_add(
	    match, "peer", peer_json(ctx, cval_get(b->match, "peer")));
	config_json_add(o, "match", match);
	return o;
}

static void
bind(struct config_account *a, size_t agent)
{
	size_t i;

	for (i = 0; i < a->nagents; i++)
		if (a->agents[i] == agent)
			return;
	a->agents[a->nagents++] = agent;
}

/* The names of its models, for people to see and choose. */
static struct json_object *
model_brief(const struct config_agent *agent)
{
	struct json_object *from = config_json_get(agent->json, "model"), *o;

	if (from == NULL)
		return NULL;
	o = json_object_new_object();
	config_json_copy(o, "provider", from, "provider");
	config_json_copy(o, "model", from, "model");
	config_json_copy(o, "models", from, "models");
	return o;
}

/*
 * What an account is told of an agent it is bound to: name and emoji are
 * those of its identity, which mention patterns are made from.
 */
static struct json_object *
brief_json(const struct config_agent *agent)
{
	struct json_object *o = json_object_new_object();
	struct json_object *identity, *model;
	char *ref;

	identity = config_json_get(agent->json, "identity");
	config_json_str(o, "id", agent->id);
	config_json_str(o, "label", agent->name);
	config_json_copy(o, "name", identity, "name");
	config_json_copy(o, "emoji", identity, "emoji");
	config_json_copy(o, "mentionPatterns", agent->json, "mentionPatterns");
	config_json_copy(o, "deadlineMs", agent->json, "deadlineMs");
	if ((model = config_json_get(agent->json, "model")) != NULL) {
		ref = config_printf("%s/%s",
		    json_object_get_string(config_json_get(model, "provider")),
		    json_object_get_string(config_json_get(model, "model")));
		config_json_str(o, "model", ref);
		free(ref);
	}
	config_json_add(o, "choice", model_brief(agent));
	return o;
}

static void
bind_account(struct config_ctx *ctx, struct config_account *a,
    const struct bindings *all)
{
	struct config *cfg = ctx->cfg;
	struct json_object *list = json_object_new_array();
	struct json_object *agents = json_object_new_array();
	const struct binding *b;
	int whole = 0;
	size_t i;

	a->agents = calloc(cfg->nagents + 1, sizeof(*a->agents));
	if (a->agents == NULL)
		fatal("calloc");
	for (i = 0; i < all->n; i++) {
		b = &all->v[i];
		if (strcmp(b->account, "*") != 0 &&
		    strcmp(b->account, a->id) != 0)
			continue;
		whole |= b->whole;
		bind(a, b->agent);
		json_object_array_add(list, binding_json(ctx, b));
	}
	if (!whole)
		bind(a, cfg->default_agent);
	for (i = 0; i < a->nagents; i++)
		json_object_array_add(
		    agents, brief_json(&cfg->agents[a->agents[i]]));
	config_json_add(a->json, "bindings", list);
	config_json_add(a->json, "agents", agents);
	config_json_str(a->json, "defaultAgent",
	    whole ? NULL : cfg->agents[cfg->default_agent].id);
}

void
config_bindings(struct config_ctx *ctx)
{
	const struct cval *list = cval_get(ctx->root, "bindings"), *m;
	struct bindings all = {NULL, 0};
	size_t i = 0;

	if (list != NULL && list->count > 0) {
		all.v = calloc(list->count, sizeof(*all.v));
		if (all.v == NULL)
			fatal("calloc");
		for (m = list->first; m != NULL; m = m->next, i++)
			if (!m->bad &&
			    read_binding(ctx, m, i, &all.v[all.n]) == 0)
				all.n++;
	}
	for (i = 0; i < ctx->cfg->naccounts; i++)
		bind_account(ctx, &ctx->cfg->accounts[i], &all);
	free(all.v);
}
