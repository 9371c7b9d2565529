/*
 * What an account asks about people, threads and loops. ms is wall clock
 * milliseconds; (o) may be left out.
 *
 *  access.load  -
 *               -> access {grants [{user, notify: direct channel where the
 *                  user is still to be told, or ""}], threads [{channel,
 *                  root, at ms}], loops [{channel, root, n, at}], gates
 *                  [{channel, mode}]}
 *  pairing.ask  user, code, name, channel, kind, event, at, outbox(o): the
 *               reply
 *               -> pairing {state: new known granted full taken, code}
 *                  the outbox rows are kept only when the state is new;
 *                  unless it is granted or taken, the event is done with:
 *                  should it come again, it is neither asked nor answered
 *  pairing.notified
 *               user, outbox -> ok {dup true, when the user was told before}
 *  loop.reset   channel, root -> ok
 *
 * To the account, when an operator has changed something: grant.row {user,
 * on bool, notify}.
 */
#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/access.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"
#include "workers/store/outbox.h"

#define ROWS_MAX 4 /* of a reply */

static void
grant_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "user", db_text(s, 1));
	add_str(o, "notify", db_text(s, 3));
}

static void
thread_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "channel", db_text(s, 0));
	add_str(o, "root", db_text(s, 1));
	add_int(o, "at", sqlite3_column_int64(s, 2));
}

static void
loop_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "channel", db_text(s, 0));
	add_str(o, "root", db_text(s, 1));
	add_int(o, "n", sqlite3_column_int64(s, 2));
	add_int(o, "at", sqlite3_column_int64(s, 3));
}

static struct json_object *
list(struct op_call *c, const char *key)
{
	struct json_object *a = json_object_new_array();

	json_object_object_add(c->reply, key, a);
	return a;
}

enum store_rc
op_access_load(struct op_call *c)
{
	const char *id = c->peer->id;
	sqlite3_stmt *s;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->reply = chan_reply_msg("access", c->msg);
	rc = db_rows(c->db, Q_GRANT_LIST, &s, "si", id, (int64_t)GRANTS_KEEP);
	if ((rc = op_rows(c, rc, s, grant_row, list(c, "grants"))) ==
	    STORE_OK) {
		rc = db_rows(c->db, Q_THREAD_LIST, &s, "sii", id,
		    c->now - THREAD_LIFE_MS, (int64_t)THREADS_KEEP);
		rc = op_rows(c, rc, s, thread_row, list(c, "threads"));
	}
	if (rc == STORE_OK) {
		rc = db_rows(c->db, Q_LOOP_LIST, &s, "sii", id,
		    (int64_t)LOOPS_KEEP, c->now - LOOP_LIFE_MS);
		rc = op_rows(c, rc, s, loop_row, list(c, "loops"));
	}
	if (rc == STORE_OK)
		rc = op_gate_list(c);
	if (rc != STORE_OK)
		op_reply_drop(c);
	return rc;
}

