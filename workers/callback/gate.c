#include "config.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/tree.h"
#include "workers/callback/callback.h"
#include "workers/callback/conn.h"
#include "workers/callback/gate.h"

#define SOCKETS 16
#define AT_ONCE 64       /* connections taken in one turn of the loop */
#define AGAIN_MS 1000    /* when descriptors have run out */
/*
 * Requests under way from which on the others wait in the backlog rather
 * than for a place that there is not: one server is one source, and what has
 * piled up while a worker was exchanged comes at once.
 */
#define BUSY_AT (GATE_SOURCE / 2)
#define BUSY_MS 100      /* one is let in all the same, for who waits behind */

struct source {
	RB_ENTRY(source) node;
	struct addr addr;
	unsigned n;
	struct gated_list idle;
};

RB_HEAD(source_tree, source);

struct gate {
	struct callback *cb;
	struct source_tree sources;
	struct gated_list idle;
	struct gated_list busy;
	unsigned n;
	uint64_t accepted, closed;
	int fd[SOCKETS];
	struct event *ev[SOCKETS];
	struct event *again;
	unsigned nfds;
	int paused;
};

static int
source_cmp(const struct source *a, const struct source *b)
{
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

RB_GENERATE_STATIC(source_tree, source, node, source_cmp)

/* One source: an IPv4 address, or what one IPv6 customer is given. */
static struct addr
share_of(const struct sockaddr *sa)
{
	struct addr a = {{0}};

	if (addr_of(sa, &a) == 0 && sa->sa_family == AF_INET6 &&
	    !addr_is_loopback(&a))
		memset(a.b + 8, 0, 8);
	return a;
}

static struct source *
source_get(struct gate *g, const struct sockaddr *sa)
{
	struct source *s, key = {.addr = share_of(sa)};

	if ((s = RB_FIND(source_tree, &g->sources, &key)) != NULL)
		return s;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("calloc");
	s->addr = key.addr;
	TAILQ_INIT(&s->idle);
	RB_INSERT(source_tree, &g->sources, s);
	return s;
}

static void
source_check(struct gate *g, struct source *s)
{
	if (s->n > 0)
		return;
	RB_REMOVE(source_tree, &g->sources, s);
	free(s);
}

void
gate_idle(struct gate *g, struct gated *x, int on)
{
	if (x->idle == on)
		return;
	x->idle = on;
	if (on) {
		TAILQ_REMOVE(&g->busy, x, all);
		TAILQ_INSERT_TAIL(&g->idle, x, all);
		TAILQ_INSERT_TAIL(&x->source->idle, x, own);
	} else {
		TAILQ_REMOVE(&g->idle, x, all);
		TAILQ_REMOVE(&x->source->idle, x, own);
		TAILQ_INSERT_TAIL(&g->busy, x, all);
	}
}

void
gate_leave(struct gate *g, struct gated *x)
{
	struct source *s = x->source;

	gate_idle(g, x, 0);
	TAILQ_REMOVE(&g->busy, x, all);
	g->n--;
	s->n--;
	source_check(g, s);
	free(x);
}

/* A front end brings the connections of many. */
static int
is_front(const struct gate *g, const struct sockaddr *sa)
{
	struct addr a;

	return addr_of(sa, &a) == -1 || nets_match(&g->cb->trusted, &a);
}

/* Room for one more of s; 0 when everything there is has work to do. */
static int
make_room(struct gate *g, struct source *s, int front)
{
	struct gated *x;

	if (!front && s->n >= GATE_SOURCE) {
		if ((x = TAILQ_FIRST(&s->idle)) == NULL)
			return 0;
		g->closed++;
		s->n++; /* it stays while the last of its own goes */
		conn_evict(x->conn);
		s->n--;
	}
	if (g->n >= GATE_SLOTS) {
		if ((x = TAILQ_FIRST(&g->idle)) == NULL)
			return 0;
		g->closed++;
		s->n++;
		conn_evict(x->conn);
		s->n--;
	}
	return 1;
}

static void
enter(struct gate *g, int fd, const struct sockaddr *sa)
{
	struct source *s = source_get(g, sa);
	struct gated *x;

	g->accepted++;
	if (!make_room(g, s, is_front(g, sa))) {
		g->closed++;
		source_check(g, s);
		close(fd);
		return;
	}
	if ((x = calloc(1, sizeof(*x))) == NULL)
		fatal("calloc");
	x->source = s;
	s->n++;
	g->n++;
	TAILQ_INSERT_TAIL(&g->busy, x, all);
	x->conn = conn_new(g->cb, fd,
	    sa->sa_family == AF_UNIX ? NULL : sa, x);
	if (x->conn == NULL)
		gate_leave(g, x);
}

static int
is_busy(const struct gate *g, unsigned more)
{
	return (unsigned)(g->cb->waiting + g->cb->held) + more >= BUSY_AT;
}

void
gate_room(struct gate *g)
{
	if (!g->paused || is_busy(g, BUSY_AT / 2))
		return;
	event_del(g->again);
	gate_start(g);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct gate *g = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	unsigned i;
	int c;

	for (i = 0; i < AT_ONCE; i++) {
		if (i > 0 && is_busy(g, i)) {
			gate_stop(g);
			g->paused = 1;
			loop_timer(g->again, BUSY_MS);
			return;
		}
		len = sizeof(ss);
		memset(&ss, 0, sizeof(ss));
		c = accept4(fd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c != -1) {
			if (len < sizeof(ss.ss_family))
				ss.ss_family = AF_UNIX;
			enter(g, c, (struct sockaddr *)&ss);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			log_warn("accept");
			gate_stop(g);
			loop_timer(g->again, AGAIN_MS);
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	gate_start(arg);
}

struct gate *
gate_new(struct callback *cb)
{
	struct gate *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("calloc");
	g->cb = cb;
	RB_INIT(&g->sources);
	TAILQ_INIT(&g->idle);
	TAILQ_INIT(&g->busy);
	if ((g->again = evtimer_new(cb->base, on_again, g)) == NULL)
		fatalx("evtimer_new");
	return g;
}

void
gate_listen(struct gate *g, int fd)
{
	if (g->nfds == SOCKETS)
		fatalx("more than %d sockets", SOCKETS);
	if (fd_prepare(fd) == -1)
		fatal("socket");
	g->fd[g->nfds] = fd;
	g->ev[g->nfds] =
	    event_new(g->cb->base, fd, EV_READ | EV_PERSIST, on_accept, g);
	if (g->ev[g->nfds++] == NULL)
		fatalx("event_new");
}

void
gate_start(struct gate *g)
{
	unsigned i;

	if (g->cb->stopping)
		return;
	g->paused = 0;
	for (i = 0; i < g->nfds; i++)
		event_add(g->ev[i], NULL);
}

void
gate_stop(struct gate *g)
{
	unsigned i;

	for (i = 0; i < g->nfds; i++)
		event_del(g->ev[i]);
}

void
gate_stop_all(struct gate *g, int all)
{
	struct gated *x, *next;

	gate_stop(g);
	event_del(g->again);
	for (x = TAILQ_FIRST(&g->idle); x != NULL; x = next) {
		next = TAILQ_NEXT(x, all);
		conn_stop(x->conn, all);
	}
}

unsigned
gate_listeners(const struct gate *g)
{
	return g->nfds;
}

unsigned
gate_count(const struct gate *g)
{
	return g->n;
}

uint64_t
gate_accepted(const struct gate *g)
{
	return g->accepted;
}

uint64_t
gate_closed(const struct gate *g)
{
	return g->closed;
}
