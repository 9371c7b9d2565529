/*
 * What the files of the group share: group.c (transactions and their
 * timing) and group_entry.c (one operation in them).
 */
#ifndef WORKERS_STORE_GROUP_INT_H
#define WORKERS_STORE_GROUP_INT_H

#include <sys/queue.h>

#include "common/monotime.h"
#include "workers/store/group.h"

struct event;

/* One operation between its frame and its reply. */
struct entry {
	TAILQ_ENTRY(entry) entry;
	struct peer *peer;	    /* NULL: gone, or nobody's */
	char account[STORE_ID + 1]; /* of a quiet one that outlives its peer */
	const struct op *op;
	struct json_object *id;	 /* of a request */
	struct json_object *msg; /* of what may have to run again or later */
	struct json_object *reply;
	struct op_push push;
	int64_t release;
	int64_t first_at;
	int load;
	int64_t epoch; /* of a put that keeps its order, or 0 */
	size_t kept; /* bytes counted in kept */
};

TAILQ_HEAD(entry_list, entry);

struct group {
	struct event_base *base;
	const struct peer_list *peers;
	struct group_hooks hooks;
	struct db *db;
	struct event *timer;
	struct entry_list ran;	 /* in the open transaction */
	struct entry_list reads; /* wait for the commit */
	struct entry_list again; /* quiet ones of a failed commit */
	struct monotime retry_at;
	size_t n_ran, n_reads, bytes, kept;
	size_t n_asked; /* reads since the last commit */
	size_t seen; /* n_ran + n_reads when the timer last looked */
	int armed;   /* 0 no, 1 for quiet ones, 2 now */
	enum store_rc state;
	int64_t n_ops, n_commits, n_lost;
};

/* msg: one reference more where it is run again. peer: may be NULL. */
struct entry *entry_new(struct peer *, const struct op *, struct json_object *);
void entry_free(struct entry *);
/* Run in the open transaction; ends in g->ran, or elsewhere when it fails. */
void entry_run(struct group *, struct entry *, struct json_object *msg);
/* Only the operation itself. */
enum store_rc entry_call(
    struct group *, struct entry *, struct json_object *msg, struct op_call *);
/* An operation failed and is undone; the others of the group may go on. */
void entry_failed(
    struct group *, struct entry *, enum store_rc, const char *why);
/* The peer broke the protocol: the end of the entry and of its link. */
void entry_violates(struct entry *, const char *why);
/* The end of an entry that did not make it: err, or another try. */
void entry_refuse(
    struct group *, struct entry *, enum store_rc, const char *text);
/* Keep a quiet operation for another try, or lose the oldest. */
void entry_keep(struct group *, struct entry *);

/* The open transaction is lost, with all that ran in it. */
void group_fail(struct group *, enum store_rc, const char *text);
void group_set_state(struct group *, enum store_rc, const char *text);
const char *group_error(struct group *, enum store_rc);

#endif
