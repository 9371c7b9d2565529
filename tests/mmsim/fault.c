#include "config.h"

#include <sys/queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/fault_ws.h"
#include "tests/mmsim/outgoing.h"
#include "tests/mmsim/pending.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

enum rule_close { CLOSE_NO, CLOSE_BEFORE, CLOSE_AFTER, CLOSE_TRUNCATE };

struct rest_rule {
	TAILQ_ENTRY(rest_rule) link;
	int refs;
	char *method;
	char *prefix;
	char *contains;   /* of the path */
	char *body_match; /* of the request's body */
	char *username;
	int skip;         /* requests that pass before the rule applies */
	int times;        /* -1: for ever */
	int status;       /* 0: the handler's own */
	char *body;       /* NULL: one that fits the status */
	struct buf headers;
	int ctype_set;
	int delay_ms;
	int answer_delay_ms;
	enum rule_close close;
	int fin;          /* close by FIN instead of RST */
	int after_effect;
	int stall;
	int saving;
	int64_t send;     /* bytes of the body of a truncated answer */
};

/* An answer that waits. */
struct late {
	struct event *timer;
	struct req *r;
	int status;
	char *ctype;
	char *body;
	size_t len;
	char *pending;
};

static TAILQ_HEAD(, rest_rule) rules = TAILQ_HEAD_INITIALIZER(rules);

static struct {
	int per_sec, burst;
	double tokens;
	int64_t at;
} limit;

static void
rule_unref(struct rest_rule *u)
{
	if (--u->refs > 0)
		return;
	free(u->method);
	free(u->prefix);
	free(u->contains);
	free(u->body_match);
	free(u->username);
	free(u->body);
	buf_free(&u->headers);
	free(u);
}

static void
rule_drop(struct rest_rule *u)
{
	TAILQ_REMOVE(&rules, u, link);
	rule_unref(u);
}

static int
rule_matches(const struct rest_rule *u, const struct req *r)
{
	const struct session *s;

	if (u->method != NULL && strcmp(u->method, r->method) != 0)
		return 0;
	if (u->prefix != NULL &&
	    strncmp(u->prefix, r->path, strlen(u->prefix)) != 0)
		return 0;
	if (u->contains != NULL && strstr(r->path, u->contains) == NULL)
		return 0;
	if (u->body_match != NULL && strstr(r->body, u->body_match) == NULL)
		return 0;
	if (u->username == NULL)
		return 1;
	s = api_session(r);
	return s != NULL && !strcmp(s->user->username, u->username);
}

static struct rest_rule *
rule_find(const struct req *r)
{
	struct rest_rule *u;

	TAILQ_FOREACH(u, &rules, link) {
		if (!rule_matches(u, r))
			continue;
		if (u->skip > 0) {
			u->skip--;
			continue;
		}
		return u;
	}
	return NULL;
}

/* With the client gone nobody waits for the answer any more. */
static void
stalled_gone(struct req *r)
{
	rule_unref(r->fault);
	r->fault = NULL;
	http_hangup(r, HTTP_END_FIN);
}

static void
answer(struct req *r, int status, const char *ctype, const void *body,
    size_t len)
{
	struct rest_rule *u = r->fault;
	enum http_end end = u->fin ? HTTP_END_FIN : HTTP_END_RST;
	size_t cut = u->send >= 0 ? (size_t)u->send : len / 2;

	if (u->stall) {
		r->on_gone = stalled_gone;
		if (r->conn == NULL)
			stalled_gone(r);
		return;
	}
	r->fault = NULL;
	if (u->close == CLOSE_BEFORE)
		http_hangup(r, end);
	else if (u->close == CLOSE_TRUNCATE)
		http_reply_cut(r, status, ctype, body, len, cut,
		    HTTP_END_FIN);
	else if (u->close == CLOSE_AFTER)
		http_reply_cut(r, status, ctype, body, len, SIZE_MAX,
		    HTTP_END_FIN);
	else
		http_reply(r, status, ctype, body, len);
	rule_unref(u);
}

static void
late_answer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct late *l = arg;

	answer(l->r, l->status, l->ctype, l->body, l->len);
	event_free(l->timer);
	free(l->ctype);
	free(l->body);
	free(l);
}

static void
late_answer(struct req *r, int status, const char *ctype, const void *body,
    size_t len, int ms)
{
	struct timeval tv = ms_timeval(ms);
	struct late *l = xcalloc(1, sizeof(*l));

	l->r = r;
	l->status = status;
	l->ctype = ctype ? xstrdup(ctype) : NULL;
	l->body = xmalloc(len);
	if (len > 0)
		memcpy(l->body, body, len);
	l->len = len;
	l->timer = evtimer_new(sim.base, late_answer_cb, l);
	evtimer_add(l->timer, &tv);
}

