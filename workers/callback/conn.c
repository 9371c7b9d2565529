#include "config.h"

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/callback/callback.h"
#include "workers/callback/conn.h"
#include "workers/callback/gate.h"
#include "workers/callback/inflight.h"
#include "workers/callback/tls.h"

#define LINGER_MS 1000             /* for what is still being sent */
#define LINGER_BYTES (256u * 1024)
#define CROWDED (GATE_SLOTS / 2)   /* from here on nobody is kept */

enum state {
	STATE_HEAD,
	STATE_HELD,   /* its account is being exchanged */
	STATE_BODY,
	STATE_WAIT,   /* an account has it */
	STATE_WRITE,
	STATE_LINGER  /* answered; let the client read that before the end */
};

struct conn {
	struct callback *cb;
	struct gated *gated;
	struct bufferevent *bev;
	struct event *timer;
	enum state state;
	struct addr addr;
	int has_addr;
	struct head *head; /* of the request under way */
	enum route_kind route;
	struct peer *peer;
	int held;
	uint64_t hold;
	char about[27]; /* the id of a post, or "" */
	struct monotime held_at;
	int last;      /* close after this answer */
	int unread;    /* more of the request may come, and is not wanted */
	size_t lingered;
	int served;    /* has had an answer */
};

const char type_json[] = "application/json";
const char type_json_utf8[] = "application/json; charset=utf-8";

static void head_go(struct conn *);
static void head_known(struct conn *);
static void body_go(struct conn *);

struct callback *
conn_owner(const struct conn *c)
{
	return c->cb;
}

const struct head *
conn_head(const struct conn *c)
{
	return c->head;
}

enum route_kind
conn_route(const struct conn *c)
{
	return c->route;
}

struct peer *
conn_peer(const struct conn *c)
{
	return c->peer;
}

void
conn_about(struct conn *c, const char *post)
{
	if (post != NULL && strlen(post) == sizeof(c->about) - 1 &&
	    strspn(post, "abcdefghijklmnopqrstuvwxyz0123456789") ==
		sizeof(c->about) - 1)
		(void)strlcpy(c->about, post, sizeof(c->about));
}

const char *
conn_post(const struct conn *c)
{
	return c->about[0] == '\0' ? NULL : c->about;
}

int
conn_client(const struct conn *c, struct addr *a)
{
	const struct head *h = c->head;

	return source_find(c->has_addr ? &c->addr : NULL, &c->cb->trusted,
	    h->has_forwarded ? h->forwarded : NULL,
	    h->has_real_ip ? h->real_ip : NULL, c->cb->real_ip, a);
}

void
conn_hold(struct conn *c, uint64_t key)
{
	c->hold = key;
	c->held = 1;
}

static void
conn_release(struct conn *c)
{
	if (!c->held)
		return;
	c->held = 0;
	inflight_end(c->cb->inflight, c->hold);
}

static void
unhold(struct conn *c)
{
	if (c->state != STATE_HELD)
		return;
	c->state = STATE_HEAD;
	c->cb->held--;
	gate_room(c->cb->gate);
}

/* What a request has, while the connection may stay. */
static void
request_free(struct conn *c)
{
	unhold(c);
	conn_release(c);
	if (c->head != NULL)
		freezero(c->head, sizeof(*c->head));
	c->head = NULL;
	c->peer = NULL;
	c->about[0] = '\0';
	c->route = ROUTE_NONE;
}

static void
conn_free(struct conn *c)
{
	request_free(c);
	gate_leave(c->cb->gate, c->gated);
	event_free(c->timer);
	tls_free(c->bev);
	free(c);
}

void
conn_evict(struct conn *c)
{
	conn_free(c);
}

void
conn_stop(struct conn *c, int all)
{
	if (!all && !c->served)
		return;
	if (c->state == STATE_HEAD && c->head == NULL &&
	    evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
		conn_free(c);
}

/* Answers */

static const char *
status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} list[] = {{200, "OK"}, {400, "Bad Request"}, {401, "Unauthorized"},
	    {403, "Forbidden"}, {404, "Not Found"},
	    {405, "Method Not Allowed"}, {408, "Request Timeout"},
	    {409, "Conflict"}, {411, "Length Required"},
	    {413, "Payload Too Large"}, {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"}, {503, "Service Unavailable"},
	    {505, "HTTP Version Not Supported"}};
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].status == status)
			return list[i].text;
	return "Answer";
}

