/*
 * Notes: short lines about what happened in a conversation without starting
 * a turn (a reaction), kept until the next turn of the session has shown
 * them. ms is wall clock milliseconds.
 *
 *  note.put     session, agent, key: of the happening, at ms, text
 *               -> ok; it takes the place of one with that key, unless that
 *               has the same time: then it is the same, shown or not
 *
 * A session keeps its NOTES_KEEP newest. They come with session.open; the
 * turn.commit that has shown them takes their text away, and what is left
 * keeps them from coming a second time.
 */
#include "config.h"

#include <json-c/json.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/op.h"
#include "workers/store/session.h"

#define NOTES_KEEP 20 /* of a session: the peer's */

/* STORE_OK: it is there, of that very time. */
static enum store_rc
note_find(struct db *db, const char *session, const char *key, int64_t at)
{
	char twin[STORE_SESSION + 1];
	sqlite3_stmt *s;
	enum store_rc rc;

	(void)session_twin(session, twin);
	rc = db_rows(db, Q_NOTE_FIND, &s, "sssi", session, twin, key, at);
	if (rc == STORE_OK)
		db_end(s);
	return rc;
}

enum store_rc
op_note_put(struct op_call *c)
{
	char text[STORE_REASON + 1];
	const char *session, *agent, *key;
	struct fields f;
	enum store_rc rc;
	int64_t at;

	fields_open(&f, c->msg);
	session = fields_str(&f, "session", STORE_SESSION);
	agent = fields_str(&f, "agent", STORE_ID);
	key = fields_str(&f, "key", STORE_SESSION);
	at = fields_int(&f, "at", 0, INT64_MAX);
	op_cut(text, fields_str(&f, "text", PROTO_SMALL), sizeof(text));
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (!peer_has_agent(c->peer, agent) || !session_is_of(session, agent))
		return STORE_DENIED;
	rc = note_find(c->db, session, key, at);
	if (rc == STORE_NONE &&
	    (rc = quota_note(c->db, &c->peer->quota, c->peer->id)) ==
		STORE_OK &&
	    (rc = db_run(c->db, Q_NOTE_PUT, "ssiss", session, key, at, text,
		 c->peer->id)) == STORE_OK)
		rc = db_run(c->db, Q_NOTE_TRIM, "si", session,
		    (int64_t)NOTES_KEEP);
	if (rc != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("ok", c->msg);
	return STORE_OK;
}

/* STORE_OK: there are some to show. */
static enum store_rc
note_any(struct db *db, const char *session)
{
	sqlite3_stmt *s;
	enum store_rc rc = db_rows(db, Q_NOTE_ANY, &s, "s", session);

	if (rc == STORE_OK)
		db_end(s);
	return rc;
}

enum store_rc
op_note_list(struct op_call *c, const char *session, struct json_object *list)
{
	char twin[STORE_SESSION + 1];
	struct json_object *o;
	sqlite3_stmt *s;
	enum store_rc rc;

	/* Mostly there are none, which a list takes ten times as long to say. */
	if ((rc = note_any(c->db, session)) == STORE_NONE &&
	    session_twin(session, twin))
		rc = note_any(c->db, twin);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	(void)session_twin(session, twin);
	rc = db_rows(c->db, Q_NOTE_LIST, &s, "ss", session, twin);
	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		o = json_object_new_object();
		add_int(o, "n", sqlite3_column_int64(s, 0));
		add_int(o, "at", sqlite3_column_int64(s, 1));
		add_str(o, "text", db_text(s, 2));
		json_object_array_add(list, o);
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
op_note_shown(struct op_call *c, const char *session, int64_t upto)
{
	char twin[STORE_SESSION + 1];

	(void)session_twin(session, twin);
	return db_run(c->db, Q_NOTE_SHOWN, "ssi", session, twin, upto);
}
