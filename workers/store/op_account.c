/*
 * What an account may ask. Members beyond "t" and "id"; ms is wall clock
 * milliseconds; (o) may be left out.
 *
 *  load         -
 *               -> mark.row {channel, post, at}...
 *                  inbox.row {seq, kind, event, lane, channel, root, at,
 *                    attempts, not_before, data}... unfinished, by seq
 *                  outbox.row {key, seq, lane, op, channel, root, post,
 *                    text, props, created}... unsent, in order; props may
 *                    be null
 *                  load.end {first_at}  ms of the first load, 0: this one
 *  inbox.put    kind, event, lane, channel, root(o), at ms, data object,
 *               mark(o) bool, post(o): of the mark; else the event is it,
 *               bots(o) bool: a bot wrote it, count its turn there,
 *               rule(o): what let it in
 *               -> inbox.ok {seq, dup, open: not finished yet}
 *  drops        drops [{post(o), channel(o), at, stage, reason, rule(o),
 *               kind(o), mark(o)}]; reason "ok" is told of, not counted
 *  posts.find   posts [ids]
 *               -> posts.found {posts [those that are in the inbox, or were
 *               dropped before]}
 *  mark         channel, post(may be ""), at
 *  turn.begin   seq
 *  turn.commit  seq, session(o), agent(o), outcome: answered silent command
 *               notice stopped denied, transcript(o) [{role, ...}], outbox(o)
 *               [{key, op: post edit delete, channel, root(o), post(o),
 *               text(o), props(o) object, files(o) [ids of the server]}],
 *               reset(o) bool: forget the session first; more of it:
 *               op_session_meta.c
 *               -> ok {dup true, when the row was finished before}
 *  turn.retry   seq, not_before ms, reason            -> ok {dup ...}
 *  turn.dead    seq, reason, status, outbox(o)        -> ok {dup ...}
 *  outbox.put   outbox                                -> ok
 *  outbox.done  key, post(o), thread(o) bool: the bot takes part there
 *  outbox.dead  key, reason, status, text(o)
 *
 * What is said about people, threads and loops: op_access.c; about slash
 * commands: op_command.c; about attachments: op_media.c; about sessions:
 * op_session_meta.c; about what the next turn is told: op_note.c.
 *
 * Every request may be answered by err {code, text}; code: full quota io busy
 * denied size. Nothing of a request that got err was kept.
 */
#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/proto.h"
#include "common/reason.h"
#include "workers/store/access.h"
#include "workers/store/decision.h"
#include "workers/store/inbox.h"
#include "workers/store/mark.h"
#include "workers/store/op.h"

#define DROPS_MAX 4096 /* in one frame */
#define FIND_MAX 200   /* a page of the server's posts */

static enum store_rc
op_load(struct op_call *c)
{
	struct fields f;

	fields_open(&f, c->msg);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	c->load = 1;
	return mark_first(c->db, c->peer->id, c->now, &c->first_at);
}

enum store_rc
op_put_event(struct op_call *c, struct inbox_row *r, struct json_object *data,
    struct op_put *put)
{
	char lane[STORE_EVENT + 1];
	enum store_rc rc;
	int state = STATE_OPEN;

	r->data = op_text(data, &r->data_len);
	if (r->data_len > STORE_DATA)
		return STORE_SIZE;
	c->bytes = r->data_len;
	rc = quota_queue(c->db, &c->peer->quota, r->account, r->data_len, 0);
	if (rc != STORE_OK)
		return rc;
	rc = inbox_put(c->db, r, c->now, &put->seq, &put->dup);
	if (rc == STORE_OK && put->dup)
		rc = inbox_check(c->db, r->account, put->seq, &state, lane);
	put->open = state == STATE_OPEN;
	return rc;
}

enum store_rc
op_put_reply(struct op_call *c, const struct op_put *put)
{
	c->reply = chan_reply_msg("inbox.ok", c->msg);
	add_int(c->reply, "seq", put->seq);
	add_bool(c->reply, "dup", put->dup);
	add_bool(c->reply, "open", put->open);
	return STORE_OK;
}

