#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

static void
reply_user(struct req *r, const struct user *u)
{
	struct buf b = {0}, etag = {0};
	const char *match = req_header(r, "If-None-Match");

	buf_fmt(&etag, SIM_VERSION ".%s.%lld..0.true.true.0", u->id,
	    (long long)u->update_at);
	api_etag(r, etag.p);
	if (match != NULL && !strcmp(match, etag.p)) {
		api_headers(r);
		http_reply(r, 304, NULL, NULL, 0);
	} else {
		render_user(&b, u, u == r->user);
		api_json(r, 200, &b);
	}
	buf_free(&etag);
}

static void
login(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *id = jstr(o, "login_id");
	struct user *u = hmap_get(&st.usernames, id);
	struct buf b = {0};

	if (u == NULL)
		u = hmap_get(&st.emails, id);
	if (u == NULL || u->is_bot || u->delete_at ||
	    strcmp(u->password, jstr(o, "password")) != 0) {
		api_error(r, 401,
		    "api.user.login.invalid_credentials_email_username",
		    "Enter a valid email or username and/or password.");
		json_object_put(o);
		return;
	}
	json_object_put(o);
	r->user = u;
	r->sess = session_new(u, 0);
	buf_fmt(&r->extra, "Token: %s\r\n", r->sess->token);
	render_user(&b, u, 1);
	api_json(r, 200, &b);
}

static void
logout(struct req *r)
{
	r->sess->revoked = 1;
	api_ok(r);
}

static int
username_valid(const char *s)
{
	size_t i;

	if (!(*s >= 'a' && *s <= 'z'))
		return 0;
	for (i = 0; s[i]; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(s[i] >= '0' && s[i] <= '9') ||
			strchr("._-", s[i])))
			return 0;
	return i >= 3 && i <= 22;
}

static void
lower(char *dst, const char *src, size_t size)
{
	size_t i;

	for (i = 0; src[i] && i < size - 1; i++)
		dst[i] = src[i] >= 'A' && src[i] <= 'Z' ? src[i] + 32 : src[i];
	dst[i] = '\0';
}

static void
create_user(struct req *r)
{
	struct json_object *o = req_json(r);
	struct buf b = {0};
	struct user *u;
	char name[65];

	lower(name, jstr(o, "username"), sizeof(name));
	if (o == NULL)
		api_bad_body(r, "user");
	else if (!username_valid(name))
		api_error(r, 400, "model.user.is_valid.username.app_error",
		    "Username must begin with a letter and contain between 3 "
		    "and 22 characters.");
	else if (hmap_get(&st.usernames, name) != NULL)
		api_error(r, 400, "app.user.save.username_exists.app_error",
		    "An account with that username already exists.");
	else if (strchr(jstr(o, "email"), '@') == NULL)
		api_error(r, 400, "model.user.is_valid.email.app_error",
		    "Invalid email.");
	else if (hmap_get(&st.emails, jstr(o, "email")) != NULL)
		api_error(r, 400, "app.user.save.email_exists.app_error",
		    "An account with that email already exists.");
	else if (strlen(jstr(o, "password")) < 5)
		api_error(r, 400, "model.user.is_valid.pwd.app_error",
		    "Your password must contain at least 5 characters.");
	else {
		u = user_new(name, jstr(o, "email"), jstr(o, "password"));
		render_user(&b, u, 1);
		api_json(r, 201, &b);
	}
	json_object_put(o);
}

static void
get_user(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);

	if (u != NULL)
		reply_user(r, u);
}

static void
get_username(struct req *r)
{
	struct user *u = hmap_get(&st.usernames, r->arg[0]);
	const char *p;

	for (p = r->arg[0]; *p; p++)
		if (*p >= 'A' && *p <= 'Z') {
			api_bad_body(r, "username");
			return;
		}
	if (u == NULL)
		api_error(r, 404, "app.user.get_by_username.app_error",
		    "Unable to find an existing account matching your username"
		    " for this team. This team may require an invite from the "
		    "team owner to join.");
	else
		reply_user(r, u);
}

static void
get_email(struct req *r)
{
	struct user *u = hmap_get(&st.emails, r->arg[0]);

	if (u == NULL)
		api_error(r, 404, "app.user.missing_account.const",
		    "Unable to find the user.");
	else
		reply_user(r, u);
}

