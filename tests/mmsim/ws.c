#include "config.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/log.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/http.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */

static LIST_HEAD(, wsconn) conns = LIST_HEAD_INITIALIZER(conns);
static size_t nconns;

struct wsconn *
ws_first(void)
{
	return LIST_FIRST(&conns);
}

size_t
ws_count(void)
{
	return nconns;
}

size_t
ws_out_len(const struct wsconn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

static void
timer_free(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
}

static void
conn_free(struct wsconn *c, int rst)
{
	LIST_REMOVE(c, link);
	nconns--;
	rec_detach(c);
	timer_free(&c->auth_timer);
	timer_free(&c->ping_timer);
	timer_free(&c->pong_timer);
	timer_free(&c->write_timer);
	timer_free(&c->hold_timer);
	wsevent_unref(c->held);
	buf_free(&c->msg);
	bev_close(c->bev, rst ? HTTP_END_RST : HTTP_END_FIN);
	free(c);
}

static void
write_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	conn_free(arg, 0);
}

/*
 * The end, from the loop: the caller may still look at the connection.
 * What was written goes out first, as it would from the kernel.
 */
void
ws_close(struct wsconn *c, int rst)
{
	struct timeval now = {0, 0}, wait = {WS_WRITE_S, 0};

	if (rst) {
		struct linger lg = {1, 0};

		(void)setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET,
		    SO_LINGER, &lg, sizeof(lg));
		evbuffer_drain(bufferevent_get_output(c->bev),
		    ws_out_len(c));
	}
	c->closing = 1;
	rec_detach(c);
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_enable(c->bev, EV_WRITE);
	evtimer_add(c->write_timer, ws_out_len(c) > 0 ? &wait : &now);
}

void
ws_raw(struct wsconn *c, const void *p, size_t n)
{
	if (!c->closing)
		evbuffer_add(bufferevent_get_output(c->bev), p, n);
}

void
ws_text(struct wsconn *c, const char *p, size_t n)
{
	unsigned char h[10];

	ws_raw(c, h, ws_frame_head(h, WS_OP_TEXT, n));
	ws_raw(c, p, n);
}

void
ws_close_frame(struct wsconn *c, int code, const char *reason)
{
	unsigned char p[128];
	size_t n = 0, len = strlen(reason);

	if (c->closing)
		return;
	if (len > 123)
		len = 123;
	p[n++] = 0x80 | WS_OP_CLOSE;
	p[n++] = (unsigned char)(code ? len + 2 : 0);
	if (code) {
		p[n++] = (unsigned char)(code >> 8);
		p[n++] = (unsigned char)code;
		memcpy(p + n, reason, len);
		n += len;
	}
	ws_raw(c, p, n);
	ws_close(c, 0);
}

/* The hub dropped it: the backlog still goes out, then an empty close. */
void
ws_give_up(struct wsconn *c)
{
	struct timeval wait = {WS_WRITE_S, 0};

	if (c->overflow || c->closing)
		return;
	c->overflow = 1;
	evtimer_add(c->write_timer, &wait);
}

static void
event_frame_now(struct wsconn *c, const struct wsevent *ev, int64_t seq)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	unsigned char h[10];
	char tail[40];
	int n;

	n = snprintf(tail, sizeof(tail), ",\"seq\":%lld}\n", (long long)seq);
	evbuffer_add(out, h,
	    ws_frame_head(h, WS_OP_TEXT, ev->len + (size_t)n));
	evbuffer_add(out, ev->body, ev->len);
	evbuffer_add(out, tail, (size_t)n);
}

static void
hold_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wsconn *c = arg;

	if (c->held == NULL)
		return;
	if (!c->closing)
		event_frame_now(c, c->held, c->held_seq);
	wsevent_unref(c->held);
	c->held = NULL;
}

void
ws_event_frame(struct wsconn *c, const struct wsevent *ev, int64_t seq)
{
	struct timeval hold = {0, 50000};
	struct wsevent *held = c->held;
	int how;

	if (c->closing)
		return;
	if (c->drop > 0) {
		c->drop--;
		return;
	}
	how = c->rec != NULL ? fault_ws_reorder(c->rec->user) : 0;
	if (held == NULL && !how) {
		event_frame_now(c, ev, seq);
		return;
	}
	if (held == NULL) {
		c->held = (struct wsevent *)(uintptr_t)ev;
		c->held->refs++;
		c->held_seq = seq;
		evtimer_add(c->hold_timer, &hold);
		return;
	}
	c->held = NULL;
	evtimer_del(c->hold_timer);
	event_frame_now(c, ev, how == FAULT_REORDER_SEQ ? seq : c->held_seq);
	event_frame_now(c, held, how == FAULT_REORDER_SEQ ? c->held_seq : seq);
	wsevent_unref(held);
}

static void
read_cb(struct bufferevent *bev, void *arg)
{
	ws_frames_read(arg);
}

static void
write_cb(struct bufferevent *bev, void *arg)
{
	struct wsconn *c = arg;
	struct timeval wait = {WS_WRITE_S, 0};

	if (c->closing) {
		if (ws_out_len(c) == 0)
			conn_free(c, 0);
		return;
	}
	if (c->rec != NULL && c->rec->qlen > 0)
		rec_pump(c->rec);
	if (!c->overflow)
		return;
	evtimer_add(c->write_timer, &wait);
	if (c->rec == NULL || c->rec->qlen == 0)
		ws_close_frame(c, 0, "");
}

static void
event_cb(struct bufferevent *bev, short what, void *arg)
{
	conn_free(arg, 0);
}

static void
close_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wsconn *c = arg;

	if (!c->stalled)
		ws_close(c, 0);
}

