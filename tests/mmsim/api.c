#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "common/log.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/command.h"
#include "tests/mmsim/control.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

#define SEGMENTS_MAX 12
#define ROUTES_MAX 160

struct compiled {
	const struct route *route;
	char *text;
	const char *seg[SEGMENTS_MAX];
	int nseg;
};

static struct compiled table[ROUTES_MAX];
static size_t ntable;

static int
split(char *path, const char *seg[SEGMENTS_MAX])
{
	int n = 0;
	char *p = path;

	while (*p == '/' && n < SEGMENTS_MAX) {
		*p++ = '\0';
		seg[n++] = p;
		p += strcspn(p, "/");
	}
	return *p == '\0' ? n : -1;
}

static void
add_routes(const struct route *r)
{
	struct compiled *c;

	for (; r->method != NULL; r++) {
		if (ntable == ROUTES_MAX)
			fatalx("too many routes");
		c = &table[ntable++];
		c->route = r;
		c->text = xstrdup(r->pattern);
		c->nseg = split(c->text, c->seg);
	}
}

void
api_init(void)
{
	add_routes(routes_users);
	add_routes(routes_posts);
	add_routes(routes_list);
	add_routes(routes_channels);
	add_routes(routes_members);
	add_routes(routes_teams);
	add_routes(routes_files);
	add_routes(routes_bots);
	add_routes(routes_commands);
	add_routes(routes_system);
}

static int
seg_matches(const char *pat, const char *s)
{
	const char *more;

	if (*pat != '{')
		return !strcmp(pat, s);
	more = !strcmp(pat, "{id}") ? ""
	    : !strcmp(pat, "{email}") ? "._-@+"
				      : "._-+";
	if (*s == '\0')
		return 0;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || strchr(more, *s)))
			return 0;
	return 1;
}

static const struct route *
route_find(struct req *r, const char **seg, int nseg)
{
	struct compiled *c;
	size_t i;
	int k, na;

	for (i = 0; i < ntable; i++) {
		c = &table[i];
		if (c->nseg != nseg || strcmp(c->route->method, r->method))
			continue;
		for (k = 0; k < nseg && seg_matches(c->seg[k], seg[k]); k++)
			;
		if (k < nseg)
			continue;
		for (k = na = 0; k < nseg && na < HTTP_ARGS_MAX; k++)
			if (c->seg[k][0] == '{')
				r->arg[na++] = seg[k];
		return c->route;
	}
	return NULL;
}

static const char *
token_of(const struct req *r)
{
	static char token[128];
	const char *h = req_header(r, "Authorization"), *p;

	if (h != NULL) {
		if (!strncasecmp(h, "Bearer ", 7))
			return h + 7;
		if (!strncasecmp(h, "Token ", 6))
			return h + 6;
	}
	h = req_header(r, "Cookie");
	if (h == NULL || (p = strstr(h, "MMAUTHTOKEN=")) == NULL)
		return NULL;
	p += 12;
	snprintf(token, sizeof(token), "%.*s", (int)strcspn(p, "; "), p);
	return token;
}

struct session *
api_session(const struct req *r)
{
	const char *t = token_of(r);

	return t != NULL ? session_find(t) : NULL;
}

void
api_headers(struct req *r)
{
	char id[ID_LEN + 1];

	if (!strcmp(r->method, "GET"))
		buf_str(&r->extra, "Expires: 0\r\n");
	if (r->sess == NULL && r->status == 401 && token_of(r) != NULL)
		buf_str(&r->extra, "Set-Cookie: MMAUTHTOKEN=; Path=/; "
		    "Max-Age=0; HttpOnly\r\n");
	id_new(id);
	buf_fmt(&r->extra, "Vary: Accept-Encoding\r\nX-Request-Id: %s\r\n"
	    "X-Version-Id: %s\r\n", id, sim.version_id);
}

void
api_etag(struct req *r, const char *etag)
{
	buf_fmt(&r->extra, "Etag: %s\r\n", etag);
}

void
api_json(struct req *r, int status, struct buf *b)
{
	r->status = status;
	api_headers(r);
	fault_reply(r, status, "application/json", b->p, b->len);
	buf_free(b);
}

void
api_ok(struct req *r)
{
	struct buf b = {0};

	buf_str(&b, "{\"status\":\"OK\"}");
	api_json(r, 200, &b);
}

void
api_error_body(const struct req *r, struct buf *b, const char *id,
    const char *text, int status)
{
	char rid[ID_LEN + 1];

	id_new(rid);
	buf_str(b, "{");
	buf_kstr(b, "id", id);
	buf_kstr(b, "message", text);
	buf_kstr(b, "detailed_error", "");
	buf_kstr(b, "request_id", rid);
	buf_knum(b, "status_code", status);
	buf_str(b, "}");
}

