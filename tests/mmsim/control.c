#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/bench.h"
#include "tests/mmsim/command.h"
#include "tests/mmsim/control.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/model.h"
#include "tests/mmsim/outgoing.h"
#include "tests/mmsim/pending.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

#define LOG_MAX 1000
#define ROUTES_COUNTED 128

struct logged {
	char method[8];
	char path[160];
	int status;
	int64_t us;
	int64_t t_us;
};

static struct logged ring[LOG_MAX];
static size_t ring_n;

static struct {
	const char *method;
	const char *route;
	uint64_t n;
} counts[ROUTES_COUNTED];

static void
count_route(const struct req *r)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	const char *route = r->route ? r->route : "other", *m = "?";
	size_t i;

	for (i = 0; i < 4; i++)
		if (!strcmp(methods[i], r->method))
			m = methods[i];
	for (i = 0; i < ROUTES_COUNTED; i++) {
		if (counts[i].route == NULL) {
			counts[i].route = route;
			counts[i].method = m;
		}
		if (counts[i].route == route && counts[i].method == m) {
			counts[i].n++;
			return;
		}
	}
}

void
control_log(const struct req *r)
{
	struct logged *l = &ring[ring_n++ % LOG_MAX];

	if (!strncmp(r->path, "/_sim/", 6)) {
		ring_n--;
		return;
	}
	count_route(r);
	snprintf(l->method, sizeof(l->method), "%s", r->method);
	snprintf(l->path, sizeof(l->path), "%s%s%s", r->path,
	    *r->query ? "?" : "", r->query);
	l->status = r->status;
	l->t_us = r->t0_us;
	l->us = now_us() - r->t0_us;
}

static void
reply(struct req *r, int status, struct buf *b)
{
	http_reply(r, status, "application/json", b->p, b->len);
	buf_free(b);
}

static void
reply_ok(struct req *r)
{
	http_reply(r, 200, "application/json", "{\"status\":\"OK\"}", 15);
}

static void
reply_bad(struct req *r, const char *why)
{
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "error", why);
	buf_str(&b, "}");
	reply(r, 400, &b);
}

/* Posts whose key was seen before, by pending id or by a props member. */
static size_t
duplicates(const char *prop)
{
	struct hmap seen = {0};
	struct json_object *o;
	size_t i, n = 0, pos;
	char *key;

	for (i = 0; i < st.nposts; i++) {
		struct post *p = st.post[i];

		key = NULL;
		if (p->delete_at)
			continue;
		if (prop == NULL) {
			key = p->pending_id ? xstrdup(p->pending_id) : NULL;
		} else if (strstr(p->props, prop) != NULL) {
			o = json_tokener_parse(p->props);
			if (*jstr(o, prop))
				key = xstrdup(jstr(o, prop));
			json_object_put(o);
		}
		if (key == NULL)
			continue;
		if (hmap_get(&seen, key) != NULL) {
			n++;
			free(key);
		} else
			hmap_put(&seen, key, key);
	}
	for (pos = 0; (key = hmap_next(&seen, &pos)) != NULL;)
		free(key);
	hmap_free(&seen);
	return n;
}

static void
state_get(struct req *r)
{
	const char *prop = req_query(r, "prop");
	struct buf b = {0};
	struct wsrec *rec;
	size_t i, live = 0, dead = 0;

	for (i = 0; i < st.nposts; i++)
		live += st.post[i]->delete_at == 0;
	for (rec = rec_first(); rec != NULL; rec = LIST_NEXT(rec, all))
		dead += rec->conn == NULL;
	buf_str(&b, "{");
	buf_knum(&b, "users", (int64_t)st.nusers);
	buf_knum(&b, "teams", (int64_t)st.nteams);
	buf_knum(&b, "channels", (int64_t)st.channels.n);
	buf_knum(&b, "posts", (int64_t)st.nposts);
	buf_knum(&b, "live_posts", (int64_t)live);
	buf_knum(&b, "post_seq", (int64_t)st.post_seq);
	buf_knum(&b, "edits", (int64_t)sim.edits);
	buf_knum(&b, "deletes", (int64_t)sim.deletes);
	buf_knum(&b, "files", (int64_t)st.files.n);
	buf_knum(&b, "duplicates", (int64_t)duplicates(prop));
	buf_knum(&b, "pending_hits", (int64_t)sim.pending_hits);
	buf_knum(&b, "sockets", (int64_t)ws_count());
	buf_knum(&b, "records", (int64_t)rec_count());
	buf_knum(&b, "callbacks_idle", (int64_t)outgoing_idle());
	buf_knum(&b, "dead_records", (int64_t)dead);
	buf_knum(&b, "ws_accepted", (int64_t)sim.ws_accepted);
	buf_knum(&b, "ws_resumed", (int64_t)sim.ws_resumed);
	buf_knum(&b, "ws_failed_resumes", (int64_t)sim.ws_failed_resumes);
	buf_knum(&b, "events", (int64_t)sim.events);
	buf_knum(&b, "http_connections", (int64_t)http_conn_count(sim.mm));
	buf_knum(&b, "requests", (int64_t)sim.requests);
	buf_knum(&b, "now_us", now_us());
	buf_str(&b, ",\"by_route\":{");
	for (i = 0; i < ROUTES_COUNTED && counts[i].route; i++)
		buf_fmt(&b, "%s\"%s %s\":%llu", i ? "," : "",
		    counts[i].method, counts[i].route,
		    (unsigned long long)counts[i].n);
	buf_str(&b, "},\"socket_users\":[");
	for (i = 0, rec = rec_first(); rec; rec = LIST_NEXT(rec, all))
		if (rec->conn != NULL && !rec->deauth && !rec->deaf)
			buf_fmt(&b, "%s\"%s\"", i++ ? "," : "",
			    rec->user->username);
	buf_str(&b, "]}");
	reply(r, 200, &b);
}

