#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/pattern.h"
#include "common/zone.h"
#include "common/zonefile.h"
#include "daemon/config_private.h"

/*
 * What every account is told of the sections that are not its own: made
 * once, and shared by the JSON of all accounts.
 */

static struct json_object *
fill(struct config_ctx *ctx, const char *path)
{
	return config_json_fill(
	    ctx, config_key_find(path), cval_path(ctx->root, path));
}

static void
add(struct config_ctx *ctx, struct json_object *o, const char *name,
    const char *path)
{
	config_json_add(o, name, fill(ctx, path));
}

/* The value for mattermost of a map by service, else the plain one. */
static struct json_object *
by_channel(struct config_ctx *ctx, const char *map, const char *plain)
{
	const struct cval *v = cval_get(
	    cval_path(ctx->root, map), "mattermost");

	if (v != NULL)
		return cval_json(v);
	return fill(ctx, plain);
}

/* Put the ids that obj has under name at the end of list. */
static void
add_ids(struct config_ctx *ctx, struct json_object *list,
    const struct cval *obj, const char *name)
{
	struct json_object *ids;
	const struct cval *v = cval_get(obj, name);
	size_t i;

	if (v == NULL)
		return;
	ids = config_json_fill(
	    ctx, config_key_find("commands.allowFrom.*"), v);
	for (i = 0; i < json_object_array_length(ids); i++)
		json_object_array_add(list,
		    json_object_get(json_object_array_get_idx(ids, i)));
	json_object_put(ids);
}

/* A group of another kind lets nobody in: better to know. */
static void
check_groups(struct config_ctx *ctx)
{
	const struct cval *all = cval_get(ctx->root, "accessGroups"), *m, *t;

	for (m = all == NULL ? NULL : all->first; m != NULL; m = m->next) {
		t = cval_get(m, "type");
		if (!m->bad &&
		    strcmp(cval_string(t, ""), "message.senders") != 0)
			config_say(ctx, CONFIG_WARNING, t != NULL ? t : m,
			    "accessGroups.%s.type: is not "
			    "\"message.senders\": the group lets nobody in",
			    m->key);
	}
}

void
config_patterns(struct config_ctx *ctx, const struct cval *list,
    const char *path)
{
	const struct cval *m;
	struct pattern *p;
	const char *why;
	size_t i = 0;

	for (m = list == NULL ? NULL : list->first; m != NULL;
	     m = m->next, i++) {
		if (m->bad || m->str_len == 0)
			continue;
		if ((p = pattern_compile(m->str, &why)) == NULL)
			config_say(ctx, CONFIG_WARNING, m,
			    "%s[%zu]: \"%.200s\" is not used: %s",
			    path, i, m->str, why);
		pattern_free(p);
	}
}

static struct json_object *
messages_json(struct config_ctx *ctx)
{
	struct json_object *o = json_object_new_object();

	config_json_add(o, "debounceMs",
	    by_channel(ctx, "messages.inbound.byChannel",
		"messages.inbound.debounceMs"));
	return o;
}

/* Who may use text commands, or null: the allowlists decide. */
static struct json_object *
command_senders(struct config_ctx *ctx)
{
	const struct cval *from = cval_path(ctx->root, "commands.allowFrom");
	struct json_object *list;

	if (from == NULL)
		return NULL;
	list = json_object_new_array();
	add_ids(ctx, list, from, "*");
	add_ids(ctx, list, from, "mattermost");
	return list;
}

static struct json_object *
typing_json(struct config_ctx *ctx)
{
	struct json_object *o = json_object_new_object();

	add(ctx, o, "mode", "agents.defaults.typingMode");
	add(ctx, o, "intervalSeconds", "agents.defaults.typingIntervalSeconds");
	return o;
}

/* Accounts have no files: they get what the zone's file says. */
static void
add_zone(struct config_ctx *ctx, struct json_object *o)
{
	const struct cval *v =
	    cval_path(ctx->root, "agents.defaults.userTimezone");
	const char *name = cval_string(v, ""), *why;
	char text[ZONE_TEXT_MAX];

	if (*name == '\0')
		return;
	if (zonefile_read(name, 0, text, sizeof(text), &why) == 0)
		config_json_add(o, "zone", json_object_new_string(text));
	else
		config_say(ctx, CONFIG_WARNING, v,
		    "agents.defaults.userTimezone: %s; times are told in UTC",
		    why);
}

void
config_shared(struct config_ctx *ctx)
{
	struct json_object *all = json_object_new_object();

	add(ctx, all, "session", "session");
	config_json_add(all, "messages", messages_json(ctx));
	add(ctx, all, "textCommands", "commands.text");
	add(ctx, all, "crossContext", "tools.message.crossContext");
	add(ctx, all, "broadcast", "tools.message.broadcast");
	config_json_add(all, "commandAllowFrom", command_senders(ctx));
	check_groups(ctx);
	config_patterns(ctx,
	    cval_path(ctx->root, "messages.groupChat.mentionPatterns"),
	    "messages.groupChat.mentionPatterns");
	add(ctx, all, "accessGroups", "accessGroups");
	config_json_add(all, "typing", typing_json(ctx));
	add_zone(ctx, all);
	ctx->shared = all;
}

void
config_shared_add(struct config_ctx *ctx, struct json_object *json)
{
	json_object_object_foreach(ctx->shared, key, v) {
		config_json_add(json, key, json_object_get(v));
	}
}
