#include "config.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/ws.h"

static void
team_event(const char *name, const struct team *t, const struct user *u,
    const struct bcast *to)
{
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "team_id", t->id);
	buf_kstr(&b, "user_id", u->id);
	buf_str(&b, "}");
	event_publish(name, b.p, to);
	buf_free(&b);
}

/* The order of 5.37: message, user_added, added_to_team twice. */
void
join_team(struct team *t, struct user *u, struct user *by)
{
	struct channel *town = hmap_get(&t->channels, "town-square");
	struct channel *off = hmap_get(&t->channels, "off-topic");
	struct bcast to = {.user = u};

	if (team_member(t, u) != NULL)
		return;
	team_join(t, u);
	rec_invalidate(u);
	channel_join(town, u);
	channel_join(off, u);
	post_system(town, u, "system_join_team", member_props(u),
	    "%s joined the team.", u->username);
	event_user_added(town, u);
	team_event("added_to_team", t, u, &to);
	team_event("added_to_team", t, u, &to);
}

void
leave_team(struct team *t, struct user *u, struct user *by)
{
	struct channel *town = hmap_get(&t->channels, "town-square");
	struct bcast to = {.team = t};
	size_t i;

	if (team_member(t, u) == NULL)
		return;
	for (i = 0; i < t->nchannels; i++)
		channel_part(t->channel[i], u);
	if (u == by)
		post_system(town, u, "system_leave_team", member_props(u),
		    "%s left the team.", u->username);
	else
		post_system(town, u, "system_remove_from_team",
		    member_props(u), "%s removed from the team.",
		    u->username);
	team_event("leave_team", t, u, &to);
	team_part(t, u);
	rec_invalidate(u);
}

static void
create_team(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *name = jstr(o, "name"), *type = jstr(o, "type");
	struct buf b = {0};
	struct team *t;

	if (o == NULL)
		api_bad_body(r, "team");
	else if (strlen(name) < 2)
		api_error(r, 400, "model.team.is_valid.url.app_error",
		    "Invalid URL Identifier.");
	else if (hmap_get(&st.teamnames, name) != NULL)
		api_error(r, 400, "app.team.save.existing.app_error",
		    "Must call update for existing team.");
	else {
		t = team_new(name, jstr(o, "display_name"),
		    *type ? type : "O");
		channel_new(t, 'O', "town-square", "Town Square");
		channel_new(t, 'O', "off-topic", "Off-Topic");
		join_team(t, r->user, r->user);
		team_member(t, r->user)->admin = 1;
		render_team(&b, t);
		api_json(r, 201, &b);
	}
	json_object_put(o);
}

static void
reply_team(struct req *r, const struct team *t)
{
	struct buf b = {0};

	render_team(&b, t);
	api_json(r, 200, &b);
}

static void
get_team(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);

	if (t != NULL)
		reply_team(r, t);
}

static void
get_team_name(struct req *r)
{
	struct team *t = hmap_get(&st.teamnames, r->arg[0]);

	if (t == NULL)
		api_error(r, 404, "app.team.get_by_name.missing.app_error",
		    "Unable to find the existing team.");
	else if (team_member(t, r->user) == NULL && !r->user->is_admin)
		api_forbidden(r);
	else
		reply_team(r, t);
}

static void
list_teams(struct req *r)
{
	struct buf b = {0};
	size_t i;

	buf_str(&b, "[");
	for (i = 0; i < st.nteams; i++) {
		buf_str(&b, i ? "," : "");
		render_team(&b, st.team[i]);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static void
user_teams(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct buf b = {0};
	size_t i;

	if (u == NULL)
		return;
	if (u != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	buf_str(&b, "[");
	for (i = 0; i < u->nteams; i++) {
		buf_str(&b, i ? "," : "");
		render_team(&b, u->team[i]->team);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static void
add_team_member(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	struct json_object *o;
	struct buf b = {0};
	struct user *u;

	if (t == NULL)
		return;
	o = req_json(r);
	u = hmap_get(&st.users, jstr(o, "user_id"));
	if (!id_valid(jstr(o, "user_id")))
		api_bad_body(r, "user_id");
	else if (*jstr(o, "team_id") && strcmp(jstr(o, "team_id"), t->id))
		api_bad_body(r, "team_id");
	else if (u == NULL)
		api_error(r, 404, "app.user.missing_account.const",
		    "Unable to find the user.");
	else {
		join_team(t, u, r->user);
		render_tmember(&b, team_member(t, u));
		api_json(r, 201, &b);
	}
	json_object_put(o);
}

static void
list_team_members(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	size_t per = (size_t)query_num(r, "per_page", 60), i;
	struct buf b = {0};

	if (t == NULL)
		return;
	if (per > 200)
		per = 200;
	i = (size_t)query_num(r, "page", 0) * per;
	buf_str(&b, "[");
	for (; i < t->nmembers && per > 0; i++, per--) {
		buf_str(&b, b.len > 1 ? "," : "");
		render_tmember(&b, t->member[i]);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static struct tmember *
tmember_arg(struct req *r, struct team *t)
{
	struct user *u = api_user_arg(r, r->arg[1]);
	struct tmember *m = u ? team_member(t, u) : NULL;

	if (u != NULL && m == NULL)
		api_error(r, 404, "app.team.get_member.missing.app_error",
		    "No team member found for that user ID and team ID.");
	return m;
}

static void
get_team_member(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	struct tmember *m = t ? tmember_arg(r, t) : NULL;
	struct buf b = {0};

	if (m == NULL)
		return;
	render_tmember(&b, m);
	api_json(r, 200, &b);
}

static void
remove_team_member(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	struct tmember *m = t ? tmember_arg(r, t) : NULL;

	if (m == NULL)
		return;
	if (m->user != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	leave_team(t, m->user, r->user);
	api_ok(r);
}

static void
scheme_roles(struct req *r)
{
	struct team *t = api_team_arg(r, r->arg[0]);
	struct tmember *m = t ? tmember_arg(r, t) : NULL;
	struct json_object *o, *v;
	struct bcast to;
	struct buf b = {0}, d = {0};

	if (m == NULL)
		return;
	if (!r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	o = req_json(r);
	if (json_object_object_get_ex(o, "scheme_admin", &v))
		m->admin = json_object_get_boolean(v);
	json_object_put(o);
	rec_invalidate(m->user);
	render_tmember(&b, m);
	buf_str(&d, "{\"member\":");
	buf_json(&d, b.p, b.len);
	buf_str(&d, "}");
	to = (struct bcast){.user = m->user};
	event_publish("memberrole_updated", d.p, &to);
	buf_free(&b);
	buf_free(&d);
	api_ok(r);
}

const struct route routes_teams[] = {
    {"POST", "/api/v4/teams", create_team, 0},
    {"GET", "/api/v4/teams", list_teams, API_ADMIN},
    {"GET", "/api/v4/teams/name/{name}", get_team_name, 0},
    {"GET", "/api/v4/teams/{id}", get_team, 0},
    {"GET", "/api/v4/users/{id}/teams", user_teams, 0},
    {"POST", "/api/v4/teams/{id}/members", add_team_member, 0},
    {"GET", "/api/v4/teams/{id}/members", list_team_members, 0},
    {"GET", "/api/v4/teams/{id}/members/{id}", get_team_member, 0},
    {"DELETE", "/api/v4/teams/{id}/members/{id}", remove_team_member, 0},
    {"PUT", "/api/v4/teams/{id}/members/{id}/schemeRoles", scheme_roles, 0},
    {NULL, NULL, NULL, 0}};
