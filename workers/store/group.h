/*
 * Grouped commits: the operations that wait at the same moment, on all
 * links together, share one transaction and so one fsync.
 *
 * A reply is sent after the commit of its operation and never before. When
 * a commit fails, every request of the group is answered by err and nothing
 * of it was kept; operations without a reply are kept in memory, within
 * bounds, and tried again. An operation that fails alone is undone alone.
 */
#ifndef WORKERS_STORE_GROUP_H
#define WORKERS_STORE_GROUP_H

#include "workers/store/db.h"
#include "workers/store/op.h"

#define GROUP_OPS 256		      /* in one transaction, or reads */
#define GROUP_BYTES (2 * 1024 * 1024) /* of text in one transaction */
#define GROUP_QUIET_MS 100	      /* operations without a reply wait */
#define GROUP_RETRY_MS 1000	      /* after a failure */
#define GROUP_RETRY_BYTES (4 * 1024 * 1024) /* kept for another try */

struct event_base;
struct group;

struct group_hooks {
	/* A commit is done and its replies are on their way. */
	void (*committed)(void *arg, size_t bytes);
	/*
	 * The database failed (first of a row of failures), or works again
	 * (STORE_OK). Must not touch the group but for group_set_db().
	 */
	void (*state)(void *arg, enum store_rc, const char *text);
	void *arg;
};

/* peers is borrowed, for operations that look at all of them. */
struct group *group_new(struct event_base *, const struct peer_list *peers,
    const struct group_hooks *);
void group_free(struct group *);

/*
 * The database that operations use from now on; NULL while there is none:
 * requests are then answered by err "io" at once. The old one must not have
 * an open transaction.
 */
void group_set_db(struct group *, struct db *);

/* Take a frame of the peer; msg is borrowed. May end the peer's channel. */
void group_submit(
    struct group *, struct peer *, const struct op *, struct json_object *msg);
/* As a peer's quiet operation, but of nobody. */
void group_submit_own(
    struct group *, const struct op *, struct json_object *msg);
/* Commit what waits, now. */
void group_commit(struct group *);
/* The peer is about to be freed: what it asked is done, not answered. */
void group_forget(struct group *, struct peer *);
/* The peer's channel has drained: reads may go on. */
void group_resume(struct group *);

/* 1: a transaction is open. */
int group_is_open(const struct group *);

#endif
