/*
 * Reading for a model. The bot may be where the person is not who asks: what
 * is said in another channel is read only for those who could read it there
 * themselves.
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

static void
read_end(struct account *a, int ok, const char *text, void *arg)
{
	tool_op_end(arg, ok, text);
}

static void
read_go(struct tool_op *op)
{
	struct act_read ask = {op->channel, op->args.limit, op->args.before,
	    op->args.after, TOOL_RESULT_MAX - 512};

	act_read(op->a, &ask, read_end, op);
}

static const char *
asker(const struct tool_op *op)
{
	return api_str(op->t->row->data, "actor");
}

/* Members of a team may read its open channels; guests of it may not. */
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

	if (op->t == NULL)
		tool_op_end(op, 0, "");
	else if (api_ok(res, body, 200) && is_member(op, body))
		read_go(op);
	else
		tool_op_end(op, 0, "Mattermost read: the person who asks is "
				   "not in that channel.");
}

static void
on_member(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;
	const struct channel *ch = channel_find(a, op->channel);
	char path[96];

	if (op->t != NULL && api_ok(res, body, 200) &&
	    strcmp(api_str(body, "user_id"), asker(op)) == 0 &&
	    strcmp(api_str(body, "channel_id"), op->channel) == 0) {
		read_go(op);
		return;
	}
	if (op->t != NULL && ch != NULL && ch->type == 'O' &&
	    mm_id_valid(ch->team_id)) {
		snprintf(path, sizeof(path), "/teams/%s/members/%s",
		    ch->team_id, asker(op));
		if (api_get(a, path, on_team, op) != NULL)
			return;
	}
	on_team(a, res, NULL, op);
}

static void
read_channel(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;
	struct channel *ch = NULL;
	const char *no;
	char path[96];

	if (api_ok(res, body, 200))
		ch = channel_learn(a, body);
	if (op->t == NULL) {
		tool_op_end(op, 0, "");
		return;
	}
	no = act_may_read(a, op->t->row->channel, op->channel,
	    ch == NULL ? 0 : ch->type);
	if (no != NULL)
		tool_op_end(op, 0, no);
	else if (!mm_id_valid(asker(op)))
		read_go(op); /* a hook, a schedule: nobody asks */
	else {
		snprintf(path, sizeof(path), "/channels/%s/members/%s",
		    op->channel, asker(op));
		if (api_get(a, path, on_member, op) == NULL)
			tool_op_end(op, 0, "the target is not usable");
	}
}

void
tool_read(struct tool_op *op)
{
	char path[64];

	if (tool_is_here(op)) {
		read_go(op);
		return;
	}
	/* Its type is asked for: what an event said is not enough to allow. */
	snprintf(path, sizeof(path), "/channels/%s", op->channel);
	if (api_get(op->a, path, read_channel, op) == NULL)
		tool_op_end(op, 0, "the target is not usable");
}
