/*
 * What agents and control may ask.
 *
 * agent:
 *  session.load session, max_bytes, parent(o): whose newest words a
 *               session that is not there yet begins with
 *               -> session {messages [{role, ...}]} the newest that fit
 * control:
 *  explain      post, account(o)
 *               -> data {rows [{account, kind, stage, reason, rule, state:
 *                  pending running done dead ignored noted, outcome, at ms,
 *                  decided_at ms, attempts, answer_posts [ids], error,
 *                  event(o), own(o) bool: the post is an answer to it}]}
 *  dead.list    limit, account(o)
 *               -> data {rows [{account, what: inbox outbox, seq, key,
 *                  kind, event, channel, root, at ms, dead_at ms, attempts,
 *                  reason, status, error}]} the last to die first; kind of
 *                  an outbox row is its op
 *  stats        -
 *               -> data {accounts {id: {inbox_pending, outbox_pending,
 *                  oldest_pending_at ms or 0, dead, drops {reason: n}}},
 *                  db_bytes, commits, ops}
 *  dead.retry   account, seq(o) or key(o)
 *               -> data {retried bool}; the row goes to its account as
 *                  inbox.row or outbox.row, now or with the next load
 *  session.list limit, agent(o)
 *               -> data {rows [{session, messages, updated ms}]}
 *  session.show session, max_bytes -> data {messages [{role, ...}]}
 *  session.reset session           -> data {reset bool}
 *  pairing.*    op_pairing.c
 *  cron.*       op_cron.c
 *
 * Answers are err {code, text} instead; code: io denied size.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/grow.h"
#include "workers/store/op.h"
#include "workers/store/session.h"
#include "workers/store/session_meta.h"

#define DEAD_MAX 500 /* rows of one list */
#define OWN_ROWS 50000 /* newest ones that are asked for an answer */
#define POST_ID 26

struct messages {
	struct json_object **v; /* newest first */
	size_t n;
};

static void
message_keep(const char *body, size_t len, void *arg)
{
	struct messages *m = arg;

	m->v = grow(m->v, m->n, sizeof(*m->v));
	m->v[m->n++] = op_raw(body, len);
}

enum store_rc
op_messages(struct op_call *c, const char *session, int64_t max,
    struct json_object **list)
{
	struct messages m = {NULL, 0};
	enum store_rc rc;

	if (max > STORE_DATA)
		max = STORE_DATA;
	rc = session_each(c->db, session, (size_t)max, message_keep, &m);
	*list = json_object_new_array();
	while (m.n > 0)
		json_object_array_add(*list, m.v[--m.n]);
	free(m.v);
	if (rc != STORE_OK)
		json_object_put(*list);
	return rc;
}

