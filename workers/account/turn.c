#include "config.h"

#include <errno.h>
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
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/agents.h"
#include "workers/account/api.h"
#include "workers/account/callback/confirm.h"
#include "workers/account/command/picker.h"
#include "workers/account/lanes.h"
#include "workers/account/media/media_in.h"
#include "workers/account/outbox.h"
#include "workers/account/policy.h"
#include "workers/account/prepare.h"
#include "workers/account/preview/preview.h"
#include "workers/account/preview/progress_text.h"
#include "workers/account/recheck.h"
#include "workers/account/route.h"
#include "workers/account/storelink.h"
#include "workers/account/text/replytag.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"
#include "workers/account/turn_place.h"

#define GUARD_MS 30000 /* beyond the agent's own deadline */
#define DETAIL_MAX 1024

static int64_t last_turn;

static void
turn_free(struct turn *t)
{
	message_tool_end(t);
	typing_free(t->typing);
	event_free(t->guard);
	event_free(t->again);
	media_in_cancel(t->media);
	json_object_put(t->transcript);
	json_object_put(t->commit);
	json_object_put(t->items);
	json_object_put(t->props);
	prepare_free(t->prep);
	free(t->text);
	free(t->error);
	free(t);
}

static const char *
data_str(const struct row *r, const char *key)
{
	return api_str(r->data, key);
}

static int
data_bool(const struct row *r, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(r->data, key, &v);
	return json_object_get_boolean(v);
}

static struct json_object *
seq_msg(const char *type, const struct row *r)
{
	struct json_object *msg = chan_msg(type);

	add_int(msg, "seq", r->seq);
	return msg;
}

void
turn_claim(struct account *a, struct row *r)
{
	struct row *m;

	storelink_tell(a, seq_msg("turn.begin", r));
	TAILQ_FOREACH(m, &r->merged, entry)
		storelink_tell(a, seq_msg("turn.begin", m));
}

static void
tell_cancel(struct turn *t)
{
	struct json_object *msg = chan_msg("turn.cancel");

	add_int(msg, "turn", t->id);
	agents_send(t->a, t->agent, msg);
}

int
turn_cancel(struct turn *t)
{
	if (t->ending)
		return 0;
	tell_cancel(t);
	turn_stop(t);
	return 1;
}

static void
on_guard(int fd, short what, void *arg)
{
	struct turn *t = arg;

	tell_cancel(t);
	turn_fail(t, 0, "deadline", "the agent did not answer in time", 0);
}

/* The agent's, unless what asks wants it sooner. */
static int64_t
turn_deadline(const struct turn *t)
{
	const struct agent *g = route_find_agent(t->a->policy, t->agent);
	int64_t ms = g == NULL ? TURN_DEADLINE_MS : g->deadline_ms;
	int64_t own = api_int(t->row->data, "deadline_ms");

	return own > 0 && own < ms ? own : ms;
}

static int
turn_ask(struct turn *t)
{
	struct json_object *msg = chan_msg("turn.start"), *options;
	struct row *r = t->row;

	add_int(msg, "turn", t->id);
	add_str(msg, "session", data_str(r, "session"));
	add_str(msg, "text", data_str(r, "text"));
	add_str(msg, "context", prepare_context(t->prep));
	add_str(msg, "sender", data_str(r, "sender"));
	add_bool(msg, "addressed", data_bool(r, "addressed"));
	add_int(msg, "deadline_ms", turn_deadline(t));
	options = prepare_options(t->prep);
	add_obj(options, "tools", message_tool_offer(t->a));
	add_obj(msg, "options", options);
	media_in_add(r, msg);
	return agents_send(t->a, t->agent, msg);
}

void
turn_prepared(struct turn *t)
{
	if (t->ending)
		return;
	/* A link that is ending takes its turns along: turn_agent_gone(). */
	if (turn_ask(t) == -1 && errno == EMSGSIZE)
		turn_fail(t, 0, "large", "the message is too large", 0);
}

/* What came with the message is here: what was said before it? */
static void
turn_hand(void *arg)
{
	struct turn *t = arg;

	t->media = NULL;
	if (t->ending)
		return;
	loop_timer(t->guard, turn_deadline(t) + GUARD_MS);
	prepare_start(t);
}

