#include "config.h"


#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "common/tree.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/preview.h"
#include "workers/account/storelink.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"

#define WAIT_MAX_MS 3600000 /* for a retry, whatever the clocks say */

struct lane {
	RB_ENTRY(lane) entry;
	TAILQ_ENTRY(lane) ready;
	TAILQ_HEAD(rowhead, row) rows; /* in order of seq */
	int held;               /* by outbox rows */
	int queued;             /* is on the ready list */
	char key[];
};

RB_HEAD(lane_tree, lane);

struct lanes {
	struct lane_tree tree;
	TAILQ_HEAD(, lane) ready; /* may have something to start */
	struct event *run;        /* next turn of the loop */
	struct event *timer;      /* the next retry */
	struct monotime next;     /* when that is */
	TAILQ_HEAD(, row) active; /* their turns run */
	int waiting, running;
};

static int
lane_cmp(const struct lane *a, const struct lane *b)
{
	return strcmp(a->key, b->key);
}

RB_GENERATE_STATIC(lane_tree, lane, entry, lane_cmp)

static void
lane_ready(struct account *a, struct lane *l)
{
	if (!l->queued) {
		l->queued = 1;
		TAILQ_INSERT_TAIL(&a->lanes->ready, l, ready);
	}
	event_active(a->lanes->run, EV_TIMEOUT, 0);
}

static struct lane *
lane_get(struct account *a, const char *key)
{
	size_t len = strlen(key) + 1;
	struct lane *l, *old;

	if ((l = calloc(1, sizeof(*l) + len)) == NULL)
		fatal("calloc");
	memcpy(l->key, key, len);
	if ((old = RB_INSERT(lane_tree, &a->lanes->tree, l)) != NULL) {
		free(l);
		return old;
	}
	TAILQ_INIT(&l->rows);
	return l;
}

/* A lane that nobody is in is forgotten. */
static void
lane_check(struct account *a, struct lane *l)
{
	if (l->held > 0)
		return;
	if (!TAILQ_EMPTY(&l->rows)) {
		lane_ready(a, l);
		return;
	}
	if (l->queued)
		TAILQ_REMOVE(&a->lanes->ready, l, ready);
	RB_REMOVE(lane_tree, &a->lanes->tree, l);
	free(l);
}

struct lane *
lanes_hold(struct account *a, const char *key)
{
	struct lane *l;

	if (*key == '\0')
		return NULL;
	l = lane_get(a, key);
	l->held++;
	return l;
}

void
lanes_release(struct account *a, struct lane *l)
{
	if (l == NULL)
		return;
	l->held--;
	lane_check(a, l);
}

static struct row *
row_add(struct account *a, int64_t seq, const char *key)
{
	struct lane *l = lane_get(a, key);
	struct row *r, *after;

	/* Nearly always the newest; a restored one may not be. */
	TAILQ_FOREACH_REVERSE(after, &l->rows, rowhead, entry)
		if (after->seq <= seq)
			break;
	if (after != NULL && after->seq == seq)
		return NULL;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->lane = l;
	r->seq = seq;
	if (after == NULL)
		TAILQ_INSERT_HEAD(&l->rows, r, entry);
	else
		TAILQ_INSERT_AFTER(&l->rows, after, r, entry);
	a->lanes->waiting++;
	return r;
}

void
lanes_add(struct account *a, int64_t seq, const char *lane,
    const char *channel, const char *root, const char *event, int64_t at,
    struct json_object *data)
{
	struct row *r = row_add(a, seq, lane);

	if (r == NULL) {
		json_object_put(data);
		return;
	}
	r->at = at;
	ID_COPY(r->channel, channel);
	ID_COPY(r->root, root);
	ID_COPY(r->event, event);
	r->data = data;
	lane_ready(a, r->lane);
}

/* not_before: ms since the epoch by our clock; from now on it may be set. */
static void
row_wait_until(struct row *r, int64_t not_before)
{
	int64_t ms = not_before - walltime_ms();

	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	r->ready_at = (struct monotime){0};
	if (ms > 0)
		r->ready_at = monotime_add(monotime_now(), ms);
}

