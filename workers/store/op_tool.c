/*
 * account:
 *  tool.put     seq, outbox [rows] of which each key is unique for ever
 *               -> tool.ok {rows [{key, dup bool, state: open done dead,
 *                  post, error}]}; rows that were put before are not put again
 */
#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"
#include "workers/store/tool.h"

#define ROWS_MAX 32

static const char *
state_name(int state)
{
	if (state == STATE_DONE)
		return "done";
	return state == STATE_DEAD ? "dead" : "open";
}

static enum store_rc
put_one(struct op_call *c, struct json_object *row, int64_t seq,
    const char *lane, struct json_object *out)
{
	char post[STORE_ID + 1], error[STORE_ERROR + 1];
	struct json_object *o;
	const char *key;
	struct fields f;
	enum store_rc rc;
	int dup, state;

	fields_open(&f, row);
	key = fields_str(&f, "key", STORE_ID);
	if (fields_ok(&f) == -1 || *key == '\0')
		return op_bad(c, "outbox row without key");
	if ((rc = tool_put(c->db, c->peer->id, key, seq, &dup)) != STORE_OK)
		return rc;
	if (!dup &&
	    ((rc = quota_queue(c->db, &c->peer->quota, c->peer->id, 0, 0)) !=
		    STORE_OK ||
		(rc = op_outbox_row(c, row, seq, lane)) != STORE_OK))
		return rc;
	rc = tool_get(c->db, c->peer->id, key, &state, post, error);
	if (rc != STORE_OK)
		return rc;
	o = json_object_new_object();
	add_str(o, "key", key);
	add_bool(o, "dup", dup);
	add_str(o, "state", state_name(state));
	add_str(o, "post", post);
	add_str(o, "error", error);
	json_object_array_add(out, o);
	return STORE_OK;
}

enum store_rc
op_tool_put(struct op_call *c)
{
	char lane[STORE_EVENT + 1];
	struct json_object *rows, *out;
	struct fields f;
	enum store_rc rc;
	int64_t seq;
	size_t i;
	int state;

	fields_open(&f, c->msg);
	seq = fields_int(&f, "seq", 1, INT64_MAX);
	rows = fields_arr(&f, "outbox", ROWS_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = inbox_check(c->db, c->peer->id, seq, &state, lane);
	if (rc != STORE_OK)
		return rc;
	if (state != STATE_OPEN)
		return STORE_DENIED;
	out = json_object_new_array();
	for (i = 0; i < json_object_array_length(rows) && rc == STORE_OK; i++)
		rc = put_one(c, json_object_array_get_idx(rows, i), seq, lane,
		    out);
	if (rc != STORE_OK) {
		json_object_put(out);
		return rc;
	}
	c->reply = chan_reply_msg("tool.ok", c->msg);
	add_obj(c->reply, "rows", out);
	return STORE_OK;
}
