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
#include "workers/account/account.h"
#include "workers/account/agents.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/lanes.h"
#include "workers/account/media/media_url.h"
#include "workers/account/resolve.h"
#include "workers/account/target.h"
#include "workers/account/tool/act.h"
#include "workers/account/tool/message_tool.h"
#include "workers/account/tool/message_tool_int.h"
#include "workers/account/turn_end.h"

#define IDENTITY_MS 30000
#define IDENTITY_STEP_MS 100

/* Configuration */

static struct json_object *
object(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (o == NULL || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_object))
		return NULL;
	return v;
}

static int
flag(struct json_object *o, const char *key, int dflt)
{
	struct json_object *v = NULL;

	if (o == NULL || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_boolean))
		return dflt;
	return json_object_get_boolean(v);
}

static int
has_word(struct json_object *list, const char *word)
{
	struct json_object *v;
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(list); i++) {
		v = json_object_array_get_idx(list, i);
		if (json_object_is_type(v, json_type_string) &&
		    strcmp(json_object_get_string(v), word) == 0)
			return 1;
	}
	return 0;
}

void
tool_cfg_read(struct tool_cfg *c, struct json_object *config)
{
	struct json_object *actions = object(config, "actions");
	struct json_object *cross = object(config, "crossContext");
	struct json_object *marker = object(cross, "marker"), *v = NULL;
	const char *prefix = "[from {channel}] ";

	c->reactions = flag(actions, "reactions", 1);
	c->messages = flag(actions, "messages", 0);
	json_object_object_get_ex(config, "capabilities", &v);
	c->buttons = has_word(v, "inlineButtons");
	c->elsewhere = flag(cross, "allowWithinProvider", 1);
	c->broadcast = c->elsewhere &&
	    flag(object(config, "broadcast"), "enabled", 1);
	if (*api_str(marker, "prefix") != '\0')
		prefix = api_str(marker, "prefix");
	if (!flag(marker, "enabled", 1))
		prefix = "";
	if ((c->marker = strdup(prefix)) == NULL)
		fatal("strdup");
}

struct json_object *
message_tool_offer(const struct account *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string("send"));
	if (a->tools.reactions)
		json_object_array_add(list, json_object_new_string("react"));
	if (a->tools.messages)
		json_object_array_add(list, json_object_new_string("read"));
	if (a->tools.broadcast)
		json_object_array_add(
		    list, json_object_new_string("broadcast"));
	add_obj(o, "actions", list);
	if (a->tools.buttons)
		add_bool(o, "buttons", 1);
	if (media_hosts_any(a))
		add_bool(o, "media", 1);
	return o;
}

/* Calls */

int
tool_is_here(const struct tool_op *op)
{
	return strcmp(op->channel, op->t->row->channel) == 0;
}

static void
answer(struct account *a, const char *agent, struct json_object *req, int ok,
    const char *text)
{
	struct json_object *msg = chan_reply_msg("tool.result", req);

	add_bool(msg, "ok", ok);
	add_str(msg, "text", text);
	agents_send(a, agent, msg);
}

const char *
tool_verb(const struct tool_op *op)
{
	switch (op->args.action) {
	case TOOL_SEND:
		return "send";
	case TOOL_REACT:
		return "react";
	case TOOL_READ:
		return "read";
	case TOOL_BROADCAST:
		return "broadcast";
	default:
		return "?";
	}
}

struct tool_op *
tool_op_new(struct turn *t, struct json_object *req)
{
	struct tool_op *op;

	if ((op = calloc(1, sizeof(*op))) == NULL)
		fatal("calloc");
	op->a = t->a;
	op->t = t;
	op->req = json_object_get(req);
	op->seq = t->row->seq;
	ID_COPY(op->lane, lanes_key(t->row));
	return op;
}

void
tool_op_end(struct tool_op *op, int ok, const char *text)
{
	if (op->of != NULL) {
		tool_broadcast_one(op, ok, text);
		return;
	}
	if (op->t != NULL) {
		op->t->tools->op = NULL;
		log_event(LOG_INFO, "tool.call", "account", op->a->id,
		    "event_id", op->t->row->event, "action", tool_verb(op),
		    "ok", ok ? "yes" : "no", NULL);
		answer(op->a, op->t->agent, op->req, ok, text);
	}
	tool_op_free(op);
}

void
tool_op_free(struct tool_op *op)
{
	size_t i;

	for (i = 0; i < op->n; i++)
		free(op->posts[i].failed);
	free(op->posts);
	free(op->part);
	free(op->pin_failed);
	if (op->again != NULL)
		event_free(op->again);
	tool_args_clear(&op->args);
	json_object_put(op->items);
	json_object_put(op->files);
	json_object_put(op->req);
	free(op);
}

int
message_tool_replied(const struct turn *t)
{
	return t->tools != NULL && t->tools->replied;
}

void
message_tool_end(struct turn *t)
{
	if (t->tools == NULL)
		return;
	if (t->tools->op != NULL) {
		t->tools->op->t = NULL;
		if (t->tools->op->cast != NULL)
			tool_broadcast_orphan(t->tools->op->cast);
	}
	free(t->tools);
	t->tools = NULL;
}

