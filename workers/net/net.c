#include "config.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/net/internal.h"

/* The events of one descriptor that libcurl watches. */
struct net_sock {
	struct net_multi *m;
	struct event ev;
	short what;
};

static void
check(CURLMcode rc, const char *what)
{
	if (rc != CURLM_OK)
		fatalx("%s: %s", what, curl_multi_strerror(rc));
}

static void
multi_finished(struct net_multi *m)
{
	CURLMsg *msg;
	CURLcode code;
	CURL *easy;
	void *private;
	int left;

	while ((msg = curl_multi_info_read(m->curl, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		code = msg->data.result;
		easy = msg->easy_handle;
		private = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&private);
		if (m == &m->net->multis[NET_MULTI_WS])
			ws_connected(private, code);
		else
			request_complete(private, code);
	}
}

void
net_multi_run(struct net_multi *m, curl_socket_t fd, int what)
{
	int running;

	m->net->in_curl++;
	check(curl_multi_socket_action(m->curl, fd, what, &running),
	    "curl_multi_socket_action");
	m->net->in_curl--;
	multi_finished(m);
}

static void
on_multi_timer(evutil_socket_t fd, short what, void *arg)
{
	net_multi_run(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* Never calls libcurl: this runs inside it. */
static int
timer_cb(CURLM *curl, long ms, void *arg)
{
	struct net_multi *m = arg;

	if (ms < 0)
		event_del(&m->timer);
	else
		loop_timer(&m->timer, ms);
	return 0;
}

static void
on_sock(evutil_socket_t fd, short what, void *arg)
{
	struct net_sock *s = arg;
	int curl = 0;

	if (what & EV_READ)
		curl |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		curl |= CURL_CSELECT_OUT;
	net_multi_run(s->m, fd, curl);
}

static int
sock_cb(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
	struct net_multi *m = arg;
	struct net_sock *s = sockp;
	short ev = EV_PERSIST;

	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			event_del(&s->ev);
		free(s);
		return 0;
	}
	if (what & CURL_POLL_IN)
		ev |= EV_READ;
	if (what & CURL_POLL_OUT)
		ev |= EV_WRITE;
	if (s == NULL) {
		if ((s = calloc(1, sizeof(*s))) == NULL)
			fatal("calloc");
		s->m = m;
		curl_multi_assign(m->curl, fd, s);
	} else if (s->what == ev)
		return 0;
	else
		event_del(&s->ev);
	s->what = ev;
	event_assign(&s->ev, m->net->base, fd, ev, on_sock, s);
	event_add(&s->ev, NULL);
	return 0;
}

/*
 * libcurl ignores SIGPIPE by a system call of its own when a multi is
 * cleaned up, unless it has once seen a handle with NOSIGNAL.
 */
static void
multi_calm(CURLM *curl)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		fatalx("curl_easy_init");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_URL, "http://192.0.2.1/");
	check(curl_multi_add_handle(curl, easy), "curl_multi_add_handle");
	check(curl_multi_remove_handle(curl, easy), "curl_multi_remove");
	curl_easy_cleanup(easy);
}

static void
multi_new(struct net *n, struct net_multi *m)
{
	m->net = n;
	if ((m->curl = curl_multi_init()) == NULL)
		fatalx("curl_multi_init");
	evtimer_assign(&m->timer, n->base, on_multi_timer, m);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, sock_cb);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, timer_cb);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	multi_calm(m->curl);
}

/* TLS sessions are kept for all endpoints: a third of a handshake's CPU. */
static CURLSH *
share_new(void)
{
	CURLSH *share = curl_share_init();

	if (share == NULL || curl_share_setopt(share, CURLSHOPT_SHARE,
				 CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
		fatalx("curl_share_init");
	return share;
}

void
net_kick(struct net *n)
{
	event_active(&n->kick, EV_TIMEOUT, 0);
}

void
net_kick_endpoint(struct net_endpoint *ep)
{
	ep->dirty = 1;
	net_kick(ep->net);
}

/*
 * A fast server answers before a turn of the loop is over, and what its
 * answer starts would run in the same turn again: so the starts of a turn
 * are counted. The loop's cached clock tells one turn from the next.
 */
static void
turn_begin(struct net *n)
{
	struct timeval now;

	if (event_base_gettimeofday_cached(n->base, &now) == 0 &&
	    timercmp(&now, &n->turn, ==))
		return;
	n->turn = now;
	n->budget = NET_STARTS;
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct net_endpoint *ep;
	int more = 0;

	turn_begin(n);
	request_reap(n);
	ws_reap(n);
	TAILQ_FOREACH (ep, &n->endpoints, entry) {
		if (!ep->dirty)
			continue;
		ep->dirty = 0;
		request_resume(ep);
		if (endpoint_run(ep, &n->budget)) {
			ep->dirty = 1;
			more = 1;
		}
	}
	if (more)
		loop_timer(&n->kick_later, 0);
}

struct net *
net_new(struct event_base *base)
{
	struct net *n;
	unsigned char byte;
	int i;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		fatal("calloc");
	n->base = base;
	net_connect_take();
	TAILQ_INIT(&n->endpoints);
	TAILQ_INIT(&n->zombies);
	TAILQ_INIT(&n->sockets);
	LIST_INIT(&n->conns);
	LIST_INIT(&n->dials);
	if (net_mem_init() != CURLE_OK)
		fatalx("curl_global_init");
	if (RAND_bytes(&byte, 1) != 1)
		fatalx("no random numbers");
	tls_warm_up();
	n->ca = ca_new();
	n->share = share_new();
	event_assign(&n->kick, base, -1, 0, on_kick, n);
	evtimer_assign(&n->kick_later, base, on_kick, n);
	for (i = 0; i < NET_MULTIS; i++)
		multi_new(n, &n->multis[i]);
	return n;
}

void
net_free(struct net *n)
{
	struct net_endpoint *ep;
	int i;

	if (n == NULL)
		return;
	dial_unlink(n);
	ws_free_all(n);
	request_reap(n);
	TAILQ_FOREACH (ep, &n->endpoints, entry) {
		while (!TAILQ_EMPTY(&ep->parked))
			request_free(TAILQ_FIRST(&ep->parked));
		while (!TAILQ_EMPTY(&ep->active))
			request_free(TAILQ_FIRST(&ep->active));
		pool_clear(ep);
	}
	for (i = 0; i < NET_MULTIS; i++) {
		curl_multi_cleanup(n->multis[i].curl);
		event_del(&n->multis[i].timer);
	}
	while ((ep = TAILQ_FIRST(&n->endpoints)) != NULL)
		endpoint_free(ep);
	event_del(&n->kick);
	event_del(&n->kick_later);
	curl_share_cleanup(n->share);
	ca_free(n->ca);
	curl_global_cleanup();
	free(n);
}

void
net_set_dialer(struct net *n, int fd)
{
	struct net_endpoint *ep;

	dial_unlink(n);
	dial_link(n, fd);
	ws_start_all(n);
	TAILQ_FOREACH (ep, &n->endpoints, entry)
		ep->dirty = 1;
	net_kick(n);
}

int
net_set_ca(struct net *n, int fd)
{
	return ca_load(n->ca, fd);
}

const struct net_stats *
net_stats(const struct net *n)
{
	return &n->stats;
}
