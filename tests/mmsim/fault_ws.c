#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/fault_ws.h"
#include "tests/mmsim/ws.h"

#define RAW_MAX (64 << 20)

static struct {
	int twice;
	int reorder;
	int resume_bug;
	char *username; /* NULL: everyone */
} ws;

static int
concerns(const struct user *u)
{
	return ws.username == NULL || !strcmp(ws.username, u->username);
}

int
fault_ws_double(const struct user *u)
{
	return ws.twice && concerns(u);
}

int
fault_ws_reorder(const struct user *u)
{
	return ws.reorder && concerns(u) ? ws.reorder : 0;
}

int
fault_ws_resume_bug(void)
{
	return ws.resume_bug;
}

/* Sends bytes as they are, framing included. */
static const char *
raw_hex(struct wsconn *c, const char *hex)
{
	struct buf b = {0};
	unsigned v;
	char pair[3] = "";

	for (; hex[0] && hex[1]; hex += 2) {
		memcpy(pair, hex, 2);
		v = (unsigned)strtoul(pair, NULL, 16);
		buf_add(&b, &(unsigned char){(unsigned char)v}, 1);
	}
	if (b.len > 0)
		ws_raw(c, b.p, b.len);
	buf_free(&b);
	return *hex ? "hex: odd length" : NULL;
}

static void
raw_big(struct wsconn *c, size_t n)
{
	unsigned char h[10];
	struct buf b = {0};
	char *fill;

	buf_str(&b, "{\"event\":\"posted\",\"data\":{\"post\":\"");
	fill = xmalloc(n);
	memset(fill, 'a', n);
	buf_add(&b, fill, n);
	free(fill);
	buf_str(&b, "\"},\"seq\":1}");
	ws_raw(c, h, ws_frame_head(h, WS_OP_TEXT, b.len));
	ws_raw(c, b.p, b.len);
	buf_free(&b);
}

static void
raw_deep(struct wsconn *c, size_t n)
{
	struct buf b = {0};
	size_t i;

	buf_str(&b, "{\"event\":\"posted\",\"data\":");
	for (i = 0; i < n; i++)
		buf_str(&b, "[");
	for (i = 0; i < n; i++)
		buf_str(&b, "]");
	buf_str(&b, ",\"seq\":1}");
	ws_text(c, b.p, b.len);
	buf_free(&b);
}

static const char *
raw(struct wsconn *c, struct json_object *o)
{
	static const char bad[] =
	    "{\"event\":\"posted\",\"data\":{\"post\":\"\xff\xfe\xc3\"}}";
	int big = fault_num(o, "big", 0), deep = fault_num(o, "deep", 0);

	if (*jstr(o, "hex"))
		return raw_hex(c, jstr(o, "hex"));
	if (*jstr(o, "text"))
		ws_text(c, jstr(o, "text"), strlen(jstr(o, "text")));
	else if (big > 0 && big <= RAW_MAX)
		raw_big(c, (size_t)big);
	else if (deep > 0 && deep <= RAW_MAX)
		raw_deep(c, (size_t)deep);
	else if (fault_num(o, "badutf8", 0))
		ws_text(c, bad, sizeof(bad) - 1);
	else
		return "ws_raw: hex, text, big, deep or badutf8";
	return NULL;
}

static void
stall(struct wsconn *c)
{
	c->stalled = 1;
	event_del(c->pong_timer);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
}

static const char *
apply(struct wsconn *c, const char *kind, struct json_object *o)
{
	if (!strcmp(kind, "ws_close"))
		ws_close(c, 0);
	else if (!strcmp(kind, "ws_reset"))
		ws_close(c, 1);
	else if (!strcmp(kind, "ws_close_frame"))
		ws_close_frame(c, fault_num(o, "code", 1001),
		    jstr(o, "reason"));
	else if (!strcmp(kind, "ws_stall"))
		stall(c);
	else if (!strcmp(kind, "ws_drop"))
		c->drop += fault_num(o, "n", 1);
	else if (!strcmp(kind, "ws_raw"))
		return raw(c, o);
	else if (!strcmp(kind, "ws_deaf") && c->rec != NULL)
		rec_make_deaf(c->rec);
	return NULL;
}

/* Modes that stay on; 0: kind is not one of them. */
static int
mode(const char *kind, struct json_object *o)
{
	int on = fault_num(o, "on", 1);

	if (!strcmp(kind, "ws_double"))
		ws.twice = on;
	else if (!strcmp(kind, "ws_reorder"))
		ws.reorder = !on ? 0
		    : !strcmp(jstr(o, "seq"), "wire") ? FAULT_REORDER_SEQ
						      : FAULT_REORDER_TEXT;
	else if (!strcmp(kind, "ws_resume_bug"))
		ws.resume_bug = on;
	else
		return 0;
	free(ws.username);
	ws.username = *jstr(o, "user") ? xstrdup(jstr(o, "user")) : NULL;
	return 1;
}

const char *
fault_ws_set(const char *kind, struct json_object *o)
{
	static const char *const kinds[] = {"ws_close", "ws_reset",
	    "ws_close_frame", "ws_stall", "ws_deaf", "ws_drop", "ws_raw"};
	const char *user = jstr(o, "user"), *why = NULL;
	struct wsconn *c, *next;
	size_t i;

	if (mode(kind, o))
		return NULL;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i], kind))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return "unknown kind";
	for (c = ws_first(); c != NULL && why == NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (c->closing || (*user && (c->rec == NULL ||
			strcmp(c->rec->user->username, user) != 0)))
			continue;
		why = apply(c, kind, o);
	}
	return why;
}

void
fault_ws_clear(void)
{
	struct wsconn *c;

	free(ws.username);
	memset(&ws, 0, sizeof(ws));
	for (c = ws_first(); c != NULL; c = LIST_NEXT(c, link)) {
		c->drop = 0;
		if (c->stalled) { /* the network comes back and resets it */
			c->stalled = 0;
			ws_close(c, 1);
		}
	}
}
