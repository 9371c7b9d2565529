/*
 * The outbox: what is still to be sent to a channel, in order, and what
 * could not be. The key of a row is the id under which its account sends
 * it; a row that was sent is gone, and its post id is kept with the inbox
 * row that it answers; without one, it is a decision of its own.
 */
#ifndef WORKERS_STORE_OUTBOX_H
#define WORKERS_STORE_OUTBOX_H

#include "workers/store/db.h"

struct outbox_row {
	const char *account;
	const char *key;
	int64_t seq; /* inbox row, 0 when there is none */
	const char *lane;
	const char *op; /* post, edit, delete */
	const char *channel;
	const char *root;
	const char *post;
	const char *text;
	const char *props; /* JSON text or NULL */
	size_t props_len;
	const char *files; /* JSON text or NULL */
	size_t files_len;
};

/* A key that is there already changes nothing. */
enum store_rc outbox_put(struct db *, const struct outbox_row *, int64_t now);
/* STORE_NONE: no such row, or not any more. */
enum store_rc outbox_find(
    struct db *, const char *account, const char *key);
/*
 * Sent as post ("" when nobody knows). An unknown key is fine. thread: the
 * bot takes part in the thread of the row from now on. now: wall clock, ms.
 */
enum store_rc outbox_done(struct db *, const char *account, const char *key,
    const char *post, int thread, int64_t now);
enum store_rc outbox_dead(struct db *, const char *account, const char *key,
    const char *reason, int status, const char *error, int64_t now);
/* A dead row is to be sent again; *n: its number. STORE_NONE: none such. */
enum store_rc outbox_revive(
    struct db *, const char *account, const char *key, int64_t *n);

#endif