static void
users_from(struct req *r, const struct hmap *by, const char *what)
{
	struct json_object *o = req_json(r), *e;
	struct buf b = {0};
	struct user *u;
	size_t i, n;

	if (!json_object_is_type(o, json_type_array) ||
	    (n = json_object_array_length(o)) == 0) {
		api_bad_body(r, what);
		json_object_put(o);
		return;
	}
	buf_str(&b, "[");
	for (i = 0; i < n; i++) {
		e = json_object_array_get_idx(o, i);
		if (!json_object_is_type(e, json_type_string))
			continue;
		u = hmap_get(by, json_object_get_string(e));
		if (u == NULL)
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		render_user(&b, u, 0);
	}
	buf_str(&b, "]");
	json_object_put(o);
	api_json(r, 200, &b);
}

static void
users_ids(struct req *r)
{
	users_from(r, &st.users, "user_ids");
}

static void
users_usernames(struct req *r)
{
	users_from(r, &st.usernames, "usernames");
}

static int
user_matches(const struct user *u, const char *term)
{
	size_t n = strlen(term);

	return !strncasecmp(u->username, term, n) ||
	    !strncasecmp(u->first_name, term, n) ||
	    !strncasecmp(u->last_name, term, n) ||
	    !strncasecmp(u->nickname, term, n) ||
	    !strncasecmp(u->email, term, n);
}

static void
users_search(struct req *r)
{
	struct json_object *o = req_json(r), *v;
	const char *term = jstr(o, "term");
	struct team *t = hmap_get(&st.teams, jstr(o, "team_id"));
	struct buf b = {0};
	size_t i, n = 0, limit = 100;

	if (*term == '\0') {
		api_bad_body(r, "term");
		json_object_put(o);
		return;
	}
	term += *term == '@';
	if (json_object_object_get_ex(o, "limit", &v) &&
	    json_object_get_int(v) > 0)
		limit = (size_t)json_object_get_int(v);
	buf_str(&b, "[");
	for (i = 0; i < st.nusers && n < limit; i++) {
		if (!user_matches(st.user[i], term) || st.user[i]->delete_at ||
		    (t != NULL && team_member(t, st.user[i]) == NULL))
			continue;
		buf_str(&b, n++ ? "," : "");
		render_user(&b, st.user[i], 0);
	}
	buf_str(&b, "]");
	json_object_put(o);
	api_json(r, 200, &b);
}

