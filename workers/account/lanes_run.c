#include "config.h"

#include <event2/event.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "common/proto.h"
#include "workers/account/account.h"
#include "workers/account/batch.h"
#include "workers/account/command/cmd.h"
#include "workers/account/lanes_int.h"
#include "workers/account/recheck.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"

_Static_assert(RUNNING_MAX * BATCH_MAX + URGENT_MAX <= PROTO_CLAIMS,
    "all that runs is claimed");

static void
lane_list_on(struct lane *l, struct lane_list *list)
{
	if (l->list == list)
		return;
	if (l->list != NULL)
		TAILQ_REMOVE(l->list, l, ready);
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, l, ready);
	l->list = list;
}

void
lane_ready(struct account *a, struct lane *l)
{
	lane_list_on(l, &a->lanes->ready);
	event_active(a->lanes->run, EV_TIMEOUT, 0);
}

void
lanes_run(struct account *a)
{
	struct lane *l;

	RB_FOREACH(l, lane_tree, &a->lanes->tree)
		lane_ready(a, l);
}

/* The nearest time to look again; the timer looks at all lanes. */
static void
lanes_wait(struct account *a, struct monotime at)
{
	struct lanes *ls = a->lanes;

	if (evtimer_pending(ls->timer, NULL) &&
	    monotime_diff(ls->next, at) >= 0)
		return;
	ls->next = at;
	loop_timer(ls->timer, monotime_left(at));
}

/*
 * Workers have died while this row ran, and others with it. From now on no
 * two such rows run at a time, so that only the one that does it is given up.
 */
static int
is_suspect(const struct row *r)
{
	return r->attempts >= TURN_CRASHES_SOME;
}

static void
row_started(struct account *a, struct row *r)
{
	TAILQ_INSERT_TAIL(&a->lanes->active, r, running);
	a->lanes->running++;
	a->lanes->suspects += is_suspect(r);
	r->busy = 1;
	if (r->at_once)
		a->lanes->urgent--;
	else
		r->lane->busy = 1;
}

void
lanes_row_stopped(struct account *a, struct row *r)
{
	struct lane *l;

	TAILQ_REMOVE(&a->lanes->active, r, running);
	a->lanes->running--;
	a->lanes->suspects -= is_suspect(r);
	r->turn = NULL;
	r->busy = 0;
	if (!r->at_once)
		r->lane->busy = 0;
	while ((l = TAILQ_FIRST(&a->lanes->later)) != NULL)
		lane_ready(a, l);
	if (!TAILQ_EMPTY(&a->lanes->ready))
		event_active(a->lanes->run, EV_TIMEOUT, 0);
}

/* A row of the lane that waits for nobody, or NULL. */
static struct row *
lane_urgent(struct lane *l)
{
	struct row *r;

	TAILQ_FOREACH(r, &l->rows, entry)
		if (r->at_once && !r->busy)
			return r;
	return NULL;
}

static void
urgent_start(struct account *a)
{
	struct lane *l;
	struct row *r;

	while (a->lanes->urgent > 0 &&
	    a->lanes->running < RUNNING_MAX + URGENT_MAX) {
		TAILQ_FOREACH(l, &a->lanes->ready, ready)
			if ((r = lane_urgent(l)) != NULL)
				break;
		if (l == NULL)
			return;
		row_started(a, r);
		cmd_start(a, r); /* may end the row, and its lane */
	}
}

/* One person in many threads leaves the last places to the others. */
static int
has_share(const struct account *a, const struct row *r)
{
	const struct row *o;
	int n = 0;

	if (a->lanes->running < RUNNING_MAX - RUNNING_SHARE ||
	    r->actor[0] == '\0')
		return 0;
	TAILQ_FOREACH(o, &a->lanes->active, running)
		n += strcmp(o->actor, r->actor) == 0;
	return n >= RUNNING_SHARE;
}

static void
lane_start(struct account *a, struct lane *l)
{
	struct monotime wait = {0};
	struct row *r;

	if (l->held > 0 || l->busy)
		return;
	if ((r = batch_pick(a, &l->rows, &wait)) == NULL) {
		if (wait.ms != 0)
			lanes_wait(a, wait);
		return;
	}
	if (has_share(a, r) || (is_suspect(r) && a->lanes->suspects > 0)) {
		lane_list_on(l, &a->lanes->later);
		return;
	}
	row_started(a, r);
	if (r->cmd != COMMAND_NONE) {
		cmd_start(a, r);
		return;
	}
	batch_take(a, &l->rows, r);
	if (turn_start(a, r) == NULL)
		lanes_row_stopped(a, r);
}

static void
on_run(int fd, short what, void *arg)
{
	struct account *a = arg;
	struct lanes *ls = a->lanes;
	struct lane *l;

	if (a->stopping || !recheck_ready(a))
		return;
	urgent_start(a);
	while (ls->running < RUNNING_MAX &&
	    (l = TAILQ_FIRST(&ls->ready)) != NULL) {
		lane_list_on(l, NULL);
		lane_start(a, l);
	}
}

static void
on_timer(int fd, short what, void *arg)
{
	lanes_run(arg);
}

void
lanes_run_new(struct account *a, struct lanes *ls)
{
	TAILQ_INIT(&ls->ready);
	TAILQ_INIT(&ls->later);
	TAILQ_INIT(&ls->active);
	ls->run = event_new(a->base, -1, 0, on_run, a);
	ls->timer = evtimer_new(a->base, on_timer, a);
	if (ls->run == NULL || ls->timer == NULL)
		fatalx("event_new");
}

void
lanes_reclaim(struct account *a)
{
	struct row *r;

	TAILQ_FOREACH(r, &a->lanes->active, running)
		turn_claim(a, r);
}

void
lanes_agent_gone(struct account *a, const char *agent)
{
	struct row *r, *next;

	for (r = TAILQ_FIRST(&a->lanes->active); r != NULL; r = next) {
		next = TAILQ_NEXT(r, running);
		if (r->turn != NULL)
			turn_agent_gone(a, r, agent);
	}
}

struct turn *
lanes_turn(struct account *a, int64_t id)
{
	struct row *r;

	TAILQ_FOREACH(r, &a->lanes->active, running)
		if (r->turn != NULL && r->turn->id == id)
			return r->turn;
	return NULL;
}
