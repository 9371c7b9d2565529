/*
 * Session history, asked from the store.
 *
 * A load survives a restart of the store: it waits up to 5 s for a new
 * link. Every load that is not cancelled ends in one callback, never from
 * inside history_load().
 */
#ifndef WORKERS_AGENT_HISTORY_H
#define WORKERS_AGENT_HISTORY_H

#include <stddef.h>

struct agent;
struct history_load;
struct json_object;

#define HISTORY_WAIT_MS 5000  /* for a link to the store */
#define HISTORY_REPLY_MS 5000 /* for its answer */

/*
 * messages: borrowed array of {"role","content"}, oldest first, or NULL
 * when the store did not give it; why then says the reason.
 */
typedef void (*history_fn)(
    void *arg, struct json_object *messages, const char *why);

/*
 * Messages of at most max_bytes. parent, which may be NULL: the session
 * whose newest messages count while session is not there. Both are copied.
 */
struct history_load *history_load(struct agent *, const char *session,
    const char *parent, size_t max_bytes, history_fn, void *arg);
void history_cancel(struct history_load *);

/* A new link to the store; owns fd. */
void history_link(struct agent *, int fd);

#endif
