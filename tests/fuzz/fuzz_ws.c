/*
 * The websocket client against any server. First byte: even, the rest is an
 * answer to the upgrade; odd, frames, read in pieces of so many bytes.
 * curl_easy_recv() and curl_easy_send() are ours here.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/net/ws_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t *input;
static size_t input_len, piece, written;
static struct event_base *base;
static int closed;

CURLcode
curl_easy_recv(CURL *easy, void *buf, size_t len, size_t *n)
{
	*n = 0;
	if (input_len == 0)
		return CURLE_OK; /* FIN */
	if (len > piece)
		len = piece;
	if (len > input_len)
		len = input_len;
	memcpy(buf, input, len);
	input += len;
	input_len -= len;
	*n = len;
	return CURLE_OK;
}

CURLcode
curl_easy_send(CURL *easy, const void *buf, size_t len, size_t *n)
{
	written += len;
	*n = len;
	return CURLE_OK;
}

static void
on_text(struct ws *ws, const char *msg, size_t len, void *arg)
{
	if (len > ws->max)
		abort();
	/* Every byte is looked at, so that a sanitizer can see each. */
	if (memchr(msg, 0xff, len) != NULL)
		abort(); /* no byte of UTF-8 */
	if (len > 0 && msg[0] == 'e')
		ws_send_text(ws, msg, len);
	if (len > 0 && msg[0] == 'c')
		ws_close(ws, 1000);
}

static void
on_closed(struct ws *ws, enum ws_end end, int code, const char *why, void *arg)
{
	closed = 1;
}

static void
nothing(evutil_socket_t fd, short what, void *arg)
{
}

static void
frames(void)
{
	static const struct ws_callbacks cb = {
	    .text = on_text, .closed = on_closed};
	struct ws *ws = calloc(1, sizeof(*ws));
	int turns;

	if (ws == NULL)
		abort();
	ws->cb = &cb;
	ws->state = WS_OPEN;
	ws->sock = ws->fd = -1;
	ws->max = 5000;
	evtimer_assign(&ws->turn, base, nothing, ws);
	evtimer_assign(&ws->deadline, base, nothing, ws);
	if (ws_wslay_init(ws) == -1)
		abort();
	for (turns = 0; turns < 1000 && !ws->ended; turns++)
		ws_turn(ws, 1);
	/* The input always ends, so the connection must. */
	if (!ws->ended && ws->state == WS_OPEN)
		abort();
	event_del(&ws->turn);
	event_del(&ws->deadline);
	wslay_event_context_free(ws->ctx);
	free(ws);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ws_answer a;
	char accept[WS_ACCEPT_LEN + 1];
	int rc;

	if (base == NULL)
		base = loop_new();
	if (len < 1)
		return 0;
	piece = data[0] / 2 + 1;
	input = data + 1;
	input_len = len - 1;
	if (data[0] & 1) {
		frames();
		return 0;
	}
	if (ws_upgrade_accept("dGhlIHNhbXBsZSBub25jZQ==", accept) == -1)
		abort();
	rc = ws_upgrade_parse((const char *)input, input_len, accept, &a);
	if ((rc == 1 && (a.status != 101 || a.head_len > input_len)) ||
	    (rc == -1 && a.why == NULL))
		abort();
	return 0;
}
