/*
 * The inbox: every event that was let in, once, and what became of it.
 *
 * A row is open until it is done or dead, and only then may it be pruned;
 * until that day it keeps the same (account, kind, event) from coming in
 * again. All functions belong into a transaction.
 */
#ifndef WORKERS_STORE_INBOX_H
#define WORKERS_STORE_INBOX_H

#include "workers/store/db.h"

struct inbox_row {
	const char *account;
	const char *kind;
	const char *event;
	const char *lane;
	const char *channel;
	const char *root;
	const char *post; /* what it is about, NULL when the event says it */
	int64_t at;	  /* ms, when it happened */
	const char *data; /* JSON text */
	size_t data_len;
	const char *rule; /* what let it in, or NULL */
};

/* By account, kind and event. STORE_NONE: it did not come in. */
enum store_rc inbox_find(
    struct db *, const struct inbox_row *, int64_t *seq);

/* *dup: the row was there, in whatever state; *seq is then its number. */
enum store_rc inbox_put(
    struct db *, const struct inbox_row *, int64_t now, int64_t *seq, int *dup);

/*
 * STORE_DENIED when seq is no row of this account. *state is a STATE_, lane
 * is filled for the outbox rows of the turn.
 */
enum store_rc inbox_check(struct db *, const char *account, int64_t seq,
    int *state, char lane[STORE_EVENT + 1]);

/* The open row has ended so; its data is dropped. now: wall clock, ms. */
enum store_rc inbox_done(
    struct db *, int64_t seq, const char *outcome, int64_t now);
/* One more attempt; not before: ms. */
enum store_rc inbox_retry(
    struct db *, int64_t seq, int64_t not_before, const char *reason);
enum store_rc inbox_dead(
    struct db *, int64_t seq, const char *reason, int status, int64_t now);
/* A dead row of the account is open again, as new. STORE_NONE: none such. */
enum store_rc inbox_revive(struct db *, const char *account, int64_t seq);
/* One more attempt for an open row of the account, else nothing. */
enum store_rc inbox_attempt(struct db *, const char *account, int64_t seq);
/* post answered the event. */
enum store_rc inbox_answer(struct db *, int64_t seq, const char *post);
enum store_rc inbox_error(struct db *, int64_t seq, const char *error);

#endif
