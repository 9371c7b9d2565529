#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/utf8.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/cache.h"
#include "workers/account/channels.h"
#include "workers/account/dm_retry.h"
#include "workers/account/resolve.h"
#include "workers/account/target.h"
#include "workers/account/users.h"

#define TARGET_MAX 256
#define CACHE_MAX 1024 /* OpenClaw's */
#define KIND_TTL_MS (5 * 60 * 1000)

struct resolver {
	struct dm_retry retry;
	struct cache *kinds;    /* bare id: "user" or "channel" */
	struct cache *directs;  /* user id: id of the direct channel */
	struct cache *users;    /* name in lower case: user id */
	struct cache *channels; /* name in lower case: channel id */
	int passing; /* the last failure may be over soon */
};

struct resolve {
	struct account *a;
	resolve_fn fn;
	void *arg;
	char name[TARGET_MAX];
	char user[MM_ID_SIZE];
	struct event *timer;
	int tries;
	struct json_object *teams;
	size_t team;
	char found[MM_ID_SIZE];
	int hits;
	char candidates[512];
};

int
resolve_is_passing(const struct account *a)
{
	return a->resolver->passing;
}

struct resolver *
resolver_new(struct json_object *config)
{
	struct resolver *rs;

	if ((rs = calloc(1, sizeof(*rs))) == NULL)
		fatal("calloc");
	dm_retry_init(&rs->retry, config);
	rs->kinds = cache_new(CACHE_MAX, KIND_TTL_MS);
	rs->directs = cache_new(CACHE_MAX, 0);
	rs->users = cache_new(CACHE_MAX, 0);
	rs->channels = cache_new(CACHE_MAX, 0);
	return rs;
}

static void
resolve_end(struct resolve *r, const char *channel, const char *failed)
{
	r->fn(r->a, channel, failed, r->arg);
	if (r->timer != NULL)
		event_free(r->timer);
	json_object_put(r->teams);
	free(r);
}

static void
resolve_error(struct resolve *r, const char *what,
    const struct net_result *res, struct json_object *body)
{
	struct resolver *rs = r->a->resolver;
	char why[256], text[640];

	snprintf(text, sizeof(text), "%s %.256s: %s", what, r->name,
	    api_error(res, body, why, sizeof(why)));
	rs->passing = res->ending != NET_ANSWERED || res->status >= 500 ||
	    res->status == 429 || res->status == 408 || res->status == 401;
	resolve_end(r, NULL, text);
	rs->passing = 0;
}

static void
get(struct resolve *r, const char *path, api_fn fn)
{
	if (api_get(r->a, path, fn, r) == NULL)
		resolve_end(r, NULL, "the target is not usable");
}

/* Direct channels */

static void direct_try(struct resolve *);

static void
on_retry(int fd, short what, void *arg)
{
	direct_try(arg);
}

static void
direct_later(struct resolve *r, const struct net_result *res)
{
	const struct dm_retry *cfg = &r->a->resolver->retry;
	int64_t ms = dm_retry_delay(cfg, r->tries, arc4random());
	int64_t asked = res->retry_after_ms;

	/* What the server asks for counts, within the configured bound. */
	if (asked < res->ratelimit_reset_ms)
		asked = res->ratelimit_reset_ms;
	if (ms < asked)
		ms = asked < cfg->max_ms ? asked : cfg->max_ms;
	if (r->timer == NULL &&
	    (r->timer = evtimer_new(r->a->base, on_retry, r)) == NULL)
		fatalx("evtimer_new");
	log_event(LOG_DEBUG, "direct.retry", "account", r->a->id, "try",
	    LOG_NUM(r->tries), "ms", LOG_NUM(ms), NULL);
	loop_timer(r->timer, ms);
}

static void
direct_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;
	const char *id = api_str(body, "id");
	struct dm_failure f = {.network = res->retryable};

	if ((api_ok(res, body, 201) || api_ok(res, body, 200)) &&
	    mm_id_valid(id)) {
		channel_learn(a, body);
		cache_put(a->resolver->directs, r->user, id, monotime_now());
		resolve_end(r, id, NULL);
		return;
	}
	if (res->ending == NET_ANSWERED)
		f.status = res->status;
	else if (res->ending == NET_NOT_SENT)
		f.err = net_endpoint_errno(a->ep);
	if (r->tries++ < a->resolver->retry.max_retries &&
	    dm_retry_transient(&f))
		direct_later(r, res);
	else
		resolve_error(r, "direct channel to", res, body);
}

static void
direct_try(struct resolve *r)
{
	struct json_object *ids = json_object_new_array();

	json_object_array_add(ids, json_object_new_string(r->a->bot_id));
	json_object_array_add(ids, json_object_new_string(r->user));
	if (api_send_within(r->a, "POST", "/channels/direct", ids,
		r->a->resolver->retry.timeout_ms, direct_done, r) == NULL)
		resolve_end(r, NULL, "the target is not usable");
}

static void
direct(struct resolve *r, const char *user)
{
	const char *id =
	    cache_get(r->a->resolver->directs, user, monotime_now());

	if (id != NULL) {
		resolve_end(r, id, NULL);
		return;
	}
	ID_COPY(r->user, user);
	direct_try(r);
}

static void
name_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;
	const char *id = api_str(body, "id");

	if (api_ok(res, body, 200) && mm_id_valid(id)) {
		users_learn_one(a, body);
		cache_put(a->resolver->users, r->name, id, monotime_now());
		direct(r, id);
	} else
		resolve_error(r, "user", res, body);
}