static enum store_rc
came_before(struct op_call *c, const struct inbox_row *r, int *before)
{
	enum store_rc rc;
	int64_t seq;

	rc = inbox_find(c->db, r, &seq);
	*before = rc == STORE_OK;
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* The event is not to be answered, also not after an approval. */
static enum store_rc
done_with(struct op_call *c, struct inbox_row *r, const char *outcome)
{
	enum store_rc rc;
	int64_t seq;
	int dup;

	r->data = "{}";
	r->data_len = 2;
	rc = inbox_put(c->db, r, c->now, &seq, &dup);
	return rc == STORE_OK ? inbox_done(c->db, seq, outcome, c->now) : rc;
}

enum store_rc
op_pairing_ask(struct op_call *c)
{
	static const char *const states[] = {
	    [PAIRING_NEW] = "new",
	    [PAIRING_KNOWN] = "known",
	    [PAIRING_GRANTED] = "granted",
	    [PAIRING_FULL] = "full",
	    [PAIRING_TAKEN] = "taken",
	};
	struct pairing p = {.account = c->peer->id};
	struct inbox_row r = {.account = c->peer->id, .lane = "", .root = ""};
	char code[PAIRING_CODE + 1];
	enum pairing_state state;
	struct json_object *outbox;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	p.user = fields_str(&f, "user", STORE_ID);
	p.code = fields_str(&f, "code", PAIRING_CODE);
	p.name = fields_str(&f, "name", STORE_ID);
	p.channel = fields_str(&f, "channel", STORE_ID);
	r.kind = fields_str(&f, "kind", STORE_WORD);
	r.event = fields_str(&f, "event", STORE_EVENT);
	r.at = fields_int(&f, "at", 0, INT64_MAX);
	r.channel = p.channel;
	outbox = fields_opt_arr(&f, "outbox", ROWS_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (!pairing_user_valid(p.user) || !pairing_code_valid(p.code))
		return op_bad(c, "user or code");
	if ((rc = came_before(c, &r, &p.again)) != STORE_OK)
		return rc;
	rc = pairing_ask(c->db, &p, c->now, &state, code);
	if (rc == STORE_OK && !p.again && state != PAIRING_GRANTED &&
	    state != PAIRING_TAKEN)
		rc = done_with(c, &r,
		    state == PAIRING_FULL ? "pairing-full" : "pairing");
	if (rc == STORE_OK && state == PAIRING_NEW && outbox != NULL)
		rc = op_outbox_rows(c, outbox);
	if (rc != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("pairing", c->msg);
	add_str(c->reply, "state", states[state]);
	add_str(c->reply, "code", code);
	return STORE_OK;
}

/* The first of these rows is in the outbox already. */
static enum store_rc
is_there(struct op_call *c, struct json_object *outbox, int *there)
{
	struct json_object *row, *key;
	enum store_rc rc;

	*there = 0;
	if (json_object_array_length(outbox) == 0)
		return STORE_OK;
	row = json_object_array_get_idx(outbox, 0);
	if (!json_object_is_type(row, json_type_object) ||
	    !json_object_object_get_ex(row, "key", &key) ||
	    !json_object_is_type(key, json_type_string))
		return op_bad(c, "outbox row without key");
	rc = outbox_find(c->db, c->peer->id, json_object_get_string(key));
	*there = rc == STORE_OK;
	return rc == STORE_NONE ? STORE_OK : rc;
}

/*
 * The user is told once: who finds the mark set tells. When the answer to
 * that was lost, the same rows come again; they are not another telling.
 */
enum store_rc
op_pairing_notified(struct op_call *c)
{
	struct json_object *outbox;
	const char *user, *account = c->peer->id;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;
	int told = 1, there;

	fields_open(&f, c->msg);
	user = fields_str(&f, "user", STORE_ID);
	outbox = fields_arr(&f, "outbox", ROWS_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = db_rows(c->db, Q_GRANT_GET, &s, "ss", account, user);
	if (rc == STORE_OK) {
		told = db_text(s, 0)[0] == '\0';
		db_end(s);
	} else if (rc != STORE_NONE)
		return rc;
	if (!told && (rc = op_outbox_rows(c, outbox)) == STORE_OK)
		rc = db_run(c->db, Q_GRANT_NOTIFIED, "ss", account, user);
	if (rc != STORE_OK && rc != STORE_NONE)
		return rc;
	if ((rc = is_there(c, outbox, &there)) != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("ok", c->msg);
	if (told && !there)
		add_bool(c->reply, "dup", 1);
	return STORE_OK;
}

enum store_rc
op_loop_reset(struct op_call *c)
{
	const char *channel, *root;
	struct fields f;

	fields_open(&f, c->msg);
	channel = fields_str(&f, "channel", STORE_ID);
	root = fields_str(&f, "root", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->reply = chan_reply_msg("ok", c->msg);
	return loop_reset(c->db, c->peer->id, channel, root);
}
