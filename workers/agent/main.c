#include "config.h"

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
#include "common/secret.h"
#include "workers/agent/agent.h"
#include "workers/agent/history.h"
#include "workers/net/net.h"
#include "workers/worker.h"

#define IDLE_MS 500  /* without a turn: memory goes back */
#define STOP_MS 4000 /* for running turns; the supervisor gives 5 s */
#define FLUSH_MS 200

static void
on_idle(int fd, short ev, void *arg)
{
	struct agent *a = arg;

	if (a->nturns == 0)
		heap_trim();
}

static void
agent_exit(struct agent *a)
{
	struct link *l;

	turns_abort(a, NULL, "server", "the agent is stopping");
	TAILQ_FOREACH(l, &a->links, entry)
		if (l->chan != NULL)
			chan_flush(l->chan, FLUSH_MS);
	worker_exit(a->worker);
}

static void
on_stop(int fd, short ev, void *arg)
{
	agent_exit(arg);
}

void
agent_idle(struct agent *a)
{
	if (evtimer_pending(a->stop, NULL)) {
		event_del(a->stop);
		event_active(a->stop, EV_TIMEOUT, 0);
		return;
	}
	loop_timer(a->idle, IDLE_MS);
}

void
agent_health(struct agent *a, const char *state, const char *reason)
{
	if (a->health != NULL && strcmp(a->health, state) == 0)
		return;
	a->health = state;
	worker_report(a->worker, state, reason, a->model_name);
}

static void
agent_prepare(struct worker *w)
{
	static struct agent agent; /* one in a process, to its end */
	struct agent *a = &agent;

	a->worker = w;
	a->base = worker_base(w);
	a->id = worker_name(w);
	a->net = net_new(a->base);
	a->idle = evtimer_new(a->base, on_idle, a);
	a->stop = evtimer_new(a->base, on_stop, a);
	if (a->idle == NULL || a->stop == NULL)
		fatalx("evtimer_new");
	TAILQ_INIT(&a->links);
	TAILQ_INIT(&a->turns);
	TAILQ_INIT(&a->loads);
	worker_set_state(w, a);
}

static void
agent_init(struct worker *w, struct json_object *config)
{
	struct agent *a = worker_state(w);
	struct json_object *model;
	const char *runtime;
	struct fields f;

	a->config = json_object_get(config);
	fields_open(&f, config);
	a->id = fields_str(&f, "agent", 128);
	a->name = fields_str(&f, "name", 256);
	runtime = fields_str(&f, "runtime", 16);
	model = fields_opt_obj(&f, "model");
	a->prompt.prompt = fields_opt_str(&f, "prompt", 256 * 1024);
	a->deadline_ms = fields_opt_int(
	    &f, "deadlineMs", 1000, 24 * 60 * 60 * 1000, AGENT_DEADLINE_MS);
	if (fields_ok(&f) == -1)
		fatalx("init: %s", fields_error(&f));
	a->prompt.agent = a->name[0] == '\0' ? a->id : a->name;
	if (strcmp(runtime, "echo") == 0)
		a->runtime = &echo_runtime;
	else if (strcmp(runtime, "model") == 0 && model != NULL) {
		a->runtime = &model_runtime;
		model_init(a, model);
	} else
		fatalx("init: no runtime \"%s\"", runtime);
}

static void
agent_secret(struct worker *w, const char *name, const char *value)
{
	struct agent *a = worker_state(w);
	struct secret **slot;

	if (strcmp(name, "apiKey") == 0)
		slot = &a->key;
	else if (strcmp(name, "proxy") == 0)
		slot = &a->proxy_auth;
	else
		fatalx("a secret of no use here");
	secret_free(*slot);
	*slot = secret_new(value, strlen(value));
}

static void
agent_fd(struct worker *w, const char *name, int fd)
{
	struct agent *a = worker_state(w);

	if (strcmp(name, "ca") != 0)
		fatalx("a descriptor of no use here");
	if (net_set_ca(a->net, fd) == -1)
		log_warnx("the certificates cannot be used");
}

static struct link *
link_find(struct agent *a, const char *peer)
{
	struct link *l;

	TAILQ_FOREACH(l, &a->links, entry)
		if (strcmp(l->peer, peer) == 0)
			return l;
	return NULL;
}

