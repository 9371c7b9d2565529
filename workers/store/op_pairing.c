/*
 * Pairing for an operator. ms is wall clock milliseconds; (o) may be left
 * out. Without an account all of them are meant.
 *
 *  pairing.list    account(o)
 *                  -> data {requests [{account, user, code, name, created
 *                     ms, seen ms}], grants [{account, user, name, at ms}]}
 *                     the first 500 and 1500 of them
 *  pairing.approve code, account(o), notify bool: tell the user
 *                  -> data {approved bool, why(o): none several full,
 *                     account(o), user(o), name(o), notify(o) bool}
 *  pairing.revoke  who: a user id or a code, account(o)
 *                  -> data {revoked [{account, user, what: grant request}]}
 *                     requests, and the grant of one account: to be asked
 *                     again until nothing comes
 *  pairing.import  account, grants(o) [user], requests(o) [{user, code,
 *                  name, created ms, seen ms}]
 *                  -> data {grants, requests, skipped}: how many of each
 *
 * The account hears of every change of its grants as grant.row.
 */
#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/access.h"
#include "workers/store/op.h"

#define REQUESTS_MAX 500
#define GRANTS_MAX 1500
#define IMPORT_MAX 512 /* entries of one frame */

/* What the account is told after the commit. */
static void
tell(struct op_call *c, const char *account, const char *user, int on,
    const char *notify)
{
	struct json_object *msg = chan_msg("grant.row");

	add_str(msg, "user", user);
	add_bool(msg, "on", on);
	add_str(msg, "notify", notify);
	strlcpy(c->push.account, account, sizeof(c->push.account));
	if (c->push.frames == NULL)
		c->push.frames = json_object_new_array();
	json_object_array_add(c->push.frames, msg);
}

static void
request_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "account", db_text(s, 0));
	add_str(o, "user", db_text(s, 1));
	add_str(o, "code", db_text(s, 2));
	add_str(o, "name", db_text(s, 3));
	add_int(o, "created", sqlite3_column_int64(s, 4));
	add_int(o, "seen", sqlite3_column_int64(s, 5));
}

static void
grant_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "account", db_text(s, 0));
	add_str(o, "user", db_text(s, 1));
	add_str(o, "name", db_text(s, 2));
	add_int(o, "at", sqlite3_column_int64(s, 4));
}