static enum store_rc
op_session_load(struct op_call *c)
{
	struct json_object *list;
	const char *session, *parent;
	struct session ss;
	struct fields f;
	enum store_rc rc;
	int64_t max;

	fields_open(&f, c->msg);
	session = fields_str(&f, "session", STORE_SESSION);
	max = fields_int(&f, "max_bytes", 0, INT64_MAX);
	parent = op_opt_str(&f, "parent", STORE_SESSION);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (!session_is_of(session, c->peer->id) ||
	    (*parent != '\0' && !session_is_of(parent, c->peer->id)))
		return STORE_DENIED;
	rc = session_find(c->db, session, &ss);
	if (rc == STORE_NONE && *parent != '\0')
		rc = session_inherit(c->db, parent, (size_t)max, &list);
	else if (rc == STORE_OK || rc == STORE_NONE)
		rc = op_messages(c, session, max, &list);
	if (rc != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("session", c->msg);
	add_obj(c->reply, "messages", list);
	return STORE_OK;
}

/* "id id id" */
static struct json_object *
answer_list(const char *ids)
{
	struct json_object *list = json_object_new_array();
	size_t len;

	while (*ids != '\0') {
		len = strcspn(ids, " ");
		json_object_array_add(
		    list, json_object_new_string_len(ids, (int)len));
		ids += len;
		ids += strspn(ids, " ");
	}
	return list;
}

static const char *
inbox_state(struct op_call *c, int state, const char *account, int64_t seq)
{
	if (state == STATE_DONE)
		return "done";
	if (state == STATE_DEAD)
		return "dead";
	return peers_claim(c->peers, account, seq) ? "running" : "pending";
}

static struct json_object *
explain_inbox_row(struct op_call *c, sqlite3_stmt *s)
{
	struct json_object *o = json_object_new_object();
	char text[STORE_REASON + STORE_ERROR + 64];
	int state = sqlite3_column_int(s, 3);
	/* A pairing request: the outcome is the reason of what was dropped. */
	int asked = strncmp(db_text(s, 4), "pairing", 7) == 0;

	add_str(o, "account", db_text(s, 0));
	add_str(o, "kind", db_text(s, 1));
	add_str(o, "event", db_text(s, 13));
	add_str(o, "stage", asked ? "authorise" : "turn");
	add_str(o, "reason", db_text(s, asked ? 4 : 2));
	add_str(o, "rule", db_text(s, 12));
	add_str(o, "state", asked ? "ignored" :
	    inbox_state(c, state, db_text(s, 0), sqlite3_column_int64(s, 10)));
	add_str(o, "outcome", asked ? "" : db_text(s, 4));
	add_int(o, "at", sqlite3_column_int64(s, 5));
	add_int(o, "decided_at", sqlite3_column_int64(s, 6));
	add_int(o, "attempts", sqlite3_column_int64(s, 7));
	add_obj(o, "answer_posts", answer_list(db_text(s, 8)));
	strlcpy(text, db_text(s, 9), sizeof(text));
	if (state == STATE_DEAD && *text == '\0')
		snprintf(text, sizeof(text), "%s: %d", db_text(s, 2),
		    sqlite3_column_int(s, 11));
	add_str(o, "error", text);
	return o;
}

static void
explain_drop_row(struct json_object *o, sqlite3_stmt *s)
{
	int noted = strcmp(db_text(s, 3), "ok") == 0;

	add_str(o, "account", db_text(s, 0));
	add_str(o, "kind", db_text(s, 1));
	add_str(o, "stage", db_text(s, 2));
	add_str(o, "reason", db_text(s, 3));
	add_str(o, "rule", db_text(s, 4));
	add_str(o, "state", noted ? "noted" : "ignored");
	add_str(o, "outcome", "");
	add_int(o, "at", sqlite3_column_int64(s, 5));
	add_int(o, "decided_at", sqlite3_column_int64(s, 6));
	add_int(o, "attempts", 0);
	add_obj(o, "answer_posts", json_object_new_array());
	add_str(o, "error", "");
}

/* A post of the bot itself: what it answers tells of it. */
static enum store_rc
explain_own(struct op_call *c, const char *post, const char *account,
    struct json_object *rows)
{
	struct json_object *o;
	sqlite3_stmt *s;
	enum store_rc rc;

	/* Nothing shorter than an id: it is looked for within a list. */
	if (strlen(post) != POST_ID)
		return STORE_OK;
	rc = db_rows(c->db, Q_INBOX_ANSWERED, &s, "ssi", post, account,
	    (int64_t)OWN_ROWS);
	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		o = explain_inbox_row(c, s);
		add_bool(o, "own", 1);
		json_object_array_add(rows, o);
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
op_explain(struct op_call *c)
{
	const char *post, *account;
	struct json_object *rows;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;

	fields_open(&f, c->msg);
	post = fields_str(&f, "post", STORE_EVENT);
	account = fields_opt_str(&f, "account", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rows = json_object_new_array();
	rc = db_rows(c->db, Q_DECISION_EXPLAIN, &s, "ss", post, account);
	rc = op_rows(c, rc, s, explain_drop_row, rows);
	if (rc != STORE_OK)
		return op_reply_list(c, "data", "rows", rows, rc);
	rc = db_rows(c->db, Q_INBOX_EXPLAIN, &s, "ss", post, account);
	for (; rc == STORE_OK; rc = db_next(c->db, s))
		json_object_array_add(rows, explain_inbox_row(c, s));
	if (rc == STORE_NONE)
		rc = explain_own(c, post, account, rows);
	return op_reply_list(c, "data", "rows", rows, rc);
}

static void
dead_inbox_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "account", db_text(s, 0));
	add_str(o, "what", "inbox");
	add_int(o, "seq", sqlite3_column_int64(s, 1));
	add_str(o, "key", "");
	add_str(o, "kind", db_text(s, 2));
	add_str(o, "event", db_text(s, 3));
	add_str(o, "channel", db_text(s, 4));
	add_str(o, "root", db_text(s, 5));
	add_int(o, "at", sqlite3_column_int64(s, 6));
	add_int(o, "dead_at", sqlite3_column_int64(s, 7));
	add_int(o, "attempts", sqlite3_column_int64(s, 8));
	add_str(o, "reason", db_text(s, 9));
	add_int(o, "status", sqlite3_column_int64(s, 10));
	add_str(o, "error", db_text(s, 11));
}

static void
dead_outbox_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "account", db_text(s, 0));
	add_str(o, "what", "outbox");
	add_int(o, "seq", sqlite3_column_int64(s, 1));
	add_str(o, "key", db_text(s, 2));
	add_str(o, "kind", db_text(s, 3));
	add_str(o, "event", "");
	add_str(o, "channel", db_text(s, 4));
	add_str(o, "root", db_text(s, 5));
	add_int(o, "at", sqlite3_column_int64(s, 6));
	add_int(o, "dead_at", sqlite3_column_int64(s, 7));
	add_int(o, "attempts", 0);
	add_str(o, "reason", db_text(s, 8));
	add_int(o, "status", sqlite3_column_int64(s, 9));
	add_str(o, "error", db_text(s, 10));
}

