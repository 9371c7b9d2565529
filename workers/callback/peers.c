#include "config.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto.h"
#include "workers/callback/callback.h"
#include "workers/callback/gate.h"
#include "workers/callback/tls.h"
#include "workers/worker.h"

/* The links to accounts and to the control worker. */

struct call {
	struct conn *conn;
	struct callback *cb;
	struct peer *peer;
	enum route_kind route;
	struct json_object *msg; /* until it is sent */
	struct event *timer;	 /* while the account is on its way back */
	struct monotime since;
	const char *type;
	const struct fixed *(*otherwise)(int status);
};

struct peer *
peers_find(const struct callback *cb, const char *id)
{
	struct peer *p;

	TAILQ_FOREACH(p, &cb->peers, entry)
		if (id != NULL && strcmp(p->id, id) == 0)
			return p;
	return NULL;
}

static void
unsettle(struct peer *p)
{
	if (p->settling)
		return;
	p->settling = 1;
	p->since = monotime_now();
}

struct peer *
peers_add(struct callback *cb, const char *id)
{
	struct peer *p;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->id = strdup(id)) == NULL)
		fatal("calloc");
	unsettle(p);
	p->cb = cb;
	TAILQ_INSERT_TAIL(&cb->peers, p, entry);
	return p;
}

static void
commands_free(struct peer *p)
{
	size_t i;

	for (i = 0; i < p->ncmds; i++) {
		free(p->cmds[i].team);
		free(p->cmds[i].id);
		free(p->cmds[i].trigger);
	}
	if (p->cmds != NULL)
		freezero(p->cmds, p->ncmds * sizeof(*p->cmds));
	p->cmds = NULL;
	p->ncmds = 0;
}

/* What was told goes with the link it was told over. */
static void
forget(struct peer *p)
{
	struct chan *c = p->chan;

	explicit_bzero(p->key, sizeof(p->key));
	commands_free(p);
	p->gen = 0;
	p->leaving = 0;
	p->chan = NULL;
	chan_free(c);
}

static void
wipe(const char *s)
{
	explicit_bzero((char *)(uintptr_t)s, strlen(s));
}

static void
on_secret(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct peer *p = arg;
	struct fields f;
	const char *key;

	fields_open(&f, msg);
	key = fields_str(&f, "key", sizeof(p->key) - 1);
	if (fields_end(&f) == -1 || strlen(key) != sizeof(p->key) - 1) {
		chan_violation(c, "cb.secret");
		return;
	}
	strlcpy(p->key, key, sizeof(p->key));
	wipe(key);
}

static int
command_read(struct json_object *o, struct command *cmd)
{
	const char *team, *id, *trigger, *token;
	struct fields f;

	fields_open(&f, o);
	team = fields_str(&f, "team", 64);
	id = fields_str(&f, "id", 64);
	trigger = fields_str(&f, "trigger", 128);
	token = fields_str(&f, "token", 256);
	if (fields_end(&f) == -1)
		return -1;
	proof_make(&cmd->token, token, strlen(token));
	wipe(token);
	if ((cmd->team = strdup(team)) == NULL ||
	    (cmd->id = strdup(id)) == NULL ||
	    (cmd->trigger = strdup(trigger)) == NULL)
		fatal("strdup");
	return 0;
}

