/*
 * One round over all teams: what there shall be is held against what there
 * is, one request at a time.
 */
#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto.h"
#include "common/secret.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/slash_int.h"
#include "workers/account/conn.h"
#include "workers/account/storelink.h"

struct slash_sync {
	struct account *a;
	struct json_object *teams; /* of the bot */
	struct json_object *list;  /* of this team, NULL: not to be had */
	struct slash_spec *spec;
	size_t team, n_teams;
	int failed, forbidden, made;
	int no_create; /* in this team */
};

static void team_next(struct slash_sync *);
static void spec_next(struct slash_sync *);

static const char *
team_id(const struct slash_sync *y)
{
	return api_str(json_object_array_get_idx(y->teams, y->team), "id");
}

static int
is_over(const struct slash_sync *y)
{
	return y->n_teams < json_object_array_length(y->teams);
}

static void
sync_end(struct slash_sync *y)
{
	struct account *a = y->a;
	struct slash *s = a->slash;
	struct slash_cmd *c, *next;
	int n = 0;

	for (c = TAILQ_FIRST(&s->cmds); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		/* One that could not be looked at now stays. */
		if (c->team[0] != '\0' && !c->seen && !y->failed)
			slash_drop(a, c);
		else
			n += c->team[0] != '\0';
	}
	s->problem = y->forbidden ?
	    "the bot may not create slash commands: make it a team "
	    "administrator, or have them made and give their tokens in "
	    "commands.tokens" :
	    y->failed ? "not every team's slash commands could be registered" :
	    is_over(y) ? "the bot is in so many teams that the last of them "
			 "have no slash commands" :
			 NULL;
	log_event(n == 0 ? LOG_ERR : s->problem != NULL ? LOG_WARNING :
							  LOG_INFO,
	    "slash.registered", "account", a->id, "commands", LOG_NUM(n),
	    "made", LOG_NUM(y->made), "error", s->problem, NULL);
	s->sync = NULL;
	slash_tell(a);
	if (!s->stopped)
		loop_timer(s->timer, s->again ? 0 : y->failed ? SLASH_AGAIN_MS :
							SLASH_SYNC_MS);
	s->again = 0;
	json_object_put(y->teams);
	json_object_put(y->list);
	free(y);
}

static void
failed(struct slash_sync *y, const char *what, const struct net_result *r,
    struct json_object *body)
{
	char why[256];

	if (r->ending == NET_ANSWERED && r->status == 403)
		y->forbidden = 1;
	else
		y->failed = 1;
	log_event(LOG_WARNING, "slash.failed", "account", y->a->id, "team",
	    team_id(y), "trigger", y->spec != NULL ? y->spec->trigger : "",
	    "what", what, "error", api_error(r, body, why, sizeof(why)), NULL);
}

/* The next team, too, when this one cannot be worked on at all. */
static void
ask(struct slash_sync *y, const char *method, const char *path,
    struct json_object *body, api_fn fn)
{
	if (y->a->slash->stopped) {
		json_object_put(body);
		sync_end(y);
		return;
	}
	if (api_send(y->a, method, path, body, fn, y) == NULL) {
		y->failed = 1;
		y->team++;
		team_next(y);
	}
}

/* What a command of ours is to look like. */
static struct json_object *
wanted(const struct slash_sync *y, const char *id)
{
	struct json_object *o = json_object_new_object();
	const struct slash_spec *sp = y->spec;

	if (*id != '\0')
		add_str(o, "id", id);
	add_str(o, "team_id", team_id(y));
	add_str(o, "trigger", sp->trigger);
	add_str(o, "method", "P");
	add_str(o, "url", y->a->slash->url);
	add_str(o, "description", sp->desc);
	add_bool(o, "auto_complete", 1);
	add_str(o, "auto_complete_desc", sp->desc);
	add_str(o, "auto_complete_hint", sp->hint);
	return o;
}

static void
adopt(struct slash_sync *y, struct json_object *o, int ours)
{
	const char *id = api_str(o, "id"), *token = api_str(o, "token");

	/* What the callback worker does not take must not be told to it. */
	if (!mm_id_valid(id) || *token == '\0' ||
	    strlen(token) > SLASH_TOKEN_MAX)
		y->failed = 1;
	else
		slash_put(y->a, y->spec, team_id(y), id, token, ours);
}

static int
ours_by_record(const struct slash_sync *y, const char *id)
{
	return strcmp(slash_recorded(y->a, team_id(y), y->spec->trigger),
		   id) == 0;
}

static void
created(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct slash_sync *y = arg;

	if (api_ok(r, body, 201) || api_ok(r, body, 200)) {
		y->made++;
		if (mm_id_valid(api_str(body, "id")))
			slash_record(a, team_id(y), y->spec->trigger,
			    api_str(body, "id"));
		adopt(y, body, 1);
	} else {
		failed(y, "create", r, body);
		y->no_create = r->ending == NET_ANSWERED && r->status == 403;
	}
	spec_next(y);
}

