#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/config_private.h"
#include "daemon/json5.h"

void
config_json_add(
    struct json_object *obj, const char *key, struct json_object *v)
{
	if (json_object_object_add(obj, key, v) != 0)
		fatalx("out of memory");
}

struct json_object *
config_json_get(struct json_object *obj, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(obj, key, &v);
	return v;
}

void
config_json_copy(struct json_object *to, const char *key,
    struct json_object *from, const char *name)
{
	config_json_add(
	    to, key, json_object_get(config_json_get(from, name)));
}

void
config_json_str(struct json_object *obj, const char *key, const char *s)
{
	config_json_add(
	    obj, key, s == NULL ? NULL : json_object_new_string(s));
}

void
config_json_int(struct json_object *obj, const char *key, int64_t n)
{
	config_json_add(obj, key, json_object_new_int64(n));
}

void
config_json_bool(struct json_object *obj, const char *key, int b)
{
	config_json_add(obj, key, json_object_new_boolean(b));
}

void
config_json_proxy(struct json_object *obj, const struct config_proxy *proxy)
{
	struct json_object *o = NULL;

	if (proxy->host != NULL) {
		o = json_object_new_object();
		config_json_str(o, "host", proxy->host);
		config_json_int(o, "port", proxy->port);
		config_json_bool(o, "auth", proxy->auth != NULL);
	}
	config_json_add(obj, "proxy", o);
}

/* The default of the table, which is JSON itself. */
static struct json_object *
json_default(const struct config_key *key)
{
	struct json_object *v;

	if (key->dflt == NULL)
		return NULL;
	if ((v = json_tokener_parse(key->dflt)) == NULL)
		fatalx("key table: default of %s", key->path);
	return v;
}

static int
left_out(const struct config_key *key)
{
	return key->types & (KEY_SECRET | KEY_PROXY | KEY_ANY) ||
	    key->flags & (KEY_ROOT | KEY_LEGACY);
}

static struct json_object *
fill_members(
    struct config_ctx *ctx, const struct config_key *key, const struct cval *v)
{
	struct json_object *obj = json_object_new_object();
	const struct config_key *k;
	const char *name;

	for (k = config_key_first(key); k != NULL; k = config_key_next(k)) {
		if (left_out(k))
			continue;
		name = config_key_name(k);
		config_json_add(obj, name,
		    config_json_fill(ctx, k, cval_get(v, name)));
	}
	return obj;
}

static struct json_object *
fill_map(
    struct config_ctx *ctx, const struct config_key *key, const struct cval *v)
{
	struct json_object *obj = json_object_new_object();
	const struct config_key *k = config_key_first(key);
	const struct cval *m;

	for (m = v == NULL ? NULL : v->first; m != NULL; m = m->next)
		if (!m->bad)
			config_json_add(
			    obj, m->key, config_json_fill(ctx, k, m));
	return obj;
}

/* Ids are strings for the workers, whatever they are in the file. */
static struct json_object *
json_ids(const struct cval *v)
{
	struct json_object *list = json_object_new_array();
	const struct cval *m;
	char buf[24];

	for (m = v->first; m != NULL; m = m->next) {
		if (m->bad)
			continue;
		snprintf(buf, sizeof(buf), "%lld", (long long)m->i);
		json_object_array_add(list,
		    json_object_new_string(cval_string(m, buf)));
	}
	return list;
}

struct json_object *
config_json_fill(
    struct config_ctx *ctx, const struct config_key *key, const struct cval *v)
{
	if (v == NULL && key->fallback != NULL)
		v = cval_path(ctx->root, key->fallback);
	if (key->types & KEY_OBJ && (v == NULL || v->type == CVAL_OBJ))
		return fill_members(ctx, key, v);
	if (key->types & KEY_MAP)
		return fill_map(ctx, key, v);
	if (v == NULL)
		return json_default(key);
	return key->types & KEY_IDS ? json_ids(v) : cval_json(v);
}
