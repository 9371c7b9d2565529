#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/monotime.h"
#include "workers/store/group_int.h"
#include "workers/store/reply.h"

#define TELL_QUOTA_MS 60000 /* the log, again */

void
entry_free(struct entry *e)
{
	json_object_put(e->id);
	json_object_put(e->msg);
	json_object_put(e->reply);
	json_object_put(e->push.frames);
	free(e);
}

struct entry *
entry_new(struct peer *p, const struct op *op, struct json_object *msg)
{
	struct json_object *id = NULL, *epoch = NULL;
	struct entry *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal("calloc");
	e->peer = p;
	if (p != NULL)
		strlcpy(e->account, p->id, sizeof(e->account));
	e->op = op;
	if (op->flags & (OP_QUIET | OP_READ))
		e->msg = json_object_get(msg);
	if (json_object_object_get_ex(msg, "id", &id))
		e->id = json_object_get(id);
	if (json_object_object_get_ex(msg, "epoch", &epoch))
		e->epoch = json_object_get_int64(epoch);
	return e;
}

void
group_set_state(struct group *g, enum store_rc rc, const char *text)
{
	if (g->state == rc)
		return;
	g->state = rc;
	g->hooks.state(g->hooks.arg, rc, text);
}

/* Keep a quiet operation for another try, or lose the oldest. */
void
entry_keep(struct group *g, struct entry *e)
{
	struct entry *old;

	if (e->kept == 0)
		op_text(e->msg, &e->kept);
	TAILQ_INSERT_TAIL(&g->again, e, entry);
	g->kept += e->kept;
	while (g->kept > GROUP_RETRY_BYTES &&
	       (old = TAILQ_FIRST(&g->again)) != NULL) {
		TAILQ_REMOVE(&g->again, old, entry);
		g->kept -= old->kept;
		g->n_lost++;
		log_event(LOG_ERR, "store.lost", "op", old->op->type, "total",
		    LOG_NUM(g->n_lost), NULL);
		entry_free(old);
	}
}

/* The end of an entry that did not make it. */
void
entry_refuse(
    struct group *g, struct entry *e, enum store_rc rc, const char *text)
{
	if (e->op->flags & OP_QUIET) {
		entry_keep(g, e);
		g->retry_at = monotime_add(monotime_now(), GROUP_RETRY_MS);
		return;
	}
	if (e->peer != NULL) {
		if (e->peer->refused < e->epoch)
			e->peer->refused = e->epoch;
		reply_err(e->peer, e->id, rc, text);
	}
	entry_free(e);
}

void
group_fail(struct group *g, enum store_rc rc, const char *text)
{
	struct entry *e;

	db_rollback(g->db);
	while ((e = TAILQ_FIRST(&g->ran)) != NULL) {
		TAILQ_REMOVE(&g->ran, e, entry);
		json_object_put(e->reply);
		e->reply = NULL;
		json_object_put(e->push.frames);
		e->push.frames = NULL;
		entry_refuse(g, e, rc, text);
	}
	g->n_ran = 0;
	g->bytes = 0;
	group_set_state(g, rc, text);
}

enum store_rc
entry_call(struct group *g, struct entry *e, struct json_object *msg,
    struct op_call *c)
{
	static struct peer nobody;

	memset(c, 0, sizeof(*c));
	c->db = g->db;
	c->peer = e->peer;
	if (c->peer == NULL) {
		/* Its link ended; what it had said still counts. */
		memset(&nobody.quota, 0, sizeof(nobody.quota));
		strlcpy(nobody.id, e->account, sizeof(nobody.id));
		c->peer = &nobody;
	}
	c->msg = msg;
	c->now = walltime_ms();
	c->peers = g->peers;
	c->n_ops = ++g->n_ops;
	c->n_commits = g->n_commits;
	return e->op->run(c);
}

const char *
group_error(struct group *g, enum store_rc rc)
{
	switch (rc) {
	case STORE_DENIED:
		return "not yours";
	case STORE_SIZE:
		return "too large for one frame";
	case STORE_QUOTA:
		return "this account has its share of the store";
	default:
		return g->db == NULL ? "the database is not open"
				     : db_error(g->db);
	}
}

void
entry_violates(struct entry *e, const char *why)
{
	struct peer *p = e->peer;

	log_event(LOG_ERR, "store.violation", "peer",
	    p == NULL ? e->account : p->id, "op", e->op->type, "why", why,
	    NULL);
	entry_free(e);
	if (p != NULL && p->chan != NULL)
		chan_violation(p->chan, why);
}

/* Not of the disk, and not of the others. */
static void
tell_quota(struct entry *e)
{
	struct peer *p = e->peer;

	if (p == NULL || monotime_left(p->quota.told_at) > 0)
		return;
	p->quota.told_at = monotime_add(monotime_now(), TELL_QUOTA_MS);
	log_event(LOG_WARNING, "store.quota", "account", p->id, "op",
	    e->op->type, "text", "the account has its share of the store",
	    NULL);
}

/* An operation failed and is undone; the others of the group may go on. */
void
entry_failed(
    struct group *g, struct entry *e, enum store_rc rc, const char *why)
{
	switch (rc) {
	case STORE_BAD:
		entry_violates(e, why);
		break;
	case STORE_DENIED:
	case STORE_SIZE:
		if (e->peer != NULL && !(e->op->flags & OP_QUIET))
			reply_err(e->peer, e->id, rc, group_error(g, rc));
		entry_free(e);
		break;
	case STORE_QUOTA:
		tell_quota(e);
		entry_refuse(g, e, rc, group_error(g, rc));
		break;
	default:
		why = group_error(g, rc);
		entry_refuse(g, e, rc, why);
		group_set_state(g, rc, why);
		break;
	}
}

void
entry_run(struct group *g, struct entry *e, struct json_object *msg)
{
	struct op_call c = {.reply = NULL};
	enum store_rc rc;

	if ((rc = db_save(g->db)) == STORE_OK)
		rc = entry_call(g, e, msg, &c);
	if (rc == STORE_OK)
		rc = db_save_keep(g->db);
	if (rc != STORE_OK) {
		json_object_put(c.reply);
		json_object_put(c.push.frames);
		if (db_save_undo(g->db) != STORE_OK)
			group_fail(g, STORE_IO, db_error(g->db));
		entry_failed(g, e, rc, c.why);
		return;
	}
	e->reply = c.reply;
	e->release = c.release;
	e->load = c.load;
	e->push = c.push;
	e->first_at = c.first_at;
	TAILQ_INSERT_TAIL(&g->ran, e, entry);
	g->n_ran++;
	g->bytes += c.bytes;
}
