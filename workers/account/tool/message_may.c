/*
 * May the person who asks the model act there? The bot may be where that
 * person is not: in another conversation than their own it reads, posts and
 * reacts only for those who could do it themselves.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/lanes.h"
#include "workers/account/tool/act.h"
#include "workers/account/tool/message_tool_int.h"
#include "workers/account/turn_end.h"

static const char *
asker(const struct tool_op *op)
{
	return api_str(op->t->row->data, "actor");
}

static void
refused(struct tool_op *op)
{
	char text[96];

	snprintf(text, sizeof(text),
	    "Mattermost %s: the person who asks is not in that channel.",
	    tool_verb(op));
	tool_op_end(op, 0, text);
}

/* The turn may have ended meanwhile. */
static void
decided(struct tool_op *op, int may)
{
	if (op->t == NULL)
		tool_op_end(op, 0, "");
	else if (may)
		tool_allowed(op);
	else
		refused(op);
}

/* Members of a team may see its open channels; guests of it may not. */
static int
is_member(const struct tool_op *op, struct json_object *body)
{
	struct json_object *guest = NULL;

	json_object_object_get_ex(body, "scheme_guest", &guest);
	return strcmp(api_str(body, "user_id"), asker(op)) == 0 &&
	    api_int(body, "delete_at") == 0 &&
	    !json_object_get_boolean(guest) &&
	    strstr(api_str(body, "roles"), "guest") == NULL;
}

static void
on_team(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;

	decided(op, op->t != NULL && api_ok(res, body, 200) &&
		is_member(op, body));
}

/* Anybody but a guest may write to anybody; the marker says who asked. */
static void
on_asker(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;

	decided(op, op->t != NULL && api_ok(res, body, 200) &&
		strcmp(api_str(body, "id"), asker(op)) == 0 &&
		strstr(api_str(body, "roles"), "guest") == NULL);
}

static void
on_member(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;
	const struct channel *ch = channel_find(a, op->channel);
	char type = ch == NULL ? 0 : ch->type, path[96];

	if (op->t == NULL) {
		tool_op_end(op, 0, "");
		return;
	}
	if (api_ok(res, body, 200) &&
	    strcmp(api_str(body, "user_id"), asker(op)) == 0 &&
	    strcmp(api_str(body, "channel_id"), op->channel) == 0) {
		tool_allowed(op);
		return;
	}
	if (type == 'D' && op->args.action == TOOL_SEND) {
		snprintf(path, sizeof(path), "/users/%s", asker(op));
		if (api_get(a, path, on_asker, op) != NULL)
			return;
	}
	if (type == 'O' && mm_id_valid(ch->team_id)) {
		snprintf(path, sizeof(path), "/teams/%s/members/%s",
		    ch->team_id, asker(op));
		if (api_get(a, path, on_team, op) != NULL)
			return;
	}
	refused(op);
}

static void
on_channel(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;
	struct channel *ch = NULL;
	char path[96], why[256], text[320];
	const char *no = NULL;

	if (api_ok(res, body, 200))
		ch = channel_learn(a, body);
	if (op->t == NULL) {
		tool_op_end(op, 0, "");
		return;
	}
	if (op->args.action == TOOL_READ)
		no = act_may_read(a, op->t->row->channel, op->channel,
		    ch == NULL ? 0 : ch->type);
	else if (ch == NULL) {
		snprintf(text, sizeof(text), "Mattermost %s failed: %s",
		    tool_verb(op), api_error(res, body, why, sizeof(why)));
		no = text;
	}
	if (no != NULL) {
		tool_op_end(op, 0, no);
		return;
	}
	snprintf(path, sizeof(path), "/channels/%s/members/%s", op->channel,
	    asker(op));
	if (!mm_id_valid(asker(op)))
		tool_allowed(op);
	else if (api_get(a, path, on_member, op) == NULL)
		tool_op_end(op, 0, "the target is not usable");
}

void
tool_may(struct tool_op *op)
{
	char path[64];

	/* Hooks and schedules are the operator's: nobody asks. */
	if (tool_is_here(op) ||
	    (!mm_id_valid(asker(op)) && op->args.action != TOOL_READ)) {
		tool_allowed(op);
		return;
	}
	/* Its type is asked for: what an event said is not enough to allow. */
	snprintf(path, sizeof(path), "/channels/%s", op->channel);
	if (api_get(op->a, path, on_channel, op) == NULL)
		tool_op_end(op, 0, "the target is not usable");
}
