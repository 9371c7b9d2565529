/*
 * The websocket client of the jailed workers (RFC 6455), on a connection
 * from the dialer and libcurl's TLS.
 *
 * Promises: messages come whole, valid UTF-8, in order and at most max
 * bytes; pings are answered; no compression and no subprotocol is offered;
 * work is done in turns, so that a flood does not starve the loop.
 *
 * How it ended decides whether a Mattermost connection may be resumed: the
 * server must have noticed the end (spec: resume only after FIN, RST or a
 * close frame). ws_end_noticed() says so; a deadline, a half-open
 * connection or an end made here are no proof.
 *
 * Any function here may be called from any callback of net.h and ws.h.
 */
#ifndef WORKERS_NET_WS_H
#define WORKERS_NET_WS_H

#include <stddef.h>
#include <stdint.h>

struct net_endpoint;
struct ws;

#define WS_MESSAGE_MAX (4u * 1024 * 1024)
#define WS_CODE_ABNORMAL 1006 /* RFC 6455, 7.1.5: no close frame came */
#define WS_CONNECT_MS 15000 /* dial, TLS and upgrade together */

enum ws_end {
	WS_END_DIAL,	 /* no connection: dial or proxy failed */
	WS_END_TLS,	 /* no TLS: certificate, pin, handshake */
	WS_END_UPGRADE,	 /* the server did not switch; see code */
	WS_END_FIN,	 /* the peer closed TCP without a close frame */
	WS_END_RST,	 /* the peer reset TCP */
	WS_END_CLOSE,	 /* close frame of the peer; see code */
	WS_END_PROTOCOL, /* the peer broke RFC 6455; code is what we sent */
	WS_END_DEADLINE, /* no upgrade or no close in time */
	WS_END_NETWORK,	 /* other socket errors (ETIMEDOUT, ...) */
	WS_END_LOCAL	 /* ws_close() was answered, or cut off */
};

struct ws_callbacks {
	/* The upgrade worked. */
	void (*open)(struct ws *, void *arg);
	/* msg is borrowed for the call; no NUL behind it. */
	void (*text)(struct ws *, const char *msg, size_t len, void *arg);
	/* All that was sent has been taken by the kernel; may be NULL. */
	void (*drained)(struct ws *, void *arg);
	/*
	 * The last callback, once; ws is gone when it returns. code: of the
	 * close frame (1005 none), the HTTP status for WS_END_UPGRADE (0 when
	 * the answer was no HTTP), else 0. why: words for a log.
	 */
	void (*closed)(
	    struct ws *, enum ws_end, int code, const char *why, void *arg);
};

struct ws_opts {
	const char *path; /* begins with '/', after the endpoint's base */
	/* More "Name: value", ends with NULL; may be NULL. */
	const char *const *headers;
	int no_auth;	    /* leave the endpoint's bearer out */
	int64_t connect_ms; /* 0: WS_CONNECT_MS */
	size_t max;	    /* bytes of a message; 0: WS_MESSAGE_MAX */
	const struct ws_callbacks *cb; /* borrowed for ever */
	void *arg;
};

/*
 * Everything of opts but cb is copied. No callback runs inside this call.
 * NULL, after a log line, only when path or headers are not usable.
 */
struct ws *ws_connect(struct net_endpoint *, const struct ws_opts *);

/*
 * Queue a text message (copied). 0, or -1 when the connection is not open,
 * is closing, or more than 1 MiB waits to be sent.
 */
int ws_send_text(struct ws *, const char *msg, size_t len);
/* Bytes of messages that wait to be sent. */
size_t ws_queued(const struct ws *);
/*
 * Close frame, then up to 500 ms for the answer, then closed() with
 * WS_END_LOCAL. Before the connection is open it just ends.
 */
void ws_close(struct ws *, int code);
/*
 * on: read no more for now; a few messages that were read may still come.
 * Pings are not answered meanwhile.
 */
void ws_pause(struct ws *, int on);
/* Gone at once, without a callback. */
void ws_abort(struct ws *);

/*
 * In closed() after WS_END_UPGRADE: what Retry-After or X-Ratelimit-Reset
 * asked for, in ms; -1 when the answer had neither.
 */
int64_t ws_retry_after_ms(const struct ws *);
/* 1: the server has noticed this end (FIN, RST, close frame). */
int ws_end_noticed(enum ws_end);
/* "fin", "rst", ... for logs. */
const char *ws_end_name(enum ws_end);

#endif
