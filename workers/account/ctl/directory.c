#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/utf8.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/conn.h"
#include "workers/account/ctl/ctl_op.h"

/*
 * People and channels for posternctl, a page a request: nothing is kept
 * here between two, the cursor has all. Of people the server gives pages;
 * of channels it gives one list a team, as at every connect, so the table
 * of channels is brought up to date with the first page and read from then.
 */

#define PAGE 200      /* what the server gives of users at most */
#define QUERY_MAX 128 /* bytes */
#define CURSOR_MAX 96

struct listing {
	struct ctl_op op;
	enum { GROUPS, PEERS, MEMBERS } what;
	char group[MM_ID_SIZE]; /* MEMBERS: of this channel */
	char *query; /* lower case, "" for all */
	char cursor[CURSOR_MAX];
	struct json_object *teams;
	unsigned long team, page; /* of peers; team also while refreshing */
};

static unsigned listing_now; /* stamp of the last refresh */

static void
listing_free(struct listing *l)
{
	json_object_put(l->teams);
	free(l->query);
	free(l);
}

static void
listing_err(struct listing *l, const char *code, const char *text)
{
	ctl_op_err(&l->op, code, text);
	listing_free(l);
}

static void
listing_failed(struct listing *l, const struct net_result *res,
    struct json_object *body)
{
	char why[256], text[320];

	snprintf(text, sizeof(text), "Mattermost directory failed: %s",
	    api_error(res, body, why, sizeof(why)));
	listing_err(l, "refused", text);
}

/* rows is consumed. next: where to go on, "" at the end. */
static void
listing_page(struct listing *l, struct json_object *rows, const char *next,
    int cut)
{
	struct json_object *msg = ctl_op_data(&l->op);

	add_obj(msg, "rows", rows);
	if (*next != '\0')
		add_str(msg, "next", next);
	if (cut)
		add_bool(msg, "cut", 1);
	ctl_op_answer(&l->op, msg);
	listing_free(l);
}

static int
has(const char *text, const char *query)
{
	char *lower;
	int found;

	if (*query == '\0')
		return 1;
	if (text == NULL)
		return 0;
	lower = utf8_lower(text);
	found = strstr(lower, query) != NULL;
	free(lower);
	return found;
}

static void
add_row(struct json_object *rows, const char *kind, const char *id,
    const char *name, const char *handle)
{
	struct json_object *o = json_object_new_object();
	char full[MM_ID_SIZE + 16];

	snprintf(full, sizeof(full), "%s:%s",
	    strcmp(kind, "user") == 0 ? "user" : "channel", id);
	add_str(o, "kind", kind);
	add_str(o, "id", full);
	add_str(o, "name", name);
	add_str(o, "handle", handle == NULL ? "" : handle);
	json_object_array_add(rows, o);
}

/* Channels */

/* The page after the channel with that id, "" for the first. */
static void
groups_page(struct listing *l, const char *after)
{
	struct json_object *rows = json_object_new_array();
	const char *last = "";
	struct channel *ch;
	char next[CURSOR_MAX] = "";

	for (ch = channel_first(l->op.a); ch != NULL; ch = channel_next(ch)) {
		if (strcmp(ch->id, after) <= 0 ||
		    ch->listed != listing_now ||
		    (ch->type != 'O' && ch->type != 'P') ||
		    ch->name == NULL)
			continue;
		if (!has(ch->name, l->query) && !has(ch->display, l->query))
			continue;
		if (json_object_array_length(rows) == PAGE) {
			ID_COPY(next, last);
			break;
		}
		last = ch->id;
		add_row(rows, ch->type == 'P' ? "group" : "channel", ch->id,
		    ch->name, ch->display);
	}
	listing_page(l, rows, next, 0);
}

static void groups_team(struct listing *);

