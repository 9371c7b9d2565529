#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/dialer/attempt.h"

struct
try {
	struct attempt *attempt;
	struct event ev;
	int fd; /* -1: free */
};

struct attempt {
	struct event_base *base;
	struct resolved addrs;
	uint16_t port;
	int next; /* address to start next */
	int err;
	struct try tries[ATTEMPT_PARALLEL];
	struct event stagger;
	attempt_fn fn;
	void *arg;
};

static void go_on(struct attempt *);

/* The worker that gets the socket may not set options. */
static void
options_set(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
	{
		int idle = 60, every = 20, count = 3;

		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(
		    fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	}
#endif
}

static void
try_close(struct try *t)
{
	if (t->fd == -1)
		return;
	event_del(&t->ev);
	close(t->fd);
	t->fd = -1;
}

void
attempt_cancel(struct attempt *a)
{
	int i;

	if (a == NULL)
		return;
	event_del(&a->stagger);
	for (i = 0; i < ATTEMPT_PARALLEL; i++)
		try_close(&a->tries[i]);
	free(a);
}

static void
attempt_end(struct attempt *a, int fd)
{
	attempt_fn fn = a->fn;
	void *arg = a->arg;
	int err = a->err;

	attempt_cancel(a);
	fn(arg, fd, err);
}

static void
failed(struct attempt *a, int err)
{
	if (a->err == 0)
		a->err = err;
}

static void
on_try(evutil_socket_t fd, short what, void *arg)
{
	struct try *t = arg;
	struct attempt *a = t->attempt;
	int err = ETIMEDOUT;
	socklen_t len = sizeof(err);

	if ((what & EV_WRITE) &&
	    getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	if (err == 0) {
		event_del(&t->ev);
		t->fd = -1;
		attempt_end(a, fd);
		return;
	}
	failed(a, err);
	try_close(t);
	go_on(a);
}

static void
set_port(struct resolve_addr *addr, uint16_t port)
{
	if (addr->ss.ss_family == AF_INET)
		((struct sockaddr_in *)&addr->ss)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)&addr->ss)->sin6_port = htons(port);
}

/* -1: this address failed at once. */
static int
try_start(struct attempt *a, struct try *t, struct resolve_addr *addr)
{
	struct timeval tv = ms_timeval(ATTEMPT_ADDR_MS);

	set_port(addr, a->port);
	t->fd = socket(
	    addr->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd == -1) {
		failed(a, errno);
		return -1;
	}
	options_set(t->fd);
	if (connect(t->fd, (struct sockaddr *)&addr->ss, addr->len) == -1 &&
	    errno != EINPROGRESS) {
		failed(a, errno);
		close(t->fd);
		t->fd = -1;
		return -1;
	}
	event_assign(&t->ev, a->base, t->fd, EV_WRITE, on_try, t);
	event_add(&t->ev, &tv);
	return 0;
}

static void
go_on(struct attempt *a)
{
	struct try *slot = NULL;
	int i, running = 0;

	for (i = 0; i < ATTEMPT_PARALLEL; i++) {
		if (a->tries[i].fd == -1)
			slot = &a->tries[i];
		else
			running++;
	}
	while (slot != NULL && a->next < a->addrs.n) {
		if (try_start(a, slot, &a->addrs.addr[a->next++]) == 0) {
			loop_timer(&a->stagger, ATTEMPT_STAGGER_MS);
			return;
		}
	}
	if (running == 0)
		attempt_end(a, -1);
}

static void
on_stagger(evutil_socket_t fd, short what, void *arg)
{
	go_on(arg);
}

struct attempt *
attempt_start(struct event_base *base, const struct resolved *addrs,
    uint16_t port, attempt_fn fn, void *arg)
{
	struct attempt *a;
	int i;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		fatal("calloc");
	a->base = base;
	a->addrs = *addrs;
	a->port = port;
	a->fn = fn;
	a->arg = arg;
	for (i = 0; i < ATTEMPT_PARALLEL; i++) {
		a->tries[i].attempt = a;
		a->tries[i].fd = -1;
	}
	evtimer_assign(&a->stagger, base, on_stagger, a);
	event_active(&a->stagger, EV_TIMEOUT, 0);
	return a;
}