static int64_t
dead_at(struct json_object *row)
{
	return json_object_get_int64(json_object_object_get(row, "dead_at"));
}

static int
dead_cmp(const void *a, const void *b)
{
	int64_t x, y;

	x = dead_at(*(struct json_object *const *)a);
	y = dead_at(*(struct json_object *const *)b);
	return x < y ? 1 : x > y ? -1 : 0;
}

static enum store_rc
op_dead_list(struct op_call *c)
{
	const char *account;
	struct json_object *rows;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;
	int64_t limit;

	fields_open(&f, c->msg);
	account = fields_opt_str(&f, "account", STORE_ID);
	limit = fields_int(&f, "limit", 1, DEAD_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rows = json_object_new_array();
	rc = db_rows(c->db, Q_INBOX_DEAD_LIST, &s, "si", account, limit);
	rc = op_rows(c, rc, s, dead_inbox_row, rows);
	if (rc == STORE_OK) {
		rc = db_rows(
		    c->db, Q_OUTBOX_DEAD_LIST, &s, "si", account, limit);
		rc = op_rows(c, rc, s, dead_outbox_row, rows);
	}
	json_object_array_sort(rows, dead_cmp);
	if (json_object_array_length(rows) > (size_t)limit)
		json_object_array_del_idx(rows, (size_t)limit,
		    json_object_array_length(rows) - (size_t)limit);
	return op_reply_list(c, "data", "rows", rows, rc);
}

static struct json_object *
stats_account(struct json_object *accounts, const char *id)
{
	struct json_object *o;

	if (json_object_object_get_ex(accounts, id, &o))
		return o;
	o = json_object_new_object();
	add_int(o, "inbox_pending", 0);
	add_int(o, "outbox_pending", 0);
	add_int(o, "oldest_pending_at", 0);
	add_int(o, "outbox_oldest_at", 0);
	add_int(o, "dead", 0);
	add_obj(o, "drops", json_object_new_object());
	json_object_object_add(accounts, id, o);
	return o;
}

static void
stats_older(struct json_object *account, const char *key, int64_t at)
{
	int64_t old =
	    json_object_get_int64(json_object_object_get(account, key));

	if (at > 0 && (old == 0 || at < old))
		add_int(account, key, at);
}

static void
stats_add(struct json_object *account, const char *key, int64_t n)
{
	/* A reason is a key that is gone with its row. */
	n += json_object_get_int64(json_object_object_get(account, key));
	json_object_object_add(account, key, json_object_new_int64(n));
}

static enum store_rc
stats_inbox(struct op_call *c, struct json_object *accounts)
{
	struct json_object *a;
	sqlite3_stmt *s, *first;
	enum store_rc rc;

	rc = db_rows(c->db, Q_INBOX_PENDING, &s, "");
	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		a = stats_account(accounts, db_text(s, 0));
		stats_add(a, "inbox_pending", sqlite3_column_int64(s, 1));
		if (db_rows(c->db, Q_INBOX_AT, &first, "i",
			sqlite3_column_int64(s, 2)) != STORE_OK)
			continue;
		stats_older(
		    a, "oldest_pending_at", sqlite3_column_int64(first, 0));
		db_end(first);
	}
	if (rc != STORE_NONE)
		return rc;
	rc = db_rows(c->db, Q_INBOX_DEAD_COUNT, &s, "");
	for (; rc == STORE_OK; rc = db_next(c->db, s))
		stats_add(stats_account(accounts, db_text(s, 0)), "dead",
		    sqlite3_column_int64(s, 1));
	return rc;
}