static void
ping_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	unsigned char h[10];

	ws_raw(arg, h, ws_frame_head(h, WS_OP_PING, 0));
}

void
ws_authenticated(struct wsconn *c, struct session *s)
{
	struct timeval ping = {WS_PING_S, 0};

	evtimer_del(c->auth_timer);
	event_add(c->ping_timer, &ping);
	rec_attach(c, s);
}

static struct wsconn *
conn_new(struct bufferevent *bev)
{
	struct wsconn *c = xcalloc(1, sizeof(*c));
	struct timeval auth = {WS_AUTH_S, 0}, pong = {WS_PONG_S, 0};
	int off = !sim.nagle;

	c->bev = bev;
	(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY,
	    &off, sizeof(off));
	c->auth_timer = evtimer_new(sim.base, close_timer_cb, c);
	c->pong_timer = evtimer_new(sim.base, close_timer_cb, c);
	c->ping_timer = event_new(sim.base, -1, EV_PERSIST, ping_timer_cb, c);
	c->write_timer = evtimer_new(sim.base, write_timer_cb, c);
	c->hold_timer = evtimer_new(sim.base, hold_timer_cb, c);
	if (c->auth_timer == NULL || c->pong_timer == NULL ||
	    c->ping_timer == NULL || c->write_timer == NULL ||
	    c->hold_timer == NULL)
		fatalx("event_new");
	evtimer_add(c->auth_timer, &auth);
	evtimer_add(c->pong_timer, &pong);
	LIST_INSERT_HEAD(&conns, c, link);
	nconns++;
	sim.ws_accepted++;
	bufferevent_setcb(bev, read_cb, write_cb, event_cb, c);
	bufferevent_setwatermark(bev, EV_WRITE, 0, 0);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return c;
}

static void
accept_key(const char *key, char out[32])
{
	unsigned char md[SHA_DIGEST_LENGTH];
	struct buf b = {0};

	buf_fmt(&b, "%s%s", key, WS_GUID);
	SHA1((unsigned char *)b.p, b.len, md);
	EVP_EncodeBlock((unsigned char *)out, md, sizeof(md));
	buf_free(&b);
}

/* 0, or the status of a refused upgrade. */
static int
upgrade_check(const struct req *r)
{
	const char *conn = req_header(r, "Connection");
	const char *up = req_header(r, "Upgrade");
	const char *ver = req_header(r, "Sec-WebSocket-Version");
	const char *key = req_header(r, "Sec-WebSocket-Key");
	const char *origin = req_header(r, "Origin");

	if (conn == NULL || strcasestr(conn, "upgrade") == NULL ||
	    up == NULL || strcasecmp(up, "websocket") != 0 || ver == NULL ||
	    strcmp(ver, "13") != 0)
		return 400;
	if (origin != NULL && strcasecmp(origin, sim.url) != 0)
		return 403;
	return key == NULL || *key == '\0' ? 400 : 0;
}

/* Two bodies in one, as gorilla and then the handler write them. */
static void
upgrade_refuse(struct req *r, int status)
{
	struct buf b = {0};

	buf_fmt(&b, "%s\n", http_status_text(status));
	api_error_body(r, &b, "api.web_socket.connect.upgrade.app_error",
	    "Failed to upgrade websocket connection.", 500);
	api_headers(r);
	buf_str(&r->extra, "Sec-Websocket-Version: 13\r\n"
	    "X-Content-Type-Options: nosniff\r\n");
	http_reply(r, status, "text/plain; charset=utf-8", b.p, b.len);
	buf_free(&b);
}

/*
 * The resume parameters against the records. -1: the connection is to be
 * closed right after the upgrade (Mattermost 5.37).
 */
static int
resume_params(const struct req *r, const struct session *s, char *id,
    int64_t *seq)
{
	const char *q = req_query(r, "connection_id");
	const struct wsrec *rec;
	char *end;

	id[0] = '\0';
	if (!sim.reliable || s == NULL || q == NULL || *q == '\0')
		return 0;
	if (!id_valid(q))
		return -1;
	LIST_FOREACH(rec, &s->user->recs, link)
		if (rec->conn == NULL && !strcmp(rec->id, q))
			break;
	if (rec == NULL)
		return 0;
	memcpy(id, rec->id, ID_LEN + 1);
	q = req_query(r, "sequence_number");
	if (q == NULL || *q == '\0')
		return -1;
	*seq = strtoll(q, &end, 10);
	return *end != '\0' || *seq < 0 ? -1 : 0;
}

void
ws_upgrade(struct req *r)
{
	struct session *s = api_session(r);
	int status = upgrade_check(r), bad;
	char key[32], id[ID_LEN + 1];
	struct bufferevent *bev;
	struct wsconn *c;
	struct buf b = {0};
	int64_t seq = 0;

	if (status != 0) {
		upgrade_refuse(r, status);
		return;
	}
	accept_key(req_header(r, "Sec-WebSocket-Key"), key);
	bad = resume_params(r, s, id, &seq);
	buf_fmt(&b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket"
	    "\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    key);
	r->status = 101;
	bev = http_upgrade(r);
	c = conn_new(bev);
	ws_raw(c, b.p, b.len);
	buf_free(&b);
	if (bad) {
		ws_close(c, 0);
		return;
	}
	if (s != NULL) {
		c->header_sess = s;
		memcpy(c->want_id, id, sizeof(id));
		c->want_seq = seq;
		ws_authenticated(c, s);
		status_set(s->user, "online", 0);
	}
	ws_frames_read(c);
}

void
ws_restart(int rst)
{
	struct wsconn *c;
	struct wsrec *r;

	while ((r = rec_first()) != NULL)
		rec_free(r);
	LIST_FOREACH(c, &conns, link)
		if (!c->closing)
			ws_close(c, rst);
}
