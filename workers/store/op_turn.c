#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"
#include "workers/store/outbox.h"
#include "workers/store/session.h"
#include "workers/store/session_meta.h"
#include "workers/store/tool.h"

#define TRANSCRIPT_MAX 1000 /* messages of one turn */
#define OUTBOX_MAX 256	    /* rows of one turn */
#define FILES_MAX 10	    /* of one post */
#define STATUS_MAX 999	    /* HTTP */
#define ESCAPE_MAX 6	    /* bytes of JSON text for one byte */

static int
op_is_known(const char *op)
{
	return strcmp(op, "post") == 0 || strcmp(op, "edit") == 0 ||
	       strcmp(op, "delete") == 0 || strcmp(op, "sweep") == 0;
}

/* What load could not give back in one frame is refused. */
static enum store_rc
outbox_size(
    struct op_call *c, struct json_object *obj, const struct outbox_row *r)
{
	size_t len = strlen(r->text);

	c->bytes += len + r->props_len;
	if (len < STORE_DATA / ESCAPE_MAX / 2 && r->props_len < STORE_DATA / 2)
		return STORE_OK;
	op_text(obj, &len);
	return len > STORE_DATA ? STORE_SIZE : STORE_OK;
}

enum store_rc
op_outbox_row(
    struct op_call *c, struct json_object *obj, int64_t seq, const char *lane)
{
	struct outbox_row r = {
	    .account = c->peer->id, .seq = seq, .lane = lane};
	struct json_object *props, *files;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, obj);
	r.key = fields_str(&f, "key", STORE_ID);
	r.op = fields_str(&f, "op", STORE_WORD);
	r.channel = fields_str(&f, "channel", STORE_ID);
	r.root = op_opt_str(&f, "root", STORE_ID);
	r.post = op_opt_str(&f, "post", STORE_ID);
	r.text = op_opt_str(&f, "text", PROTO_TEXT);
	props = fields_opt_obj(&f, "props");
	files = fields_opt_arr(&f, "files", FILES_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (*r.key == '\0' || !op_is_known(r.op))
		return op_bad(c, "outbox row without key or with unknown op");
	if (props != NULL)
		r.props = op_text(props, &r.props_len);
	if (files != NULL && json_object_array_length(files) > 0)
		r.files = op_text(files, &r.files_len);
	if (r.files_len > FILES_MAX * (STORE_ID + 4))
		return op_bad(c, "outbox row with files that are none");
	if ((rc = outbox_size(c, obj, &r)) != STORE_OK ||
	    (rc = quota_queue(c->db, &c->peer->quota, c->peer->id,
		 strlen(r.text) + r.props_len, c->ends)) != STORE_OK)
		return rc;
	return outbox_put(c->db, &r, c->now);
}

static enum store_rc
outbox_all(
    struct op_call *c, struct json_object *rows, int64_t seq, const char *lane)
{
	size_t i, n = rows == NULL ? 0 : json_object_array_length(rows);
	enum store_rc rc = STORE_OK;

	for (i = 0; i < n && rc == STORE_OK; i++)
		rc = op_outbox_row(
		    c, json_object_array_get_idx(rows, i), seq, lane);
	return rc;
}

static enum store_rc
reply_ok(struct op_call *c, int dup)
{
	c->reply = chan_reply_msg("ok", c->msg);
	if (dup)
		add_bool(c->reply, "dup", 1);
	return STORE_OK;
}

/*
 * The turn that a frame ends, and with the commit the claim of whoever ran
 * it. *over: it had ended, and nothing is to be done.
 */
static enum store_rc
turn_take(struct op_call *c, int64_t seq, char lane[STORE_EVENT + 1], int *over)
{
	enum store_rc rc;
	int state;

	rc = inbox_check(c->db, c->peer->id, seq, &state, lane);
	if (rc != STORE_OK)
		return rc;
	c->release = seq;
	*over = state != STATE_OPEN;
	return STORE_OK;
}

