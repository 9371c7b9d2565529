#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/agent/agent.h"
#include "workers/agent/model.h"
#include "workers/agent/tools.h"

#define SAID_MAX (16u * 1024) /* bytes of text beside calls */
#define DETAIL_MAX 200 /* bytes of "turn.tool" detail */
#define TOOL_MS (24 * 60 * 60 * 1000) /* the turn's deadline comes first */

static void on_result(void *, const char *, struct json_object *, int);
static void on_step(int, short, void *);

void
tools_init(struct call *c)
{
	struct tools *ts = &c->tools;

	memset(ts, 0, sizeof(*ts));
	ts->schema = tool_schema(&c->turn->offer);
	ts->step = evtimer_new(c->model->agent->base, on_step, c);
	if (ts->step == NULL)
		fatalx("evtimer_new");
	if (c->model->no_tools)
		tools_withdraw(c);
}

void
tools_free(struct call *c)
{
	struct tools *ts = &c->tools;

	if (ts->asked != NULL)
		chan_forget(ts->asked, on_result, c);
	ts->asked = NULL;
	event_free(ts->step);
	toolcalls_free(&ts->todo);
	json_object_put(ts->schema);
}

void
tools_withdraw(struct call *c)
{
	json_object_put(c->tools.schema);
	c->tools.schema = NULL;
}

int
tools_spent(const struct call *c)
{
	return c->tools.rounds >= TOOLS_ROUNDS_MAX;
}

/*
 * A call as the model's server gets it back. Arguments that are no JSON
 * would break servers that parse them for their templates.
 */
static struct json_object *
call_json(const struct toolcall *t)
{
	struct json_object *o = json_object_new_object();
	struct json_object *f = json_object_new_object(), *args;
	const char *why;

	add_str(f, "name", t->name[0] == '\0' ? "?" : t->name);
	args = toolcall_args(t, &why);
	add_str(f, "arguments",
	    args == NULL || t->args.len == 0 ? "{}" : strbuf_str(&t->args));
	json_object_put(args);
	add_str(o, "id", t->id);
	add_str(o, "type", "function");
	add_obj(o, "function", f);
	return o;
}

static void
added(struct call *c, struct json_object *msg)
{
	if (c->turn->added == NULL)
		c->turn->added = json_object_new_array();
	json_object_array_add(c->turn->added, msg);
}

static void
add_assistant(struct call *c)
{
	struct json_object *msg = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct strbuf *text = &c->stream.answer.text;
	size_t i, len;

	for (i = 0; i < c->tools.todo.n; i++)
		json_object_array_add(list, call_json(&c->tools.todo.v[i]));
	add_str(msg, "role", "assistant");
	len = answer_prefix(strbuf_str(text), text->len, SAID_MAX);
	add_obj(msg, "content",
	    json_object_new_string_len(strbuf_str(text), (int)len));
	add_obj(msg, "tool_calls", list);
	added(c, msg);
}

/* The server's ids may be long: ours is "round.number". */
static void
add_call(const struct call *c, struct json_object *msg)
{
	char id[48];

	snprintf(id, sizeof(id), "%d.%zu", c->tools.rounds,
	    (size_t)(c->tools.now - c->tools.todo.v));
	add_str(msg, "call", id);
}

static void
show(struct call *c, const struct toolcall *t, const char *phase,
    const char *detail, int ok)
{
	struct json_object *msg;

	if (c->turn->link->chan == NULL)
		return;
	msg = chan_msg("turn.tool");
	add_int(msg, "turn", c->turn->id);
	add_call(c, msg);
	add_str(msg, "name", t->name[0] == '\0' ? "?" : t->name);
	add_str(msg, "phase", phase);
	if (detail != NULL)
		add_str(msg, "detail", detail);
	if (strcmp(phase, "end") == 0)
		add_bool(msg, "ok", ok);
	chan_send(c->turn->link->chan, msg, -1);
}

/* Bytes of results in one turn: a quarter of the model's window. */
static size_t
results_max(const struct call *c)
{
	size_t window = c->model->agent->prompt.window;

	if (window == 0 || window > TOOLS_RESULTS_MAX)
		return TOOLS_RESULTS_MAX;
	window = window * PROMPT_BYTES_PER_TOKEN / 4;
	return window < TOOLS_RESULTS_MAX ? window : TOOLS_RESULTS_MAX;
}

