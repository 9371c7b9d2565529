#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define AGENTS_MAX 200

/* An agent while it is put together. */
struct build {
	struct config_ctx *ctx;
	struct config_agent *a;
	const struct cval *own; /* NULL: the implied agent */
	const struct cval *defaults;
	char path[CONFIG_PATH_MAX - 64];
};

/* A value of the agent, else of agents.defaults. */
static const struct cval *
own_or_default(const struct build *b, const char *key)
{
	const struct cval *v = cval_get(b->own, key);

	return v != NULL ? v : cval_get(b->defaults, key);
}

/* The "provider/model" that is meant: a string or an object's primary. */
static const struct cval *
model_ref(const struct build *b)
{
	const struct cval *v = own_or_default(b, "model");

	if (v != NULL && v->type == CVAL_OBJ)
		v = cval_get(v, "primary");
	return v != NULL && v->type == CVAL_STR && v->str_len > 0 ? v : NULL;
}

static const struct cval *
find_model(const struct cval *provider, const char *id)
{
	const struct cval *list = cval_get(provider, "models"), *m;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next)
		if (!m->bad &&
		    strcmp(cval_string(cval_get(m, "id"), ""), id) == 0)
			return m;
	return NULL;
}

/*
 * Providers by name; a model without one is looked for in what providers
 * list, and belongs to the only provider when none lists it.
 */
static const struct cval *
find_provider(const struct cval *providers, const char *ref, const char **model)
{
	const char *slash = strchr(ref, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - ref);
	const struct cval *p;

	if (providers == NULL)
		return NULL;
	for (p = providers->first; p != NULL && slash != NULL; p = p->next)
		if (strlen(p->key) == n && strncasecmp(p->key, ref, n) == 0) {
			*model = slash + 1;
			return p;
		}
	*model = ref;
	for (p = providers->first; p != NULL; p = p->next)
		if (find_model(p, ref) != NULL)
			return p;
	return slash == NULL && providers->count == 1 ? providers->first : NULL;
}

static void
provider_url(struct build *b, const struct cval *p)
{
	const struct cval *v = cval_get(p, "baseUrl");
	const char *why;

	if (v == NULL || v->str_len == 0)
		why = "is missing: the address of the server, which often "
		      "ends in /v1";
	else
		why = config_url_parse(v->str + strspn(v->str, " \t\r\n"),
		    &b->a->url);
	if (why != NULL) {
		config_url_free(&b->a->url);
		config_say(b->ctx, CONFIG_ERROR, v == NULL ? p : v,
		    "models.providers.%s.baseUrl: %s", p->key, why);
	}
}

static void
provider_secrets(struct build *b, const struct cval *p)
{
	struct config_agent *a = b->a;
	char path[CONFIG_PATH_MAX];

	snprintf(path, sizeof(path), "models.providers.%s.apiKey", p->key);
	config_secret_get(b->ctx, cval_get(p, "apiKey"), path, &a->key);
	snprintf(path, sizeof(path), "models.providers.%s.proxy", p->key);
	config_proxy_get(b->ctx, cval_get(p, "proxy"), path, &a->proxy);
	snprintf(path, sizeof(path), "models.providers.%s.caFile", p->key);
	config_pem_get(b->ctx, cval_get(p, "caFile"), path, CONFIG_PEM_CERT,
	    &a->ca_file, &a->ca_stamp);
}

static int
reads_images(const struct cval *model)
{
	const struct cval *list = cval_get(model, "input"), *m;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next)
		if (strcmp(cval_string(m, ""), "image") == 0)
			return 1;
	return 0;
}

static void
add_filled(struct build *b, struct json_object *json, const char *name,
    const char *path, const struct cval *v)
{
	config_json_add(
	    json, name, config_json_fill(b->ctx, config_key_find(path), v));
}

/* All that the provider lists: what people may choose from. */
static struct json_object *
model_ids(const struct cval *provider)
{
	struct json_object *ids = json_object_new_array();
	const struct cval *list = cval_get(provider, "models"), *m;
	const char *id;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next) {
		id = cval_string(cval_get(m, "id"), "");
		if (!m->bad && *id != '\0')
			json_object_array_add(ids, json_object_new_string(id));
	}
	return ids;
}