static enum store_rc
set_mark(struct op_call *c, const char *channel, const char *post, int64_t at)
{
	enum store_rc rc;

	rc = quota_mark(c->db, &c->peer->quota, c->peer->id);
	return rc == STORE_OK
	    ? mark_set(c->db, c->peer->id, channel, post, at) : rc;
}

static enum store_rc
op_inbox_put(struct op_call *c)
{
	struct inbox_row r = {.account = c->peer->id};
	struct json_object *data;
	struct fields f;
	struct op_put put;
	enum store_rc rc;
	int mark, bots, tell;

	fields_open(&f, c->msg);
	r.kind = fields_str(&f, "kind", STORE_WORD);
	r.event = fields_str(&f, "event", STORE_EVENT);
	r.lane = fields_str(&f, "lane", STORE_EVENT);
	r.channel = fields_str(&f, "channel", STORE_ID);
	r.root = op_opt_str(&f, "root", STORE_ID);
	r.at = fields_int(&f, "at", 0, INT64_MAX);
	data = fields_obj(&f, "data");
	mark = fields_opt_bool(&f, "mark", 0);
	r.post = fields_opt_str(&f, "post", STORE_ID);
	bots = fields_opt_bool(&f, "bots", 0);
	r.rule = fields_opt_str(&f, "rule", STORE_REASON);
	tell = fields_opt_bool(&f, "tell", 0);
	fields_opt_int(&f, "epoch", 1, INT64_MAX, 0); /* of the group */
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (*r.kind == '\0' || *r.event == '\0')
		return op_bad(c, "kind or event is empty");
	rc = op_put_event(c, &r, data, &put);
	if (rc == STORE_OK && bots && !put.dup &&
	    (rc = quota_loop(c->db, &c->peer->quota, r.account, c->now)) ==
		STORE_OK)
		rc = loop_count(c->db, r.account, r.channel, r.root, c->now);
	if (rc == STORE_OK && mark)
		rc = set_mark(c, r.channel,
		    r.post != NULL ? r.post : r.event, r.at);
	if (rc == STORE_OK)
		rc = op_put_reply(c, &put);
	if (rc == STORE_OK && tell && put.open)
		op_session_tell_row(c, data);
	return rc;
}

static enum store_rc
drop_one(struct op_call *c, struct json_object *obj)
{
	struct decision d = {.account = c->peer->id};
	char rule[STORE_REASON + 1];
	struct fields f;
	enum store_rc rc;
	int mark;

	fields_open(&f, obj);
	d.post = op_opt_str(&f, "post", STORE_EVENT);
	d.channel = op_opt_str(&f, "channel", STORE_ID);
	d.at = fields_int(&f, "at", 0, INT64_MAX);
	d.stage = fields_str(&f, "stage", STORE_WORD);
	d.reason = fields_str(&f, "reason", STORE_WORD);
	op_cut(rule, op_opt_str(&f, "rule", PROTO_NORMAL), sizeof(rule));
	d.rule = rule;
	d.kind = op_opt_str(&f, "kind", STORE_WORD);
	mark = fields_opt_bool(&f, "mark", 0);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	/* Each is counted for ever, and told of with all others. */
	if (reason_from(d.reason) == REASON_NONE)
		return op_bad(c, "a drop for no known reason");
	rc = quota_drop(&c->peer->quota) ? decision_add(c->db, &d, c->now)
					 : decision_count(c->db, &d);
	if (rc != STORE_OK || !mark)
		return rc;
	if (*d.post == '\0' || *d.channel == '\0')
		return op_bad(c, "mark without post or channel");
	return set_mark(c, d.channel, d.post, d.at);
}

