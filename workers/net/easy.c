#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "workers/net/internal.h"

#define SET(easy, opt, value)                                                  \
	do {                                                                   \
		CURLcode rc_ = curl_easy_setopt(easy, opt, value);             \
		if (rc_ != CURLE_OK)                                           \
			fatalx("%s: %s", #opt, curl_easy_strerror(rc_));       \
	} while (0)

static int
sockopt_cb(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* arg outlives every connection, which a request does not. */
static int
close_cb(void *arg, curl_socket_t fd)
{
	struct net_endpoint *ep = arg;

	conn_del(ep->net, fd);
	close(fd);
	net_kick_endpoint(ep);
	return 0;
}

/*
 * Nothing here may make libcurl open a file or a socket, set a signal or a
 * socket option, or resolve a name.
 */
static void
set_jail(CURL *easy)
{
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_PATH_AS_IS, 1L);
	SET(easy, CURLOPT_NOPROXY, "");
	SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	SET(easy, CURLOPT_TCP_NODELAY, 0L);
	SET(easy, CURLOPT_TCP_KEEPALIVE, 0L);
	SET(easy, CURLOPT_TIMEOUT_MS, 0L);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)NET_CONNECT_MS);
	SET(easy, CURLOPT_MAXAGE_CONN, NET_IDLE_S);
	SET(easy, CURLOPT_BUFFERSIZE, NET_BUFFER);
	SET(easy, CURLOPT_UPLOAD_BUFFERSIZE, NET_UPLOAD_BUFFER);
	SET(easy, CURLOPT_USERAGENT, "postern/" PACKAGE_VERSION);
}

