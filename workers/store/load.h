/*
 * Loading an account: its marks, its unfinished inbox rows and its unsent
 * outbox rows, streamed as fast as the account takes them. Only rows that
 * were there when the load began are part of it: later ones the account
 * has put itself.
 */
#ifndef WORKERS_STORE_LOAD_H
#define WORKERS_STORE_LOAD_H

#include "workers/store/db.h"
#include "workers/store/peer.h"

struct json_object;

/*
 * Outside of a transaction. id: of the request, for load.end. Sends what
 * the channel takes now. STORE_BUSY when a load is under way.
 */
enum store_rc load_begin(
    struct peer *, struct db *, struct json_object *id, int64_t first_at);
/*
 * Send one row that is open again (seq of the inbox, n of the outbox, the
 * other 0), unless a load under way will come to it.
 */
void load_push(struct peer *, struct db *, int64_t seq, int64_t n);
/* The channel has drained: go on. */
void load_pump(struct peer *, struct db *);
/* Give up, with an err to the peer. */
void load_fail(struct peer *, enum store_rc, const char *text);
void load_free(struct load *);

#endif
