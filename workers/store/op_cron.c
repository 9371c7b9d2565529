/*
 * Scheduled jobs. ms is wall clock milliseconds; (o) may be left out.
 *
 * A job: {id, name, agent, kind: cron every at, expr, zone: its name,
 * rules: zone.h, every ms, at ms, message, to, thread, session, catch_up
 * bool, enabled bool, created ms, floor ms: nothing up to then is due,
 * last_at ms, last_event, runs, skipped}
 *
 * account:
 *  cron.load   after: id or ""
 *              -> cron {jobs [job], more bool: ask for those after the last}
 *  cron.fire   job, event, at ms, manual bool, skip bool: only remember that
 *              it was not done, lane, data object (both "" and {} with skip)
 *              -> inbox.ok {seq, dup, open}; a job that is gone counts as dup
 * control:
 *  cron.add    account, and of a job: name, agent, kind, expr, zone, rules,
 *              every, at, message, to, thread, session, catch_up
 *              -> data {added bool, why(o): name full, job(o)}
 *  cron.list   account(o), after_account, after: "" at first
 *              -> data {rows [job and account, state, outcome, reason, error,
 *                 posts: of the last run], more bool}
 *  cron.set    account, job: id, enabled bool, rules(o)
 *              -> data {done bool}
 *  cron.rm     account, job: id -> data {done bool}
 *
 * To the account, after the commit: cron.row {job}, cron.gone {job: id}.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/cron.h"
#include "common/fields.h"
#include "common/zone.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"

#define JOBS_MAX 500 /* of an account */
#define LIST_BYTES (512 * 1024) /* of one answer, and one job more */

/* The columns of CRON_ROW in sql.c, from the second on. */
static const struct {
	const char *key;
	char type;
} columns[] = {
    {"id", 's'}, {"name", 's'}, {"agent", 's'}, {"kind", 's'}, {"expr", 's'},
    {"zone", 's'}, {"rules", 's'}, {"every", 'i'}, {"at", 'i'},
    {"message", 's'}, {"to", 's'}, {"thread", 's'}, {"session", 's'},
    {"catch_up", 'b'}, {"enabled", 'b'}, {"created", 'i'}, {"floor", 'i'},
    {"last_at", 'i'}, {"last_event", 's'}, {"runs", 'i'}, {"skipped", 'i'},
};
#define NCOLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

static struct json_object *
job_json(sqlite3_stmt *s)
{
	struct json_object *o = json_object_new_object();
	int i;

	for (i = 0; i < NCOLUMNS; i++)
		if (columns[i].type == 's')
			add_str(o, columns[i].key, db_text(s, i + 1));
		else if (columns[i].type == 'i')
			add_int(o, columns[i].key,
			    sqlite3_column_int64(s, i + 1));
		else
			add_bool(o, columns[i].key,
			    sqlite3_column_int(s, i + 1));
	return o;
}

static enum store_rc
job_get(struct op_call *c, const char *account, const char *id,
    struct json_object **job)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(c->db, Q_CRON_GET, &s, "ss", account, id);
	if (rc != STORE_OK)
		return rc;
	*job = job_json(s);
	db_end(s);
	return STORE_OK;
}

/* The account is told after the commit, when it is there. */
static void
tell(struct op_call *c, const char *account, struct json_object *msg)
{
	strlcpy(c->push.account, account, sizeof(c->push.account));
	c->push.frames = json_object_new_array();
	json_object_array_add(c->push.frames, msg);
}

static enum store_rc
tell_row(struct op_call *c, const char *account, const char *id,
    struct json_object **job)
{
	struct json_object *msg;
	enum store_rc rc;

	if ((rc = job_get(c, account, id, job)) != STORE_OK)
		return rc == STORE_NONE ? STORE_IO : rc;
	msg = chan_msg("cron.row");
	add_obj(msg, "job", json_object_get(*job));
	tell(c, account, msg);
	return STORE_OK;
}

/* Lists */