static struct json_object *
model_json(struct build *b, const struct cval *p, const char *id)
{
	struct json_object *json = json_object_new_object();
	const struct cval *m = find_model(p, id);
	struct config_agent *a = b->a;
	char path[CONFIG_PATH_MAX];

	config_json_str(json, "provider", p->key);
	config_json_int(json, "endpoint", a->endpoint);
	config_json_str(json, "baseUrl", a->url.text);
	config_json_proxy(json, &a->proxy);
	snprintf(path, sizeof(path), "models.providers.%s.tlsPin", p->key);
	config_json_str(json, "tlsPin",
	    config_pin_get(b->ctx, cval_get(p, "tlsPin"), path));
	config_json_bool(json, "ca", a->ca_file != NULL);
	config_json_str(json, "api", "openai-completions");
	config_json_str(json, "model", id);
	add_filled(b, json, "contextWindow",
	    "models.providers.*.models[].contextWindow",
	    cval_get(m, "contextWindow"));
	add_filled(b, json, "maxTokens", "models.providers.*.models[].maxTokens",
	    cval_get(m, "maxTokens"));
	config_json_bool(json, "images", reads_images(m));
	config_json_add(json, "models", model_ids(p));
	add_filled(b, json, "parallel", "models.providers.*.parallel",
	    cval_get(p, "parallel"));
	return json;
}

/* The model that the agent asks for, or NULL: an error has been said. */
static struct json_object *
agent_model(struct build *b, const struct cval *ref)
{
	const struct cval *providers, *p, *api;
	const char *id = NULL;
	char *owner;

	providers = cval_path(b->ctx->root, "models.providers");
	p = find_provider(providers, ref->str, &id);
	if (p == NULL || p->bad || *id == '\0') {
		config_say(b->ctx, CONFIG_ERROR, ref,
		    "%s.model: \"%s\" names no provider of models.providers: "
		    "give its baseUrl and apiKey there, or set runtime: "
		    "\"echo\"", b->path, ref->str);
		return NULL;
	}
	api = cval_get(p, "api");
	if (api != NULL && strcmp(cval_string(api, ""),
	    "openai-completions") != 0)
		config_say(b->ctx, CONFIG_ERROR, api,
		    "models.providers.%s.api: only \"openai-completions\" is "
		    "spoken here", p->key);
	if (cval_get(p, "models") != NULL &&
	    cval_get(p, "models")->count > 0 && find_model(p, id) == NULL)
		config_say(b->ctx, CONFIG_INFO, ref,
		    "%s.model: \"%s\" is not among models.providers.%s.models",
		    b->path, id, p->key);
	provider_url(b, p);
	provider_secrets(b, p);
	if (b->a->url.text != NULL) {
		owner = config_printf("model/%s/%s", b->a->id, p->key);
		b->a->endpoint = config_endpoint_id(owner, b->a->url.host,
		    b->a->url.port, b->a->url.tls);
		free(owner);
	}
	return model_json(b, p, id);
}

/*
 * echo or model. Without a word about it: model when one is named, for an
 * agent that was to have a model and echoes instead is worse than none.
 */
static int
wants_model(struct build *b, const struct cval *ref)
{
	const struct cval *v = own_or_default(b, "runtime");
	const char *word = cval_string(v, NULL);

	if (word == NULL)
		return ref != NULL;
	if (strcmp(word, "model") == 0 && ref == NULL)
		config_say(b->ctx, CONFIG_ERROR, v,
		    "%s.runtime: \"model\" needs a model", b->path);
	return strcmp(word, "model") == 0;
}

static void
agent_json(struct build *b, struct json_object *model)
{
	struct config_agent *a = b->a;
	struct json_object *json = json_object_new_object(), *s;

	config_json_str(json, "agent", a->id);
	config_json_str(json, "name", a->name);
	config_json_str(json, "runtime", a->model ? "model" : "echo");
	config_json_add(json, "model", model);
	config_json_str(json, "prompt",
	    cval_string(own_or_default(b, "prompt"), NULL));
	s = config_json_fill(b->ctx,
	    config_key_find("agents.defaults.timeoutSeconds"),
	    own_or_default(b, "timeoutSeconds"));
	config_json_int(json, "deadlineMs", json_object_get_int64(s) * 1000);
	json_object_put(s);
	s = config_json_fill(b->ctx, config_key_find("agents.list[].identity"),
	    cval_get(b->own, "identity"));
	config_json_add(json, "identity", s);
	s = config_json_fill(b->ctx,
	    config_key_find("agents.list[].groupChat.mentionPatterns"),
	    cval_path(b->own, "groupChat.mentionPatterns"));
	config_json_add(json, "mentionPatterns", s);
	a->json = json;
}

