/*
 * One message to several targets: a send to each, one after the other, as if
 * the model had called for each. That one fails does not stop the next.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/tool/message_tool_int.h"

struct broadcast {
	struct tool_op *op;
	struct tool_op *now; /* a send, or NULL */
	size_t next;	     /* of the targets */
	struct json_object *results;
	int failed;
};

static const char *
target_at(const struct broadcast *b, size_t i)
{
	return json_object_get_string(
	    json_object_array_get_idx(b->op->args.targets, i));
}

static void
cast_end(struct broadcast *b)
{
	struct json_object *o = json_object_new_object();
	struct tool_op *op = b->op;
	int ok = !b->failed;

	add_bool(o, "ok", ok);
	add_obj(o, "results", b->results);
	op->cast = NULL;
	free(b);
	tool_op_end(op, ok,
	    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void
cast_next(struct broadcast *b)
{
	struct tool_op *op = b->op, *one;

	if (op->t == NULL ||
	    b->next >= json_object_array_length(op->args.targets)) {
		cast_end(b);
		return;
	}
	b->now = one = tool_op_new(op->t, op->req);
	one->of = b;
	tool_args_one(&op->args, target_at(b, b->next++), &one->args);
	tool_op_start(one);
}

void
tool_broadcast(struct tool_op *op)
{
	struct broadcast *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		fatal("calloc");
	b->op = op;
	b->results = json_object_new_array();
	op->cast = b;
	cast_next(b);
}

void
tool_broadcast_one(struct tool_op *one, int ok, const char *text)
{
	struct json_object *o = json_object_new_object(), *ids;
	struct broadcast *b = one->of;

	ids = tool_posted(one);
	add_str(o, "channel", "mattermost");
	add_str(o, "to", one->args.target);
	add_bool(o, "ok", ok);
	if (ok && one->n > 0)
		add_obj(o, "messageId",
		    json_object_get(json_object_array_get_idx(ids, 0)));
	if (!ok) {
		b->failed = 1;
		add_str(o, "error", text);
		add_bool(o, "attempted", one->items != NULL);
		if (json_object_array_length(ids) > 0)
			add_obj(o, "sentBeforeError", json_object_get(ids));
	}
	json_object_put(ids);
	json_object_array_add(b->results, o);
	tool_op_free(one);
	b->now = NULL;
	cast_next(b);
}

void
tool_broadcast_orphan(struct broadcast *b)
{
	if (b->now != NULL)
		b->now->t = NULL;
}
