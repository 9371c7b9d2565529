#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"
#include "workers/store/outbox.h"
#include "workers/store/session.h"

#define LIST_MAX 1000 /* rows of one list */

static enum store_rc
reply_bool(struct op_call *c, const char *key, enum store_rc rc)
{
	if (rc != STORE_OK && rc != STORE_NONE)
		return rc;
	c->reply = chan_reply_msg("data", c->msg);
	add_bool(c->reply, key, rc == STORE_OK);
	return STORE_OK;
}

enum store_rc
op_dead_retry(struct op_call *c)
{
	const char *account, *key;
	struct fields f;
	enum store_rc rc;
	int64_t seq, n = 0;

	fields_open(&f, c->msg);
	account = fields_str(&f, "account", STORE_ID);
	seq = fields_opt_int(&f, "seq", 1, INT64_MAX, 0);
	key = fields_opt_str(&f, "key", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if ((seq != 0) == (key != NULL))
		return op_bad(c, "either seq or key");
	rc = seq != 0 ? inbox_revive(c->db, account, seq)
		      : outbox_revive(c->db, account, key, &n);
	if (rc == STORE_OK) {
		strlcpy(c->push.account, account, sizeof(c->push.account));
		c->push.seq = seq;
		c->push.n = n;
	}
	return reply_bool(c, "retried", rc);
}

static void
session_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "session", db_text(s, 0));
	add_int(o, "messages", sqlite3_column_int64(s, 1));
	add_int(o, "updated", sqlite3_column_int64(s, 2));
}

enum store_rc
op_session_list(struct op_call *c)
{
	char prefix[STORE_ID + 16] = "";
	struct json_object *rows;
	const char *agent;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;
	int64_t limit;

	fields_open(&f, c->msg);
	agent = fields_opt_str(&f, "agent", STORE_ID);
	limit = fields_int(&f, "limit", 1, LIST_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (agent != NULL)
		snprintf(prefix, sizeof(prefix), "agent:%s:", agent);
	rows = json_object_new_array();
	rc = db_rows(c->db, Q_SESSION_LIST, &s, "si", prefix, limit);
	rc = op_rows(c, rc, s, session_row, rows);
	return op_reply_list(c, "data", "rows", rows, rc);
}

enum store_rc
op_session_show(struct op_call *c)
{
	struct json_object *list;
	const char *session;
	struct fields f;
	enum store_rc rc;
	int64_t max;

	fields_open(&f, c->msg);
	session = fields_str(&f, "session", STORE_SESSION);
	max = fields_int(&f, "max_bytes", 0, INT64_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if ((rc = op_messages(c, session, max, &list)) != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("data", c->msg);
	add_obj(c->reply, "messages", list);
	return STORE_OK;
}

enum store_rc
op_session_reset(struct op_call *c)
{
	struct session ss;
	const char *session;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	session = fields_str(&f, "session", STORE_SESSION);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = session_find(c->db, session, &ss);
	if (rc == STORE_OK)
		rc = session_reset(c->db, &ss);
	if (rc == STORE_OK)
		rc = session_close(c->db, &ss, c->now);
	return reply_bool(c, "reset", rc);
}
