#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define URL_MAX (CONFIG_STR_MAX + 1)

static const char top_path[] = "channels.mattermost";

/* An account while it is put together. */
struct build {
	struct config_ctx *ctx;
	struct config_account *a;
	const struct cval *top;	  /* channels.mattermost */
	const struct cval *own;	  /* accounts.<id>, or NULL */
	struct cval *eff;	  /* both together */
	char path[CONFIG_PATH_MAX - 64]; /* of own, or of top */
};

int
config_id_normalise(const char *in, char *buf, size_t len)
{
	static const char *const refused[] = {
	    "__proto__", "constructor", "prototype"};
	char id[TEXT_ID_SIZE];
	size_t i;

	text_id(in, id);
	strlcpy(buf, id[0] != '\0' ? id : "default", len);
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (strcmp(buf, refused[i]) == 0)
			return -1;
	return 0;
}

/* The value of an own key, else the one at the top. */
static const struct cval *
own_or_top(const struct build *b, const char *key, char *path, size_t len)
{
	const struct cval *v = cval_get(b->own, key);

	snprintf(path, len, "%s.%s", v != NULL ? b->path : top_path, key);
	return v != NULL ? v : cval_get(b->top, key);
}

/* Objects whose members an account takes from the top one by one. */
static void
merge_members(struct cval *eff, const struct cval *own, const char *key)
{
	const struct cval *from = cval_get(own, key), *m;
	struct cval *to = cval_get(eff, key);

	if (from == NULL)
		return;
	if (to == NULL) {
		cval_put(eff, key, cval_clone(from));
		return;
	}
	for (m = from->first; m != NULL; m = m->next)
		if (!m->bad)
			cval_put(to, m->key, cval_clone(m));
}

static int
merges(const char *key)
{
	return strcmp(key, "commands") == 0 || strcmp(key, "actions") == 0 ||
	    strcmp(key, "implicitMentions") == 0;
}

/*
 * The top with what the account says over it. An empty groups of the only
 * account says nothing.
 */
static struct cval *
overlay(const struct cval *top, const struct cval *own, int only)
{
	struct cval *eff = cval_new(CVAL_OBJ, 0, 0), *c;
	const struct cval *m;

	if (top != NULL) {
		for (m = top->first; m != NULL; m = m->next) {
			if (m->bad || strcmp(m->key, "accounts") == 0 ||
			    strcmp(m->key, "defaultAccount") == 0 ||
			    strcmp(m->key, "botToken") == 0)
				continue;
			c = cval_clone(m);
			cval_put(eff, m->key, c);
		}
		eff->line = top->line;
		eff->column = top->column;
	}
	for (m = own == NULL ? NULL : own->first; m != NULL; m = m->next) {
		if (m->bad || strcmp(m->key, "botToken") == 0)
			continue;
		if (only && strcmp(m->key, "groups") == 0 && m->count == 0)
			continue;
		if (merges(m->key))
			merge_members(eff, own, m->key);
		else
			cval_put(eff, m->key, cval_clone(m));
	}
	return eff;
}

/* It is there, and of the wrong type, which was said. */
static int
is_misfit(const struct build *b, const char *key)
{
	const struct cval *v = cval_find(b->own, key), *all;

	if (v == NULL)
		v = cval_find(b->top, key);
	all = cval_find(b->top, "accounts");
	return (v != NULL && v->bad) || (all != NULL && all->bad);
}

/* What was copied with the token, or is none of Mattermost's: 26 of a-z0-9. */
static void
check_token(struct build *b, const struct cval *v, const char *path)
{
	const char *s = secret_bytes(b->a->token);
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789");

	if (strpbrk(s, " \t\r\n") != NULL)
		config_say(b->ctx, CONFIG_WARNING, v,
		    "%s: has a blank in it: only the token itself belongs "
		    "here, without \"Bearer\"", path);
	else if (n != 26 || s[n] != '\0')
		config_say(b->ctx, CONFIG_INFO, v,
		    "%s: is not like the tokens of Mattermost (26 small letters "
		    "and digits)", path);
}

static void
account_token(struct build *b)
{
	struct config_account *a = b->a;
	char path[CONFIG_PATH_MAX];
	const struct cval *v = own_or_top(b, "botToken", path, sizeof(path));
	const char *env;

	switch (config_secret_get(b->ctx, v, path, &a->token)) {
	case CONFIG_GOT:
		a->token_source = CONFIG_FROM_CONFIG;
		check_token(b, v, path);
		return;
	case CONFIG_FAILED:
		a->token_source = CONFIG_FROM_CONFIG;
		return;
	case CONFIG_MISSING:
		break;
	}
	env = strcmp(a->id, "default") == 0 ? getenv("MATTERMOST_BOT_TOKEN")
					    : NULL;
	if (env != NULL)
		env += strspn(env, " \t\r\n");
	if (env != NULL && *env != '\0') {
		a->token = secret_new(env, strcspn(env, " \t\r\n"));
		a->token_source = CONFIG_FROM_ENV;
	}
	if (a->token == NULL && !is_misfit(b, "botToken"))
		config_say(b->ctx, CONFIG_PARKED, b->own ? b->own : b->top,
		    "%s: botToken is missing%s", b->path,
		    strcmp(a->id, "default") == 0
			? ", and MATTERMOST_BOT_TOKEN is not set" : "");
}