static void
on_commands(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct peer *p = arg;
	struct json_object *list;
	struct fields f;
	size_t i, n;

	fields_open(&f, msg);
	p->gen = fields_int(&f, "gen", 1, INT64_MAX);
	list = fields_arr(&f, "commands", PROTO_COMMANDS);
	if (fields_end(&f) == -1) {
		chan_violation(c, "cb.commands");
		return;
	}
	commands_free(p);
	n = json_object_array_length(list);
	if ((p->cmds = calloc(n + 1, sizeof(*p->cmds))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++, p->ncmds++)
		if (command_read(json_object_array_get_idx(list, i),
			&p->cmds[i]) == -1) {
			chan_violation(c, "cb.commands");
			return;
		}
}

static void
on_bye(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct peer *p = arg;

	explicit_bzero(p->key, sizeof(p->key));
	commands_free(p);
	p->leaving = 1;
	unsettle(p);
	chan_send(c, chan_reply_msg("cb.left", msg), -1);
}

static const struct chan_handler account_handlers[] = {
    {"cb.bye", on_bye},
    {"cb.secret", on_secret},
    {"cb.commands", on_commands},
    {NULL, NULL},
};

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct peer *p = arg;

	if (strcmp(why, "hangup") != 0)
		log_event(LOG_WARNING, "callback.peer_broken", "account",
		    p->id, "why", why, NULL);
	worker_broken(p->cb->worker, "account", p->id, why);
	unsettle(p);
	forget(p);
}

void
peers_link(struct callback *cb, const char *id, int fd)
{
	struct peer *p = peers_find(cb, id);

	if (p == NULL) {
		/* Not in our configuration: it gets no callbacks. */
		close(fd);
		return;
	}
	forget(p);
	p->chan = chan_new(cb->base, fd, PROTO_CALLBACK_ACCOUNT, SIDE_A,
	    account_handlers, on_close, p);
	chan_set_secret(p->chan);
}

void
peers_unlink(struct callback *cb, const char *id)
{
	struct peer *p = peers_find(cb, id);

	if (p != NULL)
		forget(p);
}

/* Calls */

static void
answered_fixed(struct call *call, enum result r, int status)
{
	conn_answer(call->conn, r, call->otherwise(status), 0);
}

static void
answer(struct call *call, struct json_object *msg)
{
	struct json_object *body;
	enum result r;
	struct fields f;
	const char *text;
	size_t len;
	int status;

	fields_open(&f, msg);
	fields_int(&f, "id", 0, INT64_MAX);
	status = (int)fields_int(&f, "status", 200, 599);
	body = fields_opt_obj(&f, "body");
	text = fields_opt_str(&f, "text", PROTO_TEXT);
	if (fields_end(&f) == -1) {
		log_warnx("cb.reply: %s", fields_error(&f));
		answered_fixed(call, RESULT_NO_ANSWER, 503);
		return;
	}
	r = status == 200 ? RESULT_ACCEPTED : RESULT_REFUSED;
	if (body != NULL) {
		text = json_object_to_json_string_length(body,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		    &len);
		conn_answer_body(
		    call->conn, r, status, call->type, text, len);
	} else if (text != NULL)
		conn_answer_body(call->conn, r, status,
		    "text/plain; charset=utf-8", text, strlen(text));
	else if (status == 200)
		conn_answer_body(
		    call->conn, r, status, call->type, "{}", 2);
	else
		answered_fixed(call, r, status);
}

/* Has this account told all that a caller needs? */
static int
is_settled(const struct peer *p, enum route_kind route)
{
	if (p->chan == NULL || p->leaving || p->key[0] == '\0')
		return 0;
	return route != ROUTE_COMMAND || !p->commands || p->gen > 0;
}

static int
is_settling(struct peer *p, enum route_kind route)
{
	if (!p->settling)
		return 0;
	if (monotime_since(p->since) > CB_HOLD_MS ||
	    is_settled(p, ROUTE_COMMAND)) {
		p->settling = 0;
		return 0;
	}
	return !is_settled(p, route);
}

/* Its connection waits for the end of the call. */
static void
call_end(struct call *call)
{
	call->cb->waiting--;
	gate_room(call->cb->gate);
	if (call->timer != NULL)
		event_free(call->timer);
	json_object_put(call->msg);
	free(call);
}

static void
on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *call = arg;

	if (msg == NULL)
		answered_fixed(call, RESULT_NO_ANSWER, 503);
	else
		answer(call, msg);
	call_end(call);
}

static int
is_there(const struct peer *p)
{
	return p->chan != NULL && !p->leaving && !chan_full(p->chan);
}

