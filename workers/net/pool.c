#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "workers/net/internal.h"

/*
 * Two tables of descriptors: those an endpoint has ready for libcurl, and
 * those libcurl has. The latter may hold entries that libcurl closed
 * without telling (a transfer cancelled before its connection was up); a
 * new descriptor of that number replaces them.
 */

static int
pool_alive(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1)
		return 0;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/*
 * The peer has left, or speaks before it was asked. When that is what it
 * does to every connection, dialling anew at once would never end.
 */
static void
pool_died(struct net_endpoint *ep, struct monotime since)
{
	if (monotime_since(since) < NET_POOL_FRESH_MS)
		endpoint_turned_away(ep);
	net_kick_endpoint(ep);
}

static void
on_pooled(evutil_socket_t fd, short what, void *arg)
{
	struct net_pooled *p = arg;
	struct net_endpoint *ep = p->ep;
	struct net_pooled *last = &ep->pool[ep->npool - 1];
	struct monotime since = p->since;

	close(p->fd);
	ep->npool--;
	if (p != last) {
		/* The last one takes its place. */
		event_del(&last->ev);
		p->fd = last->fd;
		p->since = last->since;
		event_assign(
		    &p->ev, ep->net->base, p->fd, EV_READ, on_pooled, p);
		event_add(&p->ev, NULL);
	}
	pool_died(ep, since);
}

void
pool_put(struct net_endpoint *ep, int fd)
{
	struct net_pooled *p;

	if (ep->npool == ep->cap) {
		close(fd);
		return;
	}
	p = &ep->pool[ep->npool++];
	p->ep = ep;
	p->fd = fd;
	p->since = monotime_now();
	event_assign(&p->ev, ep->net->base, fd, EV_READ, on_pooled, p);
	event_add(&p->ev, NULL);
}

int
pool_take(struct net_endpoint *ep)
{
	struct net_pooled *p;

	while (ep->npool > 0) {
		p = &ep->pool[--ep->npool];
		event_del(&p->ev);
		if (pool_alive(p->fd))
			return p->fd;
		close(p->fd);
		if (monotime_since(p->since) < NET_POOL_FRESH_MS)
			ep->turned_away = 1;
	}
	return -1;
}

void
pool_clear(struct net_endpoint *ep)
{
	while (ep->npool > 0) {
		ep->npool--;
		event_del(&ep->pool[ep->npool].ev);
		close(ep->pool[ep->npool].fd);
	}
}

static uint16_t
local_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return 0;
	if (ss.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&ss)->sin_port);
	if (ss.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	return 0;
}

void
conn_del(struct net *n, int fd)
{
	struct net_conn *c;

	LIST_FOREACH(c, &n->conns, entry)
	if (c->fd == fd) {
		LIST_REMOVE(c, entry);
		free(c);
		return;
	}
}

void
conn_add(struct net *n, int fd)
{
	struct net_conn *c;

	conn_del(n, fd);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	c->fd = fd;
	c->port = local_port(fd);
	LIST_INSERT_HEAD(&n->conns, c, entry);
}

int
conn_look(struct net *n, uint16_t port)
{
	struct net_conn *c;

	LIST_FOREACH(c, &n->conns, entry)
	if (c->port == port && !pool_alive(c->fd))
		return 0;
	return 1;
}
