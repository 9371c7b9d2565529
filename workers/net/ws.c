#include "config.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "workers/net/ws_int.h"

/* From dial to upgrade, and the end. ws_io.c has what passes between. */

void
ws_fail(struct ws *ws, enum ws_end end, int code, const char *why)
{
	if (ws->ended)
		return;
	ws->ended = 1;
	ws->end = end;
	ws->code = code;
	strlcpy(ws->why, why, sizeof(ws->why));
}

static void
ws_silence(struct ws *ws)
{
	event_del(&ws->turn);
	event_del(&ws->deadline);
	if (ws->sock != -1) {
		event_del(&ws->rd);
		event_del(&ws->wr);
	}
	dial_forget_ws(ws->net, ws);
	ws->state = WS_DEAD;
	net_kick(ws->net); /* ws_reap() */
}

static void
ws_finish(struct ws *ws)
{
	if (ws->state == WS_DEAD)
		return;
	ws_silence(ws);
	ws->cb->closed(ws, ws->end, ws->code, ws->why, ws->arg);
}

void
ws_abort(struct ws *ws)
{
	if (ws->state != WS_DEAD)
		ws_silence(ws);
}

static void
ws_free(struct ws *ws)
{
	struct net *n = ws->net;

	ws_abort(ws);
	TAILQ_REMOVE(&n->sockets, ws, entry);
	if (ws->ctx != NULL)
		wslay_event_context_free(ws->ctx);
	if (ws->easy != NULL) {
		n->in_curl++;
		curl_multi_remove_handle(
		    n->multis[NET_MULTI_WS].curl, ws->easy);
		curl_easy_cleanup(ws->easy);
		n->in_curl--;
	}
	if (ws->fd != -1)
		close(ws->fd);
	free(ws->request);
	free(ws->head);
	explicit_bzero(ws->out, ws->out_pos + ws->out_len);
	free(ws);
}

void
ws_reap(struct net *n)
{
	struct ws *ws, *next;

	for (ws = TAILQ_FIRST(&n->sockets); ws != NULL; ws = next) {
		next = TAILQ_NEXT(ws, entry);
		if (ws->state == WS_DEAD)
			ws_free(ws);
	}
}

void
ws_free_all(struct net *n)
{
	while (!TAILQ_EMPTY(&n->sockets))
		ws_free(TAILQ_FIRST(&n->sockets));
}

static void
dial_try(struct ws *ws)
{
	if (dial_send(ws->net, ws->ep, ws) == 0)
		ws->state = WS_DIAL;
}

void
ws_start_all(struct net *n)
{
	struct ws *ws;

	TAILQ_FOREACH (ws, &n->sockets, entry)
		if (ws->state == WS_WAIT)
			dial_try(ws);
}

void
ws_dial_failed(struct ws *ws, const char *why)
{
	ws_fail(ws, WS_END_DIAL, 0, why);
	event_active(&ws->turn, EV_TIMEOUT, 0);
}

static curl_socket_t
open_cb(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct ws *ws = arg;
	int fd = ws->fd;

	ws->fd = -1;
	ws->opened = fd != -1;
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

void
ws_dialed(struct ws *ws, int fd)
{
	struct net_multi *m = &ws->net->multis[NET_MULTI_WS];
	CURLMcode rc;

	ws->fd = fd;
	ws->state = WS_TLS;
	ws->easy = easy_new_ws(ws->ep, ws);
	curl_easy_setopt(ws->easy, CURLOPT_OPENSOCKETFUNCTION, open_cb);
	curl_easy_setopt(ws->easy, CURLOPT_OPENSOCKETDATA, ws);
	curl_easy_setopt(ws->easy, CURLOPT_ERRORBUFFER, ws->curl_error);
	curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, ++m->nconns + 4);
	ws->net->in_curl++;
	rc = curl_multi_add_handle(m->curl, ws->easy);
	ws->net->in_curl--;
	if (rc != CURLM_OK)
		fatalx("curl_multi_add_handle: %s", curl_multi_strerror(rc));
}