static void
account_url(struct build *b)
{
	struct config_account *a = b->a;
	char path[CONFIG_PATH_MAX], base[URL_MAX];
	const struct cval *v = own_or_top(b, "baseUrl", path, sizeof(path));
	const char *text = cval_string(v, ""), *why;

	a->url_source = CONFIG_FROM_CONFIG;
	if (text[strspn(text, " \t\r\n")] == '\0') {
		v = NULL;
		a->url_source = CONFIG_FROM_ENV;
		text = strcmp(a->id, "default") == 0 ? getenv("MATTERMOST_URL")
						     : NULL;
	}
	if (text == NULL || config_base_url(text, base, sizeof(base)) == -1) {
		a->url_source = CONFIG_FROM_NONE;
		if (is_misfit(b, "baseUrl"))
			return;
		config_say(b->ctx, CONFIG_PARKED,
		    v != NULL ? v : b->own != NULL ? b->own : b->top,
		    "%s: baseUrl is missing%s", b->path,
		    v == NULL && strcmp(a->id, "default") == 0
			? ", and MATTERMOST_URL is not set" : "");
		return;
	}
	if ((why = config_url_parse(base, &a->url)) != NULL) {
		config_say(b->ctx, CONFIG_ERROR, v, "%s: %s",
		    v == NULL ? "MATTERMOST_URL" : path, why);
		config_url_free(&a->url);
		return;
	}
	if (strstr(a->url.path, "/channels/") != NULL ||
	    strstr(a->url.path, "/messages/") != NULL)
		config_say(b->ctx, CONFIG_WARNING, v,
		    "%s: is the address of a conversation: leave out what "
		    "follows the server", path);
	if (!a->url.tls && strcmp(a->url.host, "localhost") != 0 &&
	    strncmp(a->url.host, "127.", 4) != 0 &&
	    strcmp(a->url.host, "::1") != 0)
		config_say(b->ctx, CONFIG_WARNING, v,
		    "%s: the token crosses the network unencrypted: use https",
		    path);
}

/*
 * What is shown of one that is switched off: no secret is looked up for it,
 * and what is wrong with it is not said.
 */
static void
account_off(struct build *b)
{
	struct config_account *a = b->a;
	int dflt = strcmp(a->id, "default") == 0;
	char path[CONFIG_PATH_MAX], base[URL_MAX];
	const struct cval *v = own_or_top(b, "botToken", path, sizeof(path));
	const char *env = dflt ? getenv("MATTERMOST_BOT_TOKEN") : NULL;

	if (v != NULL && (v->str_len > 0 || v->type == CVAL_OBJ))
		a->token_source = CONFIG_FROM_CONFIG;
	else if (env != NULL && *env != '\0')
		a->token_source = CONFIG_FROM_ENV;
	a->has_token = a->token_source == CONFIG_FROM_ENV ||
	    (v != NULL && v->str_len > 0);
	v = own_or_top(b, "baseUrl", path, sizeof(path));
	env = cval_string(v, "");
	a->url_source = CONFIG_FROM_CONFIG;
	if (*env == '\0') {
		env = dflt ? getenv("MATTERMOST_URL") : NULL;
		a->url_source = CONFIG_FROM_ENV;
	}
	if (env == NULL || config_base_url(env, base, sizeof(base)) == -1 ||
	    config_url_parse(base, &a->url) != NULL) {
		config_url_free(&a->url);
		a->url_source = CONFIG_FROM_NONE;
	}
}

static void
account_media(struct build *b)
{
	const struct cval *list = cval_get(b->eff, "mediaHosts"), *m;
	struct config_account *a = b->a;
	struct config_media *e;
	const char *s;

	if (list == NULL || list->count == 0)
		return;
	a->media = calloc(list->count, sizeof(*a->media));
	if (a->media == NULL)
		fatal("calloc");
	for (m = list->first; m != NULL; m = m->next) {
		s = cval_string(m, NULL);
		if (m->bad || s == NULL)
			continue;
		e = &a->media[a->nmedia];
		e->tls = strncasecmp(s, "http://", 7) != 0;
		if (!e->tls)
			s += 7;
		else if (strncasecmp(s, "https://", 8) == 0)
			s += 8;
		if (config_host_port(s, strlen(s), e->tls ? 443 : 80, &e->host,
			&e->port) == -1) {
			config_say(b->ctx, CONFIG_ERROR, m,
			    "%s.mediaHosts: must be host, host:port or an "
			    "address of those alone", b->path);
			continue;
		}
		a->nmedia++;
	}
}

