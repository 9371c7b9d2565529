#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "daemon/config_private.h"

/* What others ask of a configuration once it is loaded. */

const struct config_account *
config_account_find(const struct config *cfg, const char *id)
{
	size_t i;

	for (i = 0; i < cfg->naccounts; i++)
		if (cfg->accounts[i].id != NULL &&
		    strcmp(cfg->accounts[i].id, id) == 0)
			return &cfg->accounts[i];
	return NULL;
}

const struct config_agent *
config_agent_find(const struct config *cfg, const char *id)
{
	size_t i;

	for (i = 0; i < cfg->nagents; i++)
		if (cfg->agents[i].id != NULL &&
		    strcmp(cfg->agents[i].id, id) == 0)
			return &cfg->agents[i];
	return NULL;
}

struct json_object *
config_account_json(const struct config *cfg, const struct config_account *a)
{
	return json_object_get(a->json);
}

const struct config_account *
config_account_named(
    const struct config *cfg, const char *id, char *why, size_t len)
{
	const struct config_account *a = NULL;
	char norm[65];
	size_t i;

	if (*id == '\0' && cfg->default_account < cfg->naccounts)
		return &cfg->accounts[cfg->default_account];
	if (*id != '\0' && config_id_normalise(id, norm, sizeof(norm)) == 0)
		a = config_account_find(cfg, norm);
	if (a != NULL)
		return a;
	if (cfg->naccounts == 0) {
		strlcpy(why, "there is no account", len);
		return NULL;
	}
	snprintf(why, len, "there is no account \"%s\", only", id);
	for (i = 0; i < cfg->naccounts; i++) {
		strlcat(why, i == 0 ? " " : ", ", len);
		strlcat(why, cfg->accounts[i].id, len);
	}
	return NULL;
}

int
config_account_is_configured(const struct config_account *a)
{
	return a->token_source != CONFIG_FROM_NONE && a->url.text != NULL;
}

struct json_object *
config_account_facts(const struct config_account *a)
{
	struct json_object *o = json_object_new_object();

	config_json_str(o, "id", a->id);
	config_json_str(o, "name", a->name);
	if (a->url.text != NULL)
		config_json_str(o, "server", a->url.text);
	config_json_bool(o, "enabled", a->enabled || a->lacking);
	config_json_bool(o, "configured", config_account_is_configured(a));
	config_json_str(
	    o, "botTokenSource", config_source_name(a->token_source));
	config_json_str(o, "botTokenStatus", a->has_token ? "available" :
		a->token_source != CONFIG_FROM_NONE ?
		"configured_unavailable" : "missing");
	config_json_str(
	    o, "baseUrlSource", config_source_name(a->url_source));
	config_json_copy(o, "dmPolicy", a->json, "dmPolicy");
	return o;
}

struct json_object *
config_agent_json(const struct config *cfg, const struct config_agent *a)
{
	return json_object_get(a->json);
}

struct json_object *
config_dialer_json(const struct config *cfg)
{
	return json_object_get(cfg->dialer_json);
}

struct json_object *
config_callback_json(const struct config *cfg)
{
	return json_object_get(cfg->callback_json);
}

size_t
config_account_endpoints(
    const struct config_account *a, unsigned *ids, size_t max)
{
	size_t n = 0, i;

	if (a->endpoint == 0)
		return 0;
	if (n++ < max)
		ids[0] = a->endpoint;
	for (i = 0; i < a->nmedia; i++)
		if (n++ < max)
			ids[n - 1] = a->media[i].endpoint;
	for (i = 0; i < a->nprobes; i++)
		if (n++ < max)
			ids[n - 1] = a->probes[i].endpoint;
	return n;
}

size_t
config_agent_endpoints(const struct config_agent *a, unsigned *ids, size_t max)
{
	if (a->endpoint == 0)
		return 0;
	if (max > 0)
		ids[0] = a->endpoint;
	return 1;
}

static int
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int
same_secret(const struct secret *a, const struct secret *b)
{
	return (a == NULL && b == NULL) || secret_equal(a, b);
}

static int
same_json(struct json_object *a, struct json_object *b)
{
	return same_text(
	    json_object_to_json_string_ext(a, JSON_C_TO_STRING_PLAIN),
	    json_object_to_json_string_ext(b, JSON_C_TO_STRING_PLAIN));
}

int
config_account_same(
    const struct config_account *a, const struct config_account *b)
{
	return a->enabled == b->enabled && same_json(a->json, b->json) &&
	    same_secret(a->token, b->token) &&
	    config_commands_same(a, b) &&
	    same_secret(a->proxy.auth, b->proxy.auth) &&
	    same_text(a->ca_file, b->ca_file) &&
	    same_text(a->ca_stamp, b->ca_stamp);
}

int
config_account_same_commands(
    const struct config_account *a, const struct config_account *b)
{
	return same_text(a->url.text, b->url.text) &&
	    same_secret(a->token, b->token) &&
	    same_json(json_object_object_get(a->json, "commands"),
		json_object_object_get(b->json, "commands"));
}

int
config_agent_same(const struct config_agent *a, const struct config_agent *b)
{
	return same_json(a->json, b->json) && same_secret(a->key, b->key) &&
	    same_secret(a->proxy.auth, b->proxy.auth) &&
	    same_text(a->ca_file, b->ca_file) &&
	    same_text(a->ca_stamp, b->ca_stamp);
}

int
config_callback_same(const struct config *a, const struct config *b)
{
	return a->gateway.wanted == b->gateway.wanted &&
	    same_json(a->callback_json, b->callback_json) &&
	    same_secret(a->gateway.hook_token, b->gateway.hook_token) &&
	    same_text(a->gateway.cert_file, b->gateway.cert_file) &&
	    same_text(a->gateway.key_file, b->gateway.key_file) &&
	    same_text(a->gateway.cert_stamp, b->gateway.cert_stamp) &&
	    same_text(a->gateway.key_stamp, b->gateway.key_stamp);
}

const char *
config_source_name(enum config_source s)
{
	return s == CONFIG_FROM_CONFIG ? "config" :
	    s == CONFIG_FROM_ENV       ? "env" :
					 "none";
}

int
config_account_is_called(
    const struct config *cfg, const struct config_account *a)
{
	return a->enabled && cfg->gateway.wanted &&
	    (a->callbacks || cfg->gateway.hook_token != NULL);
}