static void
create(struct slash_sync *y)
{
	if (y->no_create) {
		spec_next(y);
		return;
	}
	ask(y, "POST", "/commands", wanted(y, ""), created);
}

static void
deleted(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct slash_sync *y = arg;

	if (api_ok(r, body, 200) ||
	    (r->ending == NET_ANSWERED && r->status == 404)) {
		create(y);
		return;
	}
	failed(y, "delete", r, body);
	spec_next(y);
}

static void
updated(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct slash_sync *y = arg;
	const char *old = slash_recorded(a, team_id(y), y->spec->trigger);
	struct json_object *o;
	char path[64], id[MM_ID_SIZE] = "";
	size_t i, n = y->list == NULL ? 0 : json_object_array_length(y->list);

	if (api_ok(r, body, 200)) {
		adopt(y, body, ours_by_record(y, api_str(body, "id")));
		spec_next(y);
		return;
	}
	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(y->list, i);
		if (strcmp(api_str(o, "trigger"), y->spec->trigger) == 0 &&
		    strcmp(api_str(o, "creator_id"), a->bot_id) == 0)
			(void)strlcpy(id, api_str(o, "id"), sizeof(id));
	}
	if (id[0] == '\0')
		(void)strlcpy(id, old, sizeof(id));
	if (r->ending != NET_ANSWERED || !mm_id_valid(id)) {
		failed(y, "update", r, body);
		spec_next(y);
		return;
	}
	snprintf(path, sizeof(path), "/commands/%s", id);
	ask(y, "DELETE", path, NULL, deleted);
}

static void
reconcile(struct slash_sync *y, struct json_object *o)
{
	const char *id = api_str(o, "id");
	char path[64];

	if (strcmp(api_str(o, "url"), y->a->slash->url) == 0 &&
	    strcmp(api_str(o, "method"), "P") == 0) {
		adopt(y, o, ours_by_record(y, id));
		spec_next(y);
		return;
	}
	if (!mm_id_valid(id)) {
		y->failed = 1;
		spec_next(y);
		return;
	}
	snprintf(path, sizeof(path), "/commands/%s", id);
	ask(y, "PUT", path, wanted(y, id), updated);
}

/* Listing is forbidden: what we made can be asked for by its id. */
static void
own_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct slash_sync *y = arg;

	if (api_ok(r, body, 200) && api_int(body, "delete_at") == 0 &&
	    strcmp(api_str(body, "creator_id"), a->bot_id) == 0) {
		reconcile(y, body);
		return;
	}
	if (r->ending == NET_ANSWERED && r->status == 404) {
		slash_record(a, team_id(y), y->spec->trigger, "");
		create(y);
		return;
	}
	failed(y, "get", r, body);
	spec_next(y);
}

static void
spec_blind(struct slash_sync *y)
{
	const char *id = slash_recorded(y->a, team_id(y), y->spec->trigger);
	char path[64];

	if (!mm_id_valid(id)) {
		create(y);
		return;
	}
	snprintf(path, sizeof(path), "/commands/%s", id);
	ask(y, "GET", path, NULL, own_done);
}

static void
spec_listed(struct slash_sync *y)
{
	struct json_object *o, *own = NULL;
	size_t i, n = json_object_array_length(y->list);
	int foreign = 0;

	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(y->list, i);
		if (strcmp(api_str(o, "trigger"), y->spec->trigger) != 0)
			continue;
		if (strcmp(api_str(o, "creator_id"), y->a->bot_id) != 0)
			foreign = 1;
		else if (own == NULL)
			own = o;
	}
	if (own != NULL)
		reconcile(y, own);
	else if (foreign) {
		log_event(LOG_NOTICE, "slash.foreign", "account", y->a->id,
		    "team", team_id(y), "trigger", y->spec->trigger, NULL);
		spec_next(y);
	} else
		create(y);
}

static void
spec_next(struct slash_sync *y)
{
	do
		y->spec = y->spec == NULL ?
		    TAILQ_FIRST(&y->a->slash->specs) :
		    TAILQ_NEXT(y->spec, entry);
	while (y->spec != NULL && y->spec->manual);
	if (y->spec == NULL) {
		y->team++;
		team_next(y);
	} else if (y->list != NULL)
		spec_listed(y);
	else
		spec_blind(y);
}

static void
list_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct slash_sync *y = arg;

	y->spec = NULL;
	if (api_ok(r, body, 200) && json_object_is_type(body, json_type_array))
		y->list = json_object_get(body);
	else if (r->ending != NET_ANSWERED || r->status != 403) {
		failed(y, "list", r, body);
		y->team++;
		team_next(y);
		return;
	}
	spec_next(y);
}

static int
all_manual(const struct slash *s)
{
	const struct slash_spec *sp;

	TAILQ_FOREACH(sp, &s->specs, entry)
		if (!sp->manual)
			return 0;
	return 1;
}

