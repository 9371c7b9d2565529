#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/ws.h"

char *
member_props(const struct user *u)
{
	struct buf b = {0};

	buf_str(&b, "{");
	if (u->is_bot)
		buf_kstr(&b, "from_bot", "true");
	buf_kstr(&b, "username", u->username);
	buf_str(&b, "}");
	return buf_steal(&b);
}

static char *
added_props(const struct user *u, const struct user *by)
{
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "addedUserId", u->id);
	buf_kstr(&b, "addedUsername", u->username);
	if (by->is_bot)
		buf_kstr(&b, "from_bot", "true");
	buf_kstr(&b, "userId", by->id);
	buf_kstr(&b, "username", by->username);
	buf_str(&b, "}");
	return buf_steal(&b);
}

static char *
removed_props(const struct user *u, const struct user *by)
{
	struct buf b = {0};

	buf_str(&b, "{");
	if (by->is_bot)
		buf_kstr(&b, "from_bot", "true");
	buf_kstr(&b, "removedUserId", u->id);
	buf_kstr(&b, "removedUsername", u->username);
	buf_str(&b, "}");
	return buf_steal(&b);
}

void
join_channel(struct channel *c, struct user *u, struct user *by)
{
	if (channel_member(c, u) != NULL)
		return;
	channel_join(c, u);
	rec_invalidate(u);
	event_user_added(c, u);
	if (u == by)
		post_system(c, u, "system_join_channel", member_props(u),
		    "%s joined the channel.", u->username);
	else
		post_system(c, by, "system_add_to_channel",
		    added_props(u, by), "%s added to the channel by %s.",
		    u->username, by->username);
}

void
leave_channel(struct channel *c, struct user *u, struct user *by)
{
	channel_part(c, u);
	rec_invalidate(u);
	event_user_removed(c, u, by);
	if (u == by)
		post_system(c, u, "system_leave_channel", member_props(u),
		    "%s left the channel.", u->username);
	else
		post_system(c, by, "system_remove_from_channel",
		    removed_props(u, by), "%s was removed from the channel.",
		    u->username);
}

static void
reply_member(struct req *r, int status, const struct member *m)
{
	struct buf b = {0};

	render_member(&b, m);
	api_json(r, status, &b);
}

static void
add_member(struct req *r)
{
	struct json_object *o;
	struct channel *c;
	struct user *u;
	int may;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "channel_id");
		return;
	}
	o = req_json(r);
	c = hmap_get(&st.channels, r->arg[0]);
	u = hmap_get(&st.users, jstr(o, "user_id"));
	may = c != NULL && (channel_member(c, r->user) || r->user->is_admin ||
	    (c->type == 'O' && u == r->user &&
		team_member(c->team, r->user)));
	if (!id_valid(jstr(o, "user_id")))
		api_bad_body(r, "user_id");
	else if (c == NULL)
		api_error(r, 404, "app.channel.get.existing.app_error",
		    "Unable to find the existing channel.");
	else if (c->team == NULL)
		api_error(r, 400, "api.channel.add_user_to_channel.type."
		    "app_error", "Can not add user to this channel type.");
	else if (u == NULL)
		api_error(r, 404, "app.user.missing_account.const",
		    "Unable to find the user.");
	else if (!may || team_member(c->team, u) == NULL)
		api_forbidden(r);
	else {
		join_channel(c, u, r->user);
		reply_member(r, 201, channel_member(c, u));
	}
	json_object_put(o);
}

static struct member *
member_arg(struct req *r, struct channel *c)
{
	struct user *u = api_user_arg(r, r->arg[1]);
	struct member *m = u ? channel_member(c, u) : NULL;

	if (u != NULL && m == NULL)
		api_error(r, 404, "app.channel.get_member.missing.app_error",
		    "No channel member found for that user ID and channel "
		    "ID.");
	return m;
}

static void
get_member(struct req *r)
{
	struct channel *c = api_channel_arg(r, r->arg[0]);
	struct member *m = c ? member_arg(r, c) : NULL;

	if (m != NULL)
		reply_member(r, 200, m);
}

/* GET /users/{id}/teams/{id}/channels/members */
static void
team_memberships(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct team *t = u ? api_team_arg(r, r->arg[1]) : NULL;
	struct channel *c;
	struct buf b = {0};
	size_t i, n = 0;

	if (t == NULL)
		return;
	buf_str(&b, "[");
	for (i = 0; i < u->nmembers; i++) {
		c = u->member[i]->channel;
		if (c->delete_at || (c->team != NULL && c->team != t))
			continue;
		buf_str(&b, n++ ? "," : "");
		render_member(&b, u->member[i]);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static void
remove_member(struct req *r)
{
	struct channel *c;
	struct member *m;

	c = id_valid(r->arg[0]) ? hmap_get(&st.channels, r->arg[0]) : NULL;
	if (c == NULL) {
		api_error(r, 404, "app.channel.get.existing.app_error",
		    "Unable to find the existing channel.");
		return;
	}
	if (strcmp(r->arg[1], r->user->id) != 0 &&
	    strcmp(r->arg[1], "me") != 0 && !r->user->is_admin &&
	    channel_member(c, r->user) == NULL) {
		api_forbidden(r);
		return;
	}
	if ((m = member_arg(r, c)) == NULL)
		return;
	if (!strcmp(c->name, "town-square") || c->team == NULL) {
		api_error(r, 400, "api.channel.remove.default.app_error",
		    "Unable to remove user from the default channel.");
		return;
	}
	leave_channel(c, m->user, r->user);
	api_ok(r);
}

static void
list_members(struct req *r)
{
	struct channel *c = api_channel_arg(r, r->arg[0]);
	size_t per = (size_t)query_num(r, "per_page", 60), i;
	struct buf b = {0};

	if (c == NULL)
		return;
	if (per > 200)
		per = 200;
	i = (size_t)query_num(r, "page", 0) * per;
	buf_str(&b, "[");
	for (; i < c->nmembers && per > 0; i++, per--) {
		buf_str(&b, b.len > 1 ? "," : "");
		render_member(&b, c->member[i]);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static void
view_channel(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *id = jstr(o, "channel_id");
	struct channel *c = hmap_get(&st.channels, id);
	struct member *m = c ? channel_member(c, r->user) : NULL;
	struct buf b = {0};

	if (o == NULL)
		api_bad_body(r, "channel_view");
	else if (*id && !id_valid(id))
		api_bad_body(r, "channel_view.channel_id");
	else {
		buf_str(&b,
		    "{\"status\":\"OK\",\"last_viewed_at_times\":{");
		if (m != NULL) {
			m->last_viewed_at = c->last_post_at;
			buf_knum(&b, c->id, m->last_viewed_at);
			event_channel_viewed(c, r->user);
		}
		buf_str(&b, "}}");
		api_json(r, 200, &b);
	}
	json_object_put(o);
}

const struct route routes_members[] = {
    {"POST", "/api/v4/channels/members/me/view", view_channel, 0},
    {"POST", "/api/v4/channels/members/{id}/view", view_channel, 0},
    {"POST", "/api/v4/channels/{id}/members", add_member, 0},
    {"GET", "/api/v4/channels/{id}/members", list_members, 0},
    {"GET", "/api/v4/channels/{id}/members/{id}", get_member, 0},
    {"DELETE", "/api/v4/channels/{id}/members/{id}", remove_member, 0},
    {"GET", "/api/v4/users/{id}/teams/{id}/channels/members",
	team_memberships, 0},
    {NULL, NULL, NULL, 0}};