int
lanes_restore(struct account *a, struct json_object *msg)
{
	const char *lane, *channel, *root, *event;
	struct json_object *data;
	int64_t seq, at, not_before, attempts;
	struct fields f;
	struct row *r;

	fields_open(&f, msg);
	seq = fields_int(&f, "seq", 1, INT64_MAX);
	fields_str(&f, "kind", 32);
	event = fields_str(&f, "event", EVENT_ID_SIZE - 1);
	lane = fields_str(&f, "lane", LANE_KEY_SIZE - 1);
	channel = fields_str(&f, "channel", MM_ID_LEN);
	root = fields_str(&f, "root", MM_ID_LEN);
	at = fields_int(&f, "at", 0, INT64_MAX);
	attempts = fields_int(&f, "attempts", 0, INT32_MAX);
	not_before = fields_int(&f, "not_before", 0, INT64_MAX);
	data = fields_obj(&f, "data");
	if (fields_end(&f) == -1) {
		log_warnx("inbox.row: %s", fields_error(&f));
		return -1;
	}
	if ((r = row_add(a, seq, lane)) == NULL)
		return 0;
	r->at = at;
	r->attempts = (int)attempts;
	row_wait_until(r, not_before);
	r->recovered = 1;
	ID_COPY(r->channel, channel);
	ID_COPY(r->root, root);
	ID_COPY(r->event, event);
	r->data = json_object_get(data);
	return 0;
}

void
lanes_loaded(struct account *a)
{
	struct lane *l;

	RB_FOREACH(l, lane_tree, &a->lanes->tree)
		lane_ready(a, l);
}

/* The nearest retry; its timer looks at all lanes. */
static void
row_wait(struct account *a, const struct row *r)
{
	struct lanes *ls = a->lanes;

	if (evtimer_pending(ls->timer, NULL) &&
	    monotime_diff(ls->next, r->ready_at) >= 0)
		return;
	ls->next = r->ready_at;
	loop_timer(ls->timer, monotime_left(r->ready_at));
}

static void
lane_start(struct account *a, struct lane *l)
{
	struct row *r = TAILQ_FIRST(&l->rows);

	if (r == NULL || l->held > 0 || r->turn != NULL)
		return;
	if (monotime_left(r->ready_at) > 0) {
		row_wait(a, r);
		return;
	}
	if (turn_start(a, r) == NULL)
		return;
	TAILQ_INSERT_TAIL(&a->lanes->active, r, running);
	a->lanes->running++;
}

static void
on_run(int fd, short what, void *arg)
{
	struct account *a = arg;
	struct lane *l;

	while (a->lanes->running < RUNNING_MAX && !a->stopping &&
	    (l = TAILQ_FIRST(&a->lanes->ready)) != NULL) {
		TAILQ_REMOVE(&a->lanes->ready, l, ready);
		l->queued = 0;
		lane_start(a, l);
	}
}

static void
on_timer(int fd, short what, void *arg)
{
	lanes_loaded(arg);
}

void
lanes_run(struct account *a)
{
	lanes_loaded(a);
}

struct lanes *
lanes_new(struct account *a)
{
	struct lanes *ls;

	if ((ls = calloc(1, sizeof(*ls))) == NULL)
		fatal("calloc");
	RB_INIT(&ls->tree);
	TAILQ_INIT(&ls->ready);
	TAILQ_INIT(&ls->active);
	ls->run = event_new(a->base, -1, 0, on_run, a);
	ls->timer = evtimer_new(a->base, on_timer, a);
	if (ls->run == NULL || ls->timer == NULL)
		fatalx("event_new");
	return ls;
}

void
lanes_reclaim(struct account *a)
{
	struct row *r;

	TAILQ_FOREACH(r, &a->lanes->active, running)
		turn_claim(a, r);
}

static void
row_stopped(struct account *a, struct row *r)
{
	TAILQ_REMOVE(&a->lanes->active, r, running);
	a->lanes->running--;
	r->turn = NULL;
	if (!TAILQ_EMPTY(&a->lanes->ready))
		event_active(a->lanes->run, EV_TIMEOUT, 0);
}

void
lanes_row_done(struct account *a, struct row *r)
{
	struct lane *l = r->lane;

	row_stopped(a, r);
	TAILQ_REMOVE(&l->rows, r, entry);
	a->lanes->waiting--;
	preview_free(r->preview);
	json_object_put(r->data);
	json_object_put(r->media);
	free(r);
	lane_check(a, l);
}

void
lanes_row_again(struct account *a, struct row *r, int64_t not_before)
{
	row_stopped(a, r);
	row_wait_until(r, not_before);
	lane_ready(a, r->lane);
}

void
lanes_agent_gone(struct account *a, const char *agent)
{
	struct row *r, *next;

	for (r = TAILQ_FIRST(&a->lanes->active); r != NULL; r = next) {
		next = TAILQ_NEXT(r, running);
		turn_agent_gone(a, r, agent);
	}
}

const char *
lanes_key(const struct row *r)
{
	return r->lane->key;
}

struct turn *
lanes_turn(struct account *a, int64_t id)
{
	struct row *r;

	TAILQ_FOREACH(r, &a->lanes->active, running)
		if (r->turn->id == id)
			return r->turn;
	return NULL;
}

int
lanes_waiting(const struct account *a)
{
	return a->lanes->waiting;
}

int
lanes_running(const struct account *a)
{
	return a->lanes->running;
}