/* Bare ids: a user's first, as the documents promise */

static void
opaque_channel(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;

	if (api_ok(res, body, 200)) {
		channel_learn(a, body);
		cache_put(
		    a->resolver->kinds, r->name, "channel", monotime_now());
	}
	resolve_end(r, r->name, NULL);
}

static void
opaque_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct resolve *r = arg;
	char path[64];

	if (res->ending == NET_ANSWERED && res->status / 100 == 2) {
		users_learn_one(a, body);
		cache_put(a->resolver->kinds, r->name, "user", monotime_now());
		direct(r, r->name);
	} else if (res->ending == NET_ANSWERED && res->status == 404) {
		snprintf(path, sizeof(path), "/channels/%.26s", r->name);
		get(r, path, opaque_channel);
	} else
		resolve_end(r, r->name, NULL); /* not certain: not kept */
}

static void
by_opaque(struct resolve *r)
{
	const struct channel *ch = channel_find(r->a, r->name);
	const char *kind =
	    cache_get(r->a->resolver->kinds, r->name, monotime_now());
	char path[64];

	if ((ch != NULL && ch->type != 0 && ch->type != '?') ||
	    (kind != NULL && strcmp(kind, "channel") == 0))
		resolve_end(r, r->name, NULL);
	else if (kind != NULL)
		direct(r, r->name);
	else {
		snprintf(path, sizeof(path), "/users/%.26s", r->name);
		get(r, path, opaque_done);
	}
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
	} else if (res->ending != NET_ANSWERED || res->status != 404) {
		resolve_error(r, "channel", res, body);
		return;
	}
	team_next(r);
}

static void
teams_end(struct resolve *r)
{
	char text[1024];

	if (r->hits == 1) {
		cache_put(r->a->resolver->channels, r->name, r->found,
		    monotime_now());
		resolve_end(r, r->found, NULL);
		return;
	}
	if (r->hits == 0)
		snprintf(text, sizeof(text),
		    "Mattermost channel \"#%.200s\" not found in any team "
		    "the bot belongs to", r->name);
	else
		snprintf(text, sizeof(text),
		    "Ambiguous target \"#%.200s\" for Mattermost. Provide an "
		    "explicit id: %s", r->name, r->candidates);
	resolve_end(r, NULL, text);
}

static void
team_next(struct resolve *r)
{
	char path[TARGET_MAX + 128];
	const char *team;

	if (r->team >= json_object_array_length(r->teams)) {
		teams_end(r);
		return;
	}
	team = api_str(json_object_array_get_idx(r->teams, r->team), "id");
	if (!mm_id_valid(team)) {
		resolve_end(r, NULL, "the list of teams is not usable");
		return;
	}
	snprintf(path, sizeof(path), "/teams/%s/channels/name/%s", team,
	    r->name);
	get(r, path, team_done);
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

/* A name goes into a path: only what Mattermost allows in one. */
static int
is_name(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0' &&
	    strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

static void
by_name(struct resolve *r)
{
	const char *id =
	    cache_get(r->a->resolver->channels, r->name, monotime_now());
	char text[TARGET_MAX + 96];

	if (id != NULL)
		resolve_end(r, id, NULL);
	else if (!is_name(r->name)) {
		/* No channel can have it. */
		snprintf(text, sizeof(text),
		    "Mattermost channel \"#%.200s\" not found in any team "
		    "the bot belongs to", r->name);
		resolve_end(r, NULL, text);
	} else
		get(r, "/users/me/teams", teams_done);
}

static void
by_user_name(struct resolve *r)
{
	const char *id =
	    cache_get(r->a->resolver->users, r->name, monotime_now());
	char path[TARGET_MAX + 32];

	if (id != NULL)
		direct(r, id);
	else if (!is_name(r->name))
		resolve_end(r, NULL, "that is not a username");
	else {
		snprintf(path, sizeof(path), "/users/username/%s", r->name);
		get(r, path, name_done);
	}
}

static void
by_target(struct resolve *r, const struct target *t)
{
	char *lower;

	if (t->kind == TARGET_BAD) {
		resolve_end(r, NULL, t->error);
		return;
	}
	if (strlen(t->value) >= TARGET_MAX / 2) {
		resolve_end(r, NULL, "the target is too long");
		return;
	}
	ID_COPY(r->name, t->value);
	if (t->kind == TARGET_CHANNEL_ID) {
		if (t->bare_id)
			by_opaque(r);
		else
			resolve_end(r, r->name, NULL);
		return;
	}
	if (t->kind == TARGET_USER_ID) {
		if (mm_id_valid(r->name))
			direct(r, r->name);
		else
			resolve_end(r, NULL, "that is not a user id");
		return;
	}
	lower = utf8_lower(r->name); /* may be longer: at most twice */
	(void)strlcpy(r->name, lower, sizeof(r->name));
	free(lower);
	if (t->kind == TARGET_USER_NAME)
		by_user_name(r);
	else
		by_name(r);
}

void
resolve_start(
    struct account *a, const char *target, resolve_fn fn, void *arg)
{
	char *normal = target_normalise(target);
	struct resolve *r;
	struct target t;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->a = a;
	r->fn = fn;
	r->arg = arg;
	target_parse(normal != NULL ? normal : target, &t);
	by_target(r, &t);
	target_clear(&t);
	free(normal);
}
