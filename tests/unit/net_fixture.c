#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/slow.h"

struct fixture_dial {
	struct fixture *f;
	struct event *ev;
	struct json_object *req;
};

static void
dial_answer(struct fixture *f, struct json_object *req)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct json_object *msg;
	int fd, on = 1;

	if (f->dialer == NULL)
		return;
	if (f->dial_fail != 0 || f->dial_busy > 0) {
		msg = chan_reply_msg("dial.err", req);
		json_object_object_add(msg, "ep", json_object_new_int(7));
		json_object_object_add(
		    msg, "stage", json_object_new_string("connect"));
		json_object_object_add(
		    msg, "errno", json_object_new_int(ECONNREFUSED));
		json_object_object_add(
		    msg, "text", json_object_new_string("Connection refused"));
		json_object_object_add(
		    msg, "busy", json_object_new_boolean(f->dial_busy > 0));
		if (f->dial_busy > 0)
			f->dial_busy--;
		else if (f->dial_fail > 0)
			f->dial_fail--;
		chan_send(f->dialer, msg, -1);
		return;
	}
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(f->dial_port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd != -1);
	assert_return_code(
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)), errno);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (f->dial_dead) {
		struct pollfd pfd = {fd, POLLIN, 0};

		assert_int_equal(poll(&pfd, 1, 20000), 1);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	msg = chan_reply_msg("dial.ok", req);
	json_object_object_add(msg, "ep", json_object_new_int(7));
	assert_int_equal(chan_send(f->dialer, msg, fd), 0);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct fixture_dial *d = arg;

	d->f->late--;
	dial_answer(d->f, d->req);
	json_object_put(d->req);
	event_free(d->ev);
	free(d);
}

static void
on_dial(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct fixture *f = arg;
	struct fixture_dial *d;

	f->dials++;
	if (f->dial_hole)
		return;
	if (f->dial_delay_ms == 0) {
		dial_answer(f, msg);
		return;
	}
	d = calloc(1, sizeof(*d));
	assert_non_null(d);
	d->f = f;
	d->req = json_object_get(msg);
	d->ev = evtimer_new(f->base, on_late, d);
	f->late++;
	loop_timer(d->ev, f->dial_delay_ms);
}

static const struct chan_handler dial_handlers[] = {
    {"dial", on_dial},
    {NULL, NULL},
};

static void
dial_closed(struct chan *c, const char *why, void *arg)
{
	struct fixture *f = arg;

	chan_free(c);
	if (f->dialer == c)
		f->dialer = NULL;
}

void
fixture_dialer_restart(struct fixture *f)
{
	int sv[2];

	if (f->dialer != NULL)
		chan_free(f->dialer);
	assert_return_code(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), errno);
	f->dialer = chan_new(
	    f->base, sv[0], PROTO_DIAL, SIDE_A, dial_handlers, dial_closed, f);
	net_set_dialer(f->net, sv[1]);
}

void
fixture_up(struct fixture *f, serve_fn fn, void *arg, SSL_CTX *ctx)
{
	signal(SIGPIPE, SIG_IGN);
	memset(f, 0, sizeof(*f));
	f->base = loop_new();
	f->net = net_new(f->base);
	f->srv = server_new(fn, arg, ctx);
	f->dial_port = server_port(f->srv);
	fixture_dialer_restart(f);
}

void
fixture_down(struct fixture *f)
{
	while (f->late > 0)
		event_base_loop(f->base, EVLOOP_ONCE);
	net_free(f->net);
	chan_free(f->dialer);
	server_free(f->srv);
	event_base_free(f->base);
}

struct net_endpoint *
fixture_endpoint(
    struct fixture *f, int https, const struct net_endpoint_opts *more)
{
	struct net_endpoint_opts o = {0};
	struct net_endpoint *ep;

	if (more != NULL)
		o = *more;
	if (o.host == NULL)
		o.host = "chat.test";
	o.https = https;
	o.port = f->dial_port;
	ep = net_endpoint_new(f->net, 7, &o);
	assert_non_null(ep);
	return ep;
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	*(int *)arg = 1;
}

void
fixture_run(struct fixture *f, const int *flag, int n)
{
	int late = 0;
	struct event *ev = evtimer_new(f->base, on_watchdog, &late);

	loop_timer(ev, slow_times(20000));
	while (*flag < n && !late)
		event_base_loop(f->base, EVLOOP_ONCE);
	event_free(ev);
	if (late)
		fail_msg("%d of %d after 20 s", *flag, n);
}

void
fixture_wait(struct fixture *f, int ms)
{
	int over = 0;
	struct event *ev = evtimer_new(f->base, on_watchdog, &over);

	loop_timer(ev, ms);
	while (!over)
		event_base_loop(f->base, EVLOOP_ONCE);
	event_free(ev);
}

void
call_done(struct net_request *req, const struct net_result *res, void *arg)
{
	struct call *c = arg;

	c->done++;
	c->ending = res->ending;
	c->status = res->status;
	c->partial = res->partial;
	c->retryable = res->retryable;
	c->len = res->len;
	snprintf(c->body, sizeof(c->body), "%s", res->body);
	snprintf(c->type, sizeof(c->type), "%s", res->content_type);
	snprintf(c->error, sizeof(c->error), "%s",
	    res->error != NULL ? res->error : "");
	c->retry_after_ms = res->retry_after_ms;
	c->elapsed_ms = res->elapsed_ms;
	if (c->counter != NULL)
		(*c->counter)++;
}

void
call_chunk(struct net_request *req, const char *data, size_t len, void *arg)
{
	struct call *c = arg;

	c->chunks++;
	c->chunk_bytes += len;
}

struct net_request *
call_start(struct net_endpoint *ep, struct call *c, const char *method,
    const char *path, const char *body)
{
	struct net_request_opts o = {.method = method,
	    .path = path,
	    .body = body,
	    .body_len = body != NULL ? strlen(body) : 0,
	    .done = call_done,
	    .arg = c};

	return net_request_start(ep, &o);
}

int64_t
fixture_cpu_ms(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000 +
	       ru.ru_stime.tv_sec * 1000 + ru.ru_stime.tv_usec / 1000;
}
