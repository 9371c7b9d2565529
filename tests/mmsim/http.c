#include "config.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "common/log.h"
#include "tests/mmsim/http.h"
#include "tests/mmsim/http_parse.h"

struct http_conn {
	LIST_ENTRY(http_conn) link;
	struct http_server *srv;
	struct bufferevent *bev;
	struct req *req;    /* being read or being answered */
	struct body_reader body;
	int reading_body;
	int busy;           /* req was given to the handler */
	int in_process;
	int ending;         /* close once the output left */
	enum http_end end;
	void (*flushed)(void *);
	void *flushed_arg;
};

struct http_server {
	struct event_base *base;
	struct evconnlistener *lis;
	SSL_CTX *ssl;
	http_handler handle;
	http_early early;
	void *arg;
	struct sockaddr_in addr;
	LIST_HEAD(, http_conn) conns;
	size_t nconns;
};

static void conn_process(struct http_conn *);

static void
req_free(struct req *r)
{
	if (r->on_done != NULL)
		r->on_done(r);
	buf_free(&r->extra);
	free(r->segs);
	free(r->head);
	free(r->body);
	free(r);
}

void
bev_close(struct bufferevent *bev, enum http_end end)
{
	struct linger lg = {1, 0};
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (end == HTTP_END_RST)
		(void)setsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_LINGER,
		    &lg, sizeof(lg));
	else if (ssl != NULL) {
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
		SSL_shutdown(ssl);
	}
	bufferevent_free(bev);
}

static void
conn_free(struct http_conn *c, enum http_end end)
{
	struct req *r = c->req;

	LIST_REMOVE(c, link);
	c->srv->nconns--;
	if (c->flushed != NULL)
		c->flushed(c->flushed_arg);
	if (c->bev != NULL)
		bev_close(c->bev, end);
	body_reader_free(&c->body);
	if (r != NULL) {
		r->conn = NULL;
		if (!c->busy)
			req_free(r);
		else if (r->on_gone != NULL)
			r->on_gone(r);
	}
	free(c);
}

/* Close when what was written has left. */
static void
conn_end(struct http_conn *c, enum http_end end)
{
	c->ending = 1;
	c->end = end;
	bufferevent_disable(c->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0 &&
	    !c->in_process)
		conn_free(c, end);
}

static void
conn_write_cb(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;
	void (*fn)(void *) = c->flushed;

	if (fn != NULL) {
		c->flushed = NULL;
		fn(c->flushed_arg);
	}
	if (c->ending)
		conn_free(c, c->end);
}

static void
conn_read_cb(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	if (!c->in_process)
		conn_process(c);
}

static void
conn_event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = arg;

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (what & BEV_EVENT_TIMEOUT) {
		if (c->busy) { /* a slow answer is not an idle connection */
			bufferevent_enable(bev, EV_READ);
			return;
		}
	}
	conn_free(c, HTTP_END_FIN);
}

/* 400 and close: the bytes are not HTTP. */
static void
conn_bad(struct http_conn *c, const char *why)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_add_printf(out, "HTTP/1.1 400 Bad Request%s%s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Connection: close\r\n\r\n400 Bad Request%s%s",
	    *why ? ": " : "", why, *why ? ": " : "", why);
	conn_end(c, HTTP_END_FIN);
}

/* 1: a head was read; 0: not yet; -1: the connection is ending. */
static int
conn_head(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_ptr p;
	size_t len;
	const char *why = "";

	p = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (p.pos < 0) {
		if (evbuffer_get_length(in) <= HTTP_HEAD_MAX)
			return 0;
		conn_bad(c, "");
		return -1;
	}
	len = (size_t)p.pos + 4;
	c->req = xcalloc(1, sizeof(*c->req));
	c->req->conn = c;
	c->req->t0_us = now_us();
	c->req->head = xmalloc(len + 1);
	evbuffer_remove(in, c->req->head, len);
	c->req->head[len] = '\0';
	if (head_parse(c->req, &why) == -1 ||
	    body_reader_init(&c->body, c->req) == -1) {
		conn_bad(c, why);
		return -1;
	}
	if (c->req->body_announced > 0 && c->srv->early != NULL &&
	    c->srv->early(c->req)) {
		c->req->early = 1;
		body_reader_skip(&c->body);
	} else if (c->req->body_announced > HTTP_BODY_MAX) {
		conn_bad(c, "");
		return -1;
	} else if (body_reader_wants_continue(&c->body, c->req))
		evbuffer_add_printf(bufferevent_get_output(c->bev),
		    "HTTP/1.1 100 Continue\r\n\r\n");
	c->reading_body = 1;
	return 1;
}