/* The bearer line goes straight into the output, which is then erased. */
static int
request_queue(struct ws *ws)
{
	struct net_bearer *b = ws->no_auth ? NULL : ws->ep->bearer;
	int n;

	n = snprintf(ws->out, sizeof(ws->out), "%s%s%s\r\n", ws->request,
	    b != NULL ? secret_bytes(b->line) : "", b != NULL ? "\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(ws->out))
		return -1;
	ws->out_pos = 0;
	ws->out_len = n;
	return 0;
}

static void
upgrade_turn(struct ws *ws)
{
	struct ws_answer a;
	ssize_t n;

	if (ws_flush(ws) == -1)
		return;
	if (ws->out_len == 0)
		explicit_bzero(ws->out, ws->out_pos);
	n = ws_receive(ws, ws->head + ws->head_len, WS_HEAD_MAX - ws->head_len);
	if (n <= 0)
		return;
	ws->head_len += n;
	switch (ws_upgrade_parse(ws->head, ws->head_len, ws->accept, &a)) {
	case 0:
		ws->more = 1; /* TLS may hold the rest */
		return;
	case -1:
		ws->retry_after =
		    a.retry_after == -1 ? -1 : a.retry_after * 1000;
		ws_fail(ws, WS_END_UPGRADE, a.status, a.why);
		return;
	}
	ws->head_pos = a.head_len;
	ws->state = WS_OPEN;
	event_del(&ws->deadline);
	if (ws_wslay_init(ws) == -1)
		fatalx("out of memory");
	ws->more = 1; /* frames may have come with the answer */
	ws->cb->open(ws, ws->arg);
}

static void
run(struct ws *ws, int readable)
{
	int again = ws->more;

	ws->more = 0;
	if (!ws->ended && ws->state == WS_UPGRADE)
		upgrade_turn(ws);
	else if (!ws->ended &&
		 (ws->state == WS_OPEN || ws->state == WS_CLOSING))
		ws_turn(ws, readable || again);
	else if (ws->ended && ws->state == WS_CLOSING)
		ws_turn(ws, 0);
	if (ws->state == WS_DEAD)
		return;
	if (ws->ended && (ws->state != WS_CLOSING || ws->out_len == 0)) {
		ws_finish(ws);
		return;
	}
	ws_watch(ws);
	if (ws->more)
		loop_timer(&ws->turn, 0);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	run(arg, 0);
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	run(arg, (what & EV_READ) != 0);
}

/* Until the first send libcurl believes the connection to be idle. */
void
ws_connected(struct ws *ws, CURLcode code)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	char why[NET_ERROR_MAX];

	if (ws->state == WS_DEAD)
		return;
	if (code == CURLE_OK)
		curl_easy_getinfo(ws->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD) {
		result_words(ws->easy, code, ws->curl_error, ws->opened, why,
		    sizeof(why));
		strlcpy(ws->ep->error, why, sizeof(ws->ep->error));
		ws_fail(ws,
		    strncmp(why, "tls:", 4) == 0 ? WS_END_TLS : WS_END_DIAL, 0,
		    why);
		ws_finish(ws);
		return;
	}
	ws->sock = fd;
	event_assign(
	    &ws->rd, ws->net->base, fd, EV_READ | EV_PERSIST, on_io, ws);
	event_assign(&ws->wr, ws->net->base, fd, EV_WRITE, on_io, ws);
	ws->state = WS_UPGRADE;
	if ((ws->head = malloc(WS_HEAD_MAX)) == NULL)
		fatal("malloc");
	if (request_queue(ws) == -1)
		ws_fail(ws, WS_END_UPGRADE, 0, "the request is too large");
	run(ws, 0);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct ws *ws = arg;

	if (ws->state != WS_CLOSING)
		ws_fail(ws, WS_END_DEADLINE, 0,
		    ws->state == WS_UPGRADE
			? "the server did not answer the upgrade in time"
			: "no connection in time");
	else if (ws->local)
		ws_fail(ws, WS_END_LOCAL, 0, "close was not answered");
	else
		ws_fail(ws, WS_END_PROTOCOL,
		    wslay_event_get_status_code_sent(ws->ctx),
		    "the peer broke the protocol");
	ws_finish(ws);
}

