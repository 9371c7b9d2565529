/*
 * What conn.c (is there a connection, and when is the next one tried) and
 * conn_talk.c (what is said over it, and whether it is alive) share.
 */
#ifndef ACCOUNT_CONN_INT_H
#define ACCOUNT_CONN_INT_H

#include <event2/util.h>
#include <stddef.h>
#include <stdint.h>

#include "common/monotime.h"
#include "workers/account/inbound.h"

struct account;
struct event;
struct net_request;
struct ws;

enum conn_state {
	CONN_IDLE,
	CONN_IDENTIFY,
	CONN_DIALING,
	CONN_HELLO,
	CONN_LIVE,
	CONN_BACKOFF,
	CONN_PARKED,
	CONN_STOPPED
};

struct conn {
	enum conn_state state;
	struct ws *ws;
	struct net_request *ident;
	struct event *timer;      /* backoff, hello, park */
	int64_t at_least;         /* ms, what the server wants: Retry-After */
	struct event *ping_timer; /* next ping, or its deadline */
	char connection_id[MM_ID_SIZE];
	int64_t next_seq;  /* of the next event, for a resume */
	int64_t seq_out;   /* of our actions */
	int64_t ping_seq;  /* unanswered ping, 0 none */
	int resumable;     /* the last end was noticed, the sequence exact */
	int resuming;      /* this connection tries to resume */
	int doubtful;      /* this connection must not be resumed */
	unsigned failures; /* since the last session that worked */
	struct monotime live_at;
	int64_t since;
	char error[256];
};

/* Also for health and log. */
void conn_state(struct account *, enum conn_state);

/* The open and the text of struct ws_callbacks; arg is the account. */
void talk_open(struct ws *, void *arg);
void talk_text(struct ws *, const char *msg, size_t len, void *arg);
/* Of ping_timer: the next ping, or none was answered. */
void talk_timer(evutil_socket_t, short, void *arg);
/* The connection is gone: no more pings. */
void talk_stop(struct conn *);

#endif