static void
call_send(struct call *call)
{
	struct peer *p = call->peer;
	struct json_object *msg = call->msg;

	call->msg = NULL;
	if (!is_there(p))
		json_object_put(msg);
	else if (chan_request(p->chan, msg, -1, CB_ACCOUNT_MS, on_reply,
		     call) == 0)
		return;
	answered_fixed(call, RESULT_NO_ACCOUNT, 503);
	call_end(call);
}

static void
on_look(int fd, short what, void *arg)
{
	struct call *call = arg;

	if (monotime_since(call->since) <= CB_HOLD_MS &&
	    is_settling(call->peer, call->route))
		loop_timer(call->timer, CB_LOOK_MS);
	else
		call_send(call);
}

void
peers_call(struct conn *c, struct peer *p, struct json_object *msg,
    const char *type, const struct fixed *(*otherwise)(int status))
{
	struct callback *cb = conn_owner(c);
	int early = is_settling(p, conn_route(c));
	struct call *call;

	if (!early && !is_there(p)) {
		json_object_put(msg);
		conn_answer(c, RESULT_NO_ACCOUNT, otherwise(503), 0);
		return;
	}
	if ((call = calloc(1, sizeof(*call))) == NULL)
		fatal("calloc");
	call->conn = c;
	call->cb = cb;
	call->peer = p;
	call->route = conn_route(c);
	call->msg = msg;
	call->type = type;
	call->otherwise = otherwise;
	cb->waiting++;
	conn_waits(c);
	if (!early) {
		call_send(call);
		return;
	}
	call->since = monotime_now();
	if ((call->timer = evtimer_new(cb->base, on_look, call)) == NULL)
		fatalx("evtimer_new");
	loop_timer(call->timer, CB_LOOK_MS);
}

int
peers_settling(struct callback *cb, enum route_kind route, struct peer *only)
{
	struct peer *p;
	int n = 0;

	if (route != ROUTE_ACTION && route != ROUTE_COMMAND)
		return 0;
	if (only != NULL)
		return is_settling(only, route);
	TAILQ_FOREACH(p, &cb->peers, entry)
		n += is_settling(p, route);
	return n > 0;
}

/* Control */

static void
put(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static struct json_object *
accounts_status(const struct callback *cb)
{
	struct json_object *a = json_object_new_array(), *o;
	struct peer *p;

	TAILQ_FOREACH(p, &cb->peers, entry) {
		o = json_object_new_object();
		add_str(o, "account", p->id);
		add_bool(o, "linked", p->chan != NULL);
		add_bool(o, "signed", p->key[0] != '\0');
		put(o, "commands", p->ncmds);
		json_object_array_add(a, o);
	}
	return a;
}

static void
on_status(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct callback *cb = arg;
	struct json_object *o = chan_reply_msg("data", msg);

	put(o, "listening", gate_listeners(cb->gate));
	add_bool(o, "tls", cb->tls);
	put(o, "connections", gate_count(cb->gate));
	put(o, "accepted", gate_accepted(cb->gate));
	put(o, "closed", gate_closed(cb->gate));
	put(o, "requests", result_total());
	put(o, "waiting", (uint64_t)cb->waiting);
	put(o, "held", (uint64_t)cb->held);
	add_obj(o, "results", result_counts());
	add_obj(o, "statuses", result_statuses());
	add_obj(o, "accounts", accounts_status(cb));
	chan_send(c, o, -1);
}

static const struct chan_handler control_handlers[] = {
    {"status", on_status},
    {NULL, NULL},
};

static void
control_closed(struct chan *c, const char *why, void *arg)
{
	struct callback *cb = arg;

	worker_broken(cb->worker, "control", "", why);
	cb->ctl = NULL;
	chan_free(c);
}

void
peers_control(struct callback *cb, int fd)
{
	struct chan *old = cb->ctl;

	cb->ctl = chan_new(cb->base, fd, PROTO_CONTROL_CALLBACK, SIDE_A,
	    control_handlers, control_closed, cb);
	chan_free(old);
}