void
api_error(struct req *r, int status, const char *id, const char *text)
{
	struct buf b = {0};

	api_error_body(r, &b, id, text, status);
	api_json(r, status, &b);
}

void
api_bad_body(struct req *r, const char *name)
{
	char text[160];

	snprintf(text, sizeof(text),
	    "Invalid or missing %s in request body.", name);
	api_error(r, 400, "api.context.invalid_body_param.app_error", text);
}

void
api_bad_url(struct req *r, const char *name)
{
	char text[160];

	snprintf(text, sizeof(text),
	    "Invalid or missing %s parameter in request URL.", name);
	api_error(r, 400, "api.context.invalid_url_param.app_error", text);
}

void
api_forbidden(struct req *r)
{
	api_error(r, 403, "api.context.permissions.app_error",
	    "You do not have the appropriate permissions.");
}

void
api_not_found(struct req *r)
{
	struct buf b = {0}, d = {0};

	buf_fmt(&d, "There doesn't appear to be an api call for the url='%s'."
	    "  Typo? are you missing a team_id or user_id as part of the url?",
	    r->path);
	buf_str(&b, "{");
	buf_kstr(&b, "id", "api.context.404.app_error");
	buf_kstr(&b, "message", "Sorry, we could not find the page.");
	buf_kstr(&b, "detailed_error", d.p);
	buf_knum(&b, "status_code", 404);
	buf_str(&b, "}");
	fault_reply(r, 404, "text/plain; charset=utf-8", b.p, b.len);
	buf_free(&b);
	buf_free(&d);
}

struct user *
api_user_arg(struct req *r, const char *arg)
{
	struct user *u;

	if (!strcmp(arg, "me"))
		return r->user;
	if (!id_valid(arg)) {
		api_bad_url(r, "user_id");
		return NULL;
	}
	u = hmap_get(&st.users, arg);
	if (u == NULL)
		api_error(r, 404, "app.user.missing_account.const",
		    "Unable to find the user.");
	return u;
}

struct team *
api_team_arg(struct req *r, const char *arg)
{
	struct team *t;

	if (!id_valid(arg)) {
		api_bad_url(r, "team_id");
		return NULL;
	}
	t = hmap_get(&st.teams, arg);
	if (t == NULL)
		api_error(r, 404, "app.team.get.find.app_error",
		    "Unable to find the existing team.");
	else if (team_member(t, r->user) == NULL && !r->user->is_admin) {
		api_forbidden(r);
		return NULL;
	}
	return t;
}

struct channel *
api_channel_arg(struct req *r, const char *arg)
{
	struct channel *c;

	if (!id_valid(arg)) {
		api_bad_url(r, "channel_id");
		return NULL;
	}
	c = hmap_get(&st.channels, arg);
	if (c == NULL ||
	    (channel_member(c, r->user) == NULL && !r->user->is_admin)) {
		api_forbidden(r);
		return NULL;
	}
	return c;
}

const char *
jstr(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

int64_t
query_num(const struct req *r, const char *key, int64_t dflt)
{
	const char *s = req_query(r, key);
	char *end;
	long long n;

	if (s == NULL || *s == '\0')
		return dflt;
	n = strtoll(s, &end, 10);
	return *end != '\0' || n < 0 ? dflt : n;
}

static void
unauthorized(struct req *r)
{
	api_error(r, 401, "api.context.session_expired.app_error",
	    "Invalid or expired session, please login again.");
}

void
api_dispatch(struct req *r)
{
	const char *seg[SEGMENTS_MAX];
	const struct route *route = NULL;
	int nseg;

	free(r->segs);
	r->segs = xstrdup(r->path);
	nseg = split(r->segs, seg);
	if (nseg > 0)
		route = route_find(r, seg, nseg);
	if (route == NULL) {
		api_not_found(r);
		return;
	}
	r->route = route->pattern;
	if (req_query(r, "access_token") != NULL) {
		api_error(r, 401, "api.context.token_provided.app_error",
		    "Session is not OAuth but token was provided in the query "
		    "string.");
		return;
	}
	r->sess = api_session(r);
	r->user = r->sess ? r->sess->user : NULL;
	if (r->sess == NULL && !(route->flags & API_OPEN)) {
		unauthorized(r);
		return;
	}
	if (r->user != NULL && r->user->nmembers > 0)
		rec_touch(r->user);
	if ((route->flags & API_ADMIN) && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	route->fn(r);
}

void
api_handle(struct req *r, void *arg)
{
	if (!strncmp(r->path, "/_sim/", 6)) {
		control_handle(r);
		return;
	}
	sim.requests++;
	r->on_done = control_log;
	if (fault_limited(r) || fault_before(r))
		return;
	api_dispatch(r);
}