/* Those that an administrator made, of this team or of every team. */
static void
manual_add(struct slash_sync *y)
{
	struct slash_cmd *c;

	TAILQ_FOREACH(c, &y->a->slash->cmds, entry) {
		if (!c->spec->manual)
			continue;
		if (strcmp(c->team, team_id(y)) == 0)
			c->seen = 1;
		else if (c->team[0] == '\0' && slash_find(y->a, team_id(y),
			c->spec->trigger) == NULL)
			slash_put(y->a, c->spec, team_id(y), "",
			    secret_bytes(c->token), 0);
	}
}

static void
team_next(struct slash_sync *y)
{
	char path[128];

	json_object_put(y->list);
	y->list = NULL;
	y->no_create = 0;
	for (; y->team < y->n_teams; y->team++)
		if (mm_id_valid(team_id(y)))
			break;
	if (y->team >= y->n_teams) {
		sync_end(y);
		return;
	}
	manual_add(y);
	if (all_manual(y->a->slash)) {
		y->team++;
		team_next(y);
		return;
	}
	snprintf(path, sizeof(path), "/commands?team_id=%s&custom_only=true",
	    team_id(y));
	ask(y, "GET", path, NULL, list_done);
}

/* All that there are, in all teams, are told to the callback worker. */
static size_t
teams_max(const struct slash *s)
{
	const struct slash_spec *sp;
	size_t n = 0;

	TAILQ_FOREACH(sp, &s->specs, entry)
		n++;
	return PROTO_COMMANDS / (n == 0 ? 1 : n);
}

static void
teams_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct slash_sync *y = arg;
	char why[256];

	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		log_event(LOG_WARNING, "slash.failed", "account", a->id, "what",
		    "teams", "error", api_error(r, body, why, sizeof(why)),
		    NULL);
		y->failed = 1;
		y->teams = json_object_new_array();
	} else
		y->teams = json_object_get(body);
	y->n_teams = json_object_array_length(y->teams);
	if (y->n_teams > teams_max(a->slash))
		y->n_teams = teams_max(a->slash);
	team_next(y);
}

static void
round_start(struct account *a)
{
	struct slash *s = a->slash;
	struct slash_cmd *c;
	struct slash_sync *y;

	TAILQ_FOREACH(c, &s->cmds, entry)
		c->seen = 0;
	if ((y = calloc(1, sizeof(*y))) == NULL)
		fatal("calloc");
	y->a = a;
	y->teams = NULL;
	s->sync = y;
	if (api_get(a, "/users/me/teams", teams_done, y) == NULL)
		fatalx("a path of our own");
}

static void
on_record(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct json_object *list = NULL;
	struct slash *s = a->slash;

	s->sync = NULL;
	if (err != NULL ||
	    !json_object_object_get_ex(reply, "commands", &list) ||
	    !json_object_is_type(list, json_type_array)) {
		loop_timer(s->timer, SLASH_AGAIN_MS);
		return;
	}
	json_object_put(s->record);
	s->record = json_object_get(list);
	if (!s->stopped)
		round_start(a);
}

/* Marks a round that waits for the store. */
static struct slash_sync waiting;

void
slash_sync(struct account *a)
{
	struct slash *s = a->slash;

	if (!s->on || s->stopped || !conn_live(a))
		return;
	if (s->sync != NULL) {
		s->again = 1;
		return;
	}
	if (s->record != NULL) {
		round_start(a);
		return;
	}
	s->sync = &waiting;
	storelink_request(a, chan_msg("command.list"), on_record, NULL);
}

/* Going */

struct going {
	void (*done)(struct account *);
	int left;
};

static void
gone(struct account *a, struct going *g)
{
	if (--g->left > 0)
		return;
	g->done(a);
	free(g);
}

struct leaving {
	struct going *g;
	char team[MM_ID_SIZE];
	char trigger[SLASH_TRIGGER_MAX + 1];
};

static void
left(struct account *a, const struct net_result *r, struct json_object *body,
    void *arg)
{
	struct leaving *l = arg;

	/* What could not be deleted stays in the record. */
	if (r->ending == NET_ANSWERED &&
	    (r->status == 200 || r->status == 404))
		slash_record(a, l->team, l->trigger, "");
	gone(a, l->g);
	free(l);
}

void
slash_leave(struct account *a)
{
	a->slash->stopped = 1;
	event_del(a->slash->timer);
}

void
slash_stop(struct account *a, void (*done)(struct account *))
{
	struct slash *s = a->slash;
	struct going *g;
	struct leaving *l;
	struct slash_cmd *c;
	char path[64];

	s->stopped = 1;
	event_del(s->timer);
	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("calloc");
	g->done = done;
	g->left = 1;
	TAILQ_FOREACH(c, &s->cmds, entry) {
		if (!c->ours)
			continue;
		if ((l = calloc(1, sizeof(*l))) == NULL)
			fatal("calloc");
		l->g = g;
		ID_COPY(l->team, c->team);
		ID_COPY(l->trigger, c->spec->trigger);
		snprintf(path, sizeof(path), "/commands/%s", c->id);
		if (api_send_within(
			a, "DELETE", path, NULL, 2000, left, l) != NULL)
			g->left++;
		else
			free(l);
	}
	if (s->on && s->url != NULL)
		slash_tell(a);
	gone(a, g);
}
