#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/ws.h"

static int
name_valid(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(s[i] >= '0' && s[i] <= '9') || s[i] == '-' ||
			s[i] == '_'))
			return 0;
	return i >= 2 && i <= 64;
}

static void
channel_event(const char *name, const struct channel *c, const struct bcast *to)
{
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "channel_id", c->id);
	buf_kstr(&b, "team_id", c->team ? c->team->id : "");
	buf_str(&b, "}");
	event_publish(name, b.p, to);
	buf_free(&b);
}

static void
make_channel(struct req *r, struct json_object *o, struct team *t, char type)
{
	struct bcast to = {.user = r->user};
	struct channel *c;
	struct buf b = {0};

	c = channel_new(t, type, jstr(o, "name"), jstr(o, "display_name"));
	memcpy(c->creator_id, r->user->id, sizeof(c->creator_id));
	free(c->header);
	c->header = xstrdup(jstr(o, "header"));
	free(c->purpose);
	c->purpose = xstrdup(jstr(o, "purpose"));
	channel_join(c, r->user)->admin = 1;
	render_channel(&b, c);
	post_system(c, r->user, "system_join_channel", member_props(r->user),
	    "%s joined the channel.", r->user->username);
	channel_event("channel_created", c, &to);
	api_json(r, 201, &b);
}

static void
create_channel(struct req *r)
{
	struct json_object *o = req_json(r);
	struct team *t = hmap_get(&st.teams, jstr(o, "team_id"));
	const char *type = jstr(o, "type");

	if (o == NULL)
		api_bad_body(r, "channel");
	else if (t == NULL ||
	    (team_member(t, r->user) == NULL && !r->user->is_admin))
		api_forbidden(r);
	else if (strcmp(type, "O") != 0 && strcmp(type, "P") != 0)
		api_error(r, 400, "model.channel.is_valid.type.app_error",
		    "Invalid type.");
	else if (!name_valid(jstr(o, "name")))
		api_error(r, 400,
		    "model.channel.is_valid.2_or_more.app_error",
		    "Name must be 2 or more lowercase alphanumeric "
		    "characters.");
	else if (hmap_get(&t->channels, jstr(o, "name")) != NULL)
		api_error(r, 400, "store.sql_channel.save_channel.exists."
		    "app_error", "A channel with that name already exists on "
		    "the same team.");
	else
		make_channel(r, o, t, *type);
	json_object_put(o);
}

static void
reply_channel(struct req *r, int status, const struct channel *c)
{
	struct buf b = {0};

	render_channel(&b, c);
	api_json(r, status, &b);
}

static void
create_direct(struct req *r)
{
	struct json_object *o = req_json(r);
	struct bcast to;
	struct channel *c;
	struct user *u[2] = {NULL, NULL};
	struct buf b = {0};
	int i, made;

	if (!json_object_is_type(o, json_type_array) ||
	    json_object_array_length(o) != 2) {
		api_bad_body(r, "user_ids");
		json_object_put(o);
		return;
	}
	for (i = 0; i < 2; i++)
		u[i] = hmap_get(&st.users, json_object_get_string(
		    json_object_array_get_idx(o, (size_t)i)));
	json_object_put(o);
	if (u[0] == NULL || u[1] == NULL) {
		api_error(r, 400, "api.channel.create_direct_channel."
		    "invalid_user.app_error", "Invalid user ID.");
		return;
	}
	if (u[0] != r->user && u[1] != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	c = channel_direct(u[0], u[1], &made);
	if (made) {
		memcpy(c->creator_id, r->user->id, sizeof(c->creator_id));
		buf_str(&b, "{");
		buf_kstr(&b, "creator_id", r->user->id);
		buf_kstr(&b, "teammate_id",
		    u[0] == r->user ? u[1]->id : u[0]->id);
		buf_str(&b, "}");
		to = (struct bcast){.channel = c};
		event_publish("direct_added", b.p, &to);
		buf_free(&b);
	}
	reply_channel(r, 201, c);
}

static int
id_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
group_event(struct channel *c)
{
	struct bcast to = {.channel = c};
	const char *id[8];
	struct buf b = {0}, list = {0};
	size_t i;

	for (i = 0; i < c->nmembers && i < 8; i++)
		id[i] = c->member[i]->user->id;
	qsort(id, i, sizeof(*id), id_cmp);
	buf_str(&list, "[");
	for (i = 0; i < c->nmembers && i < 8; i++)
		buf_fmt(&list, "%s\"%s\"", i ? "," : "", id[i]);
	buf_str(&list, "]");
	buf_str(&b, "{");
	buf_kstr(&b, "teammate_ids", list.p);
	buf_str(&b, "}");
	event_publish("group_added", b.p, &to);
	buf_free(&list);
	buf_free(&b);
}

static void
create_group(struct req *r)
{
	struct json_object *o = req_json(r);
	struct user *u[8], *x;
	size_t i, k, n = 0, len;
	struct channel *c;
	int made, bad = 0;

	len = json_object_is_type(o, json_type_array)
	    ? json_object_array_length(o) : 0;
	if (len > 0)
		u[n++] = r->user;
	for (i = 0; i < len && n < 8; i++) {
		x = hmap_get(&st.users, json_object_get_string(
		    json_object_array_get_idx(o, i)));
		for (k = 0; k < n && u[k] != x; k++)
			;
		bad |= x == NULL;
		if (x != NULL && k == n)
			u[n++] = x;
	}
	json_object_put(o);
	if (len == 0 || bad)
		api_bad_body(r, "user_ids");
	else if (n < 3 || len > 8)
		api_error(r, 400, "api.channel.create_group.bad_size."
		    "app_error", "Group message channels must contain at least"
		    " 3 and no more than 8 users.");
	else {
		c = channel_group(u, n, &made);
		if (made)
			group_event(c);
		reply_channel(r, 201, c);
	}
}

static void
get_channel(struct req *r)
{
	struct channel *c;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "channel_id");
		return;
	}
	c = hmap_get(&st.channels, r->arg[0]);
	if (c == NULL)
		api_error(r, 404, "app.channel.get.existing.app_error",
		    "Unable to find the existing channel.");
	else if (channel_member(c, r->user) == NULL && !r->user->is_admin &&
	    !(c->type == 'O' && team_member(c->team, r->user) != NULL))
		api_forbidden(r);
	else
		reply_channel(r, 200, c);
}

