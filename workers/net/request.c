#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/net/internal.h"

/* A request: made, held back, given up. transfer.c has libcurl's side. */

static const struct {
	const char *name;
	int body;
	int idempotent;
} methods[] = {
    {"GET", 0, 1},
    {"HEAD", 0, 1},
    {"POST", 1, 0},
    {"PUT", 1, 0},
    {"PATCH", 1, 0},
    {"DELETE", 0, 0},
};
#define NMETHODS (sizeof(methods) / sizeof(methods[0]))

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct net_request *req = arg;
	char text[NET_ERROR_MAX + 16];

	if (req->state == NET_PARKED && req->ep->error[0] != '\0')
		snprintf(text, sizeof(text), "deadline: %s", req->ep->error);
	else
		snprintf(text, sizeof(text), "deadline: no answer in time");
	request_end(req, CURLE_OPERATION_TIMEDOUT, text);
}

static void
on_silence(evutil_socket_t fd, short what, void *arg)
{
	request_end(arg, CURLE_OPERATION_TIMEDOUT,
	    "silence: the server sent nothing for too long");
}

static int
path_check(const char *path)
{
	if (path == NULL || *path != '/')
		return -1;
	for (; *path != '\0'; path++)
		if ((unsigned char)*path <= 0x20 ||
		    (unsigned char)*path >= 0x7f || *path == '#')
			return -1;
	return 0;
}

/* Copies lines into one block with one node each. -1: a bad line. */
static int
headers_set(struct net_request *req, const char *const *user)
{
	const char *lines[64];
	size_t n = 0, size = 0, i;
	int type = 0;
	char *p;

	for (; user != NULL && *user != NULL; user++) {
		if (n == 62 || strpbrk(*user, "\r\n") != NULL ||
		    strchr(*user, ':') == NULL)
			return -1;
		if (strncasecmp(*user, "Content-Type:", 13) == 0)
			type = 1;
		lines[n++] = *user;
	}
	if (req->has_body) {
		lines[n++] = "Expect:";
		if (!type)
			lines[n++] = "Content-Type: application/json";
	}
	for (i = 0; i < n; i++)
		size += strlen(lines[i]) + 1;
	req->headers = calloc(n + 1, sizeof(*req->headers));
	req->header_text = p = malloc(size + 1);
	if (req->headers == NULL || p == NULL)
		fatal("malloc");
	for (i = 0; i < n; i++) {
		req->headers[i].data = p;
		if (i > 0)
			req->headers[i - 1].next = &req->headers[i];
		p += strlcpy(p, lines[i], strlen(lines[i]) + 1) + 1;
	}
	req->nheaders = n;
	return 0;
}

static void
body_set(struct net_request *req, const struct net_request_opts *o)
{
	req->body_len = o->body_len;
	if (o->body_fd > 0) {
		body_file_set(req, o);
	} else if (o->body_take && o->body != NULL)
		req->body = (char *)(uintptr_t)o->body;
	else if (req->has_body) {
		if ((req->body = malloc(o->body_len + 1)) == NULL)
			fatal("malloc");
		if (o->body_len > 0)
			memcpy(req->body, o->body, o->body_len);
	}
}

static struct net_request *
request_new(struct net_endpoint *ep, const struct net_request_opts *o)
{
	struct net_request *req;
	size_t i;

	if ((req = calloc(1, sizeof(*req))) == NULL)
		fatal("calloc");
	req->ep = ep;
	req->state = NET_ENDED;
	req->fd = -1;
	req->body_fd = -1;
	evtimer_assign(&req->deadline, ep->net->base, on_deadline, req);
	evtimer_assign(&req->silence, ep->net->base, on_silence, req);
	for (i = 0; i < NMETHODS; i++)
		if (strcmp(methods[i].name, o->method) == 0)
			break;
	if (i < NMETHODS) {
		req->method = methods[i].name;
		req->idempotent = methods[i].idempotent || o->idempotent;
		req->has_body = methods[i].body || o->body_len > 0;
	}
	body_set(req, o);
	if (i == NMETHODS || path_check(o->path) == -1 ||
	    headers_set(req, o->headers) == -1) {
		log_warnx("request: bad method, path or header");
		request_free(req);
		return NULL;
	}
	if ((req->path = strdup(o->path)) == NULL)
		fatal("strdup");
	return req;
}

