/*
 * Decisions: what was dropped, at which stage and by which rule, so that
 * it can be explained for as long as it is kept; and a count of drops by
 * reason for each account, which is never pruned. One with the reason "ok"
 * is of something that was accepted and has no row in the inbox (a reaction):
 * it is explained like the others, and not counted.
 */
#ifndef WORKERS_STORE_DECISION_H
#define WORKERS_STORE_DECISION_H

#include "workers/store/db.h"

struct decision {
	const char *account;
	const char *post; /* may be "" */
	const char *channel;
	const char *kind;
	const char *stage;
	const char *reason;
	const char *rule;
	int64_t at; /* ms, of the post */
};

/*
 * Recorded, and counted unless the reason is "ok". Neither when it is of a
 * post or reaction and is there already: those are read twice after a crash.
 * now: wall clock, ms.
 */
enum store_rc decision_add(struct db *, const struct decision *, int64_t now);
/* Counted alone. */
enum store_rc decision_count(struct db *, const struct decision *);
/* Recorded alone. */
enum store_rc decision_note(struct db *, const struct decision *, int64_t now);
/* STORE_NONE when there is no drop of the post itself. */
enum store_rc decision_find(
    struct db *, const char *account, const char *post);

#endif