/* The request but for the bearer line and the empty line. */
static char *
request_text(
    const struct net_endpoint *ep, const struct ws_opts *o, const char *key)
{
	size_t size = 0;
	const char *const *h;
	FILE *f;
	char *text = NULL;

	if (o->path == NULL || *o->path != '/' ||
	    strpbrk(o->path, " \t\r\n#") != NULL)
		return NULL;
	/* Memory only: no descriptor is behind it. */
	if ((f = open_memstream(&text, &size)) == NULL)
		fatal("open_memstream");
	fprintf(f,
	    "GET %s%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: %s\r\nUser-Agent: postern/%s\r\n",
	    ep->base, o->path, ep->authority, key, PACKAGE_VERSION);
	for (h = o->headers; h != NULL && *h != NULL; h++) {
		if (strpbrk(*h, "\r\n") != NULL || strchr(*h, ':') == NULL) {
			fclose(f);
			free(text);
			return NULL;
		}
		fprintf(f, "%s\r\n", *h);
	}
	if (fclose(f) != 0)
		fatal("open_memstream");
	return text;
}

struct ws *
ws_connect(struct net_endpoint *ep, const struct ws_opts *o)
{
	unsigned char raw[16];
	char key[WS_KEY_LEN + 1];
	struct ws *ws;

	if ((ws = calloc(1, sizeof(*ws))) == NULL)
		fatal("calloc");
	if (RAND_bytes(raw, sizeof(raw)) != 1)
		fatalx("no random numbers");
	EVP_EncodeBlock((unsigned char *)key, raw, sizeof(raw));
	ws->request = request_text(ep, o, key);
	if (ws->request == NULL || ws_upgrade_accept(key, ws->accept) == -1) {
		log_warnx("websocket: bad path or header");
		free(ws->request);
		free(ws);
		return NULL;
	}
	ws->net = ep->net;
	ws->ep = ep;
	ws->cb = o->cb;
	ws->arg = o->arg;
	ws->no_auth = o->no_auth;
	ws->max = o->max > 0 ? o->max : WS_MESSAGE_MAX;
	ws->fd = ws->sock = -1;
	ws->retry_after = -1;
	evtimer_assign(&ws->turn, ep->net->base, on_turn, ws);
	evtimer_assign(&ws->deadline, ep->net->base, on_deadline, ws);
	loop_timer(
	    &ws->deadline, o->connect_ms > 0 ? o->connect_ms : WS_CONNECT_MS);
	TAILQ_INSERT_TAIL(&ep->net->sockets, ws, entry);
	dial_try(ws);
	return ws;
}

static void
turn_soon(struct ws *ws)
{
	if (!ws->busy)
		event_active(&ws->turn, EV_TIMEOUT, 0);
}

int
ws_send_text(struct ws *ws, const char *msg, size_t len)
{
	struct wslay_event_msg m = {
	    WSLAY_TEXT_FRAME, (const uint8_t *)msg, len};

	if (ws->state != WS_OPEN || ws->ended ||
	    ws_queued(ws) + len > WS_QUEUE_MAX ||
	    wslay_event_queue_msg(ws->ctx, &m) != 0)
		return -1;
	ws->waiting_out = 1;
	turn_soon(ws);
	return 0;
}

size_t
ws_queued(const struct ws *ws)
{
	if (ws->ctx == NULL)
		return 0;
	return ws->out_len + wslay_event_get_queued_msg_length(ws->ctx);
}

void
ws_close(struct ws *ws, int code)
{
	if (ws->state == WS_DEAD || ws->ended || ws->local)
		return;
	ws->local = 1;
	if (ws->state == WS_OPEN &&
	    wslay_event_queue_close(ws->ctx, (uint16_t)code, NULL, 0) == 0) {
		ws->state = WS_CLOSING;
		loop_timer(&ws->deadline, WS_CLOSE_MS);
	} else if (ws->state != WS_CLOSING)
		ws_fail(ws, WS_END_LOCAL, 0, "closed before it was open");
	turn_soon(ws);
}

void
ws_pause(struct ws *ws, int on)
{
	if (ws->state == WS_DEAD || ws->paused == !!on)
		return;
	ws->paused = !!on;
	if (!on) {
		ws->more = 1;
		turn_soon(ws);
	}
}

int64_t
ws_retry_after_ms(const struct ws *ws)
{
	return ws->retry_after;
}

int
ws_end_noticed(enum ws_end end)
{
	return end == WS_END_FIN || end == WS_END_RST || end == WS_END_CLOSE;
}

const char *
ws_end_name(enum ws_end end)
{
	static const char *const names[] = {"dial", "tls", "upgrade", "fin",
	    "rst", "close", "protocol", "deadline", "network", "local"};

	return (size_t)end < sizeof(names) / sizeof(names[0]) ? names[end]
							      : "?";
}
