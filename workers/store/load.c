#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/store/load.h"
#include "workers/store/op.h"
#include "workers/store/reply.h"

enum load_phase { LOAD_MARKS, LOAD_INBOX, LOAD_OUTBOX, LOAD_END };

struct load {
	struct json_object *id;
	enum load_phase phase;
	char channel[STORE_ID + 1]; /* last mark sent */
	int64_t last;		    /* last seq or n sent */
	int64_t max_seq, max_n;
	int64_t first_at;
};

static void
col_str(struct json_object *o, const char *key, sqlite3_stmt *s, int col)
{
	json_object_object_add(o, key, json_object_new_string(db_text(s, col)));
}

static void
col_int(struct json_object *o, const char *key, sqlite3_stmt *s, int col)
{
	json_object_object_add(
	    o, key, json_object_new_int64(sqlite3_column_int64(s, col)));
}

static void
col_raw(struct json_object *o, const char *key, sqlite3_stmt *s, int col)
{
	const char *text = (const char *)sqlite3_column_text(s, col);

	json_object_object_add(o, key,
	    text == NULL ? NULL : op_raw(text, sqlite3_column_bytes(s, col)));
}

static void
load_mark(struct peer *p, sqlite3_stmt *s)
{
	struct json_object *m = chan_msg("mark.row");

	col_str(m, "channel", s, 0);
	col_str(m, "post", s, 1);
	col_int(m, "at", s, 2);
	chan_send(p->chan, m, -1);
}

static void
load_inbox(struct peer *p, sqlite3_stmt *s)
{
	struct json_object *m = chan_msg("inbox.row");

	col_int(m, "seq", s, 0);
	col_str(m, "kind", s, 1);
	col_str(m, "event", s, 2);
	col_str(m, "lane", s, 3);
	col_str(m, "channel", s, 4);
	col_str(m, "root", s, 5);
	col_int(m, "at", s, 6);
	col_int(m, "attempts", s, 7);
	col_int(m, "not_before", s, 8);
	col_raw(m, "data", s, 9);
	chan_send(p->chan, m, -1);
}

static void
load_outbox(struct peer *p, sqlite3_stmt *s)
{
	struct json_object *m = chan_msg("outbox.row");

	col_str(m, "key", s, 1);
	col_int(m, "seq", s, 2);
	col_str(m, "lane", s, 3);
	col_str(m, "op", s, 4);
	col_str(m, "channel", s, 5);
	col_str(m, "root", s, 6);
	col_str(m, "post", s, 7);
	col_str(m, "text", s, 8);
	col_raw(m, "props", s, 9);
	col_int(m, "created", s, 10);
	if (sqlite3_column_type(s, 11) != SQLITE_NULL)
		col_raw(m, "files", s, 11);
	chan_send(p->chan, m, -1);
}

/* STORE_OK: the channel is full; STORE_NONE: the phase is over. */
static enum store_rc
load_rows(struct peer *p, struct db *db)
{
	void (*send)(struct peer *, sqlite3_stmt *);
	struct load *l = p->load;
	sqlite3_stmt *s;
	enum store_rc rc;

	if (l->phase == LOAD_MARKS) {
		send = load_mark;
		rc = db_rows(db, Q_MARK_PAGE, &s, "ss", p->id, l->channel);
	} else if (l->phase == LOAD_INBOX) {
		send = load_inbox;
		rc = db_rows(
		    db, Q_INBOX_PAGE, &s, "sii", p->id, l->last, l->max_seq);
	} else {
		send = load_outbox;
		rc = db_rows(
		    db, Q_OUTBOX_PAGE, &s, "sii", p->id, l->last, l->max_n);
	}
	for (; rc == STORE_OK; rc = db_next(db, s)) {
		if (chan_full(p->chan)) {
			db_end(s);
			return STORE_OK;
		}
		send(p, s);
		if (l->phase == LOAD_MARKS)
			strlcpy(l->channel, db_text(s, 0), sizeof(l->channel));
		else
			l->last = sqlite3_column_int64(s, 0);
	}
	return rc;
}

static void
load_end(struct peer *p)
{
	struct load *l = p->load;
	struct json_object *m = chan_msg("load.end");

	add_obj(m, "id", json_object_get(l->id));
	add_int(m, "first_at", l->first_at);
	p->load = NULL;
	load_free(l);
	chan_send(p->chan, m, -1);
}

void
load_pump(struct peer *p, struct db *db)
{
	struct load *l = p->load;
	enum store_rc rc;

	while (l->phase != LOAD_END) {
		rc = load_rows(p, db);
		if (rc == STORE_OK)
			return; /* on_drain will call again */
		if (rc != STORE_NONE) {
			load_fail(p, rc, db_error(db));
			return;
		}
		l->phase++;
		l->last = 0;
	}
	load_end(p);
}

/* 1: the load has yet to come to that row. */
static int
load_ahead(const struct load *l, int64_t seq, int64_t n)
{
	enum load_phase phase = seq != 0 ? LOAD_INBOX : LOAD_OUTBOX;

	if (l == NULL || l->phase > phase)
		return 0;
	return l->phase < phase || (seq != 0 ? seq : n) > l->last;
}

void
load_push(struct peer *p, struct db *db, int64_t seq, int64_t n)
{
	sqlite3_stmt *s;

	if (load_ahead(p->load, seq, n))
		return;
	if (db_rows(db, seq != 0 ? Q_INBOX_ONE : Q_OUTBOX_ONE, &s, "i",
		seq != 0 ? seq : n) != STORE_OK)
		return;
	if (seq != 0)
		load_inbox(p, s);
	else
		load_outbox(p, s);
	db_end(s);
}

static enum store_rc
load_max(struct db *db, enum query q, int64_t *max)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, q, &s, "");
	if (rc != STORE_OK)
		return rc;
	*max = sqlite3_column_int64(s, 0);
	db_end(s);
	return STORE_OK;
}

enum store_rc
load_begin(
    struct peer *p, struct db *db, struct json_object *id, int64_t first_at)
{
	struct load *l;
	enum store_rc rc;

	if (p->load != NULL)
		return STORE_BUSY;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("calloc");
	if ((rc = load_max(db, Q_INBOX_MAX, &l->max_seq)) != STORE_OK ||
	    (rc = load_max(db, Q_OUTBOX_MAX, &l->max_n)) != STORE_OK) {
		free(l);
		return rc;
	}
	l->id = json_object_get(id);
	l->first_at = first_at;
	p->load = l;
	load_pump(p, db);
	return STORE_OK;
}

void
load_fail(struct peer *p, enum store_rc rc, const char *text)
{
	struct load *l = p->load;

	p->load = NULL;
	reply_err(p, l->id, rc, text);
	load_free(l);
}

void
load_free(struct load *l)
{
	if (l == NULL)
		return;
	json_object_put(l->id);
	free(l);
}
