#include "config.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/store/group.h"
#include "workers/store/load.h"
#include "workers/store/media.h"
#include "workers/store/prune.h"
#include "workers/store/reply.h"
#include "workers/store/service.h"

#define REOPEN_MS 1000 /* doubling */
#define REOPEN_MAX_MS 60000
#define WAL_IDLE_PAGES 500    /* moved when nothing waits */
#define WAL_FORCED_PAGES 4000 /* moved whatever waits */
#define WAL_IDLE_MS 50
#define WAL_FIRST_MS 200     /* after opening */
#define PRUNE_FIRST_MS 60000 /* after opening */
#define PRUNE_EVERY_MS 3600000
#define PRUNE_LOOK_MS 10000 /* whether there are far too many */
#define PRUNE_STEP_MS 20
#define TRIM_BYTES (256 * 1024) /* of text: worth giving memory back */
#define TRIM_MS 1000            /* of silence before that, */
#define TRIM_LATER 10           /* waited for so often at most */
#define STOP_FLUSH_MS 200
#define SWEEP_MS 1000 /* for files that were dropped, and are open */

struct service {
	struct event_base *base;
	const char *path;
	service_report_fn report;
	service_broken_fn broken;
	void *arg;
	struct db *db;
	struct group *group;
	struct peer_list peers;
	struct prune *prune;
	struct monotime pruned; /* when the last pass ended */
	struct prune_seen seen; /* when it began */
	struct event *reopen, *idle, *pruner, *trim, *sweeper;
	int64_t reopen_ms;
	size_t written, written_then; /* bytes since memory was given back */
	int trim_later;
	int days;
	int started;
};

static const struct {
	enum proto_kind proto;
} kinds[] = {
    [PEER_ACCOUNT] = {PROTO_STORE_ACCOUNT},
    [PEER_AGENT] = {PROTO_STORE_AGENT},
    [PEER_CONTROL] = {PROTO_STORE_CONTROL},
};

static void
flush_peers(struct service *sv, int ms)
{
	struct peer *p;

	TAILQ_FOREACH (p, &sv->peers, entry)
		if (chan_queued(p->chan) > 0)
			chan_flush(p->chan, ms);
}

/* After that many bytes, and when nothing was written for a while. */
static void
trim_after(struct service *sv, size_t bytes)
{
	sv->written += bytes;
	if (sv->written >= TRIM_BYTES && !evtimer_pending(sv->trim, NULL)) {
		sv->written_then = sv->written;
		loop_timer(sv->trim, TRIM_MS);
	}
}

static void
on_committed(void *arg, size_t bytes)
{
	struct service *sv = arg;
	int pages = db_wal_pages(sv->db);

	sv->reopen_ms = REOPEN_MS;
	trim_after(sv, bytes);
	if (pages >= WAL_FORCED_PAGES) {
		/* It takes some milliseconds: not before the answers. */
		flush_peers(sv, 0);
		db_checkpoint(sv->db);
	} else if (pages >= WAL_IDLE_PAGES)
		loop_timer(sv->idle, WAL_IDLE_MS);
}

static void
on_idle(int fd, short what, void *arg)
{
	struct service *sv = arg;

	if (sv->db == NULL)
		return;
	if (group_is_open(sv->group)) {
		loop_timer(sv->idle, WAL_IDLE_MS);
		return;
	}
	if (db_wal_pages(sv->db) >= WAL_IDLE_PAGES)
		db_checkpoint(sv->db);
	db_prefill(sv->db);
}

static void
on_trim(int fd, short what, void *arg)
{
	struct service *sv = arg;

	/* In the middle of a burst, the rest of it would take it all back. */
	if (sv->written != sv->written_then &&
	    sv->trim_later++ < TRIM_LATER) {
		sv->written_then = sv->written;
		loop_timer(sv->trim, TRIM_MS);
		return;
	}
	sv->written = 0;
	sv->trim_later = 0;
	if (sv->db != NULL)
		db_shrink(sv->db);
	heap_trim();
}

static void
service_reopen_later(struct service *sv)
{
	loop_timer(sv->reopen, sv->reopen_ms);
	sv->reopen_ms *= 2;
	if (sv->reopen_ms > REOPEN_MAX_MS)
		sv->reopen_ms = REOPEN_MAX_MS;
}

/* Group tells of the first failure of a row, and of the end of the row. */
static void
on_state(void *arg, enum store_rc rc, const char *text)
{
	struct service *sv = arg;

	if (rc == STORE_OK) {
		evtimer_del(sv->reopen);
		log_event(LOG_NOTICE, "store.recovered", NULL);
		sv->report(sv->arg, "open", NULL, NULL);
		return;
	}
	log_event(LOG_ERR, "store.failed", "code", store_code(rc), "text", text,
	    NULL);
	sv->report(sv->arg, rc == STORE_FULL ? "full" : "backoff", text, NULL);
	if (rc == STORE_IO)
		service_reopen_later(sv);
}

