#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/net/ws_int.h"

/*
 * Frames in and out. wslay must not be entered from its own callbacks, so
 * what the user calls from there only queues.
 */

/* libcurl keeps neither errno nor the way it ended: look for ourselves. */
static void
socket_failed(struct ws *ws, int err)
{
	long os = 0;
	char byte, why[64];

	curl_easy_getinfo(ws->easy, CURLINFO_OS_ERRNO, &os);
	if (err == 0 || err == EAGAIN)
		err = (int)os;
	if (err == ECONNRESET || err == EPIPE) {
		ws_fail(ws, WS_END_RST, 0, "connection reset by the server");
		return;
	}
	if ((err == 0 || err == EAGAIN) &&
	    recv(ws->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		ws_fail(ws, WS_END_FIN, 0, "closed by the server");
		return;
	}
	snprintf(why, sizeof(why), "connection lost: %s",
	    err != 0 ? strerror(err) : "TLS");
	ws_fail(ws, WS_END_NETWORK, 0, why);
}

ssize_t
ws_receive(struct ws *ws, char *buf, size_t len)
{
	CURLcode rc;
	size_t n = 0;

	errno = 0;
	rc = curl_easy_recv(ws->easy, buf, len, &n);
	if (rc == CURLE_AGAIN)
		return 0;
	if (rc != CURLE_OK) {
		socket_failed(ws, errno);
		return -1;
	}
	if (n == 0) {
		ws_fail(ws, WS_END_FIN, 0, "closed by the server");
		return -1;
	}
	return n;
}

int
ws_flush(struct ws *ws)
{
	CURLcode rc;
	size_t want, n;

	while (ws->out_len > 0) {
		want = ws->out_try > 0 ? ws->out_try : ws->out_len;
		errno = 0;
		n = 0;
		rc = curl_easy_send(ws->easy, ws->out + ws->out_pos, want, &n);
		if (rc == CURLE_AGAIN) {
			ws->out_try = want;
			return 0;
		}
		if (rc != CURLE_OK) {
			socket_failed(ws, errno);
			return -1;
		}
		ws->out_try = 0;
		ws->out_pos += n;
		ws->out_len -= n;
	}
	return 0;
}

static ssize_t
recv_cb(
    wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;
	ssize_t n;

	if (ws->in_left <= 0 || ws->paused || ws->state == WS_DEAD) {
		ws->more = !ws->paused;
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (ws->head_pos < ws->head_len) {
		/* What came glued to the answer. */
		n = ws->head_len - ws->head_pos;
		if ((size_t)n > len)
			n = len;
		memcpy(buf, ws->head + ws->head_pos, n);
		ws->head_pos += n;
	} else
		n = ws_receive(ws, (char *)buf, len);
	if (n <= 0) {
		wslay_event_set_error(ctx,
		    n == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	ws->in_left -= n;
	return n;
}

/* All output goes through one buffer, whose unsent bytes never move. */
static ssize_t
send_cb(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags,
    void *arg)
{
	struct ws *ws = arg;
	size_t room;

	if (ws->out_len == 0)
		ws->out_pos = 0;
	room = sizeof(ws->out) - ws->out_pos - ws->out_len;
	if (room == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (len > room)
		len = room;
	memcpy(ws->out + ws->out_pos + ws->out_len, data, len);
	ws->out_len += len;
	return len;
}

static int
mask_cb(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *arg)
{
	return RAND_bytes(buf, (int)len) == 1 ? 0 : -1;
}

/* We end it: what the peer sends from now on does not matter. */
static void
refuse(struct ws *ws, int code)
{
	wslay_event_shutdown_read(ws->ctx);
	wslay_event_queue_close(ws->ctx, (uint16_t)code, NULL, 0);
}

static void
frame_cb(wslay_event_context_ptr ctx,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
	struct ws *ws = arg;

	/* Each fragment costs memory beyond its bytes. */
	if (!wslay_is_ctrl_frame(frame->opcode) &&
	    ++ws->fragments > WS_FRAGMENTS_MAX)
		refuse(ws, WSLAY_CODE_POLICY_VIOLATION);
}

static void
close_received(struct ws *ws, const struct wslay_event_on_msg_recv_arg *msg)
{
	char why[NET_ERROR_MAX] = "close frame of the server";
	size_t i, n = strlen(why);
	int code = msg->status_code != 0 ? msg->status_code : 1005;

	if (msg->msg_length > 2) {
		why[n++] = ':';
		why[n++] = ' ';
		for (i = 2; i < msg->msg_length && n < sizeof(why) - 1; i++)
			why[n++] = msg->msg[i] >= 0x20 && msg->msg[i] < 0x7f
				       ? (char)msg->msg[i]
				       : '?';
		why[n] = '\0';
	}
	ws_fail(ws, ws->local ? WS_END_LOCAL : WS_END_CLOSE, code, why);
	ws->state = WS_CLOSING;
	loop_timer(&ws->deadline, WS_CLOSE_MS);
}

static void
message_cb(wslay_event_context_ptr ctx,
    const struct wslay_event_on_msg_recv_arg *msg, void *arg)
{
	struct ws *ws = arg;

	if (ws->state == WS_DEAD || ws->ended)
		return;
	switch (msg->opcode) {
	case WSLAY_TEXT_FRAME:
		ws->fragments = 0;
		if (ws->state == WS_OPEN)
			ws->cb->text(ws,
			    msg->msg_length > 0 ? (const char *)msg->msg : "",
			    msg->msg_length, ws->arg);
		break;
	case WSLAY_CONNECTION_CLOSE:
		close_received(ws, msg);
		break;
	case WSLAY_PING:
		if (wslay_event_get_queued_msg_count(ctx) > WS_REPLIES_MAX)
			ws_fail(ws, WS_END_PROTOCOL, 1008,
			    "too many pings to answer");
		break;
	case WSLAY_PONG: /* nobody asked */
		break;
	default:
		refuse(ws, WSLAY_CODE_UNSUPPORTED_DATA);
		break;
	}
}

int
ws_wslay_init(struct ws *ws)
{
	static const struct wslay_event_callbacks cb = {
	    recv_cb, send_cb, mask_cb, frame_cb, NULL, NULL, message_cb};

	if (wslay_event_context_client_init(&ws->ctx, &cb, ws) != 0)
		return -1;
	wslay_event_config_set_max_recv_msg_length(ws->ctx, ws->max);
	return 0;
}

static const char *
refused_words(int code)
{
	switch (code) {
	case WSLAY_CODE_UNSUPPORTED_DATA:
		return "the server sent a binary message";
	case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA:
		return "the server sent text that is not UTF-8";
	case WSLAY_CODE_POLICY_VIOLATION:
		return "the server cut a message into too many pieces";
	case WSLAY_CODE_MESSAGE_TOO_BIG:
		return "the server sent a message over the limit";
	default:
		return "the server broke the protocol";
	}
}

static int
output_left(const struct ws *ws)
{
	return ws->out_len > 0 || wslay_event_want_write(ws->ctx);
}

static void
output(struct ws *ws)
{
	int i;

	for (i = 0; i < WS_OUT_TURNS && output_left(ws); i++) {
		if (wslay_event_want_write(ws->ctx) &&
		    wslay_event_send(ws->ctx) != 0) {
			ws_fail(ws, WS_END_NETWORK, 0, "out of memory");
			return;
		}
		if (ws_flush(ws) == -1 || ws->out_len > 0)
			return;
	}
	if (output_left(ws))
		ws->more = 1;
}

/* wslay has stopped reading by itself, or we made it. */
static void
check_refused(struct ws *ws)
{
	int code;

	if (ws->ended || wslay_event_get_read_enabled(ws->ctx) ||
	    wslay_event_get_close_received(ws->ctx))
		return;
	if (ws->state == WS_OPEN) {
		ws->state = WS_CLOSING;
		loop_timer(&ws->deadline, WS_CLOSE_MS);
	}
	if (output_left(ws))
		return;
	code = wslay_event_get_status_code_sent(ws->ctx);
	ws_fail(ws, WS_END_PROTOCOL, code, refused_words(code));
}

static int
is_hard(const struct ws *ws)
{
	return ws->ended && (ws->end == WS_END_FIN || ws->end == WS_END_RST ||
				ws->end == WS_END_NETWORK);
}

void
ws_turn(struct ws *ws, int readable)
{
	int rc = 0;

	ws->busy = 1;
	ws->in_left = WS_IN_TURN;
	if (readable && !ws->paused && wslay_event_want_read(ws->ctx))
		rc = wslay_event_recv(ws->ctx);
	if (rc != 0)
		ws_fail(ws, WS_END_NETWORK, 0, rc == WSLAY_ERR_NOMEM ?
		    "out of memory" : "the server broke the protocol");
	if (ws->state != WS_DEAD && !is_hard(ws))
		output(ws);
	if (ws->state != WS_DEAD)
		check_refused(ws);
	if (is_hard(ws)) {
		/* Nothing that is left can be written. */
		ws->out_len = 0;
		if (ws->local)
			ws->end = WS_END_LOCAL;
	}
	if (ws->waiting_out && ws->state == WS_OPEN && !ws->ended &&
	    !output_left(ws)) {
		ws->waiting_out = 0;
		if (ws->cb->drained != NULL)
			ws->cb->drained(ws, ws->arg);
	}
	ws->busy = 0;
	/* What the last callback queued. */
	if (ws->state == WS_OPEN && !ws->ended && ws->out_len == 0 &&
	    output_left(ws))
		ws->more = 1;
}

void
ws_watch(struct ws *ws)
{
	int in = !ws->paused && !ws->ended;

	if (ws->sock == -1)
		return;
	if (ws->ctx != NULL && !wslay_event_want_read(ws->ctx))
		in = 0;
	if (!in)
		event_del(&ws->rd);
	else if (!event_pending(&ws->rd, EV_READ, NULL))
		event_add(&ws->rd, NULL);
	if (ws->out_len > 0)
		event_add(&ws->wr, NULL);
}
