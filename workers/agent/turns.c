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
#include "workers/agent/answer.h"
#include "workers/agent/attach.h"
#include "workers/agent/classify.h"
#include "workers/agent/past.h"

#define TURNS_MAX 1024	      /* of all accounts together */
#define LINK_TURNS_MAX 128    /* of one, which runs 64 itself: lanes.h */
#define SESSION_MAX 512
#define SENDER_MAX 512
#define OPTION_MAX 256
#define DEADLINE_MAX (24 * 60 * 60 * 1000)
#define RECORD_MAX (192u * 1024) /* bytes as JSON, beside two answers */

static struct turn *
turn_find(const struct link *l, int64_t id)
{
	struct turn *t;

	TAILQ_FOREACH(t, &l->agent->turns, entry)
		if (t->link == l && t->id == id)
			return t;
	return NULL;
}

static void
turn_free(struct turn *t)
{
	struct agent *a = t->link->agent;

	TAILQ_REMOVE(&a->turns, t, entry);
	a->nturns--;
	t->link->nturns--;
	event_free(t->deadline);
	json_object_put(t->msg);
	json_object_put(t->added);
	free(t->note);
	free(t);
	if (a->nturns == 0)
		agent_idle(a);
}

static struct json_object *
frame(const char *type, int64_t turn)
{
	struct json_object *msg = chan_msg(type);

	add_int(msg, "turn", turn);
	return msg;
}

static void
send_error(struct link *l, int64_t turn, const struct verdict *v)
{
	struct json_object *msg;

	if (l->chan == NULL)
		return;
	msg = frame("turn.error", turn);
	add_bool(msg, "transient", v->transient);
	add_str(msg, "code", v->code);
	add_str(msg, "text", v->text);
	add_str(msg, "detail", v->detail);
	add_int(msg, "retry_ms", v->retry_ms);
	chan_send(l->chan, msg, -1);
}

static void
log_end(const struct turn *t, const char *how, const char *detail)
{
	log_event(LOG_INFO, "turn.end", "agent", t->link->agent->id, "account",
	    t->link->peer, "turn", LOG_NUM(t->id), "how", how, "ms",
	    LOG_NUM(monotime_since(t->began)), "detail", detail, NULL);
}

void
turn_fail(struct turn *t, const struct verdict *v)
{
	struct agent *a = t->link->agent;

	if (strcmp(v->code, "cancelled") == 0)
		a->counts.cancelled++;
	else
		a->counts.errors++;
	log_end(t, v->code, v->detail[0] == '\0' ? NULL : v->detail);
	send_error(t->link, t->id, v);
	turn_free(t);
}

static struct json_object *
entry(const char *role, struct json_object *content)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "role", role);
	add_obj(o, "content", content);
	return o;
}

static struct json_object *
record(const struct turn *t)
{
	struct json_object *s;
	char *text = prompt_record(&t->ask);
	size_t len = strlen(text);

	/* Only a text of control characters is longer than this as JSON. */
	if (answer_escaped(text, len) > RECORD_MAX)
		len = answer_prefix(text, len, RECORD_MAX / 6);
	s = json_object_new_string_len(text, (int)len);
	free(text);
	return s;
}

static struct json_object *
usage_json(const struct turn_usage *u)
{
	struct json_object *o = json_object_new_object();

	add_int(o, "prompt", u->prompt);
	add_int(o, "completion", u->completion);
	return o;
}

static int
send_final(struct turn *t, const char *text, size_t len,
    const struct turn_usage *usage, const char *model)
{
	struct json_object *msg, *list, *answer, *tools;
	size_t i;

	if (t->link->chan == NULL)
		return 0;
	answer = json_object_new_string_len(text, (int)len);
	list = json_object_new_array();
	json_object_array_add(list, entry("user", record(t)));
	tools = past_record(t->added);
	for (i = 0; i < json_object_array_length(tools); i++)
		json_object_array_add(list,
		    json_object_get(json_object_array_get_idx(tools, i)));
	json_object_put(tools);
	json_object_array_add(
	    list, entry("assistant", json_object_get(answer)));
	msg = frame("turn.final", t->id);
	add_obj(msg, "text", answer);
	add_obj(msg, "transcript", list);
	if (usage != NULL && usage->prompt >= 0 && usage->completion >= 0)
		add_obj(msg, "usage", usage_json(usage));
	if (model != NULL)
		add_str(msg, "model", model);
	return chan_send(t->link->chan, msg, -1);
}

void
turn_final(struct turn *t, const char *text, size_t len,
    const struct turn_usage *usage, const char *model)
{
	struct verdict v;

	if (send_final(t, text, len, usage, model) == -1) {
		classify_own(&v, "protocol", "the answer does not fit a frame");
		turn_fail(t, &v);
		return;
	}
	t->link->agent->counts.finals++;
	log_end(t, "final", NULL);
	turn_free(t);
}

void
turn_text(struct turn *t, const char *text, size_t len)
{
	struct json_object *msg = frame("turn.text", t->id);

	add_obj(msg, "text", json_object_new_string_len(text, (int)len));
	chan_send(t->link->chan, msg, -1);
}

void
turn_thinking(struct turn *t)
{
	chan_send(t->link->chan, frame("turn.thinking", t->id), -1);
}