static void
get_channel_name(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	const char *del = req_query(r, "include_deleted");
	struct channel *c;

	if (t == NULL)
		return;
	c = channel_by_name(t, r->arg[1]);
	if (c == NULL ||
	    (c->delete_at && (del == NULL || strcmp(del, "true") != 0)) ||
	    (c->type == 'P' && channel_member(c, r->user) == NULL &&
		!r->user->is_admin))
		api_error(r, 404, "app.channel.get_by_name.missing.app_error",
		    "Channel does not exist.");
	else
		reply_channel(r, 200, c);
}

static int
display_cmp(const void *a, const void *b)
{
	const struct channel *x = *(struct channel *const *)a;
	const struct channel *y = *(struct channel *const *)b;
	int d = strcmp(x->display_name, y->display_name);

	return d ? d : strcmp(x->id, y->id);
}

/* 1: the client has this list already (and was told so). */
static int
list_unchanged(struct req *r, struct channel **list, size_t n)
{
	const char *match = req_header(r, "If-None-Match");
	struct buf etag = {0};
	const char *id = "0";
	int64_t t = 0;
	size_t i;
	int same;

	for (i = 0; i < n; i++) {
		if (list[i]->last_post_at > t || list[i]->update_at > t)
			id = list[i]->id;
		if (list[i]->last_post_at > t)
			t = list[i]->last_post_at;
		if (list[i]->update_at > t)
			t = list[i]->update_at;
	}
	buf_fmt(&etag, "5.37.0.%s.%lld.0.%zu", id, (long long)t, n);
	api_etag(r, etag.p);
	same = match != NULL && !strcmp(match, etag.p);
	buf_free(&etag);
	if (!same)
		return 0;
	api_headers(r);
	http_reply(r, 304, NULL, NULL, 0);
	return 1;
}

