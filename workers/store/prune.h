/*
 * Forgetting: rows past their age or beyond their number, in small steps,
 * so that no step keeps the others waiting.
 */
#ifndef WORKERS_STORE_PRUNE_H
#define WORKERS_STORE_PRUNE_H

#include "workers/store/db.h"

struct prune;

/* A pass that forgets what ended more than days before now (wall ms). */
struct prune *prune_new(int64_t now, int days);
void prune_free(struct prune *);

/*
 * One step, in a transaction of its own; some hundred rows are looked at.
 * STORE_OK: go on later; STORE_NONE: the pass is over; else it failed, and
 * the next pass will find what this one left.
 */
enum store_rc prune_step(struct prune *, struct db *);

/* The newest rows there were. */
struct prune_seen {
	int64_t inbox;
	int64_t decision;
};
void prune_see(struct db *, struct prune_seen *);
/* 1 when so much came since then that a pass should not wait. */
int prune_is_due(struct db *, const struct prune_seen *then);
/* Rows deleted so far. */
int64_t prune_count(const struct prune *);

#endif
