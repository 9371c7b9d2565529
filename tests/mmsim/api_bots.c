#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/ws.h"

static void
create_bot(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *name = jstr(o, "username");
	struct buf b = {0}, email = {0};
	struct channel *dm;
	struct user *u;
	int made;

	if (*name == '\0' || o == NULL)
		api_bad_body(r, "bot");
	else if (hmap_get(&st.usernames, name) != NULL)
		api_error(r, 400, "app.user.save.username_exists.app_error",
		    "An account with that username already exists.");
	else {
		buf_fmt(&email, "%s@localhost", name);
		u = user_new(name, email.p, "");
		buf_free(&email);
		u->is_bot = 1;
		u->owner = r->user;
		free(u->first_name);
		u->first_name = xstrdup(jstr(o, "display_name"));
		free(u->bot_description);
		u->bot_description = xstrdup(jstr(o, "description"));
		dm = channel_direct(u, r->user, &made);
		post_publish(dm, u, NULL, "Please add me to teams and "
		    "channels you want me to interact in. To do this, use the "
		    "browser or Mattermost Desktop App.", "add_bot_teams_"
		    "channels", xstrdup("{\"from_bot\":\"true\"}"), NULL, 1);
		render_bot(&b, u);
		api_json(r, 201, &b);
	}
	json_object_put(o);
}

static struct user *
bot_arg(struct req *r)
{
	struct user *u = hmap_get(&st.users, r->arg[0]);

	if (u != NULL && u->is_bot)
		return u;
	api_error(r, 404, "store.sql_bot.get.missing.app_error",
	    "Unable to find the bot.");
	return NULL;
}

static void
get_bot(struct req *r)
{
	struct user *u;
	struct buf b = {0};

	if (!r->user->is_admin) {
		api_error(r, 404, "store.sql_bot.get.missing.app_error",
		    "Unable to find the bot.");
		return;
	}
	if ((u = bot_arg(r)) == NULL)
		return;
	render_bot(&b, u);
	api_json(r, 200, &b);
}

static void
list_bots(struct req *r)
{
	struct buf b = {0};
	size_t i;

	buf_str(&b, "[");
	for (i = 0; i < st.nusers; i++) {
		if (!st.user[i]->is_bot || st.user[i]->delete_at)
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		render_bot(&b, st.user[i]);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

/* His sockets stay open and go silent, for good (5.37). */
static void
disable_bot(struct req *r)
{
	struct user *u = bot_arg(r);
	struct buf b = {0};

	if (u == NULL)
		return;
	u->update_at = tick_ms();
	u->delete_at = u->update_at;
	status_set(u, "offline", 0);
	rec_deauth(u);
	event_user_updated(u);
	render_bot(&b, u);
	api_json(r, 200, &b);
}

static void
enable_bot(struct req *r)
{
	struct user *u = bot_arg(r);
	struct buf b = {0};

	if (u == NULL)
		return;
	u->update_at = tick_ms();
	u->delete_at = 0;
	event_user_updated(u);
	render_bot(&b, u);
	api_json(r, 200, &b);
}

static void
render_token(struct buf *b, const struct session *s, int secret)
{
	buf_str(b, "{");
	buf_kstr(b, "id", s->id);
	if (secret)
		buf_kstr(b, "token", s->token);
	buf_kstr(b, "user_id", s->user->id);
	buf_kstr(b, "description", s->description);
	buf_kbool(b, "is_active", !s->disabled);
	buf_str(b, "}");
}

static void
create_token(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct json_object *o;
	struct session *s;
	struct buf b = {0};

	if (u == NULL)
		return;
	if (u != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	o = req_json(r);
	if (*jstr(o, "description") == '\0') {
		api_bad_body(r, "description");
		json_object_put(o);
		return;
	}
	s = session_new(u, 1);
	free(s->description);
	s->description = xstrdup(jstr(o, "description"));
	json_object_put(o);
	render_token(&b, s, 1);
	api_json(r, 200, &b);
}

static void
list_tokens(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct session *s;
	struct buf b = {0};
	size_t pos = 0;

	if (u == NULL)
		return;
	buf_str(&b, "[");
	while ((s = hmap_next(&st.tokens, &pos)) != NULL) {
		if (!s->is_pat || s->user != u || s->revoked)
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		render_token(&b, s, 0);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

static struct session *
token_of_body(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *id = jstr(o, "token_id");
	struct session *s = hmap_get(&st.tokens, id);

	if (*id == '\0')
		api_bad_body(r, "token_id");
	else if (s == NULL || s->revoked)
		api_error(r, 404,
		    "app.user_access_token.get_by_user.app_error",
		    "Unable to get the personal access token.");
	else if (s->user != r->user && !r->user->is_admin) {
		api_forbidden(r);
		s = NULL;
	}
	json_object_put(o);
	return s != NULL && s->revoked ? NULL : s;
}

static void
revoke_token(struct req *r)
{
	struct session *s = token_of_body(r);

	if (s == NULL)
		return;
	s->revoked = 1;
	api_ok(r);
}

static void
disable_token(struct req *r)
{
	struct session *s = token_of_body(r);

	if (s == NULL)
		return;
	s->disabled = 1;
	api_ok(r);
}

static void
enable_token(struct req *r)
{
	struct session *s = token_of_body(r);

	if (s == NULL)
		return;
	s->disabled = 0;
	api_ok(r);
}

const struct route routes_bots[] = {
    {"POST", "/api/v4/bots", create_bot, API_ADMIN},
    {"GET", "/api/v4/bots", list_bots, API_ADMIN},
    {"GET", "/api/v4/bots/{id}", get_bot, 0},
    {"POST", "/api/v4/bots/{id}/disable", disable_bot, API_ADMIN},
    {"POST", "/api/v4/bots/{id}/enable", enable_bot, API_ADMIN},
    {"POST", "/api/v4/users/{id}/tokens", create_token, 0},
    {"GET", "/api/v4/users/{id}/tokens", list_tokens, 0},
    {"POST", "/api/v4/users/tokens/revoke", revoke_token, 0},
    {"POST", "/api/v4/users/tokens/disable", disable_token, 0},
    {"POST", "/api/v4/users/tokens/enable", enable_token, 0},
    {NULL, NULL, NULL, 0}};