enum store_rc
op_pairing_list(struct op_call *c)
{
	struct json_object *requests, *grants;
	const char *account;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;

	fields_open(&f, c->msg);
	account = fields_opt_str(&f, "account", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->reply = chan_reply_msg("data", c->msg);
	requests = json_object_new_array();
	grants = json_object_new_array();
	add_obj(c->reply, "requests", requests);
	add_obj(c->reply, "grants", grants);
	rc = db_rows(c->db, Q_PAIRING_LIST, &s, "isi",
	    c->now - PAIRING_LIFE_MS, account, (int64_t)REQUESTS_MAX);
	rc = op_rows(c, rc, s, request_row, requests);
	if (rc == STORE_OK) {
		rc = db_rows(c->db, Q_GRANT_LIST, &s, "si", account,
		    (int64_t)GRANTS_MAX);
		rc = op_rows(c, rc, s, grant_row, grants);
	}
	if (rc != STORE_OK)
		op_reply_drop(c);
	return rc;
}

/* A request that was found. */
struct found {
	char account[STORE_ID + 1];
	char user[STORE_ID + 1];
	char name[STORE_ID + 1];
	char channel[STORE_ID + 1];
};

/* By code or user (NULL: not by that). *n is 0, 1 or 2, for several. */
static enum store_rc
find(struct op_call *c, const char *account, const char *code,
    const char *user, struct found *r, int *n)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	*n = 0;
	rc = db_rows(c->db, Q_PAIRING_FIND, &s, "isss",
	    c->now - PAIRING_LIFE_MS, account, code, user);
	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		strlcpy(r->account, db_text(s, 0), sizeof(r->account));
		strlcpy(r->user, db_text(s, 1), sizeof(r->user));
		strlcpy(r->name, db_text(s, 2), sizeof(r->name));
		strlcpy(r->channel, db_text(s, 3), sizeof(r->channel));
		++*n;
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
op_pairing_approve(struct op_call *c)
{
	const char *account, *code, *tell_in;
	struct found r;
	struct fields f;
	enum store_rc rc;
	int n, notify;

	fields_open(&f, c->msg);
	code = fields_str(&f, "code", STORE_ID);
	account = fields_opt_str(&f, "account", STORE_ID);
	notify = fields_bool(&f, "notify");
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if ((rc = find(c, account, code, NULL, &r, &n)) != STORE_OK)
		return rc;
	if (n != 1)
		return op_reply_no(c, "approved", n == 0 ? "none" : "several");
	tell_in = notify ? r.channel : "";
	rc = grant_add(c->db, r.account, r.user, r.name, tell_in, c->now);
	if (rc == STORE_DENIED)
		return op_reply_no(c, "approved", "full");
	if (rc == STORE_OK)
		rc = db_run(
		    c->db, Q_PAIRING_DELETE, "ss", r.account, r.user);
	if (rc != STORE_OK)
		return rc;
	tell(c, r.account, r.user, 1, tell_in);
	c->reply = chan_reply_msg("data", c->msg);
	add_bool(c->reply, "approved", 1);
	add_str(c->reply, "account", r.account);
	add_str(c->reply, "user", r.user);
	add_str(c->reply, "name", r.name);
	add_bool(c->reply, "notify", *tell_in != '\0');
	return STORE_OK;
}

static void
revoked(struct json_object *rows, const char *account, const char *user,
    const char *what)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "account", account);
	add_str(o, "user", user);
	add_str(o, "what", what);
	json_object_array_add(rows, o);
}

/* Requests of that code or user, one by one until there is none. */
static enum store_rc
revoke_requests(struct op_call *c, const char *account, const char *who,
    struct json_object *rows)
{
	struct found r;
	enum store_rc rc;
	int n;

	while ((rc = find(c, account, who, who, &r, &n)) == STORE_OK &&
	    n > 0) {
		rc = db_run(
		    c->db, Q_PAIRING_DELETE, "ss", r.account, r.user);
		if (rc != STORE_OK)
			return rc;
		revoked(rows, r.account, r.user, "request");
	}
	return rc;
}

/* The first account that has granted it. */
static enum store_rc
first_grant(struct op_call *c, const char *account, const char *who,
    char found[STORE_ID + 1])
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(c->db, Q_GRANT_OF, &s, "ss", account, who);
	if (rc != STORE_OK)
		return rc;
	strlcpy(found, db_text(s, 0), STORE_ID + 1);
	db_end(s);
	return STORE_OK;
}

/* Of one account: each is told by itself. The caller asks until none is left. */
static enum store_rc
revoke_grant(struct op_call *c, const char *account, const char *who,
    struct json_object *rows)
{
	char of[STORE_ID + 1];
	enum store_rc rc;

	rc = first_grant(c, account, who, of);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	if ((rc = grant_delete(c->db, of, who)) != STORE_OK)
		return rc;
	tell(c, of, who, 0, "");
	revoked(rows, of, who, "grant");
	return STORE_OK;
}