static void
service_close_db(struct service *sv)
{
	struct peer *p;

	if (sv->db == NULL)
		return;
	TAILQ_FOREACH (p, &sv->peers, entry)
		if (p->load != NULL)
			load_fail(p, STORE_IO, "the database was closed");
	db_rollback(sv->db);
	group_set_db(sv->group, NULL);
	prune_free(sv->prune);
	sv->prune = NULL;
	evtimer_del(sv->pruner);
	db_close(sv->db);
	sv->db = NULL;
}

static void
service_open_db(struct service *sv)
{
	enum store_rc rc;
	const char *why;

	sv->db = db_open(sv->path, &rc, &why);
	if (sv->db == NULL) {
		if (rc == STORE_BUSY)
			why = "the database is locked: does a second posternd "
			      "use this store.path?";
		log_event(LOG_ERR, "store.open_failed", "code", store_code(rc),
		    "text", why, "retry_ms", LOG_NUM(sv->reopen_ms), NULL);
		sv->report(sv->arg, "backoff", why, NULL);
		service_reopen_later(sv);
		return;
	}
	log_event(
	    LOG_INFO, "store.open", "bytes", LOG_NUM(db_bytes(sv->db)), NULL);
	sv->report(sv->arg, "open", NULL, NULL);
	group_set_db(sv->group, sv->db);
	sv->pruned = monotime_add(monotime_now(), -PRUNE_EVERY_MS);
	loop_timer(sv->pruner, PRUNE_FIRST_MS);
	loop_timer(sv->idle, WAL_FIRST_MS);
}

static void
on_reopen(int fd, short what, void *arg)
{
	struct service *sv = arg;

	service_close_db(sv);
	service_open_db(sv);
}

static void
on_prune(int fd, short what, void *arg)
{
	struct service *sv = arg;
	enum store_rc rc;

	if (group_is_open(sv->group)) {
		loop_timer(sv->pruner, PRUNE_STEP_MS);
		return;
	}
	if (sv->prune == NULL &&
	    monotime_since(sv->pruned) < PRUNE_EVERY_MS &&
	    !prune_is_due(sv->db, &sv->seen)) {
		loop_timer(sv->pruner, PRUNE_LOOK_MS);
		return;
	}
	if (sv->prune == NULL) {
		prune_see(sv->db, &sv->seen);
		sv->prune = prune_new(walltime_ms(), sv->days);
	}
	rc = prune_step(sv->prune, sv->db);
	if (rc == STORE_OK) {
		loop_timer(sv->pruner, PRUNE_STEP_MS);
		return;
	}
	if (rc != STORE_NONE)
		log_event(LOG_WARNING, "store.prune_failed", "code",
		    store_code(rc), "text", db_error(sv->db), NULL);
	else if (prune_count(sv->prune) > 0)
		log_event(LOG_INFO, "store.pruned", "rows",
		    LOG_NUM(prune_count(sv->prune)), NULL);
	prune_free(sv->prune);
	sv->prune = NULL;
	trim_after(sv, TRIM_BYTES); /* it has read every page */
	sv->pruned = monotime_now();
	loop_timer(sv->pruner, PRUNE_LOOK_MS);
}

static void
on_sweep(int fd, short what, void *arg)
{
	struct service *sv = arg;
	struct peer *p;
	int left = 0;

	TAILQ_FOREACH (p, &sv->peers, entry)
		left |= peer_media_sweep(p);
	if (left)
		loop_timer(sv->sweeper, SWEEP_MS);
}

struct service *
service_new(struct event_base *base, const char *path, service_report_fn report,
    void *arg)
{
	struct group_hooks hooks;
	struct service *sv;

	if ((sv = calloc(1, sizeof(*sv))) == NULL)
		fatal("calloc");
	sv->base = base;
	sv->path = path;
	sv->report = report;
	sv->arg = arg;
	sv->reopen_ms = REOPEN_MS;
	sv->days = 30;
	TAILQ_INIT(&sv->peers);
	hooks.committed = on_committed;
	hooks.state = on_state;
	hooks.arg = sv;
	sv->group = group_new(base, &sv->peers, &hooks);
	sv->reopen = evtimer_new(base, on_reopen, sv);
	sv->idle = evtimer_new(base, on_idle, sv);
	sv->pruner = evtimer_new(base, on_prune, sv);
	sv->trim = evtimer_new(base, on_trim, sv);
	sv->sweeper = evtimer_new(base, on_sweep, sv);
	if (sv->reopen == NULL || sv->idle == NULL || sv->pruner == NULL ||
	    sv->trim == NULL || sv->sweeper == NULL)
		fatalx("evtimer_new");
	return sv;
}

