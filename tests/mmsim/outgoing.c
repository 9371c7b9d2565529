#include "config.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>

#include "tests/mmsim/buf.h"
#include "tests/mmsim/outgoing.h"
#include "tests/mmsim/sim.h"

struct call {
	TAILQ_ENTRY(call) link;
	struct evhttp_connection *conn;
	struct event *timer; /* the whole call, then the idle time */
	struct event *gone;  /* frees the connection outside its callbacks */
	char *method;
	char *url;
	char *ctype;
	char *token;
	char *body;
	size_t len;
	int hops;
	int idle;
	outgoing_cb cb; /* NULL: already told */
	void *arg;
};

TAILQ_HEAD(calls, call);

static const struct outgoing_reply none;

static struct calls calls = TAILQ_HEAD_INITIALIZER(calls);
static size_t nidle;
static char *allowed;

void
outgoing_allow(const char *list)
{
	free(allowed);
	allowed = list ? xstrdup(list) : NULL;
}

size_t
outgoing_idle(void)
{
	return nidle;
}

static void
call_free(struct call *c)
{
	TAILQ_REMOVE(&calls, c, link);
	nidle -= (size_t)c->idle;
	if (c->conn != NULL)
		evhttp_connection_free(c->conn);
	event_free(c->timer);
	event_free(c->gone);
	free(c->method);
	free(c->url);
	free(c->ctype);
	free(c->token);
	free(c->body);
	free(c);
}

static void
tell(struct call *c, const struct outgoing_reply *r)
{
	outgoing_cb cb = c->cb;

	c->cb = NULL;
	if (cb != NULL)
		cb(r, c->arg);
}

void
outgoing_reset(void)
{
	struct call *c;

	while ((c = TAILQ_FIRST(&calls)) != NULL) {
		tell(c, &none);
		call_free(c);
	}
	outgoing_allow(NULL);
}

static void
timer_in(struct call *c, int s)
{
	struct timeval tv = {s, 0};

	evtimer_add(c->timer, &tv);
}

static void
gone_cb(evutil_socket_t fd, short what, void *arg)
{
	tell(arg, &none);
	call_free(arg);
}

static void
end_soon(struct call *c)
{
	event_active(c->gone, EV_TIMEOUT, 0);
}

/* The answer was had: the connection idles, as Go's client leaves it. */
static void
go_idle(struct call *c)
{
	struct call *old;

	c->idle = 1;
	nidle++;
	timer_in(c, OUTGOING_IDLE_S);
	if (nidle <= OUTGOING_IDLE_MAX)
		return;
	TAILQ_FOREACH(old, &calls, link)
		if (old->idle) {
			end_soon(old);
			return;
		}
}

static int
addr_reserved(const unsigned char *a)
{
	return a[0] == 0 || a[0] == 10 || a[0] == 127 ||
	    (a[0] == 100 && (a[1] & 0xc0) == 64) ||
	    (a[0] == 169 && a[1] == 254) || (a[0] == 172 && (a[1] >> 4) == 1) ||
	    (a[0] == 192 && a[1] == 168) || a[0] >= 224;
}

/* Names are matched before they are resolved; only literals are judged. */
static int
host_allowed(const char *host)
{
	const char *p = allowed ? allowed : "127.0.0.1 localhost ::1";
	unsigned char a4[4];
	struct in6_addr a6;
	size_t n;

	for (; *p; p += n) {
		p += strspn(p, " \t\n,");
		n = strcspn(p, " \t\n,");
		if (n == strlen(host) && !strncmp(p, host, n))
			return 1;
	}
	if (inet_pton(AF_INET, host, a4) == 1)
		return !addr_reserved(a4);
	if (inet_pton(AF_INET6, host, &a6) == 1)
		return !IN6_IS_ADDR_LOOPBACK(&a6) &&
		    !IN6_IS_ADDR_LINKLOCAL(&a6) && (a6.s6_addr[0] & 0xfe) != 0xfc;
	return strcmp(host, "localhost") != 0;
}

static int call_start(struct call *);

static int
redirect(struct call *c, int status, const char *to)
{
	if (to == NULL || ++c->hops > OUTGOING_HOPS)
		return 0;
	free(c->url);
	c->url = xstrdup(to);
	if (status != 307 && status != 308) {
		free(c->method);
		c->method = xstrdup("GET");
		free(c->body);
		c->body = NULL;
		c->len = 0;
	}
	return 1;
}

static void
hop_free_cb(evutil_socket_t fd, short what, void *arg)
{
	evhttp_connection_free(arg);
}