static void
last_run(struct json_object *o, sqlite3_stmt *s)
{
	static const char *const states[] = {"pending", "done", "dead"};
	int at = NCOLUMNS + 1, state = sqlite3_column_int(s, at);

	add_str(o, "account", db_text(s, 0));
	add_str(o, "state", sqlite3_column_type(s, at) == SQLITE_NULL ||
			state < 0 || state > 2 ? "" : states[state]);
	add_str(o, "outcome", db_text(s, at + 1));
	add_str(o, "reason", db_text(s, at + 2));
	add_str(o, "error", db_text(s, at + 3));
	add_str(o, "posts", db_text(s, at + 4));
}

/* rc and s: of the db_rows() that has just begun. */
static enum store_rc
list(struct op_call *c, enum store_rc rc, sqlite3_stmt *s, const char *key,
    int with_run)
{
	struct json_object *rows = json_object_new_array(), *o;
	size_t bytes = 0, len;

	json_object_object_add(c->reply, key, rows);
	for (; rc == STORE_OK && bytes < LIST_BYTES; rc = db_next(c->db, s)) {
		o = job_json(s);
		if (with_run)
			last_run(o, s);
		op_text(o, &len);
		bytes += len;
		json_object_array_add(rows, o);
	}
	add_bool(c->reply, "more", rc == STORE_OK);
	if (rc == STORE_OK)
		db_end(s);
	if (rc == STORE_OK || rc == STORE_NONE)
		return STORE_OK;
	op_reply_drop(c);
	return rc;
}

