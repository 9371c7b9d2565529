#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/agent/agent.h"
#include "workers/agent/delta.h"
#include "workers/agent/history.h"
#include "workers/agent/media.h"
#include "workers/agent/model.h"
#include "workers/agent/past.h"
#include "workers/net/net.h"

#define SHORTER_MAX 3 /* tries with half of the history each */
#define ERROR_BODY_MAX (64u * 1024)

static void call_send(struct call *);

static void
call_free(struct call *c)
{
	tools_free(c);
	stream_free(&c->stream);
	event_free(c->text);
	event_free(c->grace);
	json_object_put(c->past);
	json_object_put(c->images);
	free(c->files);
	free(c);
}

/* The turn has its end; what the call still holds goes. */
static void
call_release(struct call *c)
{
	struct model *m = c->model;

	if (c->load != NULL)
		history_cancel(c->load);
	c->load = NULL;
	if (c->media != NULL)
		media_load_cancel(c->media);
	c->media = NULL;
	c->turn->run = NULL;
	c->turn = NULL;
	event_del(c->text);
	model_release(m, c);
}

static void
call_drop(struct call *c)
{
	if (c->turn != NULL)
		call_release(c);
	if (c->req != NULL)
		net_request_cancel(c->req);
	call_free(c);
}

static void
call_fail(struct call *c, const struct verdict *verdict)
{
	struct turn *t = c->turn;
	struct agent *a = c->model->agent;
	struct verdict v = *verdict; /* it may be the stream's own */

	call_drop(c);
	if (strcmp(v.code, "auth") == 0 || strcmp(v.code, "config") == 0)
		agent_health(a, "parked", v.text);
	else if (strcmp(v.code, "server") == 0 ||
	    strcmp(v.code, "network") == 0)
		agent_health(a, "backoff", v.text);
	turn_fail(t, &v);
}

static void
call_own_fail(struct call *c, const char *code, const char *detail)
{
	struct verdict v;

	classify_own(&v, code, detail);
	call_fail(c, &v);
}

static int64_t
sum(int64_t before, int64_t now)
{
	return now < 0 ? now : before + now;
}

/* The model wants calls of tools to be run before it answers. */
static void
call_tools(struct call *c)
{
	struct stream *s = &c->stream;

	if (tools_spent(c)) {
		call_own_fail(
		    c, "protocol", "the model does not stop to call tools");
		return;
	}
	event_del(c->text);
	event_del(c->grace);
	if (c->blocked && c->req != NULL)
		net_request_pause(c->req, 0);
	c->blocked = 0;
	if (s->prompt_tokens > 0)
		c->tokens[0] += s->prompt_tokens;
	if (s->completion_tokens > 0)
		c->tokens[1] += s->completion_tokens;
	tools_begin(c);
}

/*
 * The answer is complete. The rest of the response, at most the end of its
 * framing, is read for the connection's sake.
 */
static void
call_final(struct call *c)
{
	struct stream *s = &c->stream;
	struct turn_usage usage = {sum(c->tokens[0], s->prompt_tokens),
	    sum(c->tokens[1], s->completion_tokens)};
	struct turn *t = c->turn;

	if (stream_close(s) == -1) {
		call_fail(c, &s->verdict);
		return;
	}
	/* A text of the last round counts, whatever it calls beside it. */
	if (stream_wants_tools(s) &&
	    (!tools_spent(c) || s->answer.text.len == 0)) {
		call_tools(c);
		return;
	}
	call_release(c);
	agent_health(c->model->agent, "connected", NULL);
	turn_final(t, strbuf_str(&s->answer.text), s->answer.text.len, &usage,
	    s->model[0] == '\0' ? NULL : s->model);
	if (c->req == NULL) {
		call_free(c);
		return;
	}
	if (c->blocked)
		net_request_pause(c->req, 0);
	stream_free(s);
	stream_init(s, 0);
	loop_timer(c->grace, MODEL_GRACE_MS);
}

static void
on_grace(int fd, short ev, void *arg)
{
	struct call *c = arg;

	if (c->turn == NULL)
		call_drop(c);
	else
		call_final(c);
}

static void
text_block(struct call *c)
{
	c->blocked = 1;
	if (c->req != NULL)
		net_request_pause(c->req, 1);
}

static void
text_send(struct call *c)
{
	struct strbuf *text = &c->stream.answer.text;
	struct chan *link = c->turn->link->chan;

	if (text->len == c->text_len)
		return;
	if (chan_full(link)) {
		text_block(c);
		return;
	}
	turn_text(c->turn, text->s, text->len);
	c->text_len = text->len;
	c->text_at = monotime_now();
	if (chan_full(link))
		text_block(c);
}

static void
on_text(int fd, short ev, void *arg)
{
	text_send(arg);
}

