/*
 * Is a post of ours already in the channel? Found by a mark in its props.
 *
 * Asked before anything is sent again whose first sending had no clear end.
 */
#ifndef ACCOUNT_LOOKUP_H
#define ACCOUNT_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/inbound.h"

struct account;
struct lookup;

#define MARK_OUTBOX "postern_id"   /* props: key of the outbox row */
#define MARK_DRAFT "postern_draft" /* props: event that is answered */

/*
 * post: the id of the newest one found, "" when there is none. failed: a
 * short text when it could not be told.
 */
typedef void (*lookup_fn)(struct account *, const char *post,
    const char *failed, void *arg);

/*
 * Walk the channel back to the time since (server's milliseconds), at most
 * 10,000 posts. Cancel with lookup_cancel(); gone after its callback.
 */
struct lookup *lookup_start(struct account *, const char *channel,
    int64_t since, const char *mark, const char *value, lookup_fn, void *arg);
/* The same, but every one of them, newest first, at most LOOKUP_MAX. */
#define LOOKUP_MAX 64
typedef void (*lookup_all_fn)(struct account *,
    const char (*posts)[MM_ID_SIZE], size_t n, const char *failed, void *arg);
struct lookup *lookup_all(struct account *, const char *channel,
    int64_t since, const char *mark, const char *value, lookup_all_fn,
    void *arg);
void lookup_cancel(struct lookup *);

#endif