enum store_rc
op_cron_load(struct op_call *c)
{
	const char *after;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;

	fields_open(&f, c->msg);
	after = fields_str(&f, "after", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->reply = chan_reply_msg("cron", c->msg);
	rc = db_rows(c->db, Q_CRON_LOAD, &s, "ss", c->peer->id, after);
	return list(c, rc, s, "jobs", 0);
}

enum store_rc
op_cron_list(struct op_call *c)
{
	const char *account, *after_account, *after;
	struct fields f;
	sqlite3_stmt *s;
	enum store_rc rc;

	fields_open(&f, c->msg);
	account = fields_opt_str(&f, "account", STORE_ID);
	after_account = fields_str(&f, "after_account", STORE_ID);
	after = fields_str(&f, "after", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->reply = chan_reply_msg("data", c->msg);
	rc = db_rows(c->db, Q_CRON_LIST, &s, "sss", account, after_account,
	    after);
	return list(c, rc, s, "rows", 1);
}

/* Firing */

/* One that is past is not due again; at: never. */
static enum store_rc
fired(struct op_call *c, const char *job, const char *event, int64_t at,
    int manual)
{
	return db_run(c->db, Q_CRON_FIRED, "sssiii", c->peer->id, job, event,
	    at, c->now, (int64_t)manual);
}

enum store_rc
op_cron_fire(struct op_call *c)
{
	struct inbox_row r = {.account = c->peer->id, .kind = "cron",
	    .channel = "", .root = ""};
	struct json_object *data, *row;
	struct op_put put = {0};
	const char *job;
	int manual, skip;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	job = fields_str(&f, "job", STORE_ID);
	r.event = fields_str(&f, "event", STORE_EVENT);
	r.at = fields_int(&f, "at", 0, INT64_MAX);
	manual = fields_bool(&f, "manual");
	skip = fields_bool(&f, "skip");
	r.lane = fields_str(&f, "lane", STORE_EVENT);
	r.rule = fields_opt_str(&f, "rule", STORE_REASON);
	data = fields_obj(&f, "data");
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (*r.event == '\0')
		return op_bad(c, "event is empty");
	rc = job_get(c, c->peer->id, job, &row);
	if (rc == STORE_NONE) {
		put.dup = 1; /* it is gone: nothing more to do for it */
		return op_put_reply(c, &put);
	}
	if (rc != STORE_OK)
		return rc;
	json_object_put(row);
	if (skip) {
		rc = db_run(c->db, Q_CRON_SKIPPED, "ssi", c->peer->id, job,
		    r.at);
		return rc == STORE_OK ? op_put_reply(c, &put) : rc;
	}
	rc = op_put_event(c, &r, data, &put);
	if (rc == STORE_OK && !put.dup)
		rc = fired(c, job, r.event, r.at, manual);
	return rc == STORE_OK ? op_put_reply(c, &put) : rc;
}

/* Changes */

/* NULL: there is room for it. */
static enum store_rc
refusal(
    struct op_call *c, const char *account, const char *name, const char **why)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	*why = NULL;
	rc = db_rows(c->db, Q_CRON_COUNT, &s, "ss", account, name);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_IO : rc;
	if (sqlite3_column_int64(s, 0) >= JOBS_MAX)
		*why = "full";
	else if (*name != '\0' && sqlite3_column_int64(s, 1) > 0)
		*why = "name";
	db_end(s);
	return STORE_OK;
}

enum store_rc
op_cron_add(struct op_call *c)
{
	struct json_object *job;
	struct cron_job j;
	const char *account, *why;
	char id[16];
	struct fields f;
	enum store_rc rc;
	int64_t random;

	fields_open(&f, c->msg);
	account = fields_str(&f, "account", STORE_ID);
	cron_job_take(&j, &f);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (j.every > CRON_EVERY_MAX)
		return op_bad(c, "every is too long");
	if (*account == '\0' || *j.kind == '\0' || *j.message == '\0')
		return op_bad(c, "account, kind or message is empty");
	if ((rc = refusal(c, account, j.name, &why)) != STORE_OK)
		return rc;
	if (why != NULL)
		return op_reply_no(c, "added", why);
	sqlite3_randomness(sizeof(random), &random);
	snprintf(id, sizeof(id), "c%010llx",
	    (unsigned long long)random & 0xffffffffffULL);
	rc = db_run(c->db, Q_CRON_ADD, "ssssssssiissssii", account, id, j.name,
	    j.agent, j.kind, j.expr, j.zone, j.rules, j.every, j.at, j.message,
	    j.to, j.thread, j.session, (int64_t)j.catch_up, c->now);
	if (rc == STORE_OK)
		rc = tell_row(c, account, id, &job);
	if (rc != STORE_OK)
		return rc;
	c->reply = chan_reply_msg("data", c->msg);
	add_bool(c->reply, "added", 1);
	add_obj(c->reply, "job", job);
	return STORE_OK;
}

static enum store_rc
reply_done(struct op_call *c, int done)
{
	c->reply = chan_reply_msg("data", c->msg);
	add_bool(c->reply, "done", done);
	return STORE_OK;
}

/* What was due while it was off is not made up for. */
enum store_rc
op_cron_set(struct op_call *c)
{
	const char *account, *id, *rules;
	struct json_object *job;
	struct fields f;
	enum store_rc rc;
	int enabled;

	fields_open(&f, c->msg);
	account = fields_str(&f, "account", STORE_ID);
	id = fields_str(&f, "job", STORE_ID);
	enabled = fields_bool(&f, "enabled");
	rules = fields_opt_str(&f, "rules", ZONE_TEXT_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = db_run(c->db, Q_CRON_SET, "ssisi", account, id, (int64_t)enabled,
	    rules, c->now);
	if (rc != STORE_OK)
		return rc;
	if (db_changes(c->db) == 0)
		return reply_done(c, 0);
	if ((rc = tell_row(c, account, id, &job)) != STORE_OK)
		return rc;
	json_object_put(job);
	return reply_done(c, 1);
}

enum store_rc
op_cron_rm(struct op_call *c)
{
	const char *account, *id;
	struct json_object *msg;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	account = fields_str(&f, "account", STORE_ID);
	id = fields_str(&f, "job", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = db_run(c->db, Q_CRON_RM, "ss", account, id);
	if (rc != STORE_OK)
		return rc;
	if (db_changes(c->db) == 0)
		return reply_done(c, 0);
	msg = chan_msg("cron.gone");
	add_str(msg, "job", id);
	tell(c, account, msg);
	return reply_done(c, 1);
}