static void
account_endpoints(struct build *b)
{
	struct config_account *a = b->a;
	char *owner;
	size_t i;

	if (!a->enabled)
		return;
	owner = config_printf("account/%s", a->id);
	a->endpoint = config_endpoint_id(
	    owner, a->url.host, a->url.port, a->url.tls);
	free(owner);
	owner = config_printf("media/%s", a->id);
	for (i = 0; i < a->nmedia; i++)
		a->media[i].endpoint = config_endpoint_id(owner,
		    a->media[i].host, a->media[i].port, a->media[i].tls);
	free(owner);
}

static int
has_buttons(const struct cval *eff)
{
	const struct cval *list = cval_get(eff, "capabilities"), *m;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next)
		if (strcmp(cval_string(m, ""), CONFIG_BUTTONS) == 0)
			return 1;
	/* A script of the operator's may post buttons where agents do not. */
	return cval_get(eff, "interactions") != NULL;
}

static struct json_object *
media_json(const struct config_account *a)
{
	struct json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < a->nmedia; i++) {
		o = json_object_new_object();
		config_json_str(o, "host", a->media[i].host);
		config_json_int(o, "port", a->media[i].port);
		config_json_bool(o, "tls", a->media[i].tls);
		config_json_int(o, "endpoint", a->media[i].endpoint);
		json_object_array_add(list, o);
	}
	return list;
}

/* What the file may say is more than a post may be. */
static void
resolve_limit(struct json_object *json)
{
	if (json_object_get_int64(config_json_get(json, "textChunkLimit")) >
	    CONFIG_POST_MAX)
		config_json_int(json, "textChunkLimit", CONFIG_POST_MAX);
}

/* Put what another member says where this one says nothing. */
static void
inherit(struct json_object *obj, const char *key, struct json_object *from)
{
	if (config_json_get(obj, key) == NULL)
		config_json_add(obj, key, json_object_get(from));
}

/* The defaults of streaming that depend on other keys, as the peer has them. */
static void
resolve_streaming(struct build *b, struct json_object *json)
{
	struct json_object *s = config_json_get(json, "streaming");
	struct json_object *preview, *progress;
	struct json_object *block = config_json_get(s, "block"), *no;
	const char *on = cval_string(
	    cval_path(b->ctx->root, "agents.defaults.blockStreamingDefault"),
	    "off");

	preview = config_json_get(s, "preview");
	progress = config_json_get(s, "progress");
	no = json_object_new_boolean(0);
	inherit(progress, "toolProgress",
	    config_json_get(preview, "toolProgress"));
	inherit(progress, "toolProgress", no);
	json_object_put(no);
	if (config_json_get(preview, "toolProgress") == NULL)
		config_json_bool(preview, "toolProgress", 1);
	inherit(progress, "commandText",
	    config_json_get(preview, "commandText"));
	inherit(config_json_get(block, "coalesce"), "maxChars",
	    config_json_get(json, "textChunkLimit"));
	if (cval_path(b->eff, "streaming.block.enabled") == NULL &&
	    strcmp(on, "on") == 0)
		config_json_bool(block, "enabled", 1);
}

/* Blank prefixes are none, and a list of those is no list. */
static void
resolve_prefixes(struct build *b, struct json_object *json)
{
	const struct cval *list = cval_get(b->eff, "oncharPrefixes"), *m;
	struct json_object *kept = json_object_new_array();
	const char *s;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next) {
		s = cval_string(m, "");
		if (!m->bad && s[strspn(s, " \t\r\n")] != '\0')
			json_object_array_add(kept, cval_json(m));
	}
	if (json_object_array_length(kept) == 0) {
		json_object_put(kept);
		kept = config_json_fill(b->ctx,
		    config_key_find("channels.mattermost.oncharPrefixes"),
		    NULL);
	}
	config_json_add(json, "oncharPrefixes", kept);
}

/* Its worker writes nothing but attachments. */
static unsigned
file_max(struct json_object *json)
{
	struct json_object *mb = NULL;
	double n = 0;

	if (json_object_object_get_ex(json, "mediaMaxMb", &mb))
		n = json_object_get_double(mb) * 1024 * 1024;
	return n < 1 ? 1 : (unsigned)n;
}

