#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/conn.h"
#include "workers/account/conn_int.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/intake.h"
#include "workers/account/lanes.h"
#include "workers/account/names.h"
#include "workers/account/storelink.h"
#include "workers/net/ws.h"
#include "workers/worker.h"

#define BACKOFF_MS 2000       /* OpenClaw's */
#define BACKOFF_MAX_MS 60000
#define PARK_MS 300000        /* a refused token: do not lock the bot out */
#define PARK_KNOWN_MS 25000   /* one that worked: the bot may come back */
#define SHORT_MS 5000         /* a session this short is a failure */
#define AGAIN_MS 200          /* first try after a session that worked */

static const char *const state_names[] = {"starting", "connecting",
    "connecting", "connecting", "connected", "backoff", "parked", "stopping"};

static void identify(struct account *);
static void ws_start(struct account *);

void
conn_state(struct account *a, enum conn_state state)
{
	struct conn *c = a->conn;

	c->state = state;
	c->since = walltime_ms();
	worker_report(a->worker, state_names[state],
	    c->error[0] != '\0' ? c->error : NULL,
	    a->bot_name[0] != '\0' ? a->bot_name : NULL);
}

static void
error_set(struct account *a, const char *why)
{
	strlcpy(a->conn->error, why, sizeof(a->conn->error));
}

static void
backoff(struct account *a)
{
	struct conn *c = a->conn;
	int64_t ms = loop_backoff(c->failures++, BACKOFF_MS, BACKOFF_MAX_MS);

	if (ms < c->at_least)
		ms = c->at_least < BACKOFF_MAX_MS ? c->at_least : BACKOFF_MAX_MS;
	c->at_least = 0;
	log_event(LOG_WARNING, "account.backoff", "account", a->id, "ms",
	    LOG_NUM(ms), "error", c->error, NULL);
	conn_state(a, CONN_BACKOFF);
	loop_timer(c->timer, ms);
}

static void
park(struct account *a, const char *why)
{
	error_set(a, why);
	log_event(LOG_ERR, "account.parked", "account", a->id, "error", why,
	    NULL);
	a->conn->resumable = 0;
	conn_state(a, CONN_PARKED);
	loop_timer(a->conn->timer,
	    loop_jitter(a->bot_id[0] != '\0' ? PARK_KNOWN_MS : PARK_MS));
}

/* Identify: is the token good, and who are we? */

static void
named(struct account *a, const char *failed)
{
	if (failed == NULL) {
		lanes_run(a);
		ws_start(a);
		return;
	}
	error_set(a, failed);
	backoff(a);
}

static void
identified(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	const char *id = api_str(body, "id");
	char buf[256];

	a->conn->ident = NULL;
	clock_learn(a, r);
	if (api_ok(r, body, 200) && mm_id_valid(id)) {
		ID_COPY(a->bot_id, id);
		strlcpy(a->bot_name, api_str(body, "username"),
		    sizeof(a->bot_name));
		a->bot_update_at = api_int(body, "update_at");
		intake_identity(a);
		names_start(a, named);
		return;
	}
	if (r->ending == NET_ANSWERED && r->status == 401) {
		park(a, "the server refuses the bot token (401)");
		return;
	}
	if (r->ending == NET_ANSWERED && r->status == 200)
		error_set(a, "no Mattermost server answers at baseUrl");
	else
		error_set(a, api_error(r, body, buf, sizeof(buf)));
	backoff(a);
}

static void
identify(struct account *a)
{
	conn_state(a, CONN_IDENTIFY);
	a->conn->ident = api_get(a, "/users/me", identified, NULL);
}

/* The websocket */

static void
ws_gone(struct account *a)
{
	struct conn *c = a->conn;

	if (c->state == CONN_LIVE)
		a->close_code = WS_CODE_ABNORMAL;
	c->ws = NULL;
	talk_stop(c);
	event_del(c->timer);
	gapfill_stop(a);
	if (marks_close(a))
		gapfill_doubt(a);
}

/* Decide what comes after an end of the websocket. */
static void
ws_next(struct account *a, int was_live)
{
	struct conn *c = a->conn;

	if (c->state == CONN_STOPPED)
		return;
	if (!was_live || monotime_since(c->live_at) < SHORT_MS) {
		backoff(a);
		return;
	}
	c->failures = 0;
	conn_state(a, CONN_BACKOFF);
	loop_timer(c->timer, arc4random_uniform(AGAIN_MS));
}

/* By the server itself, and not for now only. */
static int
upgrade_refused(enum ws_end end, int status)
{
	return end == WS_END_UPGRADE && status >= 400 && status != 408 &&
	    status != 429 && (status <= 500 || status > 504);
}

