#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "workers/net/internal.h"

/*
 * How many connections an endpoint has and may have. pool: descriptors not
 * given to libcurl yet. idle: connections libcurl is believed to hold open;
 * only a hint, since it does not tell when a peer closes one. What libcurl
 * really has shows when it asks for a descriptor: then all were dead.
 */

static char *xprintf(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static char *
xprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) == -1)
		fatalx("out of memory");
	va_end(ap);
	return s;
}

static int
host_ok(const char *host)
{
	const char *p;

	for (p = host; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr(".-_:%", *p) == NULL)
			return 0;
	return p > host && p - host <= 253;
}

static int
path_ok(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f ||
		    *s == '#')
			return 0;
	return 1;
}

static const char *
opts_check(const struct net_endpoint_opts *o)
{
	if (o->host == NULL || !host_ok(o->host))
		return "host";
	if (o->port == 0)
		return "port";
	if (o->base != NULL && *o->base != '\0' &&
	    (*o->base != '/' || !path_ok(o->base)))
		return "base path";
	if (o->proxy_host != NULL &&
	    (!host_ok(o->proxy_host) || o->proxy_port == 0))
		return "proxy";
	if (o->tls_pin != NULL && tls_pin_check(o->tls_pin) == -1)
		return "tlsPin";
	if (o->cap < 0 || o->cap > NET_CAP_MAX)
		return "cap";
	return NULL;
}

/* Endpoints of one origin must not share libcurl's connections. */
static struct net_multi *
multi_for(struct net *n, const char *origin)
{
	struct net_endpoint *ep;
	int i;

	for (i = 0; i < NET_MULTI_WS; i++) {
		TAILQ_FOREACH (ep, &n->endpoints, entry)
			if (ep->multi == &n->multis[i] &&
			    strcasecmp(ep->origin, origin) == 0)
				break;
		if (ep == NULL)
			return &n->multis[i];
	}
	return NULL;
}

/*
 * 192.0.2.1 is a documentation address: libcurl must not resolve, and never
 * connects. Its RESOLVE takes no IPv6 address for the host, so those are
 * replaced by other means.
 */
static struct curl_slist *
placeholder(const char *host, uint16_t port)
{
	int v6 = *host == '[';
	struct curl_slist *list;
	char *s;

	if (v6)
		s = xprintf("::192.0.2.1:%u", port);
	else
		s = xprintf("%s:%u:192.0.2.1", host, port);
	if ((list = curl_slist_append(NULL, s)) == NULL)
		fatalx("out of memory");
	free(s);
	return list;
}

static char *
bracketed(const char *host)
{
	return xprintf(strchr(host, ':') != NULL ? "[%s]" : "%s", host);
}

static void
proxy_set(struct net_endpoint *ep, const struct net_endpoint_opts *o)
{
	char *host;

	if (o->proxy_host == NULL) {
		if (*ep->host == '[')
			ep->connect_to = placeholder(ep->host, o->port);
		else
			ep->resolve = placeholder(ep->host, o->port);
		return;
	}
	host = bracketed(o->proxy_host);
	if (*host == '[')
		ep->proxy = xprintf("http://192.0.2.1:%u", o->proxy_port);
	else {
		ep->proxy = xprintf("http://%s:%u", host, o->proxy_port);
		ep->resolve = placeholder(host, o->proxy_port);
	}
	free(host);
	if (o->proxy_auth != NULL)
		ep->proxy_auth = secret_new(
		    secret_bytes(o->proxy_auth), secret_len(o->proxy_auth));
}

static void
on_backoff(evutil_socket_t fd, short what, void *arg)
{
	struct net_endpoint *ep = arg;

	ep->in_backoff = 0;
	net_kick_endpoint(ep);
}

static void
names_set(struct net_endpoint *ep, const struct net_endpoint_opts *o)
{
	int usual = o->port == (o->https ? 443 : 80);

	ep->host = bracketed(o->host);
	ep->name = xprintf("%s", o->name != NULL ? o->name : o->host);
	ep->origin = xprintf(
	    "%s://%s:%u", o->https ? "https" : "http", ep->host, o->port);
	ep->authority = usual ? xprintf("%s", ep->host)
			      : xprintf("%s:%u", ep->host, o->port);
	ep->base = xprintf("%s", o->base != NULL ? o->base : "");
	if (o->tls_pin != NULL)
		ep->pin = xprintf("%s", o->tls_pin);
}