/*
 * The first text goes at once. Later ones carry all of the answer so far,
 * so the longer it is the rarer they get.
 */
static void
text_grew(struct call *c)
{
	size_t len = c->stream.answer.text.len;
	int64_t left = MODEL_TEXT_MS + (int64_t)(len / 1024) * 2;

	if (c->blocked || evtimer_pending(c->text, NULL))
		return;
	left -= monotime_since(c->text_at);
	if (c->text_len == 0 || left <= 0)
		text_send(c);
	else
		loop_timer(c->text, left);
}

static void
on_chunk(struct net_request *req, const char *data, size_t len, void *arg)
{
	struct call *c = arg;
	unsigned what;

	if (c->turn == NULL || c->tools.running)
		return;
	what = stream_feed(&c->stream, data, len);
	if (what & STREAM_THINKING)
		turn_thinking(c->turn);
	if (what & STREAM_FAILED)
		call_fail(c, &c->stream.verdict);
	else if (what & STREAM_DONE)
		call_final(c);
	else {
		if (what & STREAM_FINISH)
			loop_timer(c->grace, MODEL_GRACE_MS);
		if (what & STREAM_TEXT)
			text_grew(c);
	}
}

/* Whether the server found the messages too long and fewer may do. */
static int
call_shorten(struct call *c, int status, const struct delta *err)
{
	struct json_object *past;
	size_t n = json_object_array_length(c->past);

	if (!classify_too_long(status, err) || n == 0 ||
	    c->shorter++ == SHORTER_MAX)
		return 0;
	past = past_trim(
	    c->past, past_size(c->past) / 2, c->tools.schema != NULL);
	json_object_put(c->past);
	c->past = past;
	log_event(LOG_NOTICE, "turn.shortened", "agent", c->model->agent->id,
	    "turn", LOG_NUM(c->turn->id), "from", LOG_NUM(n), "to",
	    LOG_NUM(json_object_array_length(past)), NULL);
	call_send(c);
	return 1;
}

/*
 * Newer models want max_completion_tokens in the place of max_tokens, older
 * servers know only the latter. The refusal names what is wanted.
 */
static int
call_rename(struct call *c, int status, const struct delta *err)
{
	static const char newer[] = "max_completion_tokens";
	struct model *m = c->model;

	if (status != 400 || m->max_tokens == 0 || m->max_name == newer ||
	    strstr(err->err_message, newer) == NULL)
		return 0;
	m->max_name = newer;
	call_send(c);
	return 1;
}

/*
 * A model without tools is one of many: it answers all the same, without
 * them from now on. Servers say so in their own words, and in no other way.
 */
static int
call_untool(struct call *c, int status, const struct delta *err)
{
	struct json_object *past;

	if (c->tools.schema == NULL || c->turn->added != NULL ||
	    (status != 400 && status != 404 && status != 422) ||
	    strcasestr(err->err_message, "tool") == NULL)
		return 0;
	c->model->no_tools = 1;
	tools_withdraw(c);
	past = past_trim(c->past, past_size(c->past), 0);
	json_object_put(c->past);
	c->past = past;
	log_event(LOG_NOTICE, "model.without-tools", "agent",
	    c->model->agent->id, "model", c->model->name, NULL);
	call_send(c);
	return 1;
}

static void
call_refused(struct call *c, const struct net_result *r)
{
	struct delta err;
	struct verdict v;
	int known;

	known = r->len <= ERROR_BODY_MAX;
	if (delta_parse(&err, r->body, known ? r->len : 0) == -1 ||
	    !err.is_error)
		known = 0;
	if (!known || (!call_rename(c, r->status, &err) &&
			  !call_untool(c, r->status, &err) &&
			  !call_shorten(c, r->status, &err))) {
		classify_status(&v, r->status, known ? &err : NULL,
		    net_result_header(r, "Retry-After"),
		    net_result_header(r, "retry-after-ms"), walltime_ms());
		call_fail(c, &v);
	}
	delta_free(&err);
}

static void
on_done(struct net_request *req, const struct net_result *r, void *arg)
{
	struct call *c = arg;
	struct verdict v;

	c->req = NULL;
	if (c->turn == NULL)
		call_free(c);
	else if (c->tools.running)
		return; /* the end of an answer that has been read */
	else if (r->ending != NET_ANSWERED) {
		classify_network(&v, 0, r->error);
		call_fail(c, &v);
	} else if (r->status < 200 || r->status > 299)
		call_refused(c, r);
	else if (stream_end(&c->stream, r->error) == -1)
		call_fail(c, &c->stream.verdict);
	else
		call_final(c);
}

static const char *
effort(const char *thinking)
{
	static const char *const levels[] = {
	    "minimal", "low", "medium", "high"};
	size_t i;

	for (i = 0; thinking != NULL && i < 4; i++)
		if (strcmp(levels[i], thinking) == 0)
			return levels[i];
	return NULL;
}

