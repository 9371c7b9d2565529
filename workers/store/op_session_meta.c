/*
 * What an account asks about a session, and what the end of a turn changes
 * beside the transcript. ms is wall clock milliseconds; (o) may be left out.
 *
 *  session.open session, agent, notes(o): the session whose notes to show
 *               -> session.info {known bool, gen: number of resets,
 *                  messages, updated ms, model, thinking, turns, prompt,
 *                  completion, used: model, notes [{n, at ms, text}]};
 *               the same as "session" in the answer to an inbox.put with
 *               "tell", or to a turn.commit with "next"
 *
 * Members of turn.commit and turn.dead, all (o):
 *  ends         {outcome, seqs [seq]}: open inbox rows of this account that
 *               end with this one
 *  meta         {model(o), thinking(o)}: set for the session, "" for none
 *  usage        {prompt, completion, model(o)}: of this turn
 *  gate         {channel, mode: mention always or ""}
 *  notes        {session, upto}: have been shown, up to number upto
 *  parent       session whose newest words a new session begins with
 */
#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/proto.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"
#include "workers/store/session_meta.h"

#define GATES_MAX 1000 /* as many as the account remembers */

static enum store_rc
info(struct op_call *c, const char *session, struct json_object *o)
{
	char twin[STORE_SESSION + 1];
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(c->db, Q_META_GET, &s, "s", session);
	if (rc == STORE_NONE && session_twin(session, twin))
		rc = db_rows(c->db, Q_META_GET, &s, "s", twin);
	if (rc != STORE_OK && rc != STORE_NONE)
		return rc;
	add_bool(o, "known", rc == STORE_OK);
	if (rc == STORE_NONE) {
		static const char *const zero[] = {"gen", "messages",
		    "updated", "turns", "prompt", "completion"};
		size_t i;

		for (i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
			add_int(o, zero[i], 0);
		add_str(o, "model", "");
		add_str(o, "thinking", "");
		add_str(o, "used", "");
		return STORE_OK;
	}
	add_int(o, "messages", sqlite3_column_int64(s, 1));
	add_int(o, "updated", sqlite3_column_int64(s, 2));
	add_int(o, "gen", sqlite3_column_int64(s, 3));
	add_str(o, "model", db_text(s, 4));
	add_str(o, "thinking", db_text(s, 5));
	add_int(o, "turns", sqlite3_column_int64(s, 6));
	add_int(o, "prompt", sqlite3_column_int64(s, 7));
	add_int(o, "completion", sqlite3_column_int64(s, 8));
	add_str(o, "used", db_text(s, 9));
	db_end(s);
	return STORE_OK;
}

/* What session.open tells, into o. */
static enum store_rc
tell(struct op_call *c, const char *session, const char *agent,
    const char *notes, struct json_object *o)
{
	struct json_object *list;
	enum store_rc rc;

	if (!peer_has_agent(c->peer, agent) ||
	    !session_is_of(session, agent) ||
	    (*notes != '\0' && !session_is_of(notes, agent)))
		return STORE_DENIED;
	list = json_object_new_array();
	add_obj(o, "notes", list);
	rc = info(c, session, o);
	if (rc == STORE_OK && *notes != '\0')
		rc = op_note_list(c, notes, list);
	return rc;
}

/* Of at most as many bytes as session.open takes; else "". */
static const char *
text_of(struct json_object *data, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(data, key, &v) ||
	    !json_object_is_type(v, json_type_string) ||
	    json_object_get_string_len(v) > STORE_SESSION)
		return "";
	return json_object_get_string(v);
}

void
op_session_tell(struct op_call *c, const char *session, const char *agent,
    const char *notes)
{
	struct json_object *o = json_object_new_object();

	if (tell(c, session, agent, notes, o) == STORE_OK)
		add_obj(c->reply, "session", o);
	else
		json_object_put(o);
}

void
op_session_tell_row(struct op_call *c, struct json_object *data)
{
	op_session_tell(c, text_of(data, "session"), text_of(data, "agent"),
	    text_of(data, "notes"));
}

enum store_rc
op_session_open(struct op_call *c)
{
	const char *session, *agent, *notes;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	session = fields_str(&f, "session", STORE_SESSION);
	agent = fields_str(&f, "agent", STORE_ID);
	notes = op_opt_str(&f, "notes", STORE_SESSION);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->reply = chan_reply_msg("session.info", c->msg);
	rc = tell(c, session, agent, notes, c->reply);
	if (rc != STORE_OK)
		op_reply_drop(c);
	return rc;
}

void
op_extra_take(struct op_extra *x, struct fields *f)
{
	struct json_object *ends = fields_opt_obj(f, "ends");
	struct fields e;

	memset(x, 0, sizeof(*x));
	x->meta = fields_opt_obj(f, "meta");
	x->usage = fields_opt_obj(f, "usage");
	x->gate = fields_opt_obj(f, "gate");
	x->notes = fields_opt_obj(f, "notes");
	x->parent = op_opt_str(f, "parent", STORE_SESSION);
	if (ends == NULL)
		return;
	fields_open(&e, ends);
	x->outcome = fields_str(&e, "outcome", STORE_WORD);
	x->seqs = fields_arr(&e, "seqs", PROTO_ENDS);
	if (fields_end(&e) == -1 && f->bad == NULL) {
		f->bad = "ends";
		f->why = "malformed";
	}
}