static void
conn_process(struct http_conn *c)
{
	struct evbuffer *in;
	int n;

	c->in_process = 1;
	while (!c->busy && !c->ending) {
		in = bufferevent_get_input(c->bev);
		if (!c->reading_body && (n = conn_head(c)) != 1)
			break;
		n = body_reader_feed(&c->body, in);
		if (n == 0)
			break;
		if (n < 0) {
			conn_bad(c, "");
			break;
		}
		c->reading_body = 0;
		c->busy = 1;
		c->req->body = body_reader_take(&c->body, &c->req->body_len);
		c->srv->handle(c->req, c->srv->arg);
		if (c->bev == NULL) { /* upgraded */
			conn_free(c, HTTP_END_FIN);
			return;
		}
	}
	c->in_process = 0;
	if (c->ending &&
	    evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		conn_free(c, c->end);
}

static void
accept_cb(struct evconnlistener *lis, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct http_server *s = arg;
	struct http_conn *c = xcalloc(1, sizeof(*c));
	struct timeval idle = {HTTP_IDLE_S, 0};
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->srv = s;
	if (s->ssl != NULL)
		c->bev = bufferevent_openssl_socket_new(s->base, fd,
		    SSL_new(s->ssl), BUFFEREVENT_SSL_ACCEPTING,
		    BEV_OPT_CLOSE_ON_FREE);
	else
		c->bev = bufferevent_socket_new(s->base, fd,
		    BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL)
		fatalx("bufferevent");
	if (s->ssl != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	LIST_INSERT_HEAD(&s->conns, c, link);
	s->nconns++;
	bufferevent_setcb(c->bev, conn_read_cb, conn_write_cb, conn_event_cb,
	    c);
	bufferevent_set_timeouts(c->bev, &idle, NULL);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static int
server_bind(struct http_server *s)
{
	socklen_t len = sizeof(s->addr);

	s->lis = evconnlistener_new_bind(s->base, accept_cb, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC,
	    512, (struct sockaddr *)&s->addr, sizeof(s->addr));
	if (s->lis == NULL)
		return -1;
	return getsockname(evconnlistener_get_fd(s->lis),
	    (struct sockaddr *)&s->addr, &len);
}

struct http_server *
http_listen(struct event_base *base, const char *host, int port,
    struct ssl_ctx_st *ssl, http_handler handle, void *arg)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->ssl = ssl;
	s->handle = handle;
	s->arg = arg;
	s->addr.sin_family = AF_INET;
	s->addr.sin_port = htons((uint16_t)port);
	LIST_INIT(&s->conns);
	if (inet_pton(AF_INET, host, &s->addr.sin_addr) != 1) {
		errno = EINVAL;
		free(s);
		return NULL;
	}
	if (server_bind(s) == -1) {
		free(s);
		return NULL;
	}
	return s;
}

void
http_set_early(struct http_server *s, http_early early)
{
	s->early = early;
}

int
http_port(const struct http_server *s)
{
	return ntohs(s->addr.sin_port);
}

void
http_refuse(struct http_server *s, int on)
{
	if (on && s->lis != NULL) {
		evconnlistener_free(s->lis);
		s->lis = NULL;
	} else if (!on && s->lis == NULL && server_bind(s) == -1)
		fatal("cannot listen again");
}

void
http_drop_all(struct http_server *s, int rst)
{
	struct http_conn *c, *next;

	for (c = LIST_FIRST(&s->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (!c->in_process)
			conn_free(c, rst ? HTTP_END_RST : HTTP_END_FIN);
	}
}

size_t
http_conn_count(const struct http_server *s)
{
	return s->nconns;
}

/* The request was answered: on with the next, or the end. */
static void
req_done(struct req *r, enum http_end end)
{
	struct http_conn *c = r->conn;

	if (r->early)
		end = HTTP_END_RST;
	if (c != NULL) {
		c->req = NULL;
		c->busy = 0;
		if (end != HTTP_END_KEEP || !r->keep)
			conn_end(c, end == HTTP_END_RST ? end : HTTP_END_FIN);
		else if (!c->in_process)
			conn_process(c);
	}
	req_free(r);
}

static void
reply_head(struct req *r, struct evbuffer *out, int status, const char *ctype,
    int64_t len)
{
	struct buf b = {0};

	buf_fmt(&b, "HTTP/1.%d %d %s\r\n", r->http10 ? 0 : 1, status,
	    http_status_text(status));
	if (ctype != NULL)
		buf_fmt(&b, "Content-Type: %s\r\n", ctype);
	if (r->extra.len > 0)
		buf_add(&b, r->extra.p, r->extra.len);
	/* A fault may tell another time. */
	if (memmem(b.p, b.len, "\r\nDate: ", 8) == NULL)
		buf_fmt(&b, "Date: %s\r\n", http_date());
	if (len == -1 && !r->http10)
		buf_str(&b, "Transfer-Encoding: chunked\r\n");
	else if (len >= 0 && status != 304)
		buf_fmt(&b, "Content-Length: %lld\r\n", (long long)len);
	if (!r->keep && !r->http10)
		buf_str(&b, "Connection: close\r\n");
	buf_str(&b, "\r\n");
	evbuffer_add(out, b.p, b.len);
	buf_free(&b);
}

void
http_reply_cut(struct req *r, int status, const char *ctype, const void *body,
    size_t len, size_t send, enum http_end end)
{
	struct evbuffer *out;
	int head = !strcmp(r->method, "HEAD");
	int chunked = len > HTTP_CHUNK_FROM && !r->http10 && !r->sized &&
	    !head;

	r->status = status;
	if (r->conn == NULL || r->conn->ending) {
		req_done(r, end);
		return;
	}
	out = bufferevent_get_output(r->conn->bev);
	reply_head(r, out, status, ctype, chunked ? -1 : (int64_t)len);
	if (chunked)
		evbuffer_add_printf(out, "%zx\r\n", len);
	if (len > 0 && !head)
		evbuffer_add(out, body, send < len ? send : len);
	if (chunked && send >= len)
		evbuffer_add_printf(out, "\r\n0\r\n\r\n");
	req_done(r, end);
}

void
http_reply(struct req *r, int status, const char *ctype, const void *body,
    size_t len)
{
	http_reply_cut(r, status, ctype, body, len, SIZE_MAX, HTTP_END_KEEP);
}

void
http_hangup(struct req *r, enum http_end end)
{
	req_done(r, end);
}

void
http_stream_begin(struct req *r, int status, const char *ctype)
{
	r->status = status;
	r->streaming = 1;
	if (r->conn != NULL)
		reply_head(r, bufferevent_get_output(r->conn->bev), status,
		    ctype, -1);
}

void
http_stream_write(struct req *r, const void *p, size_t n)
{
	struct evbuffer *out;

	if (r->conn == NULL || n == 0)
		return;
	out = bufferevent_get_output(r->conn->bev);
	if (!r->http10)
		evbuffer_add_printf(out, "%zx\r\n", n);
	evbuffer_add(out, p, n);
	if (!r->http10)
		evbuffer_add(out, "\r\n", 2);
}

void
http_stream_raw(struct req *r, const void *p, size_t n)
{
	if (r->conn != NULL)
		evbuffer_add(bufferevent_get_output(r->conn->bev), p, n);
}

void
http_stream_end(struct req *r, enum http_end end)
{
	if (end == HTTP_END_KEEP && !r->http10)
		http_stream_raw(r, "0\r\n\r\n", 5);
	req_done(r, end);
}

void
http_on_flushed(struct req *r, void (*fn)(void *), void *arg)
{
	if (r->conn == NULL) {
		fn(arg);
		return;
	}
	r->conn->flushed = fn;
	r->conn->flushed_arg = arg;
}

struct bufferevent *
http_upgrade(struct req *r)
{
	struct http_conn *c = r->conn;
	struct bufferevent *bev = c->bev;

	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	bufferevent_set_timeouts(bev, NULL, NULL);
	c->bev = NULL;
	c->req = NULL;
	c->busy = 0;
	if (!c->in_process)
		conn_free(c, HTTP_END_FIN);
	req_free(r);
	return bev;
}
