#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/monotime.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

static LIST_HEAD(, wsrec) recs = LIST_HEAD_INITIALIZER(recs);
static size_t nrecs;

struct wsevent *
wsevent_new(const char *body, size_t len, int minor)
{
	struct wsevent *ev = xmalloc(sizeof(*ev) + len);

	ev->refs = 1;
	ev->minor = minor;
	ev->len = len;
	memcpy(ev->body, body, len);
	return ev;
}

void
wsevent_unref(struct wsevent *ev)
{
	if (ev != NULL && --ev->refs == 0)
		free(ev);
}

struct wsrec *
rec_first(void)
{
	return LIST_FIRST(&recs);
}

size_t
rec_count(void)
{
	return nrecs;
}

static struct wsrec *
rec_new(struct user *u)
{
	struct wsrec *r = xcalloc(1, sizeof(*r));

	id_new(r->id);
	r->user = u;
	r->listed = 1;
	LIST_INSERT_HEAD(&u->recs, r, link);
	LIST_INSERT_HEAD(&recs, r, all);
	nrecs++;
	return r;
}

static void
ring_clear(struct wsrec *r)
{
	size_t i;

	for (i = 0; i < WS_RING; i++)
		wsevent_unref(r->ring[i].ev);
	memset(r->ring, 0, sizeof(r->ring));
	r->ring_at = 0;
}

static void
rec_unlist(struct wsrec *r)
{
	if (r->listed)
		LIST_REMOVE(r, link);
	r->listed = 0;
}

void
rec_free(struct wsrec *r)
{
	rec_unlist(r);
	LIST_REMOVE(r, all);
	nrecs--;
	ring_clear(r);
	for (; r->qlen > 0; r->qlen--) {
		wsevent_unref(r->queue[r->qhead]);
		r->qhead = (r->qhead + 1) % WS_QUEUE;
	}
	if (r->conn != NULL)
		r->conn->rec = NULL;
	free(r);
}

/* The event takes the next number and goes on the wire and in the ring. */
static void
rec_write(struct wsrec *r, struct wsevent *ev)
{
	struct wssent *s = &r->ring[r->ring_at];

	wsevent_unref(s->ev);
	*s = (struct wssent){r->seq++, ev};
	ev->refs++;
	r->ring_at = (r->ring_at + 1) % WS_RING;
	ws_event_frame(r->conn, ev, s->seq);
}

static int
rec_ready(const struct wsrec *r)
{
	return r->conn != NULL && !r->conn->closing && !r->conn->stalled &&
	    ws_out_len(r->conn) < WS_OUT_SOFT;
}

void
rec_pump(struct wsrec *r)
{
	struct wsevent *ev;

	while (r->qlen > 0 && rec_ready(r)) {
		ev = r->queue[r->qhead];
		r->qhead = (r->qhead + 1) % WS_QUEUE;
		r->qlen--;
		rec_write(r, ev);
		wsevent_unref(ev);
	}
}

/* A full queue: 5.37 gives the connection up, and its record with it. */
static void
rec_overflow(struct wsrec *r)
{
	struct wsconn *c = r->conn;

	if (c == NULL) {
		rec_free(r);
		return;
	}
	rec_unlist(r);
	r->deaf = 1;
	ws_give_up(c);
}

void
rec_send(struct wsrec *r, struct wsevent *ev)
{
	if (r->deauth || r->deaf)
		return;
	if (r->qlen == 0 && rec_ready(r)) {
		rec_write(r, ev);
		if (r->bug || fault_ws_double(r->user))
			rec_write(r, ev);
		return;
	}
	if (ev->minor && r->qlen >= WS_QUEUE / 2)
		return;
	if (r->qlen == WS_QUEUE) {
		rec_overflow(r);
		return;
	}
	r->queue[(r->qhead + r->qlen++) % WS_QUEUE] = ev;
	ev->refs++;
}

static struct wsrec *
rec_find_dead(const struct user *u, const char *id)
{
	struct wsrec *r;

	LIST_FOREACH(r, &u->recs, link)
		if (r->conn == NULL && !strcmp(r->id, id))
			return r;
	return NULL;
}