struct net_request *
net_request_start(struct net_endpoint *ep, const struct net_request_opts *o)
{
	struct net_request *req;

	if ((req = request_new(ep, o)) == NULL)
		return NULL;
	req->no_auth = o->no_auth;
	req->idle_ms = o->idle_ms;
	req->head_ms = o->head_ms > 0 ? o->head_ms : o->idle_ms;
	req->max_body = o->max_body > 0 ? o->max_body : NET_BODY_MAX;
	req->chunk = o->chunk;
	req->done = o->done;
	req->arg = o->arg;
	req->arg_free = o->arg_free != 0;
	req->since = monotime_now();
	if (o->deadline_ms >= 0)
		loop_timer(&req->deadline,
		    o->deadline_ms > 0 ? o->deadline_ms : NET_DEADLINE_MS);
	req->state = NET_PARKED;
	TAILQ_INSERT_TAIL(&ep->parked, req, entry);
	ep->net->stats.requests++;
	net_kick_endpoint(ep);
	return req;
}

/* Takes it out of libcurl and out of the endpoint's lists and counts. */
static void
request_detach(struct net_request *req)
{
	struct net_endpoint *ep = req->ep;

	event_del(&req->silence);
	if (req->state == NET_PARKED)
		TAILQ_REMOVE(&ep->parked, req, entry);
	if (req->state == NET_ACTIVE) {
		endpoint_started(req);
		ep->nactive--;
		ep->net->in_curl++;
		curl_multi_remove_handle(ep->multi->curl, req->easy);
		ep->net->in_curl--;
		TAILQ_REMOVE(req->cancelled ? &ep->net->zombies : &ep->active,
		    req, entry);
		net_kick_endpoint(ep);
	}
	req->state = NET_ENDED;
}

/* The handle goes back to the endpoint; the next start takes another. */
static void
easy_drop(struct net_request *req)
{
	if (req->easy != NULL)
		easy_recycle(req->ep, req->easy);
	req->easy = NULL;
	endpoint_bearer_free(req->bearer);
	req->bearer = NULL;
}

void
request_free(struct net_request *req)
{
	request_detach(req);
	event_del(&req->deadline);
	easy_drop(req);
	if (req->body_fd > 0 && !req->body_keep)
		close(req->body_fd);
	free(req->path);
	free(req->headers);
	free(req->header_text);
	free(req->body);
	free(req->around);
	free(req->buf);
	free(req);
}

/* Its deadline goes on while it waits again. */
static void
request_park_again(struct net_request *req)
{
	struct net_endpoint *ep = req->ep;

	request_detach(req);
	easy_drop(req);
	req->opened = req->reused = req->committed = req->refused = 0;
	req->guarded = req->stale = req->head_done = req->too_large = 0;
	req->held = req->too_short = 0;
	req->body_off = 0;
	req->fd = -1;
	req->status = 0;
	req->head_len = 0;
	req->len = 0;
	req->state = NET_PARKED;
	TAILQ_INSERT_HEAD(&ep->parked, req, entry);
	ep->net->stats.repeated++;
	net_kick_endpoint(ep);
}

static void
count(struct net_stats *s, enum net_ending ending)
{
	if (ending == NET_ANSWERED)
		s->answered++;
	else if (ending == NET_MAYBE)
		s->maybe++;
	else
		s->not_sent++;
}