static void
on_closed(struct ws *ws, enum ws_end end, int code, const char *why, void *arg)
{
	struct account *a = arg;
	struct conn *c = a->conn;
	int was_live = c->state == CONN_LIVE;

	c->at_least = ws_retry_after_ms(c->ws);
	ws_gone(a);
	if (was_live && end == WS_END_CLOSE)
		a->close_code = code;
	if (was_live || !c->resuming)
		c->resumable = was_live && ws_end_noticed(end) &&
		    !c->doubtful && c->connection_id[0] != '\0';
	else if (c->state == CONN_HELLO || upgrade_refused(end, code))
		c->resumable = 0; /* the server would not have it */
	if (c->state == CONN_HELLO && end == WS_END_FIN)
		why = "closed before hello (is the token still good?)";
	snprintf(c->error, sizeof(c->error), "websocket: %s", why);
	log_event(LOG_WARNING, "account.disconnected", "account", a->id, "end",
	    ws_end_name(end), "code", LOG_NUM(code), "error", why, "resume",
	    c->resumable ? "yes" : "no", NULL);
	ws_next(a, was_live);
}

void
conn_drop(struct account *a, const char *why)
{
	struct conn *c = a->conn;
	int was_live = c->state == CONN_LIVE;

	/* Nor of one that has ended before: something of it is missing. */
	c->resumable = 0;
	if (c->ws == NULL)
		return;
	ws_abort(c->ws);
	ws_gone(a);
	error_set(a, why);
	log_event(LOG_WARNING, "account.dropped", "account", a->id, "error",
	    why, NULL);
	if (was_live)
		c->failures = 0;
	backoff(a);
}

void
conn_unauthorised(struct account *a)
{
	struct conn *c = a->conn;

	if (c->state == CONN_PARKED || c->state == CONN_STOPPED ||
	    c->state == CONN_IDENTIFY)
		return;
	if (c->ws != NULL) {
		ws_abort(c->ws);
		ws_gone(a);
	}
	c->resumable = 0;
	event_del(c->timer);
	identify(a); /* which parks when it is so */
}

static const struct ws_callbacks callbacks = {
    .open = talk_open,
    .text = talk_text,
    .closed = on_closed,
};

static void
ws_start(struct account *a)
{
	struct conn *c = a->conn;
	struct ws_opts o = {.cb = &callbacks, .arg = a};
	char path[160];

	c->resuming = c->resumable;
	c->doubtful = 0;
	if (c->resuming)
		snprintf(path, sizeof(path),
		    "/api/v4/websocket?connection_id=%s&sequence_number=%lld",
		    c->connection_id, (long long)c->next_seq);
	else
		snprintf(path, sizeof(path), "/api/v4/websocket");
	o.path = path;
	conn_state(a, CONN_DIALING);
	if ((c->ws = ws_connect(a->ep, &o)) == NULL) {
		error_set(a, "websocket: not usable");
		backoff(a);
	}
}

static void
on_timer(int fd, short what, void *arg)
{
	struct account *a = arg;
	struct conn *c = a->conn;

	switch (c->state) {
	case CONN_BACKOFF:
		if (c->resumable)
			ws_start(a);
		else
			identify(a);
		break;
	case CONN_PARKED:
		identify(a);
		break;
	case CONN_HELLO:
		conn_drop(a, "no hello");
		break;
	default:
		break;
	}
}

struct conn *
conn_new(struct account *a)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	c->timer = evtimer_new(a->base, on_timer, a);
	c->ping_timer = evtimer_new(a->base, talk_timer, a);
	if (c->timer == NULL || c->ping_timer == NULL)
		fatalx("evtimer_new");
	c->since = walltime_ms();
	return c;
}

void
conn_wake(struct account *a)
{
	if (a->conn->state != CONN_IDLE || a->stopping)
		return;
	if (a->problem != NULL) {
		/* Until the configuration changes, which restarts us. */
		park(a, a->problem);
		event_del(a->conn->timer);
	} else if (storelink_ready(a))
		identify(a);
}

void
conn_stop(struct account *a)
{
	struct conn *c = a->conn;

	if (c->ident != NULL)
		net_request_cancel(c->ident);
	c->ident = NULL;
	names_stop(a);
	if (c->ws != NULL)
		ws_abort(c->ws);
	ws_gone(a);
	conn_state(a, CONN_STOPPED);
}

void
conn_throttle(struct account *a)
{
	int full = storelink_full(a);

	if (a->conn->ws != NULL)
		ws_pause(a->conn->ws, full);
	if (!full)
		gapfill_kick(a);
}

int
conn_live(const struct account *a)
{
	return a->conn->state == CONN_LIVE;
}

const char *
conn_state_name(const struct account *a)
{
	return state_names[a->conn->state];
}

const char *
conn_last_error(const struct account *a)
{
	return a->conn->error;
}

int64_t
conn_since(const struct account *a)
{
	return a->conn->since;
}
