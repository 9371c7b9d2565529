#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/store/group_int.h"
#include "workers/store/load.h"
#include "workers/store/reply.h"

static void group_on_timer(int, short, void *);

struct group *
group_new(struct event_base *base, const struct peer_list *peers,
    const struct group_hooks *hooks)
{
	struct group *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("calloc");
	g->base = base;
	g->peers = peers;
	g->hooks = *hooks;
	TAILQ_INIT(&g->ran);
	TAILQ_INIT(&g->reads);
	TAILQ_INIT(&g->again);
	if ((g->timer = evtimer_new(base, group_on_timer, g)) == NULL)
		fatalx("evtimer_new");
	return g;
}

static void
entries_free(struct entry_list *list)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, e, entry);
		entry_free(e);
	}
}

void
group_free(struct group *g)
{
	if (g == NULL)
		return;
	entries_free(&g->ran);
	entries_free(&g->reads);
	entries_free(&g->again);
	event_free(g->timer);
	free(g);
}

int
group_is_open(const struct group *g)
{
	return g->db != NULL && db_in_transaction(g->db);
}

static void
group_arm(struct group *g, int how)
{
	if (g->armed >= how)
		return;
	g->armed = how;
	/* At the end of this turn of the loop, when all links were read. */
	if (how == 2)
		event_active(g->timer, EV_TIMEOUT, 0);
	else
		loop_timer(g->timer, GROUP_QUIET_MS);
}

/* Those of an earlier, failed commit come first. */
static void
group_run_again(struct group *g)
{
	struct entry_list list;
	struct entry *e;

	if (TAILQ_EMPTY(&g->again) || monotime_left(g->retry_at) > 0)
		return;
	TAILQ_INIT(&list);
	TAILQ_CONCAT(&list, &g->again, entry);
	g->kept = 0;
	while ((e = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, e, entry);
		if (db_in_transaction(g->db))
			entry_run(g, e, e->msg);
		else
			entry_keep(g, e);
	}
}

static enum store_rc
group_open(struct group *g)
{
	enum store_rc rc;

	if (g->db == NULL)
		return STORE_IO;
	if (db_in_transaction(g->db))
		return STORE_OK;
	if ((rc = db_begin(g->db)) != STORE_OK) {
		group_set_state(g, rc, db_error(g->db));
		return rc;
	}
	group_run_again(g);
	/* One of them may have cost the transaction. */
	return db_in_transaction(g->db) ? STORE_OK : db_begin(g->db);
}

static void
group_add(struct group *g, struct entry *e, struct json_object *msg)
{
	int quiet = (e->op->flags & OP_QUIET) != 0;
	enum store_rc rc;

	/* What came before it was refused: it must not get in first. */
	if (e->epoch > 0 && e->peer != NULL && e->epoch <= e->peer->refused) {
		entry_refuse(g, e, STORE_BUSY, "an earlier one was refused");
		return;
	}
	if ((rc = group_open(g)) != STORE_OK) {
		entry_refuse(g, e, rc, group_error(g, rc));
		if (quiet)
			group_arm(g, 1);
		return;
	}
	entry_run(g, e, msg);
	if (g->n_ran >= GROUP_OPS || g->bytes >= GROUP_BYTES) {
		group_commit(g);
		return;
	}
	if (!quiet && g->armed < 2)
		g->seen = g->n_ran + g->n_reads;
	group_arm(g, quiet ? 1 : 2);
}

static void
group_run_memory(struct group *g, struct entry *e)
{
	struct op_call c;

	if (entry_call(g, e, e->msg, &c) == STORE_BAD)
		entry_violates(e, c.why);
	else
		entry_free(e);
}

void
group_submit(struct group *g, struct peer *p, const struct op *op,
    struct json_object *msg)
{
	struct entry *e = entry_new(p, op, msg);

	if (op->flags & OP_MEMORY) {
		e->msg = json_object_get(msg);
		group_run_memory(g, e);
	} else if (op->flags & OP_READ) {
		TAILQ_INSERT_TAIL(&g->reads, e, entry);
		g->n_reads++;
		/* Whoever goes on asking must not put off all others. */
		if (++g->n_asked >= GROUP_OPS) {
			group_commit(g);
			return;
		}
		if (g->armed < 2)
			g->seen = g->n_ran + g->n_reads;
		group_arm(g, 2);
	} else
		group_add(g, e, msg);
}

void
group_submit_own(struct group *g, const struct op *op, struct json_object *msg)
{
	group_add(g, entry_new(NULL, op, msg), msg);
}