struct net_endpoint *
net_endpoint_new(struct net *n, int id, const struct net_endpoint_opts *o)
{
	struct net_endpoint *ep;
	const char *bad;

	if ((bad = opts_check(o)) != NULL) {
		log_warnx("endpoint %d: bad %s", id, bad);
		return NULL;
	}
	if ((ep = calloc(1, sizeof(*ep))) == NULL)
		fatal("calloc");
	ep->net = n;
	ep->id = id;
	ep->https = o->https;
	ep->cap = o->cap != 0 ? o->cap : NET_CAP;
	if ((ep->pool = calloc((size_t)ep->cap, sizeof(*ep->pool))) == NULL)
		fatal("calloc");
	ep->backoff_ms = NET_BACKOFF_MS;
	TAILQ_INIT(&ep->parked);
	TAILQ_INIT(&ep->active);
	evtimer_assign(&ep->backoff, n->base, on_backoff, ep);
	names_set(ep, o);
	proxy_set(ep, o);
	if ((ep->multi = multi_for(n, ep->origin)) == NULL) {
		log_warnx("endpoint %d: too many of %s", id, ep->origin);
		endpoint_free(ep);
		return NULL;
	}
	ep->multi->nconns += ep->cap;
	curl_multi_setopt(
	    ep->multi->curl, CURLMOPT_MAXCONNECTS, ep->multi->nconns + 4);
	TAILQ_INSERT_TAIL(&n->endpoints, ep, entry);
	return ep;
}

void
endpoint_bearer_free(struct net_bearer *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	secret_free(b->line);
	free(b);
}

void
endpoint_free(struct net_endpoint *ep)
{
	struct net_endpoint *e;

	TAILQ_FOREACH (e, &ep->net->endpoints, entry)
		if (e == ep) {
			TAILQ_REMOVE(&ep->net->endpoints, ep, entry);
			break;
		}
	event_del(&ep->backoff);
	while (ep->nspare > 0)
		curl_easy_cleanup(ep->spare[--ep->nspare]);
	curl_slist_free_all(ep->resolve);
	curl_slist_free_all(ep->connect_to);
	secret_free(ep->proxy_auth);
	endpoint_bearer_free(ep->bearer);
	free(ep->name);
	free(ep->host);
	free(ep->origin);
	free(ep->base);
	free(ep->authority);
	free(ep->proxy);
	free(ep->pin);
	free(ep->pool);
	free(ep);
}

int
net_endpoint_set_bearer(struct net_endpoint *ep, const struct secret *token)
{
	static const char head[] = "Authorization: Bearer ";
	char line[SECRET_MAX];
	struct net_bearer *b = NULL;
	const char *p;
	int len;

	if (token != NULL) {
		for (p = secret_bytes(token); *p != '\0'; p++)
			if ((unsigned char)*p <= 0x20 ||
			    (unsigned char)*p >= 0x7f)
				return -1;
		len = snprintf(
		    line, sizeof(line), "%s%s", head, secret_bytes(token));
		if (len < 0 || (size_t)len >= sizeof(line)) {
			explicit_bzero(line, sizeof(line));
			return -1;
		}
		if ((b = calloc(1, sizeof(*b))) == NULL)
			fatal("calloc");
		b->refs = 1;
		b->line = secret_new(line, len);
		explicit_bzero(line, sizeof(line));
	}
	endpoint_bearer_free(ep->bearer);
	ep->bearer = b;
	return 0;
}

const char *
net_endpoint_error(const struct net_endpoint *ep)
{
	return ep->error;
}

int
net_endpoint_errno(const struct net_endpoint *ep)
{
	return ep->err;
}

static void
warm_done(struct net_request *req, const struct net_result *res, void *arg)
{
}

void
net_endpoint_warm(struct net_endpoint *ep, int n, const char *path)
{
	struct net_request_opts o = {
	    .method = "GET", .path = path, .done = warm_done};

	for (n = n > ep->cap ? ep->cap : n; n > 0; n--)
		net_request_start(ep, &o);
}