/* The call in hand has its result; the next one follows. */
static void
finish(struct call *c, int ok, const char *text)
{
	struct tools *ts = &c->tools;
	const struct toolcall *t = ts->now;
	struct json_object *msg = json_object_new_object();
	size_t len, room = results_max(c) - ts->bytes;
	char *content;

	len = answer_prefix(text, strlen(text),
	    room < TOOLS_RESULT_MAX ? room : TOOLS_RESULT_MAX);
	ts->bytes += len;
	if (asprintf(&content, "%s%.*s%s", ok ? "" : "Error: ", (int)len, text,
		text[len] == '\0' ? "" : " [cut]") == -1)
		fatal("asprintf");
	add_str(msg, "role", "tool");
	add_str(msg, "tool_call_id", t->id);
	add_str(msg, "content", content);
	free(content);
	added(c, msg);
	show(c, t, "end", NULL, ok);
	loop_timer(ts->step, 0);
}

static void
on_result(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *c = arg;
	struct fields f;
	const char *text;
	int ok;

	c->tools.asked = NULL;
	if (msg == NULL) {
		/* The link has ended: its turns end with it. */
		finish(c, 0, "the call got no answer");
		return;
	}
	fields_open(&f, msg);
	ok = fields_bool(&f, "ok");
	text = fields_str(&f, "text", PROTO_TEXT);
	if (fields_end(&f) == -1)
		finish(c, 0, "the answer to the call was broken");
	else
		finish(c, ok, text);
}

static const char *
word_of(struct json_object *args, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(args, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

/* "send #town": what the call is about, in few words. */
static void
detail_of(struct json_object *args, char *buf, size_t size)
{
	const char *action = word_of(args, "action");
	const char *target = word_of(args, "target");

	snprintf(buf, size, "%.*s%s%.*s",
	    (int)answer_prefix(action, strlen(action), 60), action,
	    *target == '\0' ? "" : " ",
	    (int)answer_prefix(target, strlen(target), 100), target);
}

static void
ask(struct call *c, const struct toolcall *t, struct json_object *args)
{
	struct chan *link = c->turn->link->chan;
	struct json_object *msg = chan_msg("tool.call");
	char detail[DETAIL_MAX];

	detail_of(args, detail, sizeof(detail));
	show(c, t, "start", detail, 0);
	add_int(msg, "turn", c->turn->id);
	add_call(c, msg);
	add_str(msg, "name", t->name);
	add_obj(msg, "args", args);
	c->tools.asked = link;
	if (chan_request(link, msg, -1, TOOL_MS, on_result, c) == -1) {
		c->tools.asked = NULL;
		finish(c, 0, "the arguments of this call are too long");
	}
}

static void
run(struct call *c, const struct toolcall *t)
{
	struct json_object *args;
	const char *why;
	char text[160];

	if (c->tools.calls++ >= TOOLS_CALLS_MAX) {
		snprintf(text, sizeof(text),
		    "no more than %d calls of tools for one message",
		    TOOLS_CALLS_MAX);
		why = text;
	} else if (strcmp(t->name, TOOL_NAME) != 0) {
		snprintf(text, sizeof(text), "there is no tool \"%s\"",
		    t->name);
		why = text;
	} else if ((args = toolcall_args(t, &why)) != NULL) {
		ask(c, t, args);
		return;
	}
	show(c, t, "start", NULL, 0);
	finish(c, 0, why);
}

static void
on_step(int fd, short ev, void *arg)
{
	struct call *c = arg;
	struct tools *ts = &c->tools;

	if (ts->next < ts->todo.n) {
		ts->now = &ts->todo.v[ts->next++];
		run(c, ts->now);
		return;
	}
	ts->running = 0;
	toolcalls_free(&ts->todo);
	call_next(c);
}

void
tools_begin(struct call *c)
{
	struct tools *ts = &c->tools;

	ts->todo = c->stream.tools;
	memset(&c->stream.tools, 0, sizeof(c->stream.tools));
	toolcalls_end(&ts->todo);
	ts->next = 0;
	ts->running = 1;
	ts->rounds++;
	add_assistant(c);
	loop_timer(ts->step, 0);
}
