/*
 * What lanes.c (who is in which lane) and lanes_run.c (who may start) share.
 */
#ifndef ACCOUNT_LANES_INT_H
#define ACCOUNT_LANES_INT_H

#include "common/tree.h"
#include "workers/account/lanes.h"

struct event;

TAILQ_HEAD(lane_list, lane);

struct lane {
	RB_ENTRY(lane) entry;
	TAILQ_ENTRY(lane) ready;
	struct rowhead rows;    /* in order of seq */
	int64_t newest;         /* largest seq that was ever in it */
	int held;               /* by outbox rows */
	int busy;               /* a turn, or a command that waited, runs */
	struct lane_list *list; /* it is on: ready, later, or NULL */
	char key[];
};

RB_HEAD(lane_tree, lane);

struct lanes {
	struct lane_tree tree;
	struct lane_list ready; /* may have something to start */
	struct lane_list later; /* have to wait until a row stops */
	struct event *run;        /* next turn of the loop */
	struct event *timer;      /* the next retry */
	struct monotime next;     /* when that is */
	TAILQ_HEAD(, row) active; /* their turns run */
	int waiting, running;
	int urgent; /* rows that wait for nobody, not started */
	int suspects; /* rows that run, and may be what the worker dies of */
};

RB_PROTOTYPE(lane_tree, lane, entry, lane_cmp)

/* Nobody is ready, nothing runs. */
void lanes_run_new(struct account *, struct lanes *);
/* It may have something to start; looked at in the next turn of the loop. */
void lane_ready(struct account *, struct lane *);
/* Its turn or command is over: it waits again, or is about to be freed. */
void lanes_row_stopped(struct account *, struct row *);

#endif