static void
acted(struct account *a, int ok, const char *text, void *arg)
{
	tool_op_end(arg, ok, text);
}

/* channel is known. */
static void
call_go(struct tool_op *op)
{
	if (!tool_is_here(op) && !op->a->tools.elsewhere)
		tool_op_end(op, 0, "only the conversation that this message "
				   "is of can be acted in");
	else
		tool_may(op);
}

void
tool_allowed(struct tool_op *op)
{
	struct act_read ask = {op->channel, op->args.limit, op->args.before,
	    op->args.after, TOOL_RESULT_MAX - 512};
	char text[96];

	if (op->args.dry_run) {
		snprintf(text, sizeof(text),
		    "[dry-run] would run %s via mattermost", tool_verb(op));
		tool_op_end(op, 1, text);
		return;
	}
	if (op->args.action == TOOL_SEND)
		tool_send(op);
	else if (op->args.action == TOOL_REACT)
		act_react(op->a, op->channel, op->args.post, op->args.emoji,
		    op->args.remove, acted, op);
	else
		act_read(op->a, &ask, acted, op);
}

static void
resolved(
    struct account *a, const char *channel, const char *failed, void *arg)
{
	struct tool_op *op = arg;

	if (op->t == NULL)
		tool_op_end(op, 0, "");
	else if (failed != NULL)
		tool_op_end(op, 0, failed);
	else if (!mm_id_valid(channel))
		tool_op_end(op, 0, "the target is not usable");
	else {
		ID_COPY(op->channel, channel);
		call_go(op);
	}
}

/* Refused before anything is looked up, or NULL. */
static const char *
call_refusal(const struct tool_op *op)
{
	const struct account *a = op->a;

	if (op->args.action == TOOL_BAD)
		return op->args.error;
	if (op->args.action == TOOL_REACT && !a->tools.reactions)
		return "Mattermost reactions are disabled in config";
	if (op->args.action == TOOL_BROADCAST && !a->tools.broadcast)
		return "Mattermost broadcasts are disabled in config";
	if (op->args.action == TOOL_READ) {
		if (!a->tools.messages)
			return "Mattermost message reads are disabled in "
			       "config";
		if (op->args.target != NULL && target_is_user(op->args.target))
			return "Mattermost read requires a channel target.";
	}
	return NULL;
}

static void
on_identity(int fd, short what, void *arg)
{
	struct tool_op *op = arg;

	if (op->t == NULL)
		tool_op_end(op, 0, "");
	else
		tool_op_start(op);
}

/*
 * A turn of an earlier life may run before the server has told us who we
 * are: wait for that, but not as long as a server can be away.
 */
static void
call_wait(struct tool_op *op)
{
	if (op->waits++ >= IDENTITY_MS / IDENTITY_STEP_MS) {
		tool_op_end(op, 0, "the account is not connected now");
		return;
	}
	if (op->again == NULL &&
	    (op->again = evtimer_new(op->a->base, on_identity, op)) == NULL)
		fatalx("evtimer_new");
	loop_timer(op->again, IDENTITY_STEP_MS);
}

void
tool_op_start(struct tool_op *op)
{
	if (op->a->bot_id[0] == '\0') {
		call_wait(op);
		return;
	}
	if (op->again != NULL)
		event_free(op->again);
	op->again = NULL;
	if (op->args.action == TOOL_BROADCAST) {
		tool_broadcast(op);
		return;
	}
	if (op->args.target != NULL) {
		resolve_start(op->a, op->args.target, resolved, op);
		return;
	}
	ID_COPY(op->channel, op->t->row->channel);
	if (op->channel[0] == '\0')
		tool_op_end(op, 0, "there is no conversation here: say where, "
				   "in target");
	else
		call_go(op);
}

static void
call_start(struct turn *t, struct json_object *msg, struct json_object *args)
{
	struct tool_op *op;
	const char *no;

	t->tools->op = op = tool_op_new(t, msg);
	tool_args_parse(args, t->a->id, &op->args);
	if ((no = call_refusal(op)) != NULL) {
		tool_op_end(op, 0, no);
		return;
	}
	tool_op_start(op);
}

int
message_tool_call(
    struct account *a, const char *agent, struct json_object *msg)
{
	struct json_object *args;
	const char *name, *no = NULL;
	struct fields f;
	struct turn *t;
	int64_t id;

	fields_open(&f, msg);
	id = fields_int(&f, "turn", 1, INT64_MAX);
	fields_str(&f, "call", 64);
	name = fields_str(&f, "name", 64);
	args = fields_obj(&f, "args");
	if (fields_end(&f) == -1)
		return -1;
	t = lanes_turn(a, id);
	if (t == NULL || t->ending || strcmp(t->agent, agent) != 0) {
		answer(a, agent, msg, 0, "the turn has ended");
		return 0;
	}
	if (t->tools == NULL &&
	    (t->tools = calloc(1, sizeof(*t->tools))) == NULL)
		fatal("calloc");
	if (strcmp(name, "message") != 0)
		no = "there is no such tool";
	else if (t->tools->op != NULL)
		no = "another call is under way";
	if (no != NULL)
		answer(a, agent, msg, 0, no);
	else
		call_start(t, msg, args);
	return 0;
}
