#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/resolve.h"

#define TARGET_MAX 256

struct resolve {
	struct account *a;
	resolve_fn fn;
	void *arg;
	char name[TARGET_MAX];
	struct json_object *teams;
	size_t team;
	char found[MM_ID_SIZE];
	int hits;
	char candidates[512];
};

static void
resolve_end(struct resolve *r, const char *channel, const char *failed)
{
	r->fn(r->a, channel, failed, r->arg);
	json_object_put(r->teams);
	free(r);
}

static void
resolve_error(struct resolve *r, const char *what,
    const struct net_result *res, struct json_object *body)
{
	char why[256], text[640];

	snprintf(text, sizeof(text), "%s %.256s: %s", what, r->name,
	    api_error(res, body, why, sizeof(why)));
	resolve_end(r, NULL, text);
}

/* Direct channels */

static void
direct_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;
	const char *id = api_str(body, "id");

	if ((api_ok(res, body, 201) || api_ok(res, body, 200)) &&
	    mm_id_valid(id))
		resolve_end(r, id, NULL);
	else
		resolve_error(r, "direct channel to", res, body);
}

static void
direct(struct resolve *r, const char *user)
{
	struct json_object *ids = json_object_new_array();

	json_object_array_add(ids, json_object_new_string(r->a->bot_id));
	json_object_array_add(ids, json_object_new_string(user));
	api_send(r->a, "POST", "/channels/direct", ids, direct_done, r);
}

static void
name_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;
	const char *id = api_str(body, "id");

	if (api_ok(res, body, 200) && mm_id_valid(id))
		direct(r, id);
	else
		resolve_error(r, "user", res, body);
}

/* Bare ids: a user's first, as the documents promise */

static void
opaque_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;

	if (api_ok(res, body, 200))
		direct(r, r->name);
	else
		resolve_end(r, r->name, NULL);
}

/* Channel names, exact, in every team of the bot */

static void team_next(struct resolve *);

static void
team_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;
	const char *id = api_str(body, "id");
	struct json_object *team =
	    json_object_array_get_idx(r->teams, r->team++);
	size_t len = strlen(r->candidates);

	if (api_ok(res, body, 200) && mm_id_valid(id)) {
		r->hits++;
		ID_COPY(r->found, id);
		snprintf(r->candidates + len, sizeof(r->candidates) - len,
		    "%schannel:%s (team %.64s)", len > 0 ? ", " : "", id,
		    api_str(team, "name"));
	} else if (res->ending != NET_ANSWERED ||
	    (res->status != 404 && res->status != 403)) {
		resolve_error(r, "channel", res, body);
		return;
	}
	team_next(r);
}

static void
team_next(struct resolve *r)
{
	char path[TARGET_MAX + 128], text[1024];

	if (r->team < json_object_array_length(r->teams)) {
		snprintf(path, sizeof(path), "/teams/%s/channels/name/%s",
		    api_str(json_object_array_get_idx(r->teams, r->team),
			"id"),
		    r->name);
		if (api_get(r->a, path, team_done, r) == NULL)
			resolve_end(r, NULL, "the channel name is not usable");
		return;
	}
	if (r->hits == 1) {
		resolve_end(r, r->found, NULL);
		return;
	}
	if (r->hits == 0)
		snprintf(text, sizeof(text),
		    "Mattermost channel \"#%.200s\" not found in any team "
		    "the bot belongs to", r->name);
	else
		snprintf(text, sizeof(text),
		    "\"#%.200s\" is the name of %d channels: %s", r->name,
		    r->hits, r->candidates);
	resolve_end(r, NULL, text);
}

static void
teams_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;

	if (!api_ok(res, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		resolve_error(r, "teams of the bot for", res, body);
		return;
	}
	r->teams = json_object_get(body);
	team_next(r);
}

static int
strip(const char **s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncasecmp(*s, prefix, len) != 0)
		return 0;
	*s += len;
	return 1;
}

/* A name goes into a path: only what Mattermost allows in one. */
static int
is_name(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789._-")] == '\0' &&
	    strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

static void
by_name(struct resolve *r)
{
	if (!is_name(r->name))
		resolve_end(r, NULL, "the channel name is not usable");
	else
		api_get(r->a, "/users/me/teams", teams_done, r);
}

static void
by_user_name(struct resolve *r)
{
	char path[TARGET_MAX + 32];

	if (!is_name(r->name)) {
		resolve_end(r, NULL, "the user name is not usable");
		return;
	}
	snprintf(path, sizeof(path), "/users/username/%s", r->name);
	api_get(r->a, path, name_done, r);
}

static void
by_opaque(struct resolve *r)
{
	char path[64];

	snprintf(path, sizeof(path), "/users/%.26s", r->name);
	api_get(r->a, path, opaque_done, r);
}

void
resolve_start(
    struct account *a, const char *target, resolve_fn fn, void *arg)
{
	struct resolve *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->a = a;
	r->fn = fn;
	r->arg = arg;
	if (strlen(target) >= TARGET_MAX) {
		resolve_end(r, NULL, "the target is too long");
		return;
	}
	if (strip(&target, "user:") || strip(&target, "mattermost:")) {
		ID_COPY(r->name, target);
		if (mm_id_valid(target))
			direct(r, target);
		else
			resolve_end(r, NULL, "that is not a user id");
	} else if (strip(&target, "@")) {
		ID_COPY(r->name, target);
		by_user_name(r);
	} else if (strip(&target, "channel:")) {
		strip(&target, "#");
		ID_COPY(r->name, target);
		if (mm_id_valid(target))
			resolve_end(r, r->name, NULL);
		else
			by_name(r);
	} else if (strip(&target, "#") || !mm_id_valid(target)) {
		ID_COPY(r->name, target);
		by_name(r);
	} else {
		ID_COPY(r->name, target);
		by_opaque(r);
	}
}