enum store_rc
op_pairing_revoke(struct op_call *c)
{
	const char *account, *who;
	struct json_object *rows;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	who = fields_str(&f, "who", STORE_ID);
	account = fields_opt_str(&f, "account", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rows = json_object_new_array();
	rc = revoke_requests(c, account, who, rows);
	if (rc == STORE_OK)
		rc = revoke_grant(c, account, who, rows);
	if (rc != STORE_OK) {
		json_object_put(rows);
		return rc;
	}
	c->reply = chan_reply_msg("data", c->msg);
	add_obj(c->reply, "revoked", rows);
	return STORE_OK;
}

/* Import */

struct import {
	const char *account;
	int64_t grants, requests, skipped;
};

static enum store_rc
import_grant(struct op_call *c, struct import *m, struct json_object *v)
{
	const char *user = json_object_get_string(v);
	enum store_rc rc;

	if (!json_object_is_type(v, json_type_string) ||
	    !pairing_user_valid(user)) {
		m->skipped++;
		return STORE_OK;
	}
	rc = grant_add(c->db, m->account, user, "", "", c->now);
	if (rc == STORE_DENIED) {
		m->skipped++;
		return STORE_OK;
	}
	if (rc == STORE_OK && db_changes(c->db) > 0) {
		m->grants++;
		tell(c, m->account, user, 1, "");
	}
	return rc;
}

/* 0, or -1 for one that has no place here. */
static int
import_room(struct op_call *c, const char *account, const char *user)
{
	sqlite3_stmt *s;
	int64_t n = 0;

	if (db_rows(c->db, Q_GRANT_GET, &s, "ss", account, user) ==
	    STORE_OK) {
		db_end(s);
		return -1;
	}
	if (db_rows(c->db, Q_PAIRING_COUNT, &s, "s", account) == STORE_OK) {
		n = sqlite3_column_int64(s, 0);
		db_end(s);
	}
	return n < PAIRING_PENDING ? 0 : -1;
}

static enum store_rc
import_request(struct op_call *c, struct import *m, struct json_object *obj)
{
	const char *user, *code;
	char name[STORE_ID + 1];
	int64_t created, seen;
	int taken = 1;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;

	fields_open(&f, obj);
	user = fields_str(&f, "user", STORE_ID);
	code = fields_str(&f, "code", STORE_ID);
	op_cut(name, op_opt_str(&f, "name", STORE_ERROR), sizeof(name));
	created = fields_int(&f, "created", 0, INT64_MAX);
	seen = fields_int(&f, "seen", 0, INT64_MAX);
	if (fields_end(&f) == -1) {
		m->skipped++;
		return STORE_OK;
	}
	rc = db_rows(c->db, Q_PAIRING_CODE, &s, "s", code);
	if (rc == STORE_OK)
		db_end(s);
	else if (rc != STORE_NONE)
		return rc;
	else
		taken = 0;
	if (taken || !pairing_user_valid(user) || !pairing_code_valid(code) ||
	    created <= c->now - PAIRING_LIFE_MS || created > c->now ||
	    import_room(c, m->account, user) == -1) {
		m->skipped++;
		return STORE_OK;
	}
	rc = db_run(c->db, Q_PAIRING_IMPORT, "ssssii", m->account, user, code,
	    name, created, seen);
	if (rc == STORE_OK && db_changes(c->db) > 0)
		m->requests++;
	return rc;
}

enum store_rc
op_pairing_import(struct op_call *c)
{
	struct json_object *grants, *requests;
	struct import m = {0};
	struct fields f;
	enum store_rc rc = STORE_OK;
	size_t i;

	fields_open(&f, c->msg);
	m.account = fields_str(&f, "account", STORE_ID);
	grants = fields_opt_arr(&f, "grants", IMPORT_MAX);
	requests = fields_opt_arr(&f, "requests", IMPORT_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (*m.account == '\0')
		return op_bad(c, "account: empty");
	rc = db_run(c->db, Q_PAIRING_EXPIRE, "i", c->now - PAIRING_LIFE_MS);
	for (i = 0; rc == STORE_OK && grants != NULL &&
	     i < json_object_array_length(grants); i++)
		rc = import_grant(
		    c, &m, json_object_array_get_idx(grants, i));
	for (i = 0; rc == STORE_OK && requests != NULL &&
	     i < json_object_array_length(requests); i++)
		rc = import_request(
		    c, &m, json_object_array_get_idx(requests, i));
	if (rc != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("data", c->msg);
	add_int(c->reply, "grants", m.grants);
	add_int(c->reply, "requests", m.requests);
	add_int(c->reply, "skipped", m.skipped);
	return STORE_OK;
}
