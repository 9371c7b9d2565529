/*
 * Is a post of ours already in the channel? Found by a mark in its props.
 *
 * Asked before anything is sent again whose first sending had no clear end.
 */
#ifndef ACCOUNT_LOOKUP_H
#define ACCOUNT_LOOKUP_H

#include <stdint.h>

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
void lookup_cancel(struct lookup *);

#endif