/* The account is gone or has broken a promise: so are its turns. */
static void
link_end(struct link *l, const char *why)
{
	struct chan *c = l->chan;

	l->chan = NULL;
	turns_abort(l->agent, l, "cancelled", why);
	chan_free(c);
}

static void
on_turn_closed(struct chan *c, const char *why, void *arg)
{
	struct link *l = arg;

	log_event(LOG_NOTICE, "agent.account.gone", "agent", l->agent->id,
	    "account", l->peer, "why", why, NULL);
	worker_broken(l->agent->worker, "turn", l->peer, why);
	link_end(l, why);
}

static void
on_drain(struct chan *c, void *arg)
{
	turns_drained(arg);
}

static void
link_turn(struct agent *a, const char *peer, int fd)
{
	struct link *l = link_find(a, peer);

	if (l == NULL) {
		if ((l = calloc(1, sizeof(*l))) == NULL ||
		    (l->peer = strdup(peer)) == NULL)
			fatal("calloc");
		l->agent = a;
		TAILQ_INSERT_TAIL(&a->links, l, entry);
	}
	link_end(l, "replaced");
	l->chan = chan_new(a->base, fd, PROTO_TURN, SIDE_A, turn_handlers,
	    on_turn_closed, l);
	chan_set_drain(l->chan, on_drain);
}

static void
add_count(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static void
on_status(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct agent *a = arg;
	struct json_object *out = chan_reply_msg("data", msg);

	add_str(out, "agent", a->id);
	add_str(out, "runtime", a->runtime->name);
	add_obj(out, "model",
	    a->model_name == NULL ? NULL
				  : json_object_new_string(a->model_name));
	add_str(out, "health", a->health == NULL ? "" : a->health);
	add_count(out, "turns", a->nturns);
	add_count(out, "queued", model_queued(a));
	add_count(out, "started", a->counts.started);
	add_count(out, "finals", a->counts.finals);
	add_count(out, "errors", a->counts.errors);
	add_count(out, "cancelled", a->counts.cancelled);
	chan_send(c, out, -1);
}

static const struct chan_handler control_handlers[] = {
    {"status", on_status},
    {NULL, NULL},
};

static void
control_drop(struct agent *a)
{
	struct chan *c = a->control;

	a->control = NULL;
	chan_free(c);
}

static void
on_control_closed(struct chan *c, const char *why, void *arg)
{
	control_drop(arg);
}

static void
agent_link(struct worker *w, const char *kind, const char *peer,
    struct json_object *opts, int fd)
{
	struct agent *a = worker_state(w);

	if (strcmp(kind, "dial") == 0)
		net_set_dialer(a->net, fd);
	else if (strcmp(kind, "store") == 0)
		history_link(a, fd);
	else if (strcmp(kind, "turn") == 0)
		link_turn(a, peer, fd);
	else if (strcmp(kind, "control") == 0) {
		control_drop(a);
		a->control = chan_new(a->base, fd, PROTO_CONTROL_AGENT,
		    SIDE_A, control_handlers, on_control_closed, a);
	} else
		fatalx("a link of no use here");
}

/* Only accounts go for good; the others come back by a new link. */
static void
agent_unlink(struct worker *w, const char *kind, const char *peer)
{
	struct agent *a = worker_state(w);
	struct link *l;

	if (strcmp(kind, "turn") != 0 || (l = link_find(a, peer)) == NULL)
		return;
	link_end(l, "the account was removed");
	TAILQ_REMOVE(&a->links, l, entry);
	free(l->peer);
	free(l);
}

static void
agent_start(struct worker *w)
{
	struct agent *a = worker_state(w);

	if (a->runtime == NULL)
		fatalx("start without init");
	if (a->model != NULL)
		model_start(a);
	worker_ready(w);
	agent_health(a, "connected", NULL);
	heap_trim();
}

static void
agent_stop(struct worker *w)
{
	struct agent *a = worker_state(w);

	if (a->nturns == 0)
		agent_exit(a);
	else
		loop_timer(a->stop, STOP_MS);
}

static const struct worker_role role = {
    .title = "agent",
    .sandbox = SANDBOX_AGENT,
    .prepare = agent_prepare,
    .init = agent_init,
    .secret = agent_secret,
    .fd = agent_fd,
    .link = agent_link,
    .unlink = agent_unlink,
    .start = agent_start,
    .stop = agent_stop,
};

int
main(int argc, char *argv[])
{
	return worker_main(argc, argv, &role);
}
