#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/bench.h"
#include "tests/mmsim/fault_ws.h"
#include "tests/mmsim/sim.h"

#define TURNS_MAX 200000
#define MARK_OPEN "[[q"   /* [[q<run>.<n>]] at the start of a question */
#define MARK_END "[[e"    /* [[e<run>.<n>]] at its end */

struct turn {
	struct user *user;
	struct channel *channel;
	const char *mention;
	struct post *answer;
	int64_t asked, model, last, done; /* us, 0: not yet */
	int copies;
};

static struct {
	struct req *r;
	struct event *tick;
	struct turn *turn;
	long n, next, open, done;
	unsigned run;
	int concurrency, gap_ms, settle_ms, chatter;
	int64_t timeout_us, t0, t1, settle_at;
	struct json_object *o; /* the request, for its texts */
	const char *text;
} be;

/* The number after the mark in text, -1 when it is not of this run. */
static long
mark_find(const char *text, const char *mark)
{
	unsigned run;
	long n;
	const char *p = text;

	while ((p = strstr(p, mark)) != NULL) {
		p += strlen(mark);
		if (sscanf(p, "%u.%ld]]", &run, &n) == 2 && run == be.run &&
		    n >= 0 && n < be.n)
			return n;
	}
	return -1;
}

void
bench_mark(struct buf *b, long n)
{
	if (be.r == NULL || mark_find(b->p, MARK_END) == n)
		return;
	buf_fmt(b, " " MARK_OPEN "%u.%ld]] " MARK_END "%u.%ld]]", be.run, n,
	    be.run, n);
}

static void
ask(long n)
{
	struct turn *t = &be.turn[n];
	struct buf b = {0};
	int i;

	for (i = 0; i < be.chatter; i++) {
		buf_fmt(&b, "%s (%d, not to a bot)", be.text, i);
		post_publish(t->channel, t->user, NULL, b.p, "",
		    xstrdup("{}"), NULL, 1);
		buf_free(&b);
	}
	buf_fmt(&b, "%s" MARK_OPEN "%u.%ld]] %s " MARK_END "%u.%ld]]",
	    t->mention, be.run, n, be.text, be.run, n);
	be.open++;
	t->asked = now_us();
	post_publish(t->channel, t->user, NULL, b.p, "", xstrdup("{}"), NULL,
	    1);
	buf_free(&b);
}

static void
tick_in(int ms)
{
	struct timeval tv = ms_timeval(ms);

	evtimer_add(be.tick, &tv);
}

static void
answered(const struct post *p)
{
	struct turn *t;
	long n;

	n = mark_find(p->message, MARK_END);
	if (n < 0 || mark_find(p->message, MARK_OPEN) != n)
		return;
	t = &be.turn[n];
	if (t->answer == p)
		return;
	if (t->answer != NULL) {
		t->copies++;
		return;
	}
	if (t->asked == 0 || p->channel != t->channel)
		return;
	t->answer = (struct post *)(uintptr_t)p;
	t->done = now_us();
	be.t1 = t->done;
	be.open--;
	be.done++;
	tick_in(be.done == be.n ? be.settle_ms : be.gap_ms);
}

void
bench_post(const struct post *p)
{
	if (be.r != NULL && p->user->is_bot)
		answered(p);
}

void
bench_edited(const struct post *p)
{
	bench_post(p);
}

/* An answer that was replaced by another post is not a second one. */
void
bench_deleted(const struct post *p)
{
	long n;

	if (be.r == NULL || !p->user->is_bot)
		return;
	n = mark_find(p->message, MARK_END);
	if (n >= 0 && be.turn[n].copies > 0)
		be.turn[n].copies--;
}

long
bench_model_request(const char *text)
{
	long n;

	if (be.r == NULL)
		return -1;
	n = mark_find(text, MARK_OPEN);
	if (n >= 0 && be.turn[n].model == 0)
		be.turn[n].model = now_us();
	return n;
}