void
service_on_broken(struct service *sv, service_broken_fn fn)
{
	sv->broken = fn;
}

void
service_set_retention(struct service *sv, int days)
{
	sv->days = days;
}

void
service_start(struct service *sv)
{
	struct peer *p;

	sv->started = 1;
	service_open_db(sv);
	if (sv->db != NULL && media_sweep(sv->db) > 0)
		log_event(LOG_INFO, "store.media_swept", NULL);
	TAILQ_FOREACH (p, &sv->peers, entry)
		chan_pause(p->chan, 0);
}

/* The rows that the peer worked on: one attempt each, for ever. */
static void
peer_abandon(struct service *sv, struct peer *p)
{
	struct json_object *msg, *seqs;
	size_t i;

	if (p->n_claims == 0)
		return;
	log_event(LOG_WARNING, "store.abandoned", "account", p->id, "rows",
	    LOG_NUM(p->n_claims), NULL);
	msg = json_object_new_object();
	seqs = json_object_new_array();
	for (i = 0; i < p->n_claims; i++)
		json_object_array_add(
		    seqs, json_object_new_int64(p->claims[i]));
	add_str(msg, "account", p->id);
	add_obj(msg, "seqs", seqs);
	group_submit_own(sv->group, &op_abandon, msg);
	json_object_put(msg);
}

static void
peer_end(struct service *sv, struct peer *p)
{
	TAILQ_REMOVE(&sv->peers, p, entry);
	group_forget(sv->group, p);
	if (sv->started)
		peer_abandon(sv, p);
	load_free(p->load);
	chan_free(p->chan);
	peer_free(p);
}

static void
on_frame(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct peer *p = arg;
	struct service *sv = p->owner;
	struct json_object *t = NULL;
	const struct op *op;

	json_object_object_get_ex(msg, "t", &t);
	op = op_find(p->kind, json_object_get_string(t));
	if (op->run == op_media_drop && !evtimer_pending(sv->sweeper, NULL))
		loop_timer(sv->sweeper, SWEEP_MS);
	group_submit(sv->group, p, op, msg);
}

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct peer *p = arg;
	struct service *sv = p->owner;

	if (strcmp(why, "hangup") != 0)
		log_event(LOG_ERR, "store.link_broken", "peer", p->id, "why",
		    why, NULL);
	if (sv->broken != NULL)
		sv->broken(sv->arg, peer_kind_name(p->kind), p->id, why);
	peer_end(sv, p);
}

static void
on_drain(struct chan *c, void *arg)
{
	struct peer *p = arg;
	struct service *sv = p->owner;

	chan_pause(c, 0);
	group_resume(sv->group);
	if (p->load != NULL && sv->db != NULL)
		load_pump(p, sv->db);
}

static struct peer *
peer_find(struct service *sv, int kind, const char *id)
{
	struct peer *p;

	TAILQ_FOREACH (p, &sv->peers, entry)
		if ((int)p->kind == kind && strcmp(p->id, id) == 0)
			return p;
	return NULL;
}

int
service_link(struct service *sv, const char *kind, const char *id,
    struct json_object *opts, int fd)
{
	int k = peer_kind(kind);
	struct peer *p = NULL, *old;

	if (k == -1 || (p = peer_new(k, id, opts)) == NULL) {
		close(fd);
		return -1;
	}
	if ((old = peer_find(sv, k, id)) != NULL)
		peer_end(sv, old);
	p->owner = sv;
	p->chan = chan_new(sv->base, fd, kinds[k].proto, SIDE_A,
	    op_handlers(k, on_frame), on_close, p);
	chan_set_drain(p->chan, on_drain);
	if (!sv->started)
		chan_pause(p->chan, 1);
	TAILQ_INSERT_TAIL(&sv->peers, p, entry);
	return 0;
}

void
service_unlink(struct service *sv, const char *kind, const char *id)
{
	struct peer *p = peer_find(sv, peer_kind(kind), id);

	if (p != NULL)
		peer_end(sv, p);
}

void
service_stop(struct service *sv)
{
	group_commit(sv->group);
	flush_peers(sv, STOP_FLUSH_MS);
	service_close_db(sv);
}

void
service_free(struct service *sv)
{
	struct peer *p;

	sv->started = 0;
	while ((p = TAILQ_FIRST(&sv->peers)) != NULL)
		peer_end(sv, p);
	service_close_db(sv);
	group_free(sv->group);
	event_free(sv->reopen);
	event_free(sv->idle);
	event_free(sv->pruner);
	event_free(sv->trim);
	event_free(sv->sweeper);
	free(sv);
}
