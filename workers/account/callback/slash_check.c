/*
 * The server is asked again before a call is believed: a token that was
 * regenerated, a command that was deleted, moved or given to another are
 * noticed at once. What cannot be asked is refused. A failure counts for
 * five seconds; looks are limited for each command; calls that come during
 * one look share it.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/log.h"
#include "common/secret.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/slash_int.h"

struct slash_check {
	TAILQ_ENTRY(slash_check) entry;
	slash_check_fn fn;
	void *arg;
};

/* The look outlives its command. */
struct look {
	char team[MM_ID_SIZE];
	char id[MM_ID_SIZE];
};

static struct slash_cmd *
cmd_of(struct account *a, const struct look *l)
{
	struct slash_cmd *c;

	TAILQ_FOREACH(c, &a->slash->cmds, entry)
		if (strcmp(c->id, l->id) == 0 && strcmp(c->team, l->team) == 0)
			return c;
	return NULL;
}

static void
tell_all(struct account *a, struct slash_cmd *c, int ok)
{
	TAILQ_HEAD(, slash_check) list = TAILQ_HEAD_INITIALIZER(list);
	struct slash_check *k;

	/* A callback may bring the command to its end. */
	TAILQ_CONCAT(&list, &c->checks, entry);
	while ((k = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, k, entry);
		k->fn(a, ok, k->arg);
		free(k);
	}
}

void
slash_check_drop(struct account *a, struct slash_cmd *c)
{
	tell_all(a, c, 0);
}

static int
token_is(const struct slash_cmd *c, const char *token)
{
	return strlen(token) == secret_len(c->token) &&
	    CRYPTO_memcmp(token, secret_bytes(c->token),
		secret_len(c->token)) == 0;
}

static int
is_same(struct account *a, const struct slash_cmd *c, struct json_object *o)
{
	return api_int(o, "delete_at") == 0 &&
	    strcmp(api_str(o, "id"), c->id) == 0 &&
	    strcmp(api_str(o, "team_id"), c->team) == 0 &&
	    strcmp(api_str(o, "trigger"), c->spec->trigger) == 0 &&
	    strcmp(api_str(o, "method"), "P") == 0 &&
	    strcmp(api_str(o, "url"), a->slash->url) == 0 &&
	    token_is(c, api_str(o, "token"));
}

static void
look_end(struct account *a, struct look *l, struct json_object *o)
{
	struct slash_cmd *c = cmd_of(a, l);
	int ok;

	free(l);
	if (c == NULL)
		return;
	ok = o != NULL && is_same(a, c, o);
	if (!ok) {
		c->failed = monotime_now();
		log_event(LOG_WARNING, "slash.unproved", "account", a->id,
		    "trigger", c->spec->trigger, "team", c->team, "error",
		    o == NULL ? "the server does not tell of it" :
				"the server knows another one", NULL);
		/* Perhaps it has a new token: look at them all. */
		if (o != NULL)
			slash_sync(a);
	}
	tell_all(a, c, ok);
}

static void
list_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct json_object *o, *found = NULL;
	struct look *l = arg;
	size_t i;

	if (api_ok(r, body, 200) &&
	    json_object_is_type(body, json_type_array))
		for (i = 0; i < json_object_array_length(body); i++) {
			o = json_object_array_get_idx(body, i);
			if (strcmp(api_str(o, "id"), l->id) == 0)
				found = o;
		}
	look_end(a, l, found);
}

static void
get_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct look *l = arg;
	char path[128];

	if (api_ok(r, body, 200) && api_int(body, "delete_at") == 0) {
		look_end(a, l, body);
		return;
	}
	snprintf(path, sizeof(path), "/commands?team_id=%s&custom_only=true",
	    l->team);
	if (api_send_within(
		a, "GET", path, NULL, CHECK_MS, list_done, l) == NULL)
		look_end(a, l, NULL);
}

static void
look_start(struct account *a, struct slash_cmd *c)
{
	struct look *l;
	char path[64];

	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("calloc");
	ID_COPY(l->team, c->team);
	ID_COPY(l->id, c->id);
	snprintf(path, sizeof(path), "/commands/%s", c->id);
	if (api_send_within(
		a, "GET", path, NULL, CHECK_MS, get_done, l) == NULL)
		look_end(a, l, NULL);
}

/* 1: one more look at it is allowed now. */
static int
may_look(struct account *a, struct slash_cmd *c)
{
	int64_t ms;

	if (c->tokens == -1) {
		c->tokens = CHECK_BURST;
		c->refilled = monotime_now();
	}
	ms = monotime_since(c->refilled);
	if (ms >= CHECK_EVERY_MS) {
		c->tokens += (int)(ms / CHECK_EVERY_MS > CHECK_BURST ?
			CHECK_BURST : ms / CHECK_EVERY_MS);
		if (c->tokens > CHECK_BURST)
			c->tokens = CHECK_BURST;
		c->refilled = monotime_now();
		c->told = 0;
	}
	if (c->tokens > 0) {
		c->tokens--;
		return 1;
	}
	if (!c->told)
		log_event(LOG_WARNING, "slash.limited", "account", a->id,
		    "trigger", c->spec->trigger, NULL);
	c->told = 1;
	return 0;
}

void
slash_check(
    struct account *a, struct slash_cmd *c, slash_check_fn fn, void *arg)
{
	struct slash_check *k;
	int first = TAILQ_EMPTY(&c->checks);

	/* An administrator's: the bot may not look at it. */
	if (c->id[0] == '\0') {
		fn(a, 1, arg);
		return;
	}
	if ((c->failed.ms != 0 &&
		monotime_since(c->failed) < CHECK_FAILED_MS) ||
	    !may_look(a, c)) {
		fn(a, 0, arg);
		return;
	}
	if ((k = calloc(1, sizeof(*k))) == NULL)
		fatal("calloc");
	k->fn = fn;
	k->arg = arg;
	TAILQ_INSERT_TAIL(&c->checks, k, entry);
	if (first)
		look_start(a, c);
}