void
bench_model_done(long n)
{
	if (be.r != NULL && n >= 0 && n < be.n)
		be.turn[n].last = now_us();
}

static int
cmp64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
put_stats(struct buf *b, const char *name, int64_t *v, size_t n)
{
	double sum = 0;
	size_t i;

	qsort(v, n, sizeof(*v), cmp64);
	for (i = 0; i < n; i++)
		sum += (double)v[i];
	buf_fmt(b, ",\"%s\":{\"n\":%zu", name, n);
	if (n > 0)
		buf_fmt(b, ",\"min\":%lld,\"p50\":%lld,\"p90\":%lld,"
		    "\"p99\":%lld,\"max\":%lld,\"mean\":%.0f",
		    (long long)v[0], (long long)v[n / 2],
		    (long long)v[n * 90 / 100], (long long)v[n * 99 / 100],
		    (long long)v[n - 1], sum / (double)n);
	buf_str(b, "}");
}

/* Difference of two clocks of every turn that has both. */
static void
put_diff(struct buf *b, const char *name, size_t from, size_t to)
{
	int64_t *v = xcalloc((size_t)be.n, sizeof(*v)), x, y;
	size_t n = 0;
	long i;

	for (i = 0; i < be.n; i++) {
		memcpy(&x, (char *)&be.turn[i] + from, sizeof(x));
		memcpy(&y, (char *)&be.turn[i] + to, sizeof(y));
		if (x != 0 && y != 0)
			v[n++] = y - x;
	}
	put_stats(b, name, v, n);
	free(v);
}

void
bench_cancel(void)
{
	struct req *r = be.r;

	if (r == NULL)
		return;
	be.r = NULL;
	r->on_gone = NULL;
	event_free(be.tick);
	free(be.turn);
	json_object_put(be.o);
	http_reply(r, 409, "application/json",
	    "{\"error\":\"cancelled\"}", 21);
}

static void
finish(void)
{
	struct req *r = be.r;
	struct buf b = {0};
	long i, missing = 0, copies = 0;
	double s = (double)(be.t1 - be.t0) / 1e6;

	for (i = 0; i < be.n; i++) {
		missing += be.turn[i].done == 0;
		copies += be.turn[i].copies;
	}
	buf_fmt(&b, "{\"turns\":%ld,\"answered\":%ld,\"missing\":%ld,"
	    "\"duplicates\":%ld,\"seconds\":%.6f,\"per_second\":%.1f", be.n,
	    be.done, missing, copies, s, s > 0 ? (double)be.done / s : 0);
	put_diff(&b, "in_us", offsetof(struct turn, asked),
	    offsetof(struct turn, model));
	put_diff(&b, "out_us", offsetof(struct turn, last),
	    offsetof(struct turn, done));
	put_diff(&b, "turn_us", offsetof(struct turn, asked),
	    offsetof(struct turn, done));
	buf_str(&b, "}");
	be.r = NULL;
	r->on_gone = NULL;
	event_free(be.tick);
	free(be.turn);
	json_object_put(be.o);
	http_reply(r, 200, "application/json", b.p, b.len);
	buf_free(&b);
}

/* One question a pass of the loop, so that none waits for the next. */
static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	int64_t now = now_us();

	if (be.done == be.n ||
	    (be.t0 != 0 && now - be.t1 > be.timeout_us)) {
		finish();
		return;
	}
	if (be.next < be.n && be.open < be.concurrency) {
		if (be.t0 == 0)
			be.t0 = be.t1 = now;
		ask(be.next++);
		if (be.next < be.n && be.open < be.concurrency) {
			tick_in(be.gap_ms);
			return;
		}
	}
	tick_in(1000); /* an answer makes it sooner */
}

static struct user *
bench_user(long i)
{
	char name[32], email[64];
	struct user *u;

	snprintf(name, sizeof(name), "bench%ld", i);
	u = hmap_get(&st.usernames, name);
	if (u != NULL)
		return u;
	snprintf(email, sizeof(email), "%s@example.com", name);
	return user_new(name, email, "bench-password");
}