static enum store_rc
op_drops(struct op_call *c)
{
	struct json_object *drops;
	struct fields f;
	enum store_rc rc = STORE_OK;
	size_t i, n;

	fields_open(&f, c->msg);
	drops = fields_arr(&f, "drops", DROPS_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	n = json_object_array_length(drops);
	c->bytes = n * 512;
	for (i = 0; i < n && rc == STORE_OK; i++)
		rc = drop_one(c, json_object_array_get_idx(drops, i));
	return rc;
}

/* STORE_OK: it was decided about before. */
static enum store_rc
find_one(struct op_call *c, const char *id)
{
	struct inbox_row r = {
	    .account = c->peer->id, .kind = "post", .event = id};
	enum store_rc rc = decision_find(c->db, c->peer->id, id);
	int64_t seq;

	return rc == STORE_NONE ? inbox_find(c->db, &r, &seq) : rc;
}

static enum store_rc
op_posts_find(struct op_call *c)
{
	struct json_object *posts, *found;
	enum store_rc rc = STORE_OK;
	const char *id;
	struct fields f;
	size_t i;

	fields_open(&f, c->msg);
	posts = fields_arr(&f, "posts", FIND_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	found = json_object_new_array();
	for (i = 0; i < json_object_array_length(posts); i++) {
		id = json_object_get_string(
		    json_object_array_get_idx(posts, i));
		if (id == NULL)
			continue;
		rc = find_one(c, id);
		if (rc == STORE_OK)
			json_object_array_add(
			    found, json_object_new_string(id));
		else if (rc != STORE_NONE)
			break;
	}
	return op_reply_list(c, "posts.found", "posts", found,
	    rc == STORE_NONE ? STORE_OK : rc);
}

static enum store_rc
op_mark(struct op_call *c)
{
	const char *channel, *post;
	struct fields f;
	int64_t at;

	fields_open(&f, c->msg);
	channel = fields_str(&f, "channel", STORE_ID);
	post = fields_str(&f, "post", STORE_ID);
	at = fields_int(&f, "at", 0, INT64_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	return set_mark(c, channel, post, at);
}

static enum store_rc
op_turn_begin(struct op_call *c)
{
	struct fields f;
	int64_t seq;

	fields_open(&f, c->msg);
	seq = fields_int(&f, "seq", 1, INT64_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (peer_claim(c->peer, seq) == -1)
		return op_bad(c, "too many claims");
	return STORE_OK;
}

const struct op op_account[] = {
    {"load", 0, op_load},
    {"inbox.put", 0, op_inbox_put},
    {"drops", OP_QUIET, op_drops},
    {"posts.find", OP_READ, op_posts_find},
    {"mark", OP_QUIET, op_mark},
    {"turn.begin", OP_MEMORY, op_turn_begin},
    {"turn.commit", 0, op_turn_commit},
    {"turn.retry", 0, op_turn_retry},
    {"turn.dead", 0, op_turn_dead},
    {"outbox.put", 0, op_outbox_put},
    {"tool.put", 0, op_tool_put},
    {"outbox.done", OP_QUIET, op_outbox_done},
    {"outbox.dead", OP_QUIET, op_outbox_dead},
    {"access.load", OP_READ, op_access_load},
    {"command.list", OP_READ, op_command_list},
    {"command.set", 0, op_command_set},
    {"pairing.ask", 0, op_pairing_ask},
    {"pairing.notified", 0, op_pairing_notified},
    {"loop.reset", 0, op_loop_reset},
    {"cron.load", OP_READ, op_cron_load},
    {"cron.fire", 0, op_cron_fire},
    {"media.new", OP_READ, op_media_new},
    {"media.put", 0, op_media_put},
    {"media.drop", OP_MEMORY, op_media_drop},
    {"session.open", OP_READ, op_session_open},
    {"note.put", 0, op_note_put},
    {NULL, 0, NULL},
};

/* Not of a frame: made by the store when a link ends. */
static enum store_rc
op_abandon_run(struct op_call *c)
{
	struct json_object *seqs;
	const char *account;
	struct fields f;
	enum store_rc rc = STORE_OK;
	size_t i, n;

	fields_open(&f, c->msg);
	account = fields_str(&f, "account", STORE_ID);
	seqs = fields_arr(&f, "seqs", PROTO_CLAIMS);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	n = json_object_array_length(seqs);
	for (i = 0; i < n && rc == STORE_OK; i++)
		rc = inbox_attempt(c->db, account,
		    json_object_get_int64(json_object_array_get_idx(seqs, i)));
	return rc;
}

const struct op op_abandon = {"abandon", OP_QUIET, op_abandon_run};