/* The user's channels of the team, direct and group ones included. */
static void
user_team_channels(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct team *t;
	const char *del;
	struct channel **list, *c;
	struct buf b = {0};
	size_t i, n = 0;

	if (u == NULL)
		return;
	if (u != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	if ((t = api_team_arg(r, r->arg[1])) == NULL)
		return;
	del = req_query(r, "include_deleted");
	list = xcalloc(u->nmembers, sizeof(struct channel *));
	for (i = 0; i < u->nmembers; i++) {
		c = u->member[i]->channel;
		if ((c->team == NULL || c->team == t) &&
		    (!c->delete_at || (del && !strcmp(del, "true"))))
			list[n++] = c;
	}
	qsort(list, n, sizeof(struct channel *), display_cmp);
	if (list_unchanged(r, list, n)) {
		free(list);
		return;
	}
	buf_str(&b, "[");
	for (i = 0; i < n; i++) {
		buf_str(&b, i ? "," : "");
		render_channel(&b, list[i]);
	}
	buf_str(&b, "]");
	free(list);
	api_json(r, 200, &b);
}

static void
team_channels(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	size_t per = (size_t)query_num(r, "per_page", 60), skip, i;
	struct buf b = {0};

	if (t == NULL)
		return;
	skip = (size_t)query_num(r, "page", 0) * per;
	buf_str(&b, "[");
	for (i = 0; i < t->nchannels && per > 0; i++) {
		if (t->channel[i]->type != 'O' || t->channel[i]->delete_at ||
		    (skip > 0 && skip-- > 0))
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		render_channel(&b, t->channel[i]);
		per--;
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static void
patch_channel(struct req *r)
{
	struct channel *c = api_channel_arg(r, r->arg[0]);
	struct bcast to = {.channel = c};
	struct json_object *o;
	struct buf b = {0}, d = {0};

	if (c == NULL)
		return;
	o = req_json(r);
	if (*jstr(o, "display_name")) {
		free(c->display_name);
		c->display_name = xstrdup(jstr(o, "display_name"));
	}
	if (*jstr(o, "header")) {
		free(c->header);
		c->header = xstrdup(jstr(o, "header"));
	}
	json_object_put(o);
	c->update_at = tick_ms();
	render_channel(&b, c);
	buf_str(&d, "{\"channel\":");
	buf_json(&d, b.p, b.len);
	buf_str(&d, "}");
	event_publish("channel_updated", d.p, &to);
	buf_free(&d);
	api_json(r, 200, &b);
}

/* Made private, or public. */
static void
channel_privacy(struct req *r)
{
	struct channel *c = api_channel_arg(r, r->arg[0]);
	struct bcast to = {0};
	struct json_object *o;
	struct buf b = {0};
	char type;

	if (c == NULL)
		return;
	o = req_json(r);
	type = *jstr(o, "privacy");
	json_object_put(o);
	if (c->team == NULL || (type != 'O' && type != 'P')) {
		api_error(r, 400, "api.context.invalid_body_param.app_error",
		    "Invalid or missing privacy in request body.");
		return;
	}
	c->type = type;
	c->update_at = tick_ms();
	post_system(c, r->user, "system_change_chan_privacy",
	    member_props(r->user), type == 'P' ?
	    "This channel has been converted to a Private Channel." :
	    "This channel has been converted to a Public Channel and can be "
	    "joined by any team member.");
	to.team = c->team;
	buf_str(&b, "{");
	buf_kstr(&b, "channel_id", c->id);
	buf_str(&b, "}");
	event_publish("channel_converted", b.p, &to);
	buf_free(&b);
	reply_channel(r, 200, c);
}

static void
delete_channel(struct req *r)
{
	struct channel *c = api_channel_arg(r, r->arg[0]);
	struct bcast to = {0};
	struct buf b = {0};

	if (c == NULL)
		return;
	if (c->team == NULL || !strcmp(c->name, "town-square")) {
		api_error(r, 400, "api.channel.delete_channel.type.invalid",
		    "Unable to delete direct or group message channels.");
		return;
	}
	if (c->delete_at == 0) {
		post_system(c, r->user, "system_channel_deleted",
		    member_props(r->user), "%s archived the channel.",
		    r->user->username);
		c->delete_at = c->update_at = tick_ms();
		to.team = c->team;
		buf_str(&b, "{");
		buf_kstr(&b, "channel_id", c->id);
		buf_knum(&b, "delete_at", c->delete_at);
		buf_str(&b, "}");
		event_publish("channel_deleted", b.p, &to);
		buf_free(&b);
	}
	api_ok(r);
}

static void
restore_channel(struct req *r)
{
	struct channel *c = api_channel_arg(r, r->arg[0]);
	struct bcast to = {0};
	struct buf b = {0};

	if (c == NULL)
		return;
	c->delete_at = 0;
	c->update_at = tick_ms();
	to.team = c->team;
	buf_str(&b, "{");
	buf_kstr(&b, "channel_id", c->id);
	buf_str(&b, "}");
	event_publish("channel_restored", b.p, &to);
	buf_free(&b);
	reply_channel(r, 200, c);
}

const struct route routes_channels[] = {
    {"POST", "/api/v4/channels", create_channel, 0},
    {"POST", "/api/v4/channels/direct", create_direct, 0},
    {"POST", "/api/v4/channels/group", create_group, 0},
    {"GET", "/api/v4/channels/{id}", get_channel, 0},
    {"PUT", "/api/v4/channels/{id}/patch", patch_channel, 0},
    {"PUT", "/api/v4/channels/{id}/privacy", channel_privacy, 0},
    {"DELETE", "/api/v4/channels/{id}", delete_channel, 0},
    {"POST", "/api/v4/channels/{id}/restore", restore_channel, 0},
    {"GET", "/api/v4/teams/{id}/channels", team_channels, 0},
    {"GET", "/api/v4/teams/{id}/channels/name/{name}", get_channel_name, 0},
    {"GET", "/api/v4/users/{id}/teams/{id}/channels", user_team_channels, 0},
    {NULL, NULL, NULL, 0}};