static void
write_answer(struct conn *c, int status, const char *type, const char *body,
    size_t len, const char *header)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	result_answered(status);
	/* A body that nobody reads must not become the next request. */
	if (c->state == STATE_HEAD && c->head != NULL &&
	    (c->head->length > 0 || c->head->encoded))
		c->last = c->unread = 1;
	if (c->head == NULL || !c->head->keep_alive || c->cb->stopping ||
	    gate_count(c->cb->gate) > CROWDED)
		c->last = 1;
	evbuffer_add_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "%sCache-Control: no-store\r\n%s\r\n",
	    status, status_text(status), type, len,
	    header == NULL ? "" : header,
	    c->last ? "Connection: close\r\n" : "");
	if (c->head == NULL || c->head->method != METHOD_HEAD)
		evbuffer_add(out, body, len);
	c->state = STATE_WRITE;
	request_free(c);
	gate_idle(c->cb->gate, c->gated, 1);
	loop_timer(c->timer, CB_REQUEST_MS);
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_enable(c->bev, EV_WRITE);
}

void
conn_answer(struct conn *c, enum result r, const struct fixed *f, int last)
{
	result_count(r);
	refused_tell(c, r, f->status);
	if (last) {
		c->last = 1;
		c->unread = 1;
	}
	write_answer(c, f->status,
	    f->type != NULL ? f->type : "text/plain; charset=utf-8", f->body,
	    strlen(f->body), f->header);
}

void
conn_answer_body(struct conn *c, enum result r, int status, const char *type,
    const char *body, size_t len)
{
	result_count(r);
	write_answer(c, status, type, body, len, NULL);
}

void
conn_waits(struct conn *c)
{
	conn_release(c);
	c->state = STATE_WAIT;
	event_del(c->timer);
	gate_idle(c->cb->gate, c->gated, 0);
}

/* Requests */

static const struct fixed *
route_error(const struct conn *c, int status)
{
	static const struct fixed list[] = {
	    {400, NULL, "Bad Request", NULL},
	    {404, NULL, "Not Found", NULL},
	    {405, NULL, "Method Not Allowed", "Allow: GET, HEAD\r\n"},
	    {408, NULL, "Request Timeout", NULL},
	    {431, NULL, "Request Header Fields Too Large", NULL},
	    {505, NULL, "HTTP Version Not Supported", NULL},
	};
	size_t i;

	switch (c->route) {
	case ROUTE_COMMAND:
		return command_error(status);
	case ROUTE_ACTION:
		return action_error(status);
	case ROUTE_HOOK_AGENT:
	case ROUTE_HOOK_WAKE:
		return hook_error(status);
	default:
		break;
	}
	for (i = 1; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].status == status)
			return &list[i];
	return &list[0];
}

static void
refuse(struct conn *c, enum result r, int status)
{
	conn_answer(c, r, route_error(c, status), 1);
}

static void
health(struct conn *c)
{
	static const struct fixed ok = {200, NULL, "ok\n", NULL};
	enum method m = c->head->method;

	if (m == METHOD_GET || m == METHOD_HEAD)
		conn_answer(c, RESULT_HEALTH, &ok, c->head->length > 0);
	else
		refuse(c, RESULT_METHOD, 405);
}

/* 1 when it was answered before its body. */
static int
head_checked(struct conn *c)
{
	switch (c->route) {
	case ROUTE_COMMAND:
		return command_head(c);
	case ROUTE_ACTION:
		return action_head(c);
	case ROUTE_HOOK_AGENT:
	case ROUTE_HOOK_WAKE:
		return hook_head(c);
	case ROUTE_HEALTH:
		health(c);
		return 1;
	default:
		refuse(c, RESULT_NOT_FOUND, 404);
		return 1;
	}
}

/*
 * Is its account on its way back? Whose command it is may be known already:
 * then no other account can make it wait. One that is always leaving cannot
 * make it wait without end.
 */
static int
is_early(struct conn *c)
{
	if (c->state == STATE_HELD && monotime_since(c->held_at) > CB_HOLD_MS)
		return 0;
	return peers_settling(c->cb, c->route, c->peer) &&
	    (c->route != ROUTE_COMMAND || !command_is_known(c));
}

/* Look again in a moment. */
static void
hold_here(struct conn *c)
{
	if (c->state != STATE_HELD) {
		c->state = STATE_HELD;
		c->held_at = monotime_now();
		c->cb->held++;
		bufferevent_disable(c->bev, EV_READ);
	}
	loop_timer(c->timer, CB_LOOK_MS);
}

/* The account is back, or will not be in time. */
static void
held_again(struct conn *c)
{
	if (is_early(c)) {
		hold_here(c);
		return;
	}
	unhold(c);
	loop_timer(c->timer, CB_REQUEST_MS);
	bufferevent_enable(c->bev, EV_READ);
	head_known(c);
}

