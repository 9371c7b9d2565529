/*
 * A channel: one end of a link, carrying frames of JSON.
 *
 * Frame: u32 length of the JSON, u16 flags (bit 0: a descriptor comes with
 * it), u16 PROTO_VERSION, all in host order, then one JSON object with "t"
 * (type) and, for requests and replies, "id".
 *
 * Both ends are non-blocking. What is sent is queued and written when the
 * loop gets to it; the queue is bounded in bytes by its owner: chan_full()
 * says when to stop reading one's own source, and the drain callback when
 * to go on. A peer that sends what the table does not allow, or hangs up,
 * ends the channel through the close callback; its owner decides.
 */
#ifndef COMMON_CHAN_H
#define COMMON_CHAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

struct chan;
struct event_base;
struct json_object;

#define CHAN_HIGH (256u * 1024) /* bytes queued: the channel is full */
#define CHAN_LOW (64u * 1024)   /* bytes queued: it has drained */
/* Bytes queued: more than any owner should let it come to. Ends the link. */
#define CHAN_LIMIT (16u * 1024 * 1024)

/*
 * msg is borrowed for the call (json_object_get() it to keep it). fd is -1
 * or a descriptor that now belongs to the handler. The handler may free the
 * channel.
 */
typedef void (*chan_handler_fn)(
    struct chan *, struct json_object *msg, int fd, void *arg);

struct chan_handler {
	const char *type;
	chan_handler_fn fn;
};

/*
 * An answer to chan_request(): msg is borrowed, or NULL when the deadline
 * passed or the channel ended; type is its "t" or "". fd as above.
 */
typedef void (*chan_reply_fn)(
    void *arg, const char *type, struct json_object *msg, int fd);

/* why: static text, "hangup" when the peer just went away. */
typedef void (*chan_close_fn)(struct chan *, const char *why, void *arg);
typedef void (*chan_drain_fn)(struct chan *, void *arg);

/*
 * Take over fd as our side of a link. handlers ends with a NULL type and
 * must name every non-reply type the peer may send (else fatal: a program
 * error); it is borrowed for ever. The channel starts in state PROTO_RUN.
 */
struct chan *chan_new(struct event_base *, int fd, enum proto_kind,
    enum proto_side ours, const struct chan_handler *handlers,
    chan_close_fn, void *arg);
/*
 * Closes the descriptor, drops what is queued, and calls every waiting
 * reply callback with NULL. Safe from any callback of the channel. The
 * close callback is not called.
 */
void chan_free(struct chan *);

/* Which types the peer may send from now on: PROTO_ of proto.h. */
void chan_set_state(struct chan *, unsigned state);
/* Called when the queue was full and has drained; arg is chan_new()'s. */
void chan_set_drain(struct chan *, chan_drain_fn);
/* The descriptor, which stays the channel's. */
int chan_fd(const struct chan *);

/*
 * A message to fill: an object with its "t". chan_send() consumes it, and
 * fd when that is not -1. 0, or -1 when nothing is sent and fd is closed:
 * the link is ending (errno EPIPE; its close callback comes or has come),
 * or, with a log line, it is larger or deeper than the table allows
 * (EMSGSIZE): the peer would end us for it. A type that is not ours to send
 * is fatal. Calls no callback.
 */
struct json_object *chan_msg(const char *type);
int chan_send(struct chan *, struct json_object *msg, int fd);
/*
 * A "secret" message, written without a copy of the value that would stay
 * in freed memory. Makes the channel a secret one, see below.
 */
int chan_send_secret(struct chan *, const char *name, const char *value);
/* As chan_send() for a type that is a request: adds "id" and waits. */
int chan_request(struct chan *, struct json_object *msg, int fd,
    int timeout_ms, chan_reply_fn, void *arg);
/* Forget a waiting request: its callback will not be called. */
void chan_forget(struct chan *, chan_reply_fn, void *arg);
/* An answer to the request req, of the given type. */
struct json_object *chan_reply_msg(
    const char *type, struct json_object *req);
/*
 * The channel has secrets: overwrite every byte of it that is freed, both
 * ways. What a handler was given it wipes itself.
 */
void chan_set_secret(struct chan *);

/* Write all that is queued now, blocking at most ms. Before a fatal end. */
void chan_flush(struct chan *, int ms);

/* Bytes not written yet; 1 since they were CHAN_HIGH, until CHAN_LOW. */
size_t chan_queued(const struct chan *);
int chan_full(const struct chan *);
/* Stop and go on reading from the peer. */
void chan_pause(struct chan *, int on);
/* The peer broke a promise: ends the channel as a broken frame would. */
void chan_violation(struct chan *, const char *why);

#endif