static void
put_sim_post(struct buf *b, const struct post *p)
{
	buf_str(b, "{");
	buf_knum(b, "seq", (int64_t)p->seq);
	buf_kstr(b, "username", p->user->username);
	buf_kstr(b, "pending", p->pending_id ? p->pending_id : "");
	buf_fmt(b, ",\"props_stored\":%s,\"post\":", p->props);
	render_post(b, p, RENDER_NEW);
	buf_str(b, "}");
}

static void
posts_get(struct req *r)
{
	struct channel *c = NULL;
	const char *q = req_query(r, "channel");
	uint64_t after;
	struct buf b = {0};
	size_t i;

	if (q != NULL && (c = hmap_get(&st.channels, q)) == NULL) {
		reply_bad(r, "no such channel");
		return;
	}
	after = (uint64_t)query_num(r, "after_seq", 0);
	buf_str(&b, "[");
	/* Numbers are dense: post n is at n - 1. */
	for (i = (size_t)after; i < st.nposts; i++) {
		if (c != NULL && st.post[i]->channel != c)
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		put_sim_post(&b, st.post[i]);
	}
	buf_str(&b, "]");
	reply(r, 200, &b);
}

static void
requests_get(struct req *r)
{
	size_t n = ring_n < LOG_MAX ? ring_n : LOG_MAX, i;
	struct buf b = {0};

	buf_str(&b, "[");
	for (i = ring_n - n; i < ring_n; i++) {
		struct logged *l = &ring[i % LOG_MAX];

		buf_str(&b, b.len > 1 ? ",{" : "{");
		buf_kstr(&b, "method", l->method);
		buf_kstr(&b, "path", l->path);
		buf_knum(&b, "status", l->status);
		buf_fmt(&b, ",\"ms\":%.3f", (double)l->us / 1000);
		buf_knum(&b, "t_us", l->t_us);
		buf_str(&b, "}");
	}
	buf_str(&b, "]");
	reply(r, 200, &b);
}

static void
reset(struct req *r)
{
	ws_restart(0);
	bench_cancel();
	fault_clear();
	outgoing_reset();
	execute_reset();
	actions_reset();
	commands_reset();
	pending_forget();
	state_reset();
	sim_defaults();
	model_reset();
	memset(counts, 0, sizeof(counts));
	ring_n = 0;
	reply_ok(r);
}

static void
fault_post(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *why = o ? fault_set(o) : "not JSON";

	json_object_put(o);
	if (why != NULL)
		reply_bad(r, why);
	else
		reply_ok(r);
}

static void
fault_delete(struct req *r)
{
	fault_clear();
	reply_ok(r);
}

static void
model_post(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *why = o ? model_script(o) : "not JSON";

	json_object_put(o);
	if (why != NULL)
		reply_bad(r, why);
	else
		reply_ok(r);
}

static void
model_delete(struct req *r)
{
	model_reset();
	reply_ok(r);
}

static void
model_get(struct req *r)
{
	struct buf b = {0};

	model_requests(&b);
	reply(r, 200, &b);
}

/* Many users of a team at once: {n, team}. */
static void
users_post(struct req *r)
{
	struct json_object *o = req_json(r), *v = NULL;
	struct team *t = hmap_get(&st.teams, jstr(o, "team"));
	struct buf b = {0};
	char name[32], email[64];
	int i, n = 0;

	if (json_object_object_get_ex(o, "n", &v))
		n = json_object_get_int(v);
	json_object_put(o);
	if (t == NULL || n < 1 || n > 100000) {
		reply_bad(r, "n and team");
		return;
	}
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many%06d", i);
		snprintf(email, sizeof(email), "%s@example.com", name);
		if (hmap_get(&st.usernames, name) == NULL)
			team_join(t, user_new(name, email, "Passw0rd"));
	}
	buf_fmt(&b, "{\"n\":%d}", n);
	reply(r, 200, &b);
}

void
control_handle(struct req *r)
{
	static const struct {
		const char *method, *path;
		void (*fn)(struct req *);
	} t[] = {{"GET", "/_sim/state", state_get},
	    {"GET", "/_sim/posts", posts_get},
	    {"GET", "/_sim/requests", requests_get},
	    {"POST", "/_sim/reset", reset},
	    {"POST", "/_sim/users", users_post},
	    {"POST", "/_sim/fault", fault_post},
	    {"DELETE", "/_sim/fault", fault_delete},
	    {"POST", "/_sim/model", model_post},
	    {"DELETE", "/_sim/model", model_delete},
	    {"GET", "/_sim/model/requests", model_get},
	    {"POST", "/_sim/bench", bench_start}};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (!strcmp(t[i].method, r->method) &&
		    !strcmp(t[i].path, r->path)) {
			t[i].fn(r);
			return;
		}
	reply_bad(r, "no such control request");
}