static int
is_configured(const struct account *a, const char *agent)
{
	const struct policy *p = a->policy;
	size_t i;

	for (i = 0; i < p->n_agents; i++)
		if (strcmp(p->agents[i].id, agent) == 0)
			return 1;
	return !a->linked || strcmp(p->default_agent, agent) == 0;
}

/* A click whose confirmation may not have been seen. */
static void
confirm_again(const struct row *r)
{
	struct json_object *confirm;

	if (r->recovered &&
	    json_object_object_get_ex(r->data, "confirm", &confirm))
		confirm_start(r->turn->a, confirm);
}

/* The preview of a turn, or NULL: nothing is shown. */
static struct preview *
turn_preview(struct turn *t)
{
	struct row *r = t->row;

	if (r->preview == NULL && r->channel[0] != '\0' &&
	    !data_bool(r, "quiet") && preview_wanted(t->a))
		r->preview = preview_new(t->a, r, t->agent);
	return r->preview;
}

struct turn *
turn_start(struct account *a, struct row *r)
{
	const char *agent = data_str(r, "agent");
	struct turn *t;
	int state = agents_state(a, agent);

	/* One that is configured comes (back); agents_set() starts it. */
	if (!picker_wants(r->data) &&
	    (state == 0 || (state == -1 && is_configured(a, agent))))
		return NULL;
	/* Its place is asked for by REST: intake_identity() starts it. */
	if (turn_needs_place(r) && a->bot_id[0] == '\0')
		return NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		fatal("calloc");
	t->a = a;
	t->row = r;
	t->id = ++last_turn;
	t->began = monotime_now();
	ID_COPY(t->agent, agent);
	t->typing = typing_new(a, r);
	t->guard = evtimer_new(a->base, on_guard, t);
	t->again = evtimer_new(a->base, turn_commit_again, t);
	if (t->guard == NULL || t->again == NULL)
		fatalx("evtimer_new");
	r->turn = t;
	r->posts = 0;
	if (state == -1 && !picker_wants(r->data)) {
		turn_fail(t, 0, "no-agent", "the agent is not configured", 0);
		return t;
	}
	if (r->attempts >= TURN_CRASHES_MAX) {
		turn_fail(t, 0, "crash", "the worker died over it", 0);
		return t;
	}
	turn_claim(a, r);
	if (!recheck_allows(a, r)) {
		if (r->begun)
			turn_preview(t); /* to be removed */
		turn_deny(t);
		return t;
	}
	confirm_again(r);
	if (picker_turn(a, t))
		return t;
	if (turn_place(t) == 0)
		turn_go(t);
	return t;
}

/* Of a schedule: nothing is seen before the answer, nor was before. */
static void
turn_quiet(struct turn *t)
{
	typing_stop(t->typing);
	t->row->begun = 0;
}

void
turn_go(struct turn *t)
{
	struct row *r = t->row;

	if (data_bool(r, "quiet"))
		turn_quiet(t);
	typing_begin(t->typing, TYPING_INSTANT);
	if (r->preview != NULL)
		preview_rewind(r->preview);
	else if (r->begun)
		turn_preview(t);
	if (media_in_wanted(r))
		t->media = media_in_start(t->a, r, turn_hand, t);
	else
		turn_hand(t);
}

void
turn_over(struct turn *t)
{
	turn_free(t);
}

void
turn_agent_gone(struct account *a, struct row *r, const char *agent)
{
	struct turn *t = r->turn;

	if (t->ending || strcmp(t->agent, agent) != 0)
		return;
	/* Hardly the message's fault: the same again with the next link. */
	turn_free(t);
	lanes_row_again(a, r, 0);
	r->attempts++;
}

/* Frames of the agent */

static struct turn *
turn_find(struct account *a, const char *agent, int64_t id)
{
	struct turn *t = lanes_turn(a, id);

	if (t == NULL || t->ending || strcmp(t->agent, agent) != 0)
		return NULL;
	return t;
}

static int
frame_text(struct account *a, const char *agent, struct json_object *msg)
{
	const char *text;
	char *plain;
	struct fields f;
	struct turn *t;
	int64_t id;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 1, INT64_MAX);
	text = fields_str(&f, "text", PROTO_TEXT);
	if (fields_end(&f) == -1)
		return -1;
	if ((t = turn_find(a, agent, id)) == NULL)
		return 0;
	typing_begin(t->typing, TYPING_MESSAGE);
	if (turn_preview(t) == NULL)
		return 0;
	plain = replytag_strip(text);
	preview_text(t->row->preview, plain != NULL ? plain : text);
	free(plain);
	return 0;
}

