/*
 * WebSocket side of the server (RFC 6455 and Mattermost 5.37): upgrade,
 * authentication, keep-alive, frames, and the records that make a
 * connection resumable. resume.c has the records, ws_frame.c the frames,
 * ws_action.c the JSON actions, ws.c the connections.
 */
#ifndef MMSIM_WS_H
#define MMSIM_WS_H

#include <sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/mmsim/state.h"

#define WS_CLIENT_MAX 8192    /* bytes of a client's message */
#define WS_RING 128           /* sent events kept for a resume */
#define WS_QUEUE 256          /* events not sent yet */
#define WS_AUTH_S 5
#define WS_PING_S 60
#define WS_PONG_S 100
#define WS_WRITE_S 30
#define WS_REAP_S 300
#define WS_OUT_SOFT 262144    /* bytes that stand for the kernel's buffer */

enum {
	WS_OP_CONT = 0,
	WS_OP_TEXT = 1,
	WS_OP_BIN = 2,
	WS_OP_CLOSE = 8,
	WS_OP_PING = 9,
	WS_OP_PONG = 10
};

struct bufferevent;
struct event;
struct req;

/* One event, shared by all the sockets it goes to. */
struct wsevent {
	int refs;
	int minor; /* typing, status_change, channel_viewed */
	size_t len;
	char body[]; /* up to the seq member */
};

struct wssent {
	int64_t seq;
	struct wsevent *ev;
};

struct wsconn {
	LIST_ENTRY(wsconn) link;
	struct bufferevent *bev;
	struct wsrec *rec;
	struct session *header_sess; /* of the upgrade request, or NULL */
	char want_id[ID_LEN + 1];    /* resume parameters, "" when none */
	int64_t want_seq;
	struct buf msg;              /* fragments so far */
	int msg_op;
	int closing;                 /* nothing more is read */
	int overflow;                /* the hub gave this socket up */
	int stalled;
	int drop;                    /* events to swallow */
	struct wsevent *held;        /* of a reorder */
	int64_t held_seq;
	struct event *auth_timer;
	struct event *ping_timer;
	struct event *pong_timer;
	struct event *write_timer;
	struct event *hold_timer;
};

struct wsrec {
	LIST_ENTRY(wsrec) link;      /* of the user */
	LIST_ENTRY(wsrec) all;
	char id[ID_LEN + 1];
	struct user *user;
	struct session *sess;
	struct wsconn *conn;         /* NULL: dead, may be resumed */
	int64_t seq;                 /* of the next event */
	struct wssent ring[WS_RING];
	size_t ring_at;
	struct wsevent *queue[WS_QUEUE];
	size_t qhead, qlen;
	int deauth; /* gets nothing and answers not_authenticated */
	int deaf;
	int listed; /* on its user's list */
	int bug;    /* every event twice (a failed resume's aftermath) */
	int64_t activity_ms; /* monotonic */
};

/* Connections: ws.c */
void ws_upgrade(struct req *);
/* Give the connection a record by this session, or a resumed one. */
void ws_authenticated(struct wsconn *, struct session *);
void ws_close(struct wsconn *, int rst);
/* Close frame, then FIN once it left. code 0: no status. */
void ws_close_frame(struct wsconn *, int code, const char *reason);
void ws_raw(struct wsconn *, const void *, size_t);
void ws_text(struct wsconn *, const char *, size_t);
void ws_event_frame(struct wsconn *, const struct wsevent *, int64_t seq);
size_t ws_out_len(const struct wsconn *);
struct wsconn *ws_first(void);
/* The server stops: FIN to all, records forgotten. */
void ws_restart(int rst);
size_t ws_count(void);
void ws_give_up(struct wsconn *);

/* Frames: ws_frame.c. Called with each whole message or control frame. */
void ws_frames_read(struct wsconn *);
size_t ws_frame_head(unsigned char head[10], int op, size_t len);
void ws_message(struct wsconn *, const char *, size_t); /* ws_action.c */

/* Records: resume.c */
struct wsrec *rec_attach(struct wsconn *, struct session *);
void rec_detach(struct wsconn *);
void rec_send(struct wsrec *, struct wsevent *);
/* Send what is queued, as far as the socket takes it. */
void rec_pump(struct wsrec *);
void rec_free(struct wsrec *);
void rec_reap(void);
void rec_touch(struct user *);
struct wsrec *rec_first(void);
/* A membership or role changed: sessions that ended are noticed now. */
void rec_invalidate(struct user *);
/* The user was disabled: his sockets stay open and silent. */
void rec_deauth(struct user *);
void rec_make_deaf(struct wsrec *);
size_t rec_count(void);

struct wsevent *wsevent_new(const char *body, size_t len, int minor);
void wsevent_unref(struct wsevent *);

#endif
