#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/agent/agent.h"
#include "workers/agent/history.h"
#include "workers/worker.h"

#define MESSAGES_MAX 65536

struct history_load {
	TAILQ_ENTRY(history_load) entry;
	struct agent *agent;
	char *session;
	char *parent; /* or NULL */
	size_t max_bytes;
	history_fn fn;
	void *arg;
	struct event *wait; /* running while there is no link */
	int asked;
};

static void on_reply(void *, const char *, struct json_object *, int);

static void
load_free(struct history_load *l)
{
	TAILQ_REMOVE(&l->agent->loads, l, entry);
	event_free(l->wait);
	free(l->session);
	free(l->parent);
	free(l);
}

static void
load_end(struct history_load *l, struct json_object *messages, const char *why)
{
	history_fn fn = l->fn;
	void *arg = l->arg;

	load_free(l);
	fn(arg, messages, why);
}

static void
load_ask(struct history_load *l)
{
	struct json_object *msg = chan_msg("session.load");

	event_del(l->wait);
	add_str(msg, "session", l->session);
	add_int(msg, "max_bytes", (int64_t)l->max_bytes);
	if (l->parent != NULL)
		add_str(msg, "parent", l->parent);
	l->asked = 1;
	if (chan_request(l->agent->store, msg, -1, HISTORY_REPLY_MS, on_reply,
		l) == -1) {
		l->asked = 0;
		loop_timer(l->wait, 0);
	}
}

static void
load_wait(struct history_load *l)
{
	l->asked = 0;
	loop_timer(l->wait, HISTORY_WAIT_MS);
}

static void
on_wait(int fd, short ev, void *arg)
{
	load_end(arg, NULL, "no link to the store");
}

static void
on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct history_load *l = arg;
	struct json_object *messages;
	struct fields f;

	if (msg == NULL) {
		if (l->agent->store == NULL)
			load_wait(l);
		else
			load_end(l, NULL, "the store did not answer");
		return;
	}
	if (strcmp(type, "session") != 0) {
		load_end(l, NULL, "the store refused");
		return;
	}
	fields_open(&f, msg);
	messages = fields_arr(&f, "messages", MESSAGES_MAX);
	if (fields_ok(&f) == -1) {
		load_end(l, NULL, "the store's answer is broken");
		return;
	}
	load_end(l, messages, NULL);
}

struct history_load *
history_load(struct agent *a, const char *session, const char *parent,
    size_t max_bytes, history_fn fn, void *arg)
{
	struct history_load *l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->session = strdup(session)) == NULL ||
	    (l->wait = evtimer_new(a->base, on_wait, l)) == NULL)
		fatal("history_load");
	if (parent != NULL && (l->parent = strdup(parent)) == NULL)
		fatal("strdup");
	l->agent = a;
	l->max_bytes = max_bytes;
	l->fn = fn;
	l->arg = arg;
	TAILQ_INSERT_TAIL(&a->loads, l, entry);
	if (a->store != NULL)
		load_ask(l);
	else
		load_wait(l);
	return l;
}

void
history_cancel(struct history_load *l)
{
	if (l->asked && l->agent->store != NULL)
		chan_forget(l->agent->store, on_reply, l);
	load_free(l);
}

/* Each load that was asked hears of it and waits for the next link. */
static void
store_drop(struct agent *a)
{
	struct chan *c = a->store;

	a->store = NULL;
	chan_free(c);
}

static void
on_closed(struct chan *c, const char *why, void *arg)
{
	struct agent *a = arg;

	log_event(LOG_WARNING, "agent.store.gone", "agent", a->id, "why", why,
	    NULL);
	worker_broken(a->worker, "store", "", why);
	store_drop(a);
}

/* The store asks nothing of an agent. */
static const struct chan_handler store_handlers[] = {
    {NULL, NULL},
};

void
history_link(struct agent *a, int fd)
{
	struct history_load *l;

	store_drop(a);
	a->store = chan_new(a->base, fd, PROTO_STORE_AGENT, SIDE_B,
	    store_handlers, on_closed, a);
	TAILQ_FOREACH(l, &a->loads, entry)
		load_ask(l);
}