/* error: instead of words made from code. */
static void
request_finish(struct net_request *req, CURLcode code, const char *error)
{
	struct net_result res;
	char text[NET_ERROR_MAX] = "";

	event_del(&req->deadline);
	if (error != NULL)
		strlcpy(text, error, sizeof(text));
	result_make(&res, req, code, text, sizeof(text));
	count(&req->ep->net->stats, res.ending);
	if (res.ending == NET_NOT_SENT && req->opened)
		strlcpy(req->ep->error, text, sizeof(req->ep->error));
	req->done(req, &res, req->arg);
	request_free(req);
}

void
request_end(struct net_request *req, CURLcode code, const char *error)
{
	request_detach(req);
	/* libcurl does not tell when it closes this one. */
	if (req->opened && !req->committed)
		conn_del(req->ep->net, req->fd);
	request_finish(req, code, error);
}

/* What a start that failed leaves possible. */
static int
may_repeat(const struct net_request *req, CURLcode code)
{
	if (req->tries >= NET_TRIES)
		return 0;
	if (req->committed && !req->idempotent)
		return 0;
	if (req->refused || req->stale || req->guarded)
		return 1;
	return !req->again;
}

static int
is_transient(struct net_request *req, CURLcode code)
{
	long connect_code = 0;

	if (req->refused || req->stale || req->guarded)
		return 1;
	if (req->status != 0 && req->committed)
		return 0;
	curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	if (connect_code != 0 && !req->committed)
		return 0;
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_GOT_NOTHING ||
	       code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
}

void
request_complete(struct net_request *req, CURLcode code)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &req->status);
	curl_easy_getinfo(req->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd != CURL_SOCKET_BAD && (req->opened || req->reused))
		req->ep->idle++;
	if (req->cancelled) {
		request_free(req);
		return;
	}
	if (code != CURLE_OK && is_transient(req, code) &&
	    may_repeat(req, code)) {
		if (!req->refused && !req->stale && !req->guarded)
			req->again = 1;
		request_park_again(req);
		return;
	}
	request_detach(req);
	request_finish(req, code, NULL);
}

enum net_ending
net_request_cancel(struct net_request *req)
{
	enum net_ending ending = req->committed ? NET_MAYBE : NET_NOT_SENT;

	if (req->cancelled || req->state == NET_ENDED)
		return ending; /* from its own done(): it is ending */
	if (req->arg_free) {
		free(req->arg);
		req->arg = NULL;
	}
	if (req->state == NET_PARKED) {
		request_free(req);
		return ending;
	}
	/* libcurl may be at work on it just now. */
	event_del(&req->deadline);
	event_del(&req->silence);
	TAILQ_REMOVE(&req->ep->active, req, entry);
	TAILQ_INSERT_TAIL(&req->ep->net->zombies, req, entry);
	req->cancelled = 1;
	net_kick(req->ep->net);
	return ending;
}

void
request_reap(struct net *n)
{
	struct net_request *req;

	while ((req = TAILQ_FIRST(&n->zombies)) != NULL) {
		if (req->opened && !req->committed)
			conn_del(n, req->fd);
		request_free(req);
	}
}

void
net_request_pause(struct net_request *req, int on)
{
	if (req->cancelled || req->state == NET_ENDED || req->paused == !!on)
		return;
	req->paused = !!on;
	if (on)
		event_del(&req->silence);
	else
		net_kick_endpoint(req->ep);
}

/* Let those go on that libcurl holds and the user wants again. */
void
request_resume(struct net_endpoint *ep)
{
	struct net_request *req;
	int again = 1;

	while (again) {
		again = 0;
		TAILQ_FOREACH (req, &ep->active, entry) {
			if (req->paused || !req->held)
				continue;
			req->held = 0;
			request_alive(req);
			ep->net->in_curl++;
			curl_easy_pause(req->easy, CURLPAUSE_CONT);
			ep->net->in_curl--;
			again = 1; /* callbacks ran: the list may differ */
			break;
		}
	}
}
