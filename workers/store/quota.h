/*
 * What an account may have in the store: the shares of store.h.
 *
 * Nothing is counted with each operation. An account has credit, which is
 * used up by what it puts and not given back by what ends; when it is used
 * up, the rows are counted, at most once a second and for a fiftieth of the
 * time at most. Who begins has none, so that a new link is no new credit.
 */
#ifndef WORKERS_STORE_QUOTA_H
#define WORKERS_STORE_QUOTA_H

#include "common/monotime.h"
#include "workers/store/db.h"

/* Of one account, in its peer. All zero: nothing is known yet. */
struct quota {
	int64_t queue;		  /* bytes that may wait besides */
	int64_t sessions;	  /* bytes that may be said besides */
	int marks, notes, loops;  /* rows until they are trimmed again */
	int64_t drops;		  /* that may still be explained */
	struct monotime drops_at; /* when that was so */
	struct monotime queue_at, sessions_at; /* not counted before */
	struct monotime told_at;	       /* not logged before */
};

/*
 * len bytes more in a row that waits; ends: it comes with the end of a turn.
 * STORE_QUOTA: the account has its share.
 */
enum store_rc quota_queue(
    struct db *, struct quota *, const char *account, size_t len, int ends);
/*
 * len bytes more in the session num. Makes room, by forgetting sessions of
 * the account that were not used for long, never this one.
 */
enum store_rc quota_session(
    struct db *, struct quota *, const char *account, int64_t len, int64_t num);

/* One row more; the oldest go. now: wall clock, ms. */
enum store_rc quota_mark(struct db *, struct quota *, const char *account);
enum store_rc quota_note(struct db *, struct quota *, const char *account);
enum store_rc quota_loop(
    struct db *, struct quota *, const char *account, int64_t now);

/* 1: one explanation more; 0: that would be too many too fast. */
int quota_drop(struct quota *);

#endif