static enum store_rc
run_ends(struct op_call *c, const struct op_extra *x)
{
	char lane[STORE_EVENT + 1];
	size_t i, n = json_object_array_length(x->seqs);
	enum store_rc rc = STORE_OK;
	int64_t seq;
	int state;

	for (i = 0; i < n && rc == STORE_OK; i++) {
		seq = json_object_get_int64(
		    json_object_array_get_idx(x->seqs, i));
		rc = inbox_check(c->db, c->peer->id, seq, &state, lane);
		if (rc == STORE_OK && state == STATE_OPEN)
			rc = inbox_done(c->db, seq, x->outcome, c->now);
	}
	return rc;
}

enum store_rc
op_session_more(struct op_call *c, const struct session *ss, int64_t len)
{
	return quota_session(
	    c->db, &c->peer->quota, c->peer->id, len, ss->num);
}

static enum store_rc
run_meta(struct op_call *c, const struct op_extra *x, const char *session)
{
	const char *model = NULL, *thinking = NULL, *used = "";
	int64_t prompt = 0, completion = 0;
	struct session ss;
	struct fields f;
	enum store_rc rc;

	if (x->meta != NULL) {
		fields_open(&f, x->meta);
		model = fields_opt_str(&f, "model", STORE_REASON);
		thinking = fields_opt_str(&f, "thinking", STORE_WORD);
		if (fields_end(&f) == -1)
			return op_bad(c, "meta");
	}
	if (x->usage != NULL) {
		fields_open(&f, x->usage);
		prompt = fields_int(&f, "prompt", 0, INT64_MAX / 2);
		completion = fields_int(&f, "completion", 0, INT64_MAX / 2);
		used = op_opt_str(&f, "model", STORE_REASON);
		if (fields_end(&f) == -1)
			return op_bad(c, "usage");
	}
	rc = session_open(c->db, session, c->peer->id, c->now, &ss);
	if (rc == STORE_OK && ss.fresh)
		rc = op_session_more(c, &ss, STORE_SESSION_ROW);
	if (rc == STORE_OK && x->meta != NULL)
		rc = session_meta_set(c->db, ss.num, model, thinking);
	if (rc == STORE_OK && x->usage != NULL)
		rc = session_meta_usage(
		    c->db, ss.num, prompt, completion, used);
	return rc;
}

static enum store_rc
run_gate(struct op_call *c, const struct op_extra *x)
{
	const char *channel, *mode;
	struct fields f;

	fields_open(&f, x->gate);
	channel = fields_str(&f, "channel", STORE_ID);
	mode = fields_str(&f, "mode", STORE_WORD);
	if (fields_end(&f) == -1)
		return op_bad(c, "gate");
	if (*mode == '\0')
		return db_run(
		    c->db, Q_GATE_CLEAR, "ss", c->peer->id, channel);
	if (strcmp(mode, "mention") != 0 && strcmp(mode, "always") != 0)
		return op_bad(c, "unknown gate");
	return db_run(c->db, Q_GATE_SET, "sssi", c->peer->id, channel, mode,
	    (int64_t)GATES_MAX);
}

static enum store_rc
run_notes(struct op_call *c, const struct op_extra *x, const char *agent)
{
	const char *session;
	struct fields f;
	int64_t upto;

	fields_open(&f, x->notes);
	session = fields_str(&f, "session", STORE_SESSION);
	upto = fields_int(&f, "upto", 0, INT64_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, "notes");
	if (!session_is_of(session, agent))
		return STORE_DENIED;
	return op_note_shown(c, session, upto);
}

enum store_rc
op_extra_run(struct op_call *c, const struct op_extra *x, const char *session,
    const char *agent)
{
	enum store_rc rc = STORE_OK;

	if (x->meta != NULL || x->usage != NULL || x->notes != NULL ||
	    *x->parent != '\0')
		if (!peer_has_agent(c->peer, agent) ||
		    !session_is_of(session, agent) ||
		    (*x->parent != '\0' && !session_is_of(x->parent, agent)))
			return STORE_DENIED;
	if (x->seqs != NULL)
		rc = run_ends(c, x);
	if (rc == STORE_OK && (x->meta != NULL || x->usage != NULL))
		rc = run_meta(c, x, session);
	if (rc == STORE_OK && x->gate != NULL)
		rc = run_gate(c, x);
	if (rc == STORE_OK && x->notes != NULL)
		rc = run_notes(c, x, agent);
	return rc;
}

static void
gate_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "channel", db_text(s, 0));
	add_str(o, "mode", db_text(s, 1));
}

enum store_rc
op_gate_list(struct op_call *c)
{
	struct json_object *list = json_object_new_array();
	sqlite3_stmt *s;
	enum store_rc rc;

	add_obj(c->reply, "gates", list);
	rc = db_rows(c->db, Q_GATE_LIST, &s, "si", c->peer->id,
	    (int64_t)GATES_MAX);
	return op_rows(c, rc, s, gate_row, list);
}