static void
list_users(struct req *r)
{
	size_t per = (size_t)query_num(r, "per_page", 60), n = 0, at = 0, skip;
	const char *q;
	struct team *t = NULL;
	struct channel *c = NULL;
	struct buf b = {0};
	size_t i;

	if (per > 200)
		per = 200;
	skip = (size_t)query_num(r, "page", 0) * per;
	if ((q = req_query(r, "in_team")) != NULL)
		t = hmap_get(&st.teams, q);
	if ((q = req_query(r, "in_channel")) != NULL)
		c = hmap_get(&st.channels, q);
	buf_str(&b, "[");
	for (i = 0; i < st.nusers && n < per; i++) {
		if ((t != NULL && team_member(t, st.user[i]) == NULL) ||
		    (c != NULL && channel_member(c, st.user[i]) == NULL) ||
		    at++ < skip)
			continue;
		buf_str(&b, n++ ? "," : "");
		render_user(&b, st.user[i], 0);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

/* 0, or -1 and the request is answered. */
static int
rename_user(struct req *r, struct user *u, const char *want)
{
	char name[65];

	lower(name, want, sizeof(name));
	if (*name == '\0' || strcmp(name, u->username) == 0)
		return 0;
	if (!username_valid(name) || hmap_get(&st.usernames, name) != NULL) {
		api_error(r, 400, "app.user.save.username_exists.app_error",
		    "An account with that username already exists.");
		return -1;
	}
	hmap_del(&st.usernames, u->username);
	free(u->username);
	u->username = xstrdup(name);
	hmap_put(&st.usernames, u->username, u);
	return 0;
}

static void
patch_user(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct json_object *o;

	if (u == NULL)
		return;
	if (u != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	o = req_json(r);
	if (rename_user(r, u, jstr(o, "username")) == -1) {
		json_object_put(o);
		return;
	}
	if (*jstr(o, "nickname")) {
		free(u->nickname);
		u->nickname = xstrdup(jstr(o, "nickname"));
	}
	if (*jstr(o, "first_name")) {
		free(u->first_name);
		u->first_name = xstrdup(jstr(o, "first_name"));
	}
	json_object_put(o);
	u->update_at = tick_ms();
	event_user_updated(u);
	reply_user(r, u);
}

static void
typing(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct json_object *o;
	struct channel *c;

	if (u == NULL)
		return;
	o = req_json(r);
	c = hmap_get(&st.channels, jstr(o, "channel_id"));
	if (o == NULL)
		api_bad_body(r, "typing_request");
	else if (u != r->user || c == NULL || channel_member(c, u) == NULL)
		api_forbidden(r);
	else {
		event_typing(c, u, jstr(o, "parent_id"));
		api_ok(r);
	}
	json_object_put(o);
}

static void
get_status(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct buf b = {0};

	if (u == NULL)
		return;
	render_status(&b, u);
	api_json(r, 200, &b);
}

static void
put_status(struct req *r)
{
	static const char *const known[] = {"online", "away", "dnd",
	    "offline"};
	struct user *u = api_user_arg(r, r->arg[0]);
	struct json_object *o;
	struct buf b = {0};
	const char *s;
	size_t i;

	if (u == NULL)
		return;
	o = req_json(r);
	s = jstr(o, "status");
	for (i = 0; i < 4 && strcmp(known[i], s) != 0; i++)
		;
	if (strcmp(jstr(o, "user_id"), u->id) != 0)
		api_bad_body(r, "user_id");
	else if (u != r->user && !r->user->is_admin)
		api_forbidden(r);
	else if (i == 4)
		api_bad_body(r, "status");
	else {
		status_set(u, known[i], 1);
		/* For online there is no "manual". */
		u->status_manual = i == 1 || i == 2;
		render_status(&b, u);
		api_json(r, 200, &b);
	}
	json_object_put(o);
}

static void
statuses_ids(struct req *r)
{
	struct json_object *o = req_json(r);
	struct buf b = {0};
	struct user *u;
	size_t i, n;

	if (!json_object_is_type(o, json_type_array) ||
	    (n = json_object_array_length(o)) == 0) {
		api_bad_body(r, "user_ids");
		json_object_put(o);
		return;
	}
	buf_str(&b, "[");
	for (i = 0; i < n; i++) {
		u = hmap_get(&st.users, json_object_get_string(
		    json_object_array_get_idx(o, i)));
		if (u == NULL)
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		render_status(&b, u);
	}
	buf_str(&b, "]");
	json_object_put(o);
	api_json(r, 200, &b);
}

static void
set_active(struct user *u, int on)
{
	u->update_at = tick_ms();
	u->delete_at = on ? 0 : u->update_at;
	if (!on) {
		status_set(u, "offline", 0);
		rec_deauth(u);
	}
	event_user_updated(u);
}

static void
delete_user(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);

	if (u == NULL)
		return;
	if (u != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	set_active(u, 0);
	api_ok(r);
}

static void
put_active(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct json_object *o, *v;

	if (u == NULL)
		return;
	o = req_json(r);
	if (!json_object_object_get_ex(o, "active", &v) ||
	    !json_object_is_type(v, json_type_boolean))
		api_bad_body(r, "active");
	else {
		set_active(u, json_object_get_boolean(v));
		api_ok(r);
	}
	json_object_put(o);
}

const struct route routes_users[] = {
    {"POST", "/api/v4/users/login", login, API_OPEN},
    {"POST", "/api/v4/users/logout", logout, 0},
    {"POST", "/api/v4/users", create_user, API_OPEN},
    {"GET", "/api/v4/users", list_users, 0},
    {"POST", "/api/v4/users/ids", users_ids, 0},
    {"POST", "/api/v4/users/usernames", users_usernames, 0},
    {"POST", "/api/v4/users/search", users_search, 0},
    {"POST", "/api/v4/users/status/ids", statuses_ids, 0},
    {"GET", "/api/v4/users/username/{name}", get_username, 0},
    {"GET", "/api/v4/users/email/{email}", get_email, 0},
    {"GET", "/api/v4/users/{id}", get_user, 0},
    {"DELETE", "/api/v4/users/{id}", delete_user, 0},
    {"PUT", "/api/v4/users/{id}/patch", patch_user, 0},
    {"PUT", "/api/v4/users/{id}/active", put_active, API_ADMIN},
    {"POST", "/api/v4/users/{id}/typing", typing, 0},
    {"GET", "/api/v4/users/{id}/status", get_status, 0},
    {"PUT", "/api/v4/users/{id}/status", put_status, 0},
    {NULL, NULL, NULL, 0}};