static void
turn_abort(struct turn *t, const char *code, const char *detail)
{
	struct agent *a = t->link->agent;
	struct verdict v;

	if (a->runtime->abort != NULL)
		a->runtime->abort(t);
	classify_own(&v, code, detail);
	turn_fail(t, &v);
}

static void
on_deadline(int fd, short ev, void *arg)
{
	turn_abort(arg, "deadline", "the deadline of the turn has passed");
}

void
turns_abort(struct agent *a, struct link *l, const char *code,
    const char *detail)
{
	struct turn *t, *next;

	TAILQ_FOREACH_SAFE(t, &a->turns, entry, next)
		if (l == NULL || t->link == l)
			turn_abort(t, code, detail);
}

void
turns_drained(struct link *l)
{
	struct agent *a = l->agent;
	struct turn *t, *next;

	if (a->runtime->drain == NULL)
		return;
	TAILQ_FOREACH_SAFE(t, &a->turns, entry, next)
		if (t->link == l)
			a->runtime->drain(t);
}

static int
take_options(struct turn *t, struct json_object *options)
{
	struct json_object *tools;
	struct fields f;

	if (options == NULL)
		return 0;
	fields_open(&f, options);
	t->thinking = fields_opt_str(&f, "thinking", OPTION_MAX);
	t->model = fields_opt_str(&f, "model", OPTION_MAX);
	t->parent = fields_opt_str(&f, "parent", SESSION_MAX);
	t->fresh = fields_opt_bool(&f, "fresh", 0);
	tools = fields_opt_obj(&f, "tools");
	if (tools != NULL && tool_offer_read(&t->offer, tools) == -1)
		return -1;
	return fields_end(&f);
}

/* The deadline in ms, or -1 when the message is not as it must be. */
static int64_t
take_start(struct turn *t, struct json_object *msg)
{
	struct json_object *options;
	struct fields f;
	int64_t ms;

	fields_open(&f, msg);
	t->id = fields_int(&f, "turn", 0, INT64_MAX);
	t->session = fields_str(&f, "session", SESSION_MAX);
	t->ask.text = fields_str(&f, "text", PROTO_TEXT);
	t->ask.context = fields_str(&f, "context", PROTO_TEXT);
	t->ask.sender = fields_str(&f, "sender", SENDER_MAX);
	t->ask.addressed = fields_bool(&f, "addressed");
	ms = fields_int(&f, "deadline_ms", 0, DEADLINE_MAX);
	options = fields_opt_obj(&f, "options");
	t->media = fields_opt_arr(&f, "media", ATTACH_MAX);
	if (fields_end(&f) == -1 || attach_check(t->media) == -1 || take_options(t, options) == -1)
		return -1;
	return ms;
}

static int
is_busy(struct link *l, int64_t turn)
{
	struct agent *a = l->agent;
	struct verdict v;
	int stopping = evtimer_pending(a->stop, NULL);

	if (a->nturns < TURNS_MAX && l->nturns < LINK_TURNS_MAX && !stopping)
		return 0;
	classify_own(&v, "busy", stopping ? "stopping" : "too many turns");
	v.retry_ms = 2000;
	a->counts.errors++;
	send_error(l, turn, &v);
	return 1;
}

static struct turn *
turn_new(struct link *l, const struct turn *from, struct json_object *msg)
{
	struct agent *a = l->agent;
	struct turn *t;

	if ((t = malloc(sizeof(*t))) == NULL)
		fatal("malloc");
	*t = *from;
	t->link = l;
	t->msg = json_object_get(msg);
	t->began = monotime_now();
	t->ask.note = t->note = attach_note(t->media);
	if ((t->deadline = evtimer_new(a->base, on_deadline, t)) == NULL)
		fatalx("evtimer_new");
	TAILQ_INSERT_TAIL(&a->turns, t, entry);
	a->nturns++;
	l->nturns++;
	a->counts.started++;
	return t;
}

static void
on_start(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct link *l = arg;
	struct turn *t, asked = {0};
	int64_t ms, max = l->agent->deadline_ms;

	if ((ms = take_start(&asked, msg)) == -1) {
		chan_violation(c, "turn.start");
		return;
	}
	if (turn_find(l, asked.id) != NULL) {
		log_event(LOG_WARNING, "turn.twice", "account", l->peer,
		    "turn", LOG_NUM(asked.id), NULL);
		return;
	}
	if (is_busy(l, asked.id))
		return;
	t = turn_new(l, &asked, msg);
	loop_timer(t->deadline, ms == 0 || ms > max ? max : ms);
	l->agent->runtime->start(t);
}

static void
on_cancel(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct link *l = arg;
	struct turn *t;
	struct fields f;
	int64_t id;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 0, INT64_MAX);
	if (fields_end(&f) == -1) {
		chan_violation(c, "turn.cancel");
		return;
	}
	/* Not there: it ended while the cancel was on its way. */
	if ((t = turn_find(l, id)) != NULL)
		turn_abort(t, "cancelled", NULL);
}

const struct chan_handler turn_handlers[] = {
    {"turn.start", on_start},
    {"turn.cancel", on_cancel},
    {NULL, NULL},
};