struct commit {
	int64_t seq;
	const char *session;
	const char *agent;
	const char *outcome;
	struct json_object *transcript;
	struct json_object *outbox;
	const char *next; /* notes that the next turn shows, or NULL */
	int reset;
	struct op_extra extra;
};

static int
outcome_is_known(const char *s)
{
	static const char *const known[] = {
	    "answered", "silent", "command", "notice", "stopped",
	    "denied"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(s, known[i]) == 0)
			return 1;
	return 0;
}

static enum store_rc
commit_parse(struct op_call *c, struct commit *t)
{
	struct fields f;

	fields_open(&f, c->msg);
	t->seq = fields_int(&f, "seq", 1, INT64_MAX);
	t->session = op_opt_str(&f, "session", STORE_SESSION);
	t->agent = op_opt_str(&f, "agent", STORE_ID);
	t->outcome = fields_str(&f, "outcome", STORE_WORD);
	t->transcript = fields_opt_arr(&f, "transcript", TRANSCRIPT_MAX);
	t->outbox = fields_opt_arr(&f, "outbox", OUTBOX_MAX);
	t->reset = fields_opt_bool(&f, "reset", 0);
	t->next = fields_opt_str(&f, "next", STORE_SESSION);
	op_extra_take(&t->extra, &f);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (!outcome_is_known(t->outcome))
		return op_bad(c, "unknown outcome");
	if (t->transcript != NULL &&
	    json_object_array_length(t->transcript) == 0)
		t->transcript = NULL;
	if (t->transcript == NULL && !t->reset)
		return STORE_OK;
	if (!peer_has_agent(c->peer, t->agent) ||
	    !session_is_of(t->session, t->agent))
		return STORE_DENIED;
	return STORE_OK;
}

static enum store_rc
transcript_add(struct op_call *c, struct session *ss, struct json_object *m)
{
	struct json_object *role;
	enum store_rc rc;
	const char *text;
	size_t len;

	if (!json_object_is_type(m, json_type_object) ||
	    !json_object_object_get_ex(m, "role", &role) ||
	    !json_object_is_type(role, json_type_string))
		return op_bad(c, "transcript message without role");
	text = op_text(m, &len);
	if (len > STORE_DATA)
		return STORE_SIZE;
	c->bytes += len;
	if ((rc = op_session_more(c, ss, (int64_t)len)) != STORE_OK)
		return rc;
	return session_add(c->db, ss, c->now, text, len);
}

static enum store_rc
commit_session(struct op_call *c, const struct commit *t)
{
	struct session ss;
	enum store_rc rc;
	size_t i, n;

	if (t->transcript == NULL && !t->reset)
		return STORE_OK;
	rc = session_begin(c->db, t->session, c->peer->id,
	    t->reset ? "" : t->extra.parent, c->now, &ss);
	if (rc == STORE_OK && ss.fresh)
		rc = op_session_more(c, &ss, ss.bytes + STORE_SESSION_ROW);
	if (rc == STORE_OK && t->reset)
		rc = session_reset(c->db, &ss);
	n = t->transcript == NULL ? 0 : json_object_array_length(t->transcript);
	for (i = 0; i < n && rc == STORE_OK; i++)
		rc = transcript_add(
		    c, &ss, json_object_array_get_idx(t->transcript, i));
	return rc == STORE_OK ? session_close(c->db, &ss, c->now) : rc;
}

enum store_rc
op_turn_commit(struct op_call *c)
{
	char lane[STORE_EVENT + 1];
	struct commit t;
	enum store_rc rc;
	int over;

	c->ends = 1;
	if ((rc = commit_parse(c, &t)) != STORE_OK)
		return rc;
	if ((rc = turn_take(c, t.seq, lane, &over)) != STORE_OK)
		return rc;
	if (over)
		return reply_ok(c, 1);
	if ((rc = commit_session(c, &t)) != STORE_OK ||
	    (rc = op_extra_run(c, &t.extra, t.session, t.agent)) != STORE_OK ||
	    (rc = outbox_all(c, t.outbox, t.seq, lane)) != STORE_OK ||
	    (rc = tool_forget(c->db, t.seq)) != STORE_OK ||
	    (rc = inbox_done(c->db, t.seq, t.outcome, c->now)) != STORE_OK)
		return rc;
	rc = reply_ok(c, 0);
	if (rc == STORE_OK && t.next != NULL)
		op_session_tell(c, t.session, t.agent, t.next);
	return rc;
}

