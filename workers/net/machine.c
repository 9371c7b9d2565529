#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/net/internal.h"

/* Whether a handle added now would find a connection. */
static int
may_start(const struct net_endpoint *ep)
{
	return !TAILQ_EMPTY(&ep->parked) && ep->nactive < ep->cap &&
	       ep->npool + ep->idle - ep->nstart > 0;
}

static void
start_one(struct net_endpoint *ep)
{
	struct net_request *req = TAILQ_FIRST(&ep->parked);
	struct net *n = ep->net;
	CURLMcode rc;

	TAILQ_REMOVE(&ep->parked, req, entry);
	TAILQ_INSERT_TAIL(&ep->active, req, entry);
	req->state = NET_ACTIVE;
	req->tries++;
	easy_prepare(req);
	req->starting = 1;
	ep->nstart++;
	ep->nactive++;
	n->in_curl++;
	rc = curl_multi_add_handle(ep->multi->curl, req->easy);
	n->in_curl--;
	if (rc != CURLM_OK)
		fatalx("curl_multi_add_handle: %s", curl_multi_strerror(rc));
}

static int
parked_count(const struct net_endpoint *ep)
{
	struct net_request *req;
	int n = 0;

	TAILQ_FOREACH (req, &ep->parked, entry)
		if (++n == ep->cap)
			break;
	return n;
}

static void
dial_missing(struct net_endpoint *ep)
{
	int want, room;

	if (ep->in_backoff)
		return;
	want = parked_count(ep) - ep->dialing;
	room = ep->cap - ep->nactive - ep->idle - ep->npool - ep->dialing;
	if (want > room)
		want = room;
	if (want > NET_DIALS - ep->dialing)
		want = NET_DIALS - ep->dialing;
	for (; want > 0; want--) {
		if (dial_send(ep->net, ep, NULL) == -1)
			return; /* no link: net_set_dialer() will kick */
		ep->dialing++;
	}
}

int
endpoint_run(struct net_endpoint *ep, int *budget)
{
	int started = 0;

	if (ep->turned_away)
		endpoint_turned_away(ep);
	while (*budget > 0 && may_start(ep)) {
		start_one(ep);
		started++;
		(*budget)--;
	}
	if (started > 0)
		net_multi_run(ep->multi, CURL_SOCKET_TIMEOUT, 0);
	/* What was started may just have found its connection dead. */
	if (ep->turned_away)
		endpoint_turned_away(ep);
	dial_missing(ep);
	return may_start(ep);
}

void
endpoint_started(struct net_request *req)
{
	if (!req->starting)
		return;
	req->starting = 0;
	req->ep->nstart--;
}

/*
 * libcurl found no connection that it likes. It also comes here when it
 * wants to repeat a request whose connection died: never, since that could
 * execute it twice.
 */
curl_socket_t
endpoint_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct net_request *req = arg;
	struct net_endpoint *ep = req->ep;
	int fd;

	endpoint_started(req);
	net_kick_endpoint(ep);
	if (req->committed) {
		req->guarded = 1;
		return CURL_SOCKET_BAD;
	}
	if (req->cancelled || req->opened)
		return CURL_SOCKET_BAD;
	ep->idle = 0;
	if ((fd = pool_take(ep)) == -1) {
		req->refused = 1;
		return CURL_SOCKET_BAD;
	}
	conn_add(ep->net, fd);
	req->opened = 1;
	req->fd = fd;
	return fd;
}

static void
endpoint_works(struct net_endpoint *ep)
{
	if (ep->error[0] == '\0' && !ep->in_backoff)
		return;
	ep->error[0] = '\0';
	ep->err = 0;
	ep->backoff_ms = NET_BACKOFF_MS;
	ep->in_backoff = 0;
	event_del(&ep->backoff);
}

/* The last moment before the first byte. See endpoint_open(). */
int
endpoint_prereq(
    void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct net_request *req = arg;
	struct net_endpoint *ep = req->ep;

	endpoint_started(req);
	net_kick_endpoint(ep);
	if (req->committed) {
		req->guarded = 1;
		return CURL_PREREQFUNC_ABORT;
	}
	if (req->cancelled)
		return CURL_PREREQFUNC_ABORT;
	if (!req->opened) {
		req->reused = 1;
		if (ep->idle > 0)
			ep->idle--;
		if (!conn_look(ep->net, (uint16_t)local_port)) {
			req->stale = 1;
			return CURL_PREREQFUNC_ABORT;
		}
		ep->net->stats.reused++;
	}
	req->committed = 1;
	endpoint_works(ep);
	request_alive(req);
	return CURL_PREREQFUNC_OK;
}

void
endpoint_dialed(struct net_endpoint *ep, int fd)
{
	ep->dialing--;
	if (TAILQ_EMPTY(&ep->parked) && ep->npool >= NET_POOL_SPARE)
		close(fd);
	else
		pool_put(ep, fd);
	net_kick_endpoint(ep);
}

static void
round_failed(struct net_endpoint *ep, const char *why)
{
	struct net_request *req, *next;
	char text[NET_ERROR_MAX];

	snprintf(
	    text, sizeof(text), "%s (%d dials failed)", why, NET_DIAL_ROUNDS);
	TAILQ_FOREACH (req, &ep->parked, entry)
		req->dial_fails++;
	for (req = TAILQ_FIRST(&ep->parked); req != NULL; req = next) {
		next = TAILQ_NEXT(req, entry);
		if (req->dial_fails < NET_DIAL_ROUNDS)
			continue;
		request_end(req, CURLE_COULDNT_CONNECT, text);
		/* The callback may have changed the list. */
		next = TAILQ_FIRST(&ep->parked);
	}
}

/* A round of dials failed: pause, and count it against all who wait. */
static void
back_off(struct net_endpoint *ep, int counted, const char *why)
{
	ep->round++;
	strlcpy(ep->error, why, sizeof(ep->error));
	ep->in_backoff = 1;
	loop_timer(&ep->backoff, ep->backoff_ms);
	ep->backoff_ms *= 2;
	if (ep->backoff_ms > NET_BACKOFF_MAX_MS)
		ep->backoff_ms = NET_BACKOFF_MAX_MS;
	if (counted)
		round_failed(ep, why);
}

void
endpoint_dial_failed(
    struct net_endpoint *ep, int round, int counted, const char *why)
{
	ep->dialing--;
	net_kick_endpoint(ep);
	ep->net->stats.dial_errors++;
	if (ep->net->dialer == NULL)
		return; /* asked again when there is a link */
	if (round == ep->round)
		back_off(ep, counted, why);
	/* Else another dial of its round has been counted. */
}

void
endpoint_turned_away(struct net_endpoint *ep)
{
	ep->turned_away = 0;
	if (!ep->in_backoff)
		back_off(ep, 1, "connect: closed by the server at once");
}
