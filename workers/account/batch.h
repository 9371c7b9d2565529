/*
 * Which row of a lane starts next, and with which others: messages that one
 * person writes in quick succession are answered together when
 * messages.inbound.debounceMs is set.
 *
 * Every one of them is in the inbox from its own moment on; what is put off
 * is only their turn. After a restart nothing is put off.
 */
#ifndef ACCOUNT_BATCH_H
#define ACCOUNT_BATCH_H

#include "common/monotime.h"

struct account;
struct row;
struct rowhead;

#define BATCH_WINDOWS 5 /* times debounceMs at most, from the first: peer */
#define BATCH_MAX 100	/* messages of one batch */
#define BATCH_BYTES (256u * 1024)
#define BATCH_LANES 2048 /* rows that wait; beyond, none is put off: peer */

/*
 * The row that may start, the last of its batch. NULL: none, and *when is
 * the time to look again, or left as it is.
 */
struct row *batch_pick(
    struct account *, struct rowhead *, struct monotime *when);

/*
 * Take those that are answered together with r out of the lane: they
 * become r->merged, and r->data says what all of them said.
 */
void batch_take(struct account *, struct rowhead *, struct row *r);

#endif
