/*
 * Removes the previews of an event that nobody has an id of: of an earlier
 * life of the worker, or of a creation whose answer was lost. A post that
 * was on its way can come late, so it looks more than once.
 */
#ifndef ACCOUNT_SWEEP_H
#define ACCOUNT_SWEEP_H

struct account;
struct json_object;
struct sweep;

typedef void (*sweep_fn)(void *arg);

/*
 * props: {since: server time in ms, keep: ids of posts that stay}; a
 * reference is taken. fn is called once, at the end, never from inside; the
 * sweep is gone then. It does not give up while the server fails.
 */
struct sweep *sweep_start(struct account *, const char *channel,
    const char *event_id, struct json_object *props, sweep_fn, void *arg);
void sweep_cancel(struct sweep *); /* NULL is fine */

#endif
