#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/agent_rig.h"

/* The model server. */

static void
conn_free(struct rig_conn *c)
{
	c->rig->open--;
	if (c->asked)
		c->rig->busy--;
	bufferevent_free(c->bev);
	free(c);
}

static void
conn_event(struct bufferevent *bev, short what, void *arg)
{
	conn_free(arg);
}

/* Bytes of the whole request at the buffer's front, 0 when more must come. */
static size_t
request_size(struct evbuffer *in, size_t *head)
{
	struct evbuffer_ptr end;
	char *text, *p;
	size_t n = 0;

	end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos == -1)
		return 0;
	*head = (size_t)end.pos + 4;
	text = calloc(1, *head + 1);
	assert_non_null(text);
	evbuffer_copyout(in, text, *head);
	if ((p = strcasestr(text, "\nContent-Length:")) != NULL)
		n = strtoul(p + 16, NULL, 10);
	free(text);
	return evbuffer_get_length(in) >= *head + n ? *head + n : 0;
}

static void
conn_read(struct bufferevent *bev, void *arg)
{
	struct rig_conn *c = arg;
	struct rig *r = c->rig;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t head, n;

	if ((n = request_size(in, &head)) == 0)
		return;
	assert_true(n < sizeof(r->request));
	evbuffer_remove(in, r->request, n);
	r->request[n] = '\0';
	if (strncmp(r->request, "GET /v1/models ", 15) == 0) {
		rig_answer(c, 200, "", "{}");
		r->warmed++;
		return;
	}
	assert_int_equal(
	    strncmp(r->request, "POST /v1/chat/completions HTTP/1.1\r\n", 36),
	    0);
	r->asked_at = rig_now_us();
	r->body = r->request + head;
	r->requests++;
	c->asked = 1;
	if (++r->busy > r->most_busy)
		r->most_busy = r->busy;
	r->serve(r, c);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct rig *r = arg;
	struct rig_conn *c;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = calloc(1, sizeof(*c));
	assert_non_null(c);
	c->rig = r;
	c->bev = bufferevent_socket_new(r->base, fd, BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(c->bev);
	bufferevent_setcb(c->bev, conn_read, NULL, conn_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	r->conns++;
	r->open++;
}

static void
conn_answered(struct rig_conn *c)
{
	if (c->asked)
		c->rig->busy--;
	c->asked = 0;
}

void
rig_head(struct rig_conn *c, int status, const char *headers)
{
	evbuffer_add_printf(bufferevent_get_output(c->bev),
	    "HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n%s\r\n", status,
	    headers);
}

void
rig_send(struct rig_conn *c, const char *data)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_add_printf(out, "%zx\r\n", strlen(data));
	evbuffer_add(out, data, strlen(data));
	evbuffer_add(out, "\r\n", 2);
}

void
rig_piece(struct rig_conn *c, const char *text)
{
	struct json_object *s = json_object_new_string(text);
	char *data;

	assert_int_not_equal(asprintf(&data,
	    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},"
	    "\"finish_reason\":null}],\"model\":\"rig-1\"}\n\n",
	    json_object_to_json_string(s)), -1);
	rig_send(c, data);
	free(data);
	json_object_put(s);
}

void
rig_done(struct rig_conn *c)
{
	rig_send(c, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":"
		    "\"stop\"}]}\n\n");
	rig_send(c, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,"
		    "\"completion_tokens\":22}}\n\n");
	rig_send(c, "data: [DONE]\n\n");
	bufferevent_write(c->bev, "0\r\n\r\n", 5);
	conn_answered(c);
}

void
rig_answer(
    struct rig_conn *c, int status, const char *headers, const char *body)
{
	evbuffer_add_printf(bufferevent_get_output(c->bev),
	    "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status,
	    strlen(body), headers, body);
	conn_answered(c);
}

static void
close_now(struct rig *r, struct rig_conn *c)
{
	conn_free(c);
}

void
rig_close(struct rig_conn *c)
{
	bufferevent_flush(c->bev, EV_WRITE, BEV_FLUSH);
	rig_later(c, 30, close_now);
}

static void
reset_now(struct rig *r, struct rig_conn *c)
{
	struct linger hard = {1, 0};

	setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &hard,
	    sizeof(hard));
	conn_free(c);
}

void
rig_reset(struct rig_conn *c)
{
	rig_later(c, 30, reset_now);
}

struct later {
	struct rig_conn *conn;
	rig_serve_fn fn;
};

static void
on_later(int fd, short ev, void *arg)
{
	struct later l = *(struct later *)arg;

	free(arg);
	l.fn(l.conn->rig, l.conn);
}

void
rig_later(struct rig_conn *c, int ms, rig_serve_fn fn)
{
	struct later *l = malloc(sizeof(*l));
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	assert_non_null(l);
	l->conn = c;
	l->fn = fn;
	event_base_once(c->rig->base, -1, EV_TIMEOUT, on_later, l, &tv);
}

/* Scripts that many tests use. */

static void
last_piece(struct rig *r, struct rig_conn *c)
{
	rig_piece(c, "lo");
	rig_done(c);
}

void
rig_serve_hello(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	rig_piece(c, "Hel");
	rig_later(c, 30, last_piece);
}

void
rig_serve_json(struct rig *r, struct rig_conn *c)
{
	rig_answer(c, 200, RIG_JSON,
	    "{\"id\":\"x\",\"choices\":[{\"message\":{\"role\":\"assistant\","
	    "\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}");
}

static void
slow_start(struct rig *r, struct rig_conn *c)
{
	rig_serve_hello(r, c);
}

void
rig_serve_slowly(struct rig *r, struct rig_conn *c)
{
	rig_later(c, 400, slow_start);
}

void
rig_serve_half(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	rig_piece(c, "half");
}

void
rig_listen(struct rig *r, const struct rig_opts *o)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->listener = evconnlistener_new_bind(r->base, on_accept, r,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 64,
	    (struct sockaddr *)&sin, sizeof(sin));
	assert_non_null(r->listener);
	assert_int_equal(getsockname(evconnlistener_get_fd(r->listener),
	    (struct sockaddr *)&sin, &len), 0);
	r->port = ntohs(sin.sin_port);
	if (o->no_server) {
		evconnlistener_free(r->listener);
		r->listener = NULL;
	}
}