static void
build_agent(struct build *b, const char *id)
{
	const struct cval *name = cval_get(b->own, "name"), *ref;
	struct config_agent *a = b->a;
	struct json_object *model = NULL;

	if (name == NULL || name->str_len == 0)
		name = cval_path(b->own, "identity.name");
	a->id = text_dup(id);
	a->name = text_dup(name != NULL && name->str_len > 0 ? name->str : id);
	ref = model_ref(b);
	a->model = wants_model(b, ref);
	if (a->model && ref != NULL)
		model = agent_model(b, ref);
	agent_json(b, model);
}

static void
add_agent(struct config_ctx *ctx, const struct cval *own, const char *name,
    const char *path)
{
	struct build b = {.ctx = ctx, .own = own};
	struct config *cfg = ctx->cfg;
	char id[65], patterns[CONFIG_PATH_MAX + 32];

	b.defaults = cval_path(ctx->root, "agents.defaults");
	strlcpy(b.path, own == NULL || cval_get(own, "model") == NULL
	    ? "agents.defaults" : path, sizeof(b.path));
	if (config_id_normalise(name, id, sizeof(id)) == -1 ||
	    config_agent_find(cfg, id) != NULL) {
		config_say(ctx, CONFIG_ERROR, own, config_agent_find(cfg, id)
		    ? "%s.id: another agent has the id \"%s\""
		    : "%s.id: \"%s\" cannot be an id", path, id);
		return;
	}
	b.a = &cfg->agents[cfg->nagents++];
	build_agent(&b, id);
	snprintf(patterns, sizeof(patterns), "%s.groupChat.mentionPatterns",
	    path);
	config_patterns(ctx, cval_path(own, "groupChat.mentionPatterns"),
	    patterns);
	if (!cval_bool(cval_get(own, "default"), 0))
		return;
	if (cfg->default_agent == SIZE_MAX)
		cfg->default_agent = cfg->nagents - 1;
	else
		config_say(ctx, CONFIG_WARNING, cval_get(own, "default"),
		    "%s.default: \"%s\" is the default agent already", path,
		    cfg->agents[cfg->default_agent].id);
}

static void
list_agents(struct config_ctx *ctx, const struct cval *list)
{
	const struct cval *m, *id;
	char path[CONFIG_PATH_MAX];
	size_t i = 0;

	for (m = list->first; m != NULL; m = m->next, i++) {
		snprintf(path, sizeof(path), "agents.list[%zu]", i);
		id = cval_get(m, "id");
		if (m->bad)
			continue;
		if (id == NULL || id->str_len == 0)
			config_say(ctx, CONFIG_ERROR, m, "%s.id: is missing",
			    path);
		else
			add_agent(ctx, m, id->str, path);
	}
}

static void
entry_agents(struct config_ctx *ctx, const struct cval *entries)
{
	char path[CONFIG_PATH_MAX];
	const struct cval *m;

	for (m = entries->first; m != NULL; m = m->next) {
		config_path_join(path, sizeof(path), "agents.entries", m);
		if (!m->bad)
			add_agent(ctx, m, m->key, path);
	}
	if (ctx->cfg->nagents > 1 && ctx->cfg->default_agent == SIZE_MAX)
		config_say(ctx, CONFIG_ERROR, entries,
		    "agents.entries: none of them has default: true");
}

void
config_agents(struct config_ctx *ctx)
{
	const struct cval *list = cval_path(ctx->root, "agents.list");
	const struct cval *entries = cval_path(ctx->root, "agents.entries");
	struct config *cfg = ctx->cfg;
	size_t n = (list == NULL ? 0 : list->count) +
	    (entries == NULL ? 0 : entries->count);

	if (n > AGENTS_MAX) {
		config_say(ctx, CONFIG_ERROR, list != NULL ? list : entries,
		    "agents: more than %d", AGENTS_MAX);
		list = entries = NULL;
	}
	cfg->agents = calloc(n + 1, sizeof(*cfg->agents));
	if (cfg->agents == NULL)
		fatal("calloc");
	cfg->default_agent = SIZE_MAX;
	if (list != NULL)
		list_agents(ctx, list);
	if (entries != NULL)
		entry_agents(ctx, entries);
	if (cfg->nagents == 0)
		add_agent(ctx, NULL, "main", "agents.defaults");
	if (cfg->default_agent == SIZE_MAX)
		cfg->default_agent = 0;
}

void
config_agent_clear(struct config_agent *a)
{
	free(a->id);
	free(a->name);
	config_url_free(&a->url);
	config_proxy_free(&a->proxy);
	free(a->ca_file);
	free(a->ca_stamp);
	secret_free(a->key);
	json_object_put(a->json);
	memset(a, 0, sizeof(*a));
}
