/*
 * What the tools of a turn have sent, so that a turn that runs again sends
 * nothing twice and can be told what became of it.
 *
 * An entry has the key of its outbox row and outlives it: it goes when the
 * turn is committed, or with its inbox row.
 */
#ifndef WORKERS_STORE_TOOL_H
#define WORKERS_STORE_TOOL_H

#include "workers/store/db.h"

/* *dup: the entry was there. */
enum store_rc tool_put(
    struct db *, const char *account, const char *key, int64_t seq, int *dup);
/*
 * state: STATE_OPEN, STATE_DONE (post is its id, "" when nobody knows) or
 * STATE_DEAD (error says why). Both buffers are filled.
 */
enum store_rc tool_get(struct db *, const char *account, const char *key,
    int *state, char post[STORE_ID + 1], char error[STORE_ERROR + 1]);
/* The end of an outbox row; most rows are of no tool, which is fine. */
enum store_rc tool_end(struct db *, const char *account, const char *key,
    int state, const char *post, const char *error);
/* The turn of this inbox row is over. */
enum store_rc tool_forget(struct db *, int64_t seq);

#endif