static void
head_done(struct conn *c)
{
	c->route = route_find(c->cb, c->head->path, &c->peer);
	if (c->head->probe[0] != '\0' && probe_head(c))
		return;
	if (is_early(c)) {
		hold_here(c);
		return;
	}
	head_known(c);
}

static void
head_known(struct conn *c)
{
	if (head_checked(c))
		return;
	if (c->head->encoded) {
		refuse(c, RESULT_ENCODED, 411);
		return;
	}
	if (c->head->length > CB_BODY_MAX) {
		refuse(c, RESULT_TOO_LARGE, 413);
		return;
	}
	if (c->head->expects && c->head->minor == 1)
		bufferevent_write(c->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	c->state = STATE_BODY;
	body_go(c);
}

static void
head_go(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t have = evbuffer_get_length(in), len;
	const char *text;
	int rc;

	if (have == 0)
		return;
	if (have > HEAD_MAX)
		have = HEAD_MAX;
	text = (const char *)evbuffer_pullup(in, (ssize_t)have);
	if ((len = head_length(text, have)) == 0) {
		if (have == HEAD_MAX)
			refuse(c, RESULT_BAD_REQUEST, 431);
		return;
	}
	if ((c->head = malloc(sizeof(*c->head))) == NULL)
		fatal("malloc");
	rc = head_parse(text, len, c->head);
	explicit_bzero((char *)(uintptr_t)text, len);
	evbuffer_drain(in, len);
	if (rc != 0)
		refuse(c, RESULT_BAD_REQUEST, rc);
	else
		head_done(c);
}

static void
body_go(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len = (size_t)c->head->length;
	char *body;

	if (evbuffer_get_length(in) < len)
		return;
	if ((body = malloc(len + 1)) == NULL)
		fatal("malloc");
	evbuffer_remove(in, body, len);
	body[len] = '\0';
	bufferevent_disable(c->bev, EV_READ);
	if (c->route == ROUTE_COMMAND)
		command_body(c, body, len);
	else if (c->route == ROUTE_ACTION)
		action_body(c, body, len);
	else
		hook_body(c, body, len);
	freezero(body, len + 1);
}

/* The connection's own life */

static void
next_request(struct conn *c)
{
	c->state = STATE_HEAD;
	c->served = 1;
	gate_idle(c->cb->gate, c->gated, 0);
	gate_idle(c->cb->gate, c->gated, 1); /* the youngest of the idle */
	loop_timer(c->timer, CB_REQUEST_MS);
	bufferevent_enable(c->bev, EV_READ);
	head_go(c);
}

static void
linger(struct conn *c)
{
	c->state = STATE_LINGER;
	loop_timer(c->timer, LINGER_MS);
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	bufferevent_enable(c->bev, EV_READ);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct conn *c = arg;

	switch (c->state) {
	case STATE_HEAD:
		head_go(c);
		break;
	case STATE_BODY:
		body_go(c);
		break;
	case STATE_LINGER:
		c->lingered += evbuffer_get_length(in);
		evbuffer_drain(in, evbuffer_get_length(in));
		if (c->lingered > LINGER_BYTES)
			conn_free(c);
		break;
	default:
		break;
	}
}

/* All of the answer is with the system. */
static void
on_write(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (c->state != STATE_WRITE)
		return;
	if (!c->last)
		next_request(c);
	else if (c->unread)
		linger(c);
	else
		conn_free(c);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
		return;
	if (c->state == STATE_WAIT)
		return; /* what it began goes on */
	if (c->state != STATE_LINGER && (c->head != NULL ||
		evbuffer_get_length(bufferevent_get_input(bev)) > 0))
		result_count(RESULT_GONE);
	conn_free(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	if (c->state == STATE_HELD)
		held_again(c);
	else if (c->state == STATE_BODY ||
	    (c->state == STATE_HEAD &&
		evbuffer_get_length(bufferevent_get_input(c->bev)) > 0))
		refuse(c, RESULT_TIMEOUT, 408);
	else if (c->state != STATE_WAIT)
		conn_free(c);
}

struct conn *
conn_new(struct callback *cb, int fd, const struct sockaddr *sa,
    struct gated *g)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	c->cb = cb;
	c->gated = g;
	c->has_addr = sa != NULL && addr_of(sa, &c->addr) == 0;
	if ((c->bev = tls_bufferevent(cb, fd)) == NULL) {
		free(c);
		return NULL;
	}
	if ((c->timer = evtimer_new(cb->base, on_timer, c)) == NULL)
		fatalx("evtimer_new");
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(
	    c->bev, EV_READ, 0, CB_BODY_MAX + HEAD_MAX);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	gate_idle(cb->gate, g, 1);
	loop_timer(c->timer, CB_REQUEST_MS);
	return c;
}