static void
account_json(struct build *b)
{
	struct config_account *a = b->a;
	struct json_object *json;
	char path[CONFIG_PATH_MAX], *url;
	const struct cval *pin = own_or_top(b, "tlsPin", path, sizeof(path));

	json = config_json_fill(
	    b->ctx, config_key_find("channels.mattermost"), b->eff);
	resolve_limit(json);
	resolve_streaming(b, json);
	resolve_prefixes(b, json);
	config_shared_add(b->ctx, json);
	if (b->top == NULL)
		config_json_str(json, "groupPolicy", "allowlist");
	config_json_str(json, "account", a->id);
	config_json_str(json, "name", a->name);
	config_json_str(json, "baseUrl", a->url.text);
	config_json_int(json, "endpoint", a->endpoint);
	config_json_proxy(json, &a->proxy);
	config_json_str(json, "tlsPin", config_pin_get(b->ctx, pin, path));
	json_object_object_del(json, "caFile");
	config_json_bool(json, "ca", a->ca_file != NULL);
	if (a->token == NULL)
		config_json_str(json, "problem", "there is no bot token");
	json_object_object_del(json, "mediaHosts");
	config_json_add(json, "mediaEndpoints", media_json(a));
	config_json_add(json, "probeEndpoints", config_probes_json(a));
	url = config_interaction_url(b->ctx->root, b->eff, a->id);
	config_json_str(json, "interactionUrl", a->buttons ? url : NULL);
	free(url);
	url = config_command_url(b->ctx->root, b->eff);
	config_json_str(json, "commandUrl", url);
	free(url);
	config_json_add(json, "pickerModels", config_models_json(b->ctx));
	a->json = json;
	a->file_max = file_max(json);
}

void
config_account_build(struct config_ctx *ctx, struct config_account *a,
    const struct cval *top, const struct cval *own)
{
	struct build b = {.ctx = ctx, .a = a, .top = top, .own = own};
	char path[CONFIG_PATH_MAX];
	const struct cval *v;
	size_t before = ctx->errs->errors;
	struct config_scope scope;
	int off;

	if (own != NULL && own->key != NULL)
		snprintf(path, sizeof(path), "%s.accounts", top_path);
	if (own != NULL && own->key != NULL)
		config_path_join(b.path, sizeof(b.path), path, own);
	else
		strlcpy(b.path, top_path, sizeof(b.path));
	b.eff = overlay(top, own, ctx->cfg->naccounts <= 1);
	v = cval_get(b.eff, "name");
	a->name = text_dup(*cval_string(v, "") ? v->str : a->id);
	a->enabled = cval_bool(cval_get(top, "enabled"), 1) &&
	    cval_bool(cval_get(own, "enabled"), 1);
	off = !a->enabled;
	if (a->enabled) {
		ctx->lenient = 1;
		account_token(&b);
		ctx->lenient = 0;
		account_url(&b);
		a->has_token = a->token != NULL;
	}
	if (a->enabled)
		config_commands_get(ctx, a, b.eff, b.path);
	v = own_or_top(&b, "proxy", path, sizeof(path));
	config_proxy_get(ctx, v, path, &a->proxy);
	v = own_or_top(&b, "caFile", path, sizeof(path));
	if (a->enabled)
		config_pem_get(ctx, v, path, CONFIG_PEM_CERT, &a->ca_file,
		    &a->ca_stamp);
	account_media(&b);
	scope = (struct config_scope){b.path, own, top, b.eff};
	if (a->enabled)
		config_account_check(ctx, &scope);
	/*
	 * What has errors is never run: no need for a half-filled account.
	 * One that only lacks its address leaves the others alone.
	 */
	if (ctx->errs->errors != before || a->url.text == NULL) {
		a->lacking = a->enabled && a->url.text == NULL;
		a->enabled = 0;
	}
	v = cval_path(b.eff, "commands.native");
	a->commands = v != NULL && v->type == CVAL_BOOL && v->b;
	/* The model picker, which a command opens, has buttons. */
	a->buttons = a->commands || has_buttons(b.eff);
	a->callbacks = a->buttons;
	config_account_check_callbacks(ctx, &scope, a);
	account_endpoints(&b);
	config_probes(ctx, a, b.eff);
	account_json(&b);
	/* Last: nobody may dial there. */
	if (off)
		account_off(&b);
	cval_free(b.eff);
}

void
config_account_clear(struct config_account *a)
{
	size_t i;

	free(a->id);
	free(a->name);
	config_url_free(&a->url);
	for (i = 0; i < a->nmedia; i++)
		free(a->media[i].host);
	free(a->media);
	for (i = 0; i < a->nprobes; i++)
		config_url_free(&a->probes[i].url);
	config_proxy_free(&a->proxy);
	free(a->ca_file);
	free(a->ca_stamp);
	secret_free(a->token);
	config_commands_clear(a);
	free(a->agents);
	json_object_put(a->json);
	memset(a, 0, sizeof(*a));
}