/* Where user u asks in round k; NULL: the request does not say. */
static struct channel *
bench_channel(struct json_object *o, struct json_object *list, struct user *u,
    long i)
{
	struct user *bot = hmap_get(&st.usernames, jstr(o, "bot"));
	struct channel *c;
	size_t n;
	int made;

	if (fault_num(o, "dm", 0))
		return bot ? channel_direct(u, bot, &made) : NULL;
	n = json_object_is_type(list, json_type_array)
	    ? json_object_array_length(list) : 0;
	if (n == 0)
		return NULL;
	c = hmap_get(&st.channels, json_object_get_string(
	    json_object_array_get_idx(list, (size_t)i % n)));
	if (c == NULL)
		return NULL;
	if (c->team != NULL)
		team_join(c->team, u);
	channel_join(c, u);
	return c;
}

/* The mention for channel i of the list, or the one for all. */
static const char *
bench_mention(struct json_object *o, long i)
{
	struct json_object *list, *m;
	size_t n;

	if (json_object_object_get_ex(o, "mentions", &list) &&
	    json_object_is_type(list, json_type_array) &&
	    (n = json_object_array_length(list)) > 0 &&
	    (m = json_object_array_get_idx(list, (size_t)i % n)) != NULL)
		return json_object_get_string(m);
	return jstr(o, "mention");
}

static void
bench_gone(struct req *r)
{
	be.r = NULL;
	event_free(be.tick);
	free(be.turn);
	json_object_put(be.o);
	http_hangup(r, HTTP_END_FIN);
}

static int
bench_setup(struct json_object *o)
{
	struct json_object *list = NULL;
	long users = fault_num(o, "users", 1), i;
	int latency = !strcmp(jstr(o, "mode"), "latency");

	json_object_object_get_ex(o, "channels", &list);
	be.n = users * fault_num(o, "rounds", 1);
	if (users < 1 || be.n < 1 || be.n > TURNS_MAX)
		return -1;
	be.turn = xcalloc((size_t)be.n, sizeof(*be.turn));
	for (i = 0; i < be.n; i++) {
		be.turn[i].user = bench_user(i % users);
		be.turn[i].channel = bench_channel(o, list, be.turn[i].user,
		    i % users + i / users);
		be.turn[i].mention = bench_mention(o, i % users + i / users);
		if (be.turn[i].channel == NULL) {
			free(be.turn);
			return -1;
		}
	}
	be.run++;
	be.next = be.open = be.done = 0;
	be.t0 = be.t1 = 0;
	be.concurrency = latency ? 1 : fault_num(o, "concurrency", 16);
	be.gap_ms = fault_num(o, "gap_ms", latency ? 20 : 0);
	be.settle_ms = fault_num(o, "settle_ms", 300);
	be.chatter = fault_num(o, "chatter", 0);
	be.timeout_us = (int64_t)fault_num(o, "timeout_s", 60) * 1000000;
	be.o = json_object_get(o);
	be.text = *jstr(o, "text") ? jstr(o, "text") : "How do you do?";
	return 0;
}

void
bench_start(struct req *r)
{
	struct json_object *o = req_json(r);
	static const char busy[] = "{\"error\":\"a bench is running\"}";
	static const char bad[] = "{\"error\":\"bench: users, rounds, and "
	    "channels (or dm and bot)\"}";

	if (be.r != NULL)
		http_reply(r, 409, "application/json", busy,
		    sizeof(busy) - 1);
	else if (bench_setup(o) == -1)
		http_reply(r, 400, "application/json", bad, sizeof(bad) - 1);
	else {
		be.r = r;
		r->on_gone = bench_gone;
		be.tick = evtimer_new(sim.base, tick_cb, NULL);
		if (be.tick == NULL)
			fatalx("evtimer_new");
		tick_in(0);
	}
	json_object_put(o);
}