static void
set_proxy(CURL *easy, struct net_endpoint *ep)
{
	SET(easy, CURLOPT_RESOLVE, ep->resolve);
	SET(easy, CURLOPT_CONNECT_TO, ep->connect_to);
	if (ep->proxy == NULL) {
		SET(easy, CURLOPT_PROXY, "");
		return;
	}
	SET(easy, CURLOPT_PROXY, ep->proxy);
	SET(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	if (ep->proxy_auth != NULL)
		SET(easy, CURLOPT_PROXYUSERPWD, secret_bytes(ep->proxy_auth));
}

static void
set_tls(CURL *easy, struct net_endpoint *ep)
{
	SET(easy, CURLOPT_CAINFO, NULL);
	SET(easy, CURLOPT_CAPATH, NULL);
	SET(easy, CURLOPT_CAINFO_BLOB, &tls_dummy_ca);
	SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(easy, CURLOPT_SSL_CTX_FUNCTION, tls_ctx_cb);
	SET(easy, CURLOPT_SSL_CTX_DATA, ep->net);
	SET(easy, CURLOPT_SHARE, ep->net->share);
	if (ep->pin != NULL)
		SET(easy, CURLOPT_PINNEDPUBLICKEY, ep->pin);
}

static CURL *
easy_bare(struct net_endpoint *ep)
{
	CURL *easy;

	if ((easy = curl_easy_init()) == NULL)
		fatalx("curl_easy_init");
	set_jail(easy);
	set_proxy(easy, ep);
	if (ep->https)
		set_tls(easy, ep);
	SET(easy, CURLOPT_SOCKOPTFUNCTION, sockopt_cb);
	SET(easy, CURLOPT_CLOSESOCKETFUNCTION, close_cb);
	SET(easy, CURLOPT_CLOSESOCKETDATA, ep);
	return easy;
}

/* What is the same for every request of the endpoint. */
static CURL *
easy_new(struct net_endpoint *ep)
{
	CURL *easy = easy_bare(ep);

	SET(easy, CURLOPT_OPENSOCKETFUNCTION, endpoint_open);
	SET(easy, CURLOPT_PREREQFUNCTION, endpoint_prereq);
	SET(easy, CURLOPT_HEADERFUNCTION, request_header_cb);
	SET(easy, CURLOPT_WRITEFUNCTION, request_write_cb);
	SET(easy, CURLOPT_READFUNCTION, request_read_cb);
	return easy;
}

static void
set_method(CURL *easy, const struct net_request *req)
{
	SET(easy, CURLOPT_HTTPGET, 1L);
	SET(easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (req->has_body) {
		SET(easy, CURLOPT_POST, 1L);
		SET(easy, CURLOPT_POSTFIELDS, req->body);
		SET(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)body_size(req));
		if (strcmp(req->method, "POST") != 0)
			SET(easy, CURLOPT_CUSTOMREQUEST, req->method);
	} else if (strcmp(req->method, "HEAD") == 0)
		SET(easy, CURLOPT_NOBODY, 1L);
	else if (strcmp(req->method, "GET") != 0)
		SET(easy, CURLOPT_CUSTOMREQUEST, req->method);
}

/*
 * The last node of the list is the endpoint's bearer line, where it lies in
 * locked memory.
 */
static void
set_headers(CURL *easy, struct net_request *req)
{
	struct curl_slist *last = &req->headers[req->nheaders];
	struct net_bearer *b = req->no_auth ? NULL : req->ep->bearer;

	last->next = NULL;
	if (req->nheaders > 0)
		last[-1].next = b != NULL ? last : NULL;
	if (b != NULL) {
		b->refs++;
		req->bearer = b;
		last->data = (char *)(uintptr_t)secret_bytes(b->line);
	}
	SET(easy, CURLOPT_HTTPHEADER,
	    req->nheaders > 0 || b != NULL ? req->headers : NULL);
}

void
easy_prepare(struct net_request *req)
{
	struct net_endpoint *ep = req->ep;
	size_t size =
	    strlen(ep->origin) + strlen(ep->base) + strlen(req->path) + 1;
	CURL *easy;
	char *url;

	easy = ep->nspare > 0 ? ep->spare[--ep->nspare] : easy_new(ep);
	req->easy = easy;
	if ((url = malloc(size)) == NULL)
		fatal("malloc");
	snprintf(url, size, "%s%s%s", ep->origin, ep->base, req->path);
	SET(easy, CURLOPT_URL, url);
	free(url);
	set_method(easy, req);
	set_headers(easy, req);
	req->curl_error[0] = '\0';
	SET(easy, CURLOPT_ERRORBUFFER, req->curl_error);
	SET(easy, CURLOPT_PRIVATE, req);
	SET(easy, CURLOPT_OPENSOCKETDATA, req);
	SET(easy, CURLOPT_PREREQDATA, req);
	SET(easy, CURLOPT_HEADERDATA, req);
	SET(easy, CURLOPT_WRITEDATA, req);
	SET(easy, CURLOPT_READDATA, req);
}

/* The handle is in no multi any more. */
void
easy_recycle(struct net_endpoint *ep, CURL *easy)
{
	if (ep->nspare == (int)(sizeof(ep->spare) / sizeof(ep->spare[0]))) {
		curl_easy_cleanup(easy);
		return;
	}
	SET(easy, CURLOPT_POSTFIELDS, NULL);
	SET(easy, CURLOPT_HTTPHEADER, NULL);
	SET(easy, CURLOPT_ERRORBUFFER, NULL);
	SET(easy, CURLOPT_PRIVATE, NULL);
	ep->spare[ep->nspare++] = easy;
}

CURL *
easy_new_ws(struct net_endpoint *ep, struct ws *ws)
{
	CURL *easy = easy_bare(ep);
	char url[600];

	snprintf(url, sizeof(url), "%s/", ep->origin);
	SET(easy, CURLOPT_URL, url);
	SET(easy, CURLOPT_CONNECT_ONLY, 1L);
	SET(easy, CURLOPT_FRESH_CONNECT, 1L);
	SET(easy, CURLOPT_PRIVATE, ws);
	return easy;
}