/* Index in the ring of the event with this number, or -1. */
static int
ring_find(const struct wsrec *r, int64_t seq)
{
	int i;

	for (i = 0; i < WS_RING; i++)
		if (r->ring[i].ev != NULL && r->ring[i].seq == seq)
			return i;
	return -1;
}

/* Send again from ring entry i to the newest; seq ends after it. */
static void
ring_replay(struct wsrec *r, int i)
{
	size_t at = (size_t)i, n;

	for (n = 0; n < WS_RING && r->ring[at].ev != NULL; n++) {
		if (n > 0 && r->ring[at].seq != r->seq)
			break;
		ws_event_frame(r->conn, r->ring[at].ev, r->ring[at].seq);
		r->seq = r->ring[at].seq + 1;
		at = (at + 1) % WS_RING;
	}
}

/* Was something written that the client says it has not seen? */
static int
ring_lost(const struct wsrec *r, int64_t seq)
{
	size_t last = (r->ring_at + WS_RING - 1) % WS_RING;

	if (r->ring[last].ev == NULL)
		return 0;
	return r->ring[last].seq != seq - 1;
}

static void
rec_hello(struct wsrec *r)
{
	struct wsevent *ev = event_hello(r->user, sim.reliable ? r->id : "");

	rec_write(r, ev);
	wsevent_unref(ev);
}

/* The number decides: replay, go on, or start anew with a new id. */
static void
rec_resume(struct wsrec *r, int64_t seq)
{
	int i;

	r->seq = seq;
	if (seq == 0)
		return;
	i = ring_find(r, seq);
	if (i >= 0) {
		ring_replay(r, i);
	} else if (ring_lost(r, seq)) {
		sim.ws_failed_resumes++;
		id_new(r->id);
		ring_clear(r);
		r->seq = 0;
		rec_hello(r);
		r->bug = fault_ws_resume_bug();
		if (r->bug)
			rec_hello(r);
		return;
	}
	sim.ws_resumed++;
}

struct wsrec *
rec_attach(struct wsconn *c, struct session *s)
{
	struct wsrec *r = NULL;
	int resumable = sim.reliable && c->want_id[0] != '\0' &&
	    c->header_sess == s;

	if (resumable)
		r = rec_find_dead(s->user, c->want_id);
	if (r != NULL) {
		r->conn = c;
		c->rec = r;
		r->sess = s;
		r->activity_ms = monotime_now().ms;
		rec_resume(r, c->want_seq);
		rec_pump(r);
		return r;
	}
	r = rec_new(s->user);
	r->sess = s;
	r->conn = c;
	c->rec = r;
	r->activity_ms = monotime_now().ms;
	rec_hello(r);
	return r;
}

void
rec_detach(struct wsconn *c)
{
	struct wsrec *r = c->rec, *o;
	struct user *u;

	if (r == NULL)
		return;
	u = r->user;
	c->rec = NULL;
	r->conn = NULL;
	if (!sim.reliable || r->deauth || r->deaf || !r->listed)
		rec_free(r);
	LIST_FOREACH(o, &u->recs, link)
		if (o->conn != NULL)
			return;
	status_set(u, "offline", 0);
}

void
rec_reap(void)
{
	struct wsrec *r, *next;
	int64_t old = monotime_now().ms - WS_REAP_S * 1000;

	for (r = LIST_FIRST(&recs); r != NULL; r = next) {
		next = LIST_NEXT(r, all);
		if (r->conn == NULL && r->activity_ms < old)
			rec_free(r);
	}
}

void
rec_touch(struct user *u)
{
	struct wsrec *r;

	LIST_FOREACH(r, &u->recs, link)
		if (r->conn != NULL)
			r->activity_ms = monotime_now().ms;
}

void
rec_invalidate(struct user *u)
{
	struct wsrec *r;

	LIST_FOREACH(r, &u->recs, link)
		if (r->sess->disabled || r->sess->revoked)
			r->deauth = 1;
}

void
rec_deauth(struct user *u)
{
	struct wsrec *r;

	LIST_FOREACH(r, &u->recs, link)
		r->deauth = 1;
}

void
rec_make_deaf(struct wsrec *r)
{
	r->deaf = 1;
	rec_unlist(r);
}
