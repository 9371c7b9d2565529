#include "config.h"

#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "tests/mmsim/ws.h"

struct frame {
	int fin, rsv, op, masked;
	uint64_t len;
	size_t head;
	unsigned char mask[4];
};

size_t
ws_frame_head(unsigned char h[10], int op, size_t len)
{
	int i;

	h[0] = (unsigned char)(0x80 | op);
	if (len < 126) {
		h[1] = (unsigned char)len;
		return 2;
	}
	if (len < 65536) {
		h[1] = 126;
		h[2] = (unsigned char)(len >> 8);
		h[3] = (unsigned char)len;
		return 4;
	}
	h[1] = 127;
	for (i = 0; i < 8; i++)
		h[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
	return 10;
}

/* 1 when the head is complete. */
static int
frame_parse(struct evbuffer *in, struct frame *f)
{
	unsigned char h[14];
	size_t have = (size_t)evbuffer_copyout(in, h, sizeof(h)), ext, i;

	if (have < 2)
		return 0;
	f->fin = h[0] >> 7;
	f->rsv = h[0] & 0x70;
	f->op = h[0] & 15;
	f->masked = h[1] >> 7;
	f->len = h[1] & 127;
	ext = f->len == 126 ? 2 : f->len == 127 ? 8 : 0;
	f->head = 2 + ext + (f->masked ? 4 : 0);
	if (have < f->head)
		return 0;
	if (ext > 0)
		for (f->len = 0, i = 0; i < ext; i++)
			f->len = f->len << 8 | h[2 + i];
	if (f->masked)
		memcpy(f->mask, h + 2 + ext, 4);
	return 1;
}

/* What gorilla/websocket refuses, with its words. 1: refused. */
static int
frame_refuse(struct wsconn *c, const struct frame *f)
{
	char why[64];
	int ctl = f->op >= 8;

	why[0] = '\0';
	if (f->rsv)
		snprintf(why, sizeof(why), "unexpected reserved bits 0x%x",
		    (unsigned)f->rsv);
	else if ((f->op > 2 && f->op < 8) || f->op > 10)
		snprintf(why, sizeof(why), "unknown opcode %d", f->op);
	else if (ctl && f->len > 125)
		strlcpy(why, "control frame length > 125", sizeof(why));
	else if (ctl && !f->fin)
		strlcpy(why, "control frame not final", sizeof(why));
	else if (!ctl && f->op != WS_OP_CONT && c->msg_op != 0)
		strlcpy(why, "message start before final message frame",
		    sizeof(why));
	else if (f->op == WS_OP_CONT && c->msg_op == 0)
		strlcpy(why, "continuation after final message frame",
		    sizeof(why));
	else if (!f->masked)
		strlcpy(why, "incorrect mask flag", sizeof(why));
	if (why[0] != '\0')
		ws_close_frame(c, 1002, why);
	else if (!ctl && c->msg.len + f->len > WS_CLIENT_MAX)
		ws_close_frame(c, 1009, "");
	else
		return 0;
	return 1;
}

static void
frame_control(struct wsconn *c, int op, unsigned char *p, size_t len)
{
	unsigned char h[10];
	struct timeval wait = {WS_PONG_S, 0};

	if (op == WS_OP_PING) {
		ws_raw(c, h, ws_frame_head(h, WS_OP_PONG, len));
		ws_raw(c, p, len);
	} else if (op == WS_OP_PONG) {
		evtimer_add(c->pong_timer, &wait);
	} else {
		ws_close_frame(c, len >= 2 ? p[0] << 8 | p[1] : 0, "");
	}
}

static void
frame_data(struct wsconn *c, const struct frame *f, unsigned char *p)
{
	struct buf msg;

	buf_add(&c->msg, p, (size_t)f->len);
	if (f->op != WS_OP_CONT)
		c->msg_op = f->op;
	if (!f->fin)
		return;
	msg = c->msg;
	memset(&c->msg, 0, sizeof(c->msg));
	c->msg_op = 0;
	ws_message(c, msg.p, msg.len);
	buf_free(&msg);
}

/* One frame. 0: the rest must come first, or the connection is ending. */
static int
frame_step(struct wsconn *c, struct evbuffer *in)
{
	unsigned char payload[WS_CLIENT_MAX + 1];
	struct frame f;
	size_t i;

	if (!frame_parse(in, &f) || frame_refuse(c, &f))
		return 0;
	if (evbuffer_get_length(in) < f.head + f.len)
		return 0;
	evbuffer_drain(in, f.head);
	evbuffer_remove(in, payload, (size_t)f.len);
	for (i = 0; i < f.len; i++)
		payload[i] ^= f.mask[i & 3];
	if (f.op >= 8)
		frame_control(c, f.op, payload, (size_t)f.len);
	else
		frame_data(c, &f, payload);
	return 1;
}

void
ws_frames_read(struct wsconn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	while (!c->closing && !c->stalled && frame_step(c, in))
		;
	if (c->closing)
		evbuffer_drain(in, evbuffer_get_length(in));
}
