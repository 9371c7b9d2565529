/* What the files of the websocket client share. */
#ifndef WORKERS_NET_WS_INT_H
#define WORKERS_NET_WS_INT_H

#include <wslay/wslay.h>

#include "workers/net/internal.h"
#include "workers/net/ws_upgrade.h"

#define WS_OUT_SIZE 65536	    /* the one buffer all output goes through */
#define WS_IN_TURN 65536	    /* bytes read in one turn of the loop */
#define WS_OUT_TURNS 2		    /* times WS_OUT_SIZE written in one turn */
#define WS_QUEUE_MAX (1024u * 1024) /* bytes of messages that may wait */
#define WS_REPLIES_MAX 256	    /* frames that may wait: a flood of pings */
#define WS_FRAGMENTS_MAX 4096	    /* frames of one message */
#define WS_CLOSE_MS 500 /* for the peer's close frame, and flushing */

enum ws_state {
	WS_WAIT,    /* no dial sent: there is no link to the dialer */
	WS_DIAL,    /* waiting for a descriptor */
	WS_TLS,	    /* libcurl: proxy and TLS */
	WS_UPGRADE, /* our request is out */
	WS_OPEN,
	WS_CLOSING, /* a close frame of one side is out, or will be */
	WS_DEAD	    /* to be freed by ws_reap() */
};

struct ws {
	TAILQ_ENTRY(ws) entry;
	struct net *net;
	struct net_endpoint *ep;
	const struct ws_callbacks *cb;
	void *arg;
	enum ws_state state;
	CURL *easy;
	int fd;	  /* from the dialer, until libcurl takes it */
	int sock; /* libcurl's, from TLS on */
	int opened;
	char *request; /* the upgrade request, but for the bearer */
	int no_auth;
	size_t max;

	wslay_event_context_ptr ctx;
	struct event rd;
	struct event wr;
	struct event turn;     /* more to do without waiting for the peer */
	struct event deadline; /* connecting or closing */
	int busy;    /* inside wslay: it must not be entered again */
	int in_left; /* of this turn */
	int more;    /* the turn ended before the input did */
	int paused;
	int waiting_out; /* drained() is owed */
	unsigned fragments;
	int local; /* we asked for the end */

	char accept[WS_ACCEPT_LEN + 1];
	char *head; /* the answer, then what came glued to it */
	size_t head_len, head_pos;
	int64_t retry_after;

	int ended; /* end, code, why are set */
	enum ws_end end;
	int code;
	char why[NET_ERROR_MAX];

	size_t out_pos, out_len;
	size_t out_try; /* after CURLE_AGAIN: the very same must be tried */
	char out[WS_OUT_SIZE];
	char curl_error[CURL_ERROR_SIZE];
};

/* ws.c */
void ws_fail(struct ws *, enum ws_end, int code, const char *why);

/* ws_io.c */
int ws_wslay_init(struct ws *);
void ws_turn(struct ws *, int readable);
/* 0, with out_len left when the peer is slow; -1 after ws_fail(). */
int ws_flush(struct ws *);
/* Bytes from the peer, 0 when there are none now, -1 after ws_fail(). */
ssize_t ws_receive(struct ws *, char *, size_t);
void ws_watch(struct ws *);

#endif