enum store_rc
op_turn_retry(struct op_call *c)
{
	char lane[STORE_EVENT + 1];
	char reason[STORE_REASON + 1];
	int64_t seq, not_before;
	struct fields f;
	enum store_rc rc;
	int over;

	fields_open(&f, c->msg);
	seq = fields_int(&f, "seq", 1, INT64_MAX);
	not_before = fields_int(&f, "not_before", 0, INT64_MAX);
	op_cut(reason, fields_str(&f, "reason", PROTO_NORMAL), sizeof(reason));
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if ((rc = turn_take(c, seq, lane, &over)) != STORE_OK)
		return rc;
	if (over)
		return reply_ok(c, 1);
	rc = inbox_retry(c->db, seq, not_before, reason);
	return rc == STORE_OK ? reply_ok(c, 0) : rc;
}

enum store_rc
op_turn_dead(struct op_call *c)
{
	char lane[STORE_EVENT + 1], reason[STORE_REASON + 1];
	struct json_object *outbox;
	struct op_extra extra;
	struct fields f;
	enum store_rc rc;
	int64_t seq;
	int over, status;

	c->ends = 1;
	fields_open(&f, c->msg);
	seq = fields_int(&f, "seq", 1, INT64_MAX);
	op_cut(reason, fields_str(&f, "reason", PROTO_NORMAL), sizeof(reason));
	status = (int)fields_int(&f, "status", 0, STATUS_MAX);
	outbox = fields_opt_arr(&f, "outbox", OUTBOX_MAX);
	op_extra_take(&extra, &f);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if ((rc = turn_take(c, seq, lane, &over)) != STORE_OK)
		return rc;
	if (over)
		return reply_ok(c, 1);
	if ((rc = op_extra_run(c, &extra, "", "")) != STORE_OK ||
	    (rc = outbox_all(c, outbox, seq, lane)) != STORE_OK ||
	    (rc = inbox_dead(c->db, seq, reason, status, c->now)) != STORE_OK)
		return rc;
	return reply_ok(c, 0);
}

enum store_rc
op_outbox_rows(struct op_call *c, struct json_object *rows)
{
	return outbox_all(c, rows, 0, "");
}

enum store_rc
op_outbox_put(struct op_call *c)
{
	struct json_object *outbox;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	outbox = fields_arr(&f, "outbox", OUTBOX_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = outbox_all(c, outbox, 0, "");
	return rc == STORE_OK ? reply_ok(c, 0) : rc;
}

enum store_rc
op_outbox_done(struct op_call *c)
{
	const char *key, *post;
	struct fields f;
	int thread;

	fields_open(&f, c->msg);
	key = fields_str(&f, "key", STORE_ID);
	post = op_opt_str(&f, "post", STORE_ID);
	thread = fields_opt_bool(&f, "thread", 0);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	return outbox_done(c->db, c->peer->id, key, post, thread, c->now);
}

enum store_rc
op_outbox_dead(struct op_call *c)
{
	char reason[STORE_REASON + 1], text[STORE_ERROR + 1];
	const char *key;
	struct fields f;
	int status;

	fields_open(&f, c->msg);
	key = fields_str(&f, "key", STORE_ID);
	op_cut(reason, fields_str(&f, "reason", PROTO_NORMAL), sizeof(reason));
	status = (int)fields_int(&f, "status", 0, STATUS_MAX);
	op_cut(text, op_opt_str(&f, "text", PROTO_NORMAL), sizeof(text));
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	return outbox_dead(
	    c->db, c->peer->id, key, reason, status, text, c->now);
}