void
fault_reply(struct req *r, int status, const char *ctype, const void *body,
    size_t len)
{
	struct rest_rule *u = r->fault;

	if (u == NULL) {
		http_reply(r, status, ctype, body, len);
		return;
	}
	if (u->status != 0) {
		status = u->status;
		if (u->body != NULL) {
			body = u->body;
			len = strlen(u->body);
		}
	} else if (u->body != NULL) {
		body = u->body;
		len = strlen(u->body);
	}
	if (u->headers.len > 0)
		buf_add(&r->extra, u->headers.p, u->headers.len);
	if (u->ctype_set)
		ctype = NULL;
	if (u->answer_delay_ms > 0)
		late_answer(r, status, ctype, body, len, u->answer_delay_ms);
	else
		answer(r, status, ctype, body, len);
}

/* The answer of a rule whose request has no effect. */
static void
refuse(struct req *r)
{
	struct rest_rule *u = r->fault;

	if (u->status == 429 && u->body == NULL) {
		buf_str(&r->extra, "X-Content-Type-Options: nosniff\r\n");
		fault_reply(r, 429, "text/plain; charset=utf-8",
		    "limit exceeded\n", 15);
	} else if (u->body != NULL || u->status == 0) {
		fault_reply(r, u->status ? u->status : 200,
		    "application/json", "", 0);
	} else
		api_error(r, u->status, "sim.fault.app_error", "Injected.");
}

static void
rule_go(struct req *r)
{
	struct rest_rule *u = r->fault;
	int effect = u->after_effect ||
	    (u->status == 0 && u->close == CLOSE_NO && !u->stall) ||
	    (u->status == 0 && u->close > CLOSE_BEFORE);

	if (effect)
		api_dispatch(r);
	else
		refuse(r);
}

static void
late_start_cb(evutil_socket_t fd, short what, void *arg)
{
	struct late *l = arg;

	if (l->pending != NULL) {
		pending_release(l->pending);
		free(l->pending);
	}
	event_free(l->timer);
	rule_go(l->r);
	free(l);
}

/* The id of a post that is "being saved" while the rule delays it. */
static char *
reserve_pending(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *id = jstr(o, "pending_post_id");
	char *copy = NULL;

	if (*id != '\0' && pending_get(id) == NULL && pending_reserve(id))
		copy = xstrdup(id);
	json_object_put(o);
	return copy;
}

int
fault_before(struct req *r)
{
	struct rest_rule *u = rule_find(r);
	struct timeval tv;
	struct late *l;

	if (u == NULL)
		return 0;
	u->refs++;
	r->fault = u;
	if (u->times > 0 && --u->times == 0)
		rule_drop(u);
	if (u->delay_ms == 0) {
		rule_go(r);
		return 1;
	}
	l = xcalloc(1, sizeof(*l));
	l->r = r;
	if (u->saving)
		l->pending = reserve_pending(r);
	l->timer = evtimer_new(sim.base, late_start_cb, l);
	tv = ms_timeval(u->delay_ms);
	evtimer_add(l->timer, &tv);
	return 1;
}

int
fault_limited(struct req *r)
{
	int64_t now = now_us();
	int left, reset;

	if (limit.per_sec == 0)
		return 0;
	limit.tokens += (double)(now - limit.at) / 1e6 * limit.per_sec;
	if (limit.tokens > limit.burst + 1)
		limit.tokens = limit.burst + 1;
	limit.at = now;
	left = limit.tokens >= 1;
	if (left)
		limit.tokens -= 1;
	reset = (int)((limit.burst + 1 - limit.tokens) / limit.per_sec) + 1;
	if (!left)
		buf_str(&r->extra, "Retry-After: 1\r\n"
		    "X-Content-Type-Options: nosniff\r\n");
	buf_fmt(&r->extra, "X-Ratelimit-Limit: %d\r\nX-Ratelimit-Remaining: "
	    "%d\r\nX-Ratelimit-Reset: %d\r\n", limit.burst + 1,
	    left ? (int)limit.tokens : 0, reset);
	if (left)
		return 0;
	http_reply(r, 429, "text/plain; charset=utf-8", "limit exceeded\n",
	    15);
	return 1;
}

static char *
opt_str(struct json_object *o, const char *key)
{
	const char *s = jstr(o, key);

	return *s ? xstrdup(s) : NULL;
}

int
fault_num(struct json_object *o, const char *key, int dflt)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || v == NULL)
		return dflt;
	if (json_object_is_type(v, json_type_boolean))
		return json_object_get_boolean(v);
	return json_object_get_int(v);
}

static void
rule_headers(struct rest_rule *u, struct json_object *o)
{
	struct json_object *h;

	if (*jstr(o, "redirect")) {
		buf_fmt(&u->headers, "Location: %s\r\n", jstr(o, "redirect"));
		if (u->status == 0)
			u->status = 307;
	}
	if (!json_object_object_get_ex(o, "headers", &h) ||
	    !json_object_is_type(h, json_type_object))
		return;
	json_object_object_foreach(h, name, val) {
		buf_fmt(&u->headers, "%s: %s\r\n", name,
		    json_object_get_string(val));
		if (!strcmp(name, "Content-Type"))
			u->ctype_set = 1;
	}
}