static struct json_object *
request_json(const struct call *c)
{
	const struct model *m = c->model;
	const struct turn *t = c->turn;
	struct json_object *o = json_object_new_object(), *messages;
	size_t i, n;

	n = t->added == NULL ? 0 : json_object_array_length(t->added);
	add_str(o, "model", t->model == NULL ? m->name : t->model);
	messages = prompt_messages(&m->agent->prompt, c->past, &t->ask);
	for (i = 0; i < n; i++)
		json_object_array_add(messages,
		    json_object_get(json_object_array_get_idx(t->added, i)));
	add_obj(o, "messages", messages);
	if (c->tools.schema != NULL) {
		add_obj(o, "tools", json_object_get(c->tools.schema));
		if (tools_spent(c))
			add_str(o, "tool_choice", "none");
	}
	add_bool(o, "stream", 1);
	if (m->max_tokens > 0)
		json_object_object_add(
		    o, m->max_name, json_object_new_int64(m->max_tokens));
	if (effort(t->thinking) != NULL)
		add_str(o, "reasoning_effort", effort(t->thinking));
	return o;
}

static void
call_send(struct call *c)
{
	static const char *const headers[] = {
	    "Content-Type: application/json",
	    "Accept: text/event-stream, application/json", NULL};
	struct json_object *o = request_json(c);
	struct net_request_opts opts = {
	    .method = "POST",
	    .path = "/chat/completions",
	    .headers = headers,
	    .deadline_ms = -1, /* the turn has one */
	    .idle_ms = MODEL_IDLE_MS,
	    .max_body = MODEL_BODY_MAX,
	    .chunk = on_chunk,
	    .done = on_done,
	    .arg = c,
	};

	c->stream.offered = c->tools.schema != NULL;
	opts.body = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
	    &opts.body_len);
	c->req = net_request_start(c->model->endpoint, &opts);
	json_object_put(o);
	if (c->req == NULL)
		call_own_fail(c, "config", "the request cannot be made");
}

/* Bytes of history that fit beside the rest. */
static size_t
call_budget(const struct call *c)
{
	size_t n = prompt_budget(&c->model->agent->prompt, &c->turn->ask);

	if (c->tools.schema == NULL)
		return n;
	return n > TOOLS_SCHEMA_BYTES ? n - TOOLS_SCHEMA_BYTES : 0;
}

static void
on_history(void *arg, struct json_object *messages, const char *why)
{
	struct call *c = arg;
	struct verdict v;

	c->load = NULL;
	if (messages == NULL) {
		classify_own(&v, "server", why);
		v.text = "I cannot read our conversation. Please try later.";
		call_fail(c, &v);
		return;
	}
	c->past = past_trim(messages, call_budget(c), c->tools.schema != NULL);
	call_send(c);
}

struct call *
call_new(struct model *m, struct turn *t)
{
	struct call *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	c->model = m;
	c->turn = t;
	stream_init(&c->stream, AGENT_ANSWER_MAX);
	tools_init(c);
	c->text = evtimer_new(m->agent->base, on_text, c);
	c->grace = evtimer_new(m->agent->base, on_grace, c);
	if (c->text == NULL || c->grace == NULL)
		fatalx("evtimer_new");
	t->run = c;
	return c;
}

static void
call_history(struct call *c)
{
	struct agent *a = c->model->agent;
	size_t budget = call_budget(c);

	if (c->turn->fresh || budget == 0) {
		c->past = json_object_new_array();
		call_send(c);
		return;
	}
	c->load =
	    history_load(a, c->turn->session, c->turn->parent, budget,
		on_history, c);
}

static void
on_media(void *arg, char *block, struct json_object *images)
{
	struct call *c = arg;

	c->media = NULL;
	c->files = block;
	c->images = images;
	c->turn->ask.files = block;
	c->turn->ask.images = images;
	call_history(c);
}

void
call_begin(struct call *c)
{
	struct json_object *list = c->turn->media;

	if (list != NULL && json_object_array_length(list) > 0)
		c->media = media_load_start(c->model->agent, list,
		    c->model->images, on_media, c);
	else
		call_history(c);
}

void
call_next(struct call *c)
{
	/* Nearly always it has ended by now. */
	if (c->req != NULL)
		net_request_cancel(c->req);
	c->req = NULL;
	stream_free(&c->stream);
	stream_init(&c->stream, AGENT_ANSWER_MAX);
	c->text_len = 0;
	call_send(c);
}

void
call_abort(struct call *c)
{
	call_drop(c);
}

void
call_drain(struct call *c)
{
	if (!c->blocked)
		return;
	c->blocked = 0;
	if (c->req != NULL)
		net_request_pause(c->req, 0);
	text_send(c);
}