static enum store_rc
stats_outbox(struct op_call *c, struct json_object *accounts)
{
	struct json_object *a;
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(c->db, Q_OUTBOX_COUNT, &s, "");
	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		a = stats_account(accounts, db_text(s, 0));
		if (sqlite3_column_int(s, 1) == STATE_DEAD) {
			stats_add(a, "dead", sqlite3_column_int64(s, 2));
			continue;
		}
		stats_add(a, "outbox_pending", sqlite3_column_int64(s, 2));
		stats_older(a, "oldest_pending_at", sqlite3_column_int64(s, 3));
		stats_older(a, "outbox_oldest_at", sqlite3_column_int64(s, 3));
	}
	return rc;
}

static enum store_rc
stats_drops(struct op_call *c, struct json_object *accounts)
{
	struct json_object *a;
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(c->db, Q_DROP_LIST, &s, "");
	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		a = stats_account(accounts, db_text(s, 0));
		stats_add(json_object_object_get(a, "drops"), db_text(s, 1),
		    sqlite3_column_int64(s, 2));
	}
	return rc;
}

static enum store_rc
op_stats(struct op_call *c)
{
	struct json_object *accounts;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;

	fields_open(&f, c->msg);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	accounts = json_object_new_object();
	rc = db_rows(c->db, Q_ACCOUNT_LIST, &s, "");
	for (; rc == STORE_OK; rc = db_next(c->db, s))
		stats_account(accounts, db_text(s, 0));
	if (rc == STORE_NONE)
		rc = stats_inbox(c, accounts);
	if (rc == STORE_NONE)
		rc = stats_outbox(c, accounts);
	if (rc == STORE_NONE)
		rc = stats_drops(c, accounts);
	if (rc != STORE_NONE) {
		json_object_put(accounts);
		return rc;
	}
	c->reply = chan_reply_msg("data", c->msg);
	add_obj(c->reply, "accounts", accounts);
	add_int(c->reply, "db_bytes", db_bytes(c->db));
	add_int(c->reply, "commits", c->n_commits);
	add_int(c->reply, "ops", c->n_ops);
	return STORE_OK;
}

const struct op op_agent[] = {
    {"session.load", OP_READ, op_session_load},
    {"media.get", OP_READ, op_media_get},
    {NULL, 0, NULL},
};

const struct op op_control[] = {
    {"explain", OP_READ, op_explain},
    {"dead.list", OP_READ, op_dead_list},
    {"stats", OP_READ, op_stats},
    {"dead.retry", 0, op_dead_retry},
    {"session.list", OP_READ, op_session_list},
    {"session.show", OP_READ, op_session_show},
    {"session.reset", 0, op_session_reset},
    {"pairing.list", OP_READ, op_pairing_list},
    {"pairing.approve", 0, op_pairing_approve},
    {"pairing.revoke", 0, op_pairing_revoke},
    {"pairing.import", 0, op_pairing_import},
    {"cron.list", OP_READ, op_cron_list},
    {"cron.add", 0, op_cron_add},
    {"cron.set", 0, op_cron_set},
    {"cron.rm", 0, op_cron_rm},
    {NULL, 0, NULL},
};