static const char *
rule_add(struct json_object *o)
{
	struct rest_rule *u;
	const char *c = jstr(o, "close");
	struct json_object *v;

	if (*c && strcmp(c, "before") && strcmp(c, "after_body") &&
	    strcmp(c, "truncate"))
		return "close: before, after_body or truncate";
	u = xcalloc(1, sizeof(*u));
	u->refs = 1;
	u->method = opt_str(o, "method");
	u->prefix = opt_str(o, "path_prefix");
	u->contains = opt_str(o, "path_contains");
	u->body_match = opt_str(o, "body_contains");
	u->username = opt_str(o, "user");
	u->skip = fault_num(o, "skip", 0);
	u->times = fault_num(o, "times", 1);
	u->status = fault_num(o, "status", 0);
	if (json_object_object_get_ex(o, "body", &v))
		u->body = xstrdup(json_object_is_type(v, json_type_string)
		    ? json_object_get_string(v)
		    : json_object_to_json_string_ext(v,
			JSON_C_TO_STRING_PLAIN));
	u->delay_ms = fault_num(o, "delay_ms", 0);
	u->answer_delay_ms = fault_num(o, "answer_delay_ms", 0);
	u->close = *c == 'b' ? CLOSE_BEFORE
	    : *c == 'a'	     ? CLOSE_AFTER
	    : *c == 't'	     ? CLOSE_TRUNCATE
			     : CLOSE_NO;
	u->fin = fault_num(o, "fin", 0);
	u->after_effect = fault_num(o, "after_effect", 0);
	u->stall = fault_num(o, "stall", 0);
	u->saving = fault_num(o, "saving", 0);
	u->send = fault_num(o, "send", -1);
	rule_headers(u, o);
	TAILQ_INSERT_TAIL(&rules, u, link);
	return NULL;
}

static void
restart_cb(evutil_socket_t fd, short what, void *arg)
{
	http_refuse(sim.mm, 0);
}

/* As a stop and a start of the real server: posts and tokens stay. */
static void
restart(int down_ms)
{
	struct timeval tv = ms_timeval(down_ms);

	ws_restart(0);
	pending_forget();
	http_drop_all(sim.mm, 0);
	if (down_ms <= 0)
		return;
	http_refuse(sim.mm, 1);
	event_base_once(sim.base, -1, EV_TIMEOUT, restart_cb, NULL, &tv);
}

const char *
fault_set(struct json_object *o)
{
	const char *kind = jstr(o, "kind");

	if (!strcmp(kind, "rest"))
		return rule_add(o);
	if (!strncmp(kind, "ws_", 3))
		return fault_ws_set(kind, o);
	if (!strcmp(kind, "refuse")) {
		http_refuse(sim.mm, fault_num(o, "on", 1));
		return NULL;
	}
	if (!strcmp(kind, "restart")) {
		restart(fault_num(o, "down_ms", 0));
		return NULL;
	}
	if (!strcmp(kind, "drop_http")) {
		http_drop_all(sim.mm, fault_num(o, "rst", 0));
		return NULL;
	}
	if (!strcmp(kind, "edit_limit"))
		sim.edit_limit = fault_num(o, "seconds", -1);
	else if (!strcmp(kind, "max_post_size"))
		sim.max_post_size = fault_num(o, "runes", 16383);
	else if (!strcmp(kind, "max_props_size"))
		sim.max_props_size = fault_num(o, "runes", 8000);
	else if (!strcmp(kind, "max_file_size"))
		sim.max_file_size = fault_num(o, "bytes", 100 << 20);
	else if (!strcmp(kind, "reliable"))
		sim.reliable = fault_num(o, "on", 1);
	else if (!strcmp(kind, "allowed_internal"))
		outgoing_allow(json_object_object_get(o, "list")
			? jstr(o, "list") : NULL);
	else if (!strcmp(kind, "nagle"))
		sim.nagle = fault_num(o, "on", 1);
	else if (!strcmp(kind, "rate_limit")) {
		limit.per_sec = fault_num(o, "per_sec", 10);
		limit.burst = fault_num(o, "burst", 100);
		limit.tokens = limit.burst + 1;
		limit.at = now_us();
	} else
		return "unknown kind";
	return NULL;
}

void
fault_clear(void)
{
	struct rest_rule *u;

	while ((u = TAILQ_FIRST(&rules)) != NULL)
		rule_drop(u);
	memset(&limit, 0, sizeof(limit));
	fault_ws_clear();
	http_refuse(sim.mm, 0);
	sim.max_post_size = 16383;
	sim.max_props_size = 8000;
	sim.max_file_size = 100 << 20;
	sim.edit_limit = -1;
	sim.reliable = 1;
	sim.nagle = 0;
	outgoing_allow(NULL);
}