static void
answered(struct evhttp_request *q, void *arg)
{
	static const struct timeval now = {0, 0};
	struct outgoing_reply r = {0};
	struct call *c = arg;
	struct evbuffer *in;
	char *body;

	if (q == NULL || evhttp_request_get_response_code(q) == 0) {
		end_soon(c);
		return;
	}
	r.status = evhttp_request_get_response_code(q);
	if (r.status >= 301 && r.status <= 308 && r.status != 304 &&
	    redirect(c, r.status, evhttp_find_header(
		evhttp_request_get_input_headers(q), "Location"))) {
		event_base_once(sim.base, -1, EV_TIMEOUT, hop_free_cb, c->conn,
		    &now);
		c->conn = NULL;
		if (!call_start(c))
			end_soon(c);
		return;
	}
	snprintf(r.line, sizeof(r.line), "%d %s", r.status,
	    evhttp_request_get_response_code_line(q)
		? evhttp_request_get_response_code_line(q) : "");
	r.ctype = evhttp_find_header(evhttp_request_get_input_headers(q),
	    "Content-Type");
	in = evhttp_request_get_input_buffer(q);
	r.len = evbuffer_get_length(in);
	body = xmalloc(r.len + 1);
	evbuffer_copyout(in, body, r.len);
	body[r.len] = '\0';
	r.body = body;
	go_idle(c);
	tell(c, &r);
	free(body);
}

static struct evhttp_connection *
dial(const struct evhttp_uri *u, const char *host)
{
	static SSL_CTX *ctx;
	const char *scheme = evhttp_uri_get_scheme(u);
	int tls = scheme != NULL && !strcmp(scheme, "https");
	int port = evhttp_uri_get_port(u);
	struct bufferevent *bev = NULL;

	if (port < 0)
		port = tls ? 443 : 80;
	if (tls) {
		if (ctx == NULL)
			ctx = SSL_CTX_new(TLS_client_method());
		bev = bufferevent_openssl_socket_new(sim.base, -1,
		    SSL_new(ctx), BUFFEREVENT_SSL_CONNECTING,
		    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	}
	return evhttp_connection_base_bufferevent_new(sim.base, NULL, bev,
	    host, (unsigned short)port);
}

static void
put_headers(struct call *c, struct evhttp_request *q,
    const struct evhttp_uri *u, const char *host)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(q);
	char text[300];
	int port = evhttp_uri_get_port(u);

	if (port >= 0)
		snprintf(text, sizeof(text), "%s:%d", host, port);
	else
		snprintf(text, sizeof(text), "%s", host);
	evhttp_add_header(h, "Host", text);
	evhttp_add_header(h, "User-Agent", "Mattermost-Bot/1.1");
	if (c->body != NULL) {
		snprintf(text, sizeof(text), "%zu", c->len);
		evhttp_add_header(h, "Content-Length", text);
	}
	evhttp_add_header(h, "Accept", "application/json");
	if (c->token != NULL) {
		snprintf(text, sizeof(text), "Token %s", c->token);
		evhttp_add_header(h, "Authorization", text);
	}
	if (c->ctype != NULL)
		evhttp_add_header(h, "Content-Type", c->ctype);
	evhttp_add_header(h, "Accept-Encoding", "gzip");
	if (c->body != NULL)
		evbuffer_add(evhttp_request_get_output_buffer(q), c->body,
		    c->len);
}

/* 0: this address is not to be had. */
static int
call_start(struct call *c)
{
	struct evhttp_uri *u = evhttp_uri_parse(c->url);
	struct evhttp_request *q;
	const char *host, *path, *query;
	char bare[256];
	struct buf target = {0};
	int ok = 0;

	host = u ? evhttp_uri_get_host(u) : NULL;
	if (host == NULL || *host == '\0' || strlen(host) >= sizeof(bare))
		goto out;
	snprintf(bare, sizeof(bare), "%s", host + (*host == '['));
	bare[strcspn(bare, "]")] = '\0';
	if (!host_allowed(bare) || (c->conn = dial(u, bare)) == NULL)
		goto out;
	q = evhttp_request_new(answered, c);
	put_headers(c, q, u, host);
	path = evhttp_uri_get_path(u);
	query = evhttp_uri_get_query(u);
	buf_str(&target, path && *path ? path : "/");
	if (query != NULL)
		buf_fmt(&target, "?%s", query);
	ok = evhttp_make_request(c->conn, q, !strcmp(c->method, "GET")
		? EVHTTP_REQ_GET : EVHTTP_REQ_POST, target.p) == 0;
	buf_free(&target);
out:
	if (u != NULL)
		evhttp_uri_free(u);
	return ok;
}

void
outgoing_call(const char *method, const char *url, const char *ctype,
    const char *token, const char *body, size_t len, outgoing_cb cb, void *arg)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->method = xstrdup(method);
	c->url = xstrdup(url);
	c->ctype = ctype ? xstrdup(ctype) : NULL;
	c->token = token ? xstrdup(token) : NULL;
	if (body != NULL) {
		c->body = xmalloc(len + 1);
		memcpy(c->body, body, len);
		c->len = len;
	}
	c->cb = cb;
	c->arg = arg;
	c->timer = evtimer_new(sim.base, gone_cb, c);
	c->gone = event_new(sim.base, -1, 0, gone_cb, c);
	TAILQ_INSERT_TAIL(&calls, c, link);
	timer_in(c, OUTGOING_S);
	if (!call_start(c))
		end_soon(c);
}