static void
push_frames(struct peer *p, struct json_object *frames)
{
	size_t i, n = json_object_array_length(frames);

	for (i = 0; i < n; i++)
		chan_send(p->chan,
		    json_object_get(json_object_array_get_idx(frames, i)), -1);
}

static void
group_push(struct group *g, const struct op_push *push)
{
	struct peer *p;

	TAILQ_FOREACH (p, g->peers, entry) {
		if (p->kind != PEER_ACCOUNT || p->chan == NULL ||
		    strcmp(p->id, push->account) != 0)
			continue;
		if (push->seq != 0 || push->n != 0)
			load_push(p, g->db, push->seq, push->n);
		if (push->frames != NULL)
			push_frames(p, push->frames);
	}
}

/* The commit is done: now its operations may be heard of. */
static void
group_answer(struct group *g)
{
	struct entry *e;
	enum store_rc rc;

	while ((e = TAILQ_FIRST(&g->ran)) != NULL) {
		TAILQ_REMOVE(&g->ran, e, entry);
		if (e->peer != NULL) {
			peer_release(e->peer, e->release);
			if (e->reply != NULL)
				reply_send(e->peer, e->reply);
			e->reply = NULL;
		}
		if (e->load && e->peer != NULL && e->peer->chan != NULL &&
		    (rc = load_begin(e->peer, g->db, e->id, e->first_at)) !=
			STORE_OK)
			reply_err(e->peer, e->id, rc, group_error(g, rc));
		if (*e->push.account != '\0')
			group_push(g, &e->push);
		entry_free(e);
	}
	g->n_ran = 0;
}

static void
read_run(struct group *g, struct entry *e)
{
	struct op_call c;
	enum store_rc rc = STORE_IO;

	memset(&c, 0, sizeof(c));
	if (g->db != NULL)
		rc = entry_call(g, e, e->msg, &c);
	if (rc == STORE_OK) {
		reply_send_fd(e->peer, c.reply,
		    c.reply_fd > 0 ? c.reply_fd : -1);
		entry_free(e);
	} else
		entry_failed(g, e, rc, c.why);
}

static void
group_read(struct group *g)
{
	struct entry *e, *next;

	for (e = TAILQ_FIRST(&g->reads); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if (e->peer != NULL && e->peer->chan != NULL &&
		    chan_full(e->peer->chan))
			continue;
		TAILQ_REMOVE(&g->reads, e, entry);
		g->n_reads--;
		if (e->peer == NULL)
			entry_free(e);
		else
			read_run(g, e);
	}
}

void
group_commit(struct group *g)
{
	enum store_rc rc;
	size_t bytes = g->bytes;

	evtimer_del(g->timer);
	g->armed = 0;
	g->n_asked = 0;
	if (group_is_open(g)) {
		if ((rc = db_commit(g->db)) != STORE_OK)
			group_fail(g, rc, group_error(g, rc));
		else {
			g->n_commits += g->n_ran > 0;
			if (g->n_ran > 0)
				group_set_state(g, STORE_OK, "");
			g->bytes = 0;
			group_answer(g);
			g->hooks.committed(g->hooks.arg, bytes);
		}
	}
	group_read(g);
	if (!TAILQ_EMPTY(&g->again))
		group_arm(g, 1);
}

static void
group_on_timer(int fd, short what, void *arg)
{
	struct group *g = arg;
	size_t n = g->n_ran + g->n_reads;
	int how = g->armed;

	g->armed = 0;
	/* Busy: as long as each turn of the loop brings more, they join. */
	if (how == 2 && n > g->seen) {
		g->seen = n;
		g->armed = 2;
		loop_timer(g->timer, 0);
		return;
	}
	if (!TAILQ_EMPTY(&g->again) && monotime_left(g->retry_at) == 0)
		group_open(g);
	group_commit(g);
}

void
group_forget(struct group *g, struct peer *p)
{
	struct entry_list *lists[] = {&g->ran, &g->reads, &g->again};
	struct entry *e;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		TAILQ_FOREACH (e, lists[i], entry)
			if (e->peer == p)
				e->peer = NULL;
}

void
group_resume(struct group *g)
{
	if (g->n_reads > 0)
		group_arm(g, 2);
}

void
group_set_db(struct group *g, struct db *db)
{
	struct entry *e;

	/* What an abandoned transaction held is told so. */
	while ((e = TAILQ_FIRST(&g->ran)) != NULL) {
		TAILQ_REMOVE(&g->ran, e, entry);
		entry_refuse(g, e, STORE_IO, "the database was closed");
	}
	g->n_ran = 0;
	g->bytes = 0;
	g->db = db;
	if (db != NULL)
		g->state = STORE_OK;
}
