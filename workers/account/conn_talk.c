#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>

#include "common/add.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/command/slash.h"
#include "workers/account/conn.h"
#include "workers/account/conn_int.h"
#include "workers/account/decode.h"
#include "workers/account/echo.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/intake.h"
#include "workers/account/outbox.h"
#include "workers/net/ws.h"

#define PING_MS 30000         /* idle proxies cut after 60 s */
#define PONG_MS 10000
#define HELLO_MS 10000        /* Mattermost closes a bad one after 5 s */

void
talk_stop(struct conn *c)
{
	event_del(c->ping_timer);
	c->ping_seq = 0;
}

static int
action_send(struct account *a, const char *action, struct json_object *data)
{
	struct conn *c = a->conn;
	struct json_object *msg = json_object_new_object();
	const char *text;
	size_t len;
	int rc;

	add_int(msg, "seq", ++c->seq_out);
	add_str(msg, "action", action);
	if (data != NULL)
		add_obj(msg, "data", data);
	text = json_object_to_json_string_length(
	    msg, JSON_C_TO_STRING_PLAIN, &len);
	rc = ws_send_text(c->ws, text, len);
	json_object_put(msg);
	return rc;
}

static void
ping_send(struct account *a)
{
	struct conn *c = a->conn;

	if (action_send(a, "ping", NULL) == -1) {
		conn_drop(a, "the websocket takes no data");
		return;
	}
	c->ping_seq = c->seq_out;
	loop_timer(c->ping_timer, PONG_MS);
}

void
talk_timer(int fd, short what, void *arg)
{
	struct account *a = arg;

	if (a->conn->ping_seq != 0)
		conn_drop(a, "no answer to ping: the connection is dead");
	else
		ping_send(a);
}

static void
live(struct account *a, int resumed)
{
	struct conn *c = a->conn;
	struct channel *ch;

	c->live_at = monotime_now();
	c->error[0] = '\0';
	event_del(c->timer);
	conn_state(a, CONN_LIVE);
	log_event(LOG_INFO, "account.connected", "account", a->id, "bot",
	    a->bot_name, "resumed", resumed ? "yes" : "no", NULL);
	if (c->ping_seq == 0)
		loop_timer(c->ping_timer, PING_MS);
	outbox_kick(a);
	a->n_resumes += resumed;
	if (!resumed)
		slash_sync(a);
	/* A fill that was cut off has left its hole behind. */
	if (!resumed || !gapfill_complete(a)) {
		a->n_fills++;
		gapfill_start(a);
		return;
	}
	for (ch = channel_first(a); ch != NULL; ch = channel_next(ch))
		channel_opened(a, ch);
}

static void
on_hello(struct account *a, const struct event *ev)
{
	struct conn *c = a->conn;

	if (c->state == CONN_LIVE) {
		/* A failed resume says hello twice, then all comes twice. */
		c->doubtful = 1;
		return;
	}
	/*
	 * Refused resume: the server's record of the old connection may
	 * haunt this one, so it will not be resumed in turn.
	 */
	c->doubtful = c->resuming;
	ID_COPY(c->connection_id, ev->connection_id);
	c->next_seq = ev->seq + 1;
	live(a, 0);
}

static void
on_reply(struct account *a, const struct event *ev)
{
	struct conn *c = a->conn;

	if (ev->seq_reply != c->ping_seq || c->ping_seq == 0)
		return;
	/* Its text can contain the token: never shown. */
	if (!ev->ok) {
		conn_drop(a, "the server does not know the connection's user "
			     "any more");
		return;
	}
	c->ping_seq = 0;
	if (c->state == CONN_HELLO && c->resuming)
		live(a, 1); /* hello would have come first */
	else
		loop_timer(c->ping_timer, PING_MS);
}

/* 1: go on with this event. */
static int
sequence(struct account *a, const struct event *ev)
{
	struct conn *c = a->conn;

	if (ev->seq < 0)
		return 1;
	if (c->state == CONN_HELLO) {
		if (!c->resuming || ev->seq != c->next_seq) {
			conn_drop(a, "events before hello");
			return 0;
		}
		live(a, 1);
	}
	if (ev->seq > c->next_seq) {
		log_event(LOG_WARNING, "account.gap", "account", a->id,
		    "expected", LOG_NUM(c->next_seq), "got", LOG_NUM(ev->seq),
		    NULL);
		c->doubtful = 1;
		(void)marks_close(a);
		gapfill_start(a);
	}
	if (ev->seq >= c->next_seq)
		c->next_seq = ev->seq + 1;
	return 1;
}

void
talk_text(struct ws *ws, const char *msg, size_t len, void *arg)
{
	struct account *a = arg;
	struct event ev;

	if (!echo_read(msg, len, a->id, a->bot_id, &ev) ||
	    !channel_is_known(a, ev.channel_id)) {
		event_clear(&ev);
		decode_message(msg, len, a->id, &ev);
	}
	switch (ev.type) {
	case EVENT_HELLO:
		on_hello(a, &ev);
		break;
	case EVENT_REPLY:
		on_reply(a, &ev);
		break;
	default:
		if (ev.type == EVENT_BAD && ev.seq < 0) {
			event_clear(&ev);
			conn_drop(a, "the server sent something that is no "
				     "event");
			return;
		}
		if (sequence(a, &ev))
			intake_event(a, &ev);
		break;
	}
	event_clear(&ev);
	if (a->conn->ws != NULL)
		conn_throttle(a);
}

void
talk_open(struct ws *ws, void *arg)
{
	struct account *a = arg;

	conn_state(a, CONN_HELLO);
	loop_timer(a->conn->timer, HELLO_MS);
	/* A resumed connection may have nothing to say: make it speak. */
	if (a->conn->resuming)
		ping_send(a);
}

int
conn_typing(struct account *a, const char *channel, const char *root)
{
	struct json_object *data;

	if (a->conn->state != CONN_LIVE)
		return -1;
	data = json_object_new_object();
	add_str(data, "channel_id", channel);
	add_str(data, "parent_id", root);
	return action_send(a, "user_typing", data);
}