static void
groups_listed(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct listing *l = arg;
	struct channel *ch;
	size_t i;

	/* Left the team meanwhile: nothing of it is listed. */
	if (res->ending == NET_ANSWERED && res->status == 403) {
		groups_team(l);
		return;
	}
	if (!api_ok(res, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		listing_failed(l, res, body);
		return;
	}
	for (i = 0; i < json_object_array_length(body); i++) {
		ch = channel_learn(a, json_object_array_get_idx(body, i));
		if (ch != NULL)
			ch->listed = listing_now;
	}
	groups_team(l);
}

static const char *
team_id(const struct listing *l, unsigned long i)
{
	return api_str(json_object_array_get_idx(l->teams, i), "id");
}

/* The next team's list, or all is known. */
static void
groups_team(struct listing *l)
{
	char path[96];

	if (l->team >= json_object_array_length(l->teams)) {
		json_object_put(l->teams);
		l->teams = NULL;
		groups_page(l, "");
		return;
	}
	snprintf(path, sizeof(path), "/users/me/teams/%s/channels",
	    team_id(l, l->team++));
	if (api_get_large(l->op.a, path, groups_listed, l) == NULL)
		listing_err(l, "teams", "the list of teams is not usable");
}

/* People */

static void
add_user(struct json_object *rows, struct json_object *user)
{
	const char *first = api_str(user, "first_name");
	const char *last = api_str(user, "last_name");
	char full[2 * MM_NAME_MAX + 2];

	snprintf(full, sizeof(full), "%.256s%s%.256s", first,
	    *first != '\0' && *last != '\0' ? " " : "", last);
	add_row(rows, "user", api_str(user, "id"), api_str(user, "username"),
	    full[0] != '\0' ? full : api_str(user, "nickname"));
}

static int
is_asked_for(const struct listing *l, struct json_object *user)
{
	return has(api_str(user, "username"), l->query) ||
	    has(api_str(user, "first_name"), l->query) ||
	    has(api_str(user, "last_name"), l->query) ||
	    has(api_str(user, "nickname"), l->query);
}

static void
peers_listed(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct listing *l = arg;
	struct json_object *rows, *u;
	char next[CURSOR_MAX] = "";
	size_t i, n;

	if (!api_ok(res, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		listing_failed(l, res, body);
		return;
	}
	n = json_object_array_length(body);
	rows = json_object_new_array();
	for (i = 0; i < n; i++) {
		u = json_object_array_get_idx(body, i);
		if (mm_id_valid(api_str(u, "id")) &&
		    api_int(u, "delete_at") == 0 &&
		    (l->what == MEMBERS ? is_asked_for(l, u) :
			    strcmp(api_str(u, "id"), a->bot_id) != 0))
			add_user(rows, u);
	}
	if (l->what == MEMBERS) {
		if (n == PAGE)
			snprintf(next, sizeof(next), "0:%lu", l->page + 1);
	} else if (*l->query == '\0' && n == PAGE)
		snprintf(next, sizeof(next), "%lu:%lu", l->team, l->page + 1);
	else if (l->team + 1 < json_object_array_length(l->teams))
		snprintf(next, sizeof(next), "%lu:0", l->team + 1);
	listing_page(l, rows, next,
	    l->what == PEERS && *l->query != '\0' && n == PAGE);
}

/* Of a channel: the server gives pages, and cannot search there. */
static void
members_page(struct listing *l)
{
	char path[128];

	if (l->cursor[0] != '\0' &&
	    sscanf(l->cursor, "0:%6lu", &l->page) != 1) {
		listing_err(l, "cursor", "a cursor of another list");
		return;
	}
	snprintf(path, sizeof(path),
	    "/users?in_channel=%s&active=true&page=%lu&per_page=%d", l->group,
	    l->page, PAGE);
	if (api_get(l->op.a, path, peers_listed, l) == NULL)
		listing_err(l, "group", "the channel's id is not usable");
}

/* Who the bot is. */
static void
self_page(struct listing *l)
{
	struct json_object *rows = json_object_new_array();
	struct account *a = l->op.a;

	add_row(rows, "user", a->bot_id, a->bot_name, "");
	listing_page(l, rows, "", 0);
}

static void
peers_page(struct listing *l)
{
	struct json_object *body;
	struct net_request *req;
	const char *team;
	char path[128];

	if (l->cursor[0] != '\0' &&
	    sscanf(l->cursor, "%6lu:%6lu", &l->team, &l->page) != 2) {
		listing_err(l, "cursor", "a cursor of another list");
		return;
	}
	if (l->team >= json_object_array_length(l->teams)) {
		listing_page(l, json_object_new_array(), "", 0);
		return;
	}
	team = team_id(l, l->team);
	if (*l->query != '\0') {
		body = json_object_new_object();
		add_str(body, "term", l->query);
		add_str(body, "team_id", team);
		add_int(body, "limit", PAGE);
		req = api_send(l->op.a, "POST", "/users/search", body,
		    peers_listed, l);
	} else {
		snprintf(path, sizeof(path),
		    "/users?in_team=%s&active=true&page=%lu&per_page=%d",
		    team, l->page, PAGE);
		req = api_get(l->op.a, path, peers_listed, l);
	}
	if (req == NULL)
		listing_err(l, "teams", "the list of teams is not usable");
}

/* Both begin with the bot's teams. */

/* Their ids go into paths. */
static int
are_teams(struct json_object *list)
{
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(list); i++)
		if (!mm_id_valid(api_str(
			json_object_array_get_idx(list, i), "id")))
			return 0;
	return 1;
}

static void
teams_known(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct listing *l = arg;

	if (!api_ok(res, body, 200)) {
		listing_failed(l, res, body);
		return;
	}
	if (!are_teams(body)) {
		listing_err(l, "teams", "the list of teams is not usable");
		return;
	}
	l->teams = json_object_get(body);
	if (l->what == PEERS) {
		peers_page(l);
		return;
	}
	listing_now++;
	groups_team(l);
}

/* 0, or -1 after an answer. */
static int
take_kind(struct listing *l, const char *kind, const char *group)
{
	if (strcmp(kind, "peers") == 0)
		l->what = PEERS;
	else if (strcmp(kind, "members") == 0)
		l->what = MEMBERS;
	else if (strcmp(kind, "groups") != 0 && strcmp(kind, "self") != 0) {
		listing_err(l, "kind", "peers, groups, members or self");
		return -1;
	}
	if (l->what != MEMBERS)
		return 0;
	if (group != NULL && strncmp(group, "channel:", 8) == 0)
		group += 8;
	if (group == NULL || !mm_id_valid(group)) {
		listing_err(l, "group", "the members of which channel? It "
		    "takes the id of one, with channel: before it or without");
		return -1;
	}
	ID_COPY(l->group, group);
	return 0;
}

void
ctl_on_directory(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	const char *kind, *query, *cursor, *group;
	struct account *a = arg;
	struct listing *l;
	struct fields f;

	fields_open(&f, msg);
	kind = fields_str(&f, "kind", 16);
	query = fields_opt_str(&f, "query", QUERY_MAX);
	cursor = fields_opt_str(&f, "cursor", CURSOR_MAX - 1);
	group = fields_opt_str(&f, "group", 64);
	if (fields_end(&f) == -1) {
		chan_violation(c, "directory");
		return;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("calloc");
	ctl_op_begin(&l->op, a, c, msg);
	l->query = utf8_lower(query == NULL ? "" : query);
	if (cursor != NULL)
		ID_COPY(l->cursor, cursor);
	if (take_kind(l, kind, group) == -1)
		return;
	if (!conn_live(a))
		listing_err(l, "offline", ctl_offline(a));
	else if (strcmp(kind, "self") == 0)
		self_page(l);
	else if (l->what == MEMBERS)
		members_page(l);
	else if (l->what == GROUPS && l->cursor[0] != '\0')
		groups_page(l, l->cursor);
	else
		api_get(a, "/users/me/teams", teams_known, l);
}