static int
phase_named(const char *s)
{
	if (strcmp(s, "start") == 0)
		return TOOL_START;
	if (strcmp(s, "update") == 0)
		return TOOL_UPDATE;
	return strcmp(s, "end") == 0 ? TOOL_END : -1;
}

static int
frame_tool(struct account *a, const char *agent, struct json_object *msg)
{
	struct tool_event ev;
	struct fields f;
	struct turn *t;
	int64_t id;
	int phase;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 1, INT64_MAX);
	ev.call = fields_str(&f, "call", TOOL_CALL_MAX);
	ev.name = fields_str(&f, "name", TOOL_CALL_MAX);
	phase = phase_named(fields_str(&f, "phase", 16));
	ev.detail = fields_opt_str(&f, "detail", DETAIL_MAX);
	ev.ok = fields_opt_bool(&f, "ok", 1);
	if (fields_end(&f) == -1 || phase == -1 || *ev.name == '\0')
		return -1;
	ev.phase = (enum tool_phase)phase;
	if ((t = turn_find(a, agent, id)) == NULL)
		return 0;
	typing_begin(t->typing, TYPING_THINKING);
	if (turn_preview(t) != NULL)
		preview_tool(t->row->preview, &ev);
	return 0;
}

static int
frame_thinking(struct account *a, const char *agent, struct json_object *msg)
{
	struct fields f;
	struct turn *t;
	int64_t id;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 1, INT64_MAX);
	if (fields_end(&f) == -1)
		return -1;
	if ((t = turn_find(a, agent, id)) == NULL)
		return 0;
	typing_begin(t->typing, TYPING_THINKING);
	if (turn_preview(t) != NULL)
		preview_thinking(t->row->preview);
	return 0;
}

static int
frame_final(struct account *a, const char *agent, struct json_object *msg)
{
	struct json_object *transcript, *usage;
	const char *text, *model;
	char *plain;
	struct fields f;
	struct turn *t;
	int64_t id;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 1, INT64_MAX);
	text = fields_str(&f, "text", PROTO_TEXT);
	transcript = fields_arr(&f, "transcript", PROTO_TRANSCRIPT);
	usage = fields_opt_obj(&f, "usage");
	model = fields_opt_str(&f, "model", 256);
	if (fields_end(&f) == -1)
		return -1;
	if ((t = turn_find(a, agent, id)) != NULL) {
		prepare_usage(t->prep, usage, model);
		plain = replytag_strip(text);
		turn_answer(t, plain != NULL ? plain : text,
		    json_object_get(transcript));
		free(plain);
	}
	return 0;
}

static int
frame_error(struct account *a, const char *agent, struct json_object *msg)
{
	const char *code, *text, *detail;
	int transient;
	int64_t id, retry;
	struct fields f;
	struct turn *t;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 1, INT64_MAX);
	transient = fields_bool(&f, "transient");
	code = fields_str(&f, "code", 32);
	text = fields_str(&f, "text", 1024);
	detail = fields_opt_str(&f, "detail", 1024);
	retry = fields_opt_int(&f, "retry_ms", 0, INT32_MAX, 0);
	if (fields_end(&f) == -1)
		return -1;
	if ((t = turn_find(a, agent, id)) == NULL)
		return 0;
	log_event(LOG_WARNING, "turn.error", "account", a->id, "agent", agent,
	    "event_id", t->row->event, "code", code, "detail", detail, NULL);
	turn_fail(t, transient, code, text, retry);
	return 0;
}

int
turn_frame(struct account *a, const char *agent, const char *type,
    struct json_object *msg)
{
	if (strcmp(type, "turn.text") == 0)
		return frame_text(a, agent, msg);
	if (strcmp(type, "tool.call") == 0)
		return message_tool_call(a, agent, msg);
	if (strcmp(type, "turn.final") == 0)
		return frame_final(a, agent, msg);
	if (strcmp(type, "turn.error") == 0)
		return frame_error(a, agent, msg);
	if (strcmp(type, "turn.tool") == 0)
		return frame_tool(a, agent, msg);
	if (strcmp(type, "turn.thinking") == 0)
		return frame_thinking(a, agent, msg);
	return -1;
}
