#include "config.h"

#include <sys/queue.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/access.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/conn.h"
#include "workers/account/jobs.h"
#include "workers/account/lanes.h"
#include "workers/account/channels.h"
#include "workers/account/outbox.h"
#include "workers/account/pairing.h"
#include "workers/account/storelink.h"
#include "workers/worker.h"

#define STORE_MS 60000 /* a store that needs longer is restarted anyway */
#define LOAD_AGAIN_MS 1000

struct store_req {
	TAILQ_ENTRY(store_req) entry;
	struct account *a;
	struct json_object *msg;
	store_fn fn;
	void *arg;
	int sent;
	int large; /* for a frame: refused, and soon told so */
};

struct storelink {
	struct account *a;
	struct chan *c;
	TAILQ_HEAD(, store_req) reqs; /* not answered, in order */
	struct event *again;          /* a load that was refused */
	struct event *large;          /* a request that was too large */
	int loading, loaded;
	int told; /* that a load was refused */
	int fd;   /* of the reply that is being handled, or -1 */
};

static void on_again(int, short, void *);
static void on_large(int, short, void *);

struct storelink *
storelink_new(struct account *a)
{
	struct storelink *s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->again = evtimer_new(a->base, on_again, a)) == NULL ||
	    (s->large = evtimer_new(a->base, on_large, a)) == NULL)
		fatal("calloc");
	s->a = a;
	s->fd = -1;
	TAILQ_INIT(&s->reqs);
	return s;
}

static void
req_done(struct store_req *r, struct json_object *reply, const char *err)
{
	TAILQ_REMOVE(&r->a->store->reqs, r, entry);
	if (r->fn != NULL)
		r->fn(r->a, reply, err, r->arg);
	json_object_put(r->msg);
	free(r);
}

static void
req_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct store_req *r = arg;
	struct storelink *s = r->a->store;

	if (msg == NULL) {
		/*
		 * The link is gone, or the store hangs: the request stays
		 * and is sent again on the next link.
		 */
		r->sent = 0;
		if (s->c != NULL)
			chan_violation(s->c, "no answer");
		return;
	}
	s->fd = fd;
	if (strcmp(type, "err") == 0)
		req_done(r, msg, api_str(msg, "code"));
	else
		req_done(r, msg, NULL);
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

int
storelink_take_fd(struct account *a)
{
	int fd = a->store->fd;

	a->store->fd = -1;
	return fd;
}

int
store_err_passes(const char *err)
{
	return strcmp(err, "full") == 0 || strcmp(err, "quota") == 0 ||
	    strcmp(err, "io") == 0 || strcmp(err, "busy") == 0;
}

const char *
store_err_words(const char *err)
{
	return strcmp(err, "quota") == 0
	    ? "this account has its share of the store"
	    : "the store takes nothing";
}

/* Never from inside of storelink_request(): its caller is not ready. */
static void
on_large(int fd, short what, void *arg)
{
	struct account *a = arg;
	struct store_req *r;

again:
	TAILQ_FOREACH(r, &a->store->reqs, entry)
		if (r->large) {
			req_done(r, NULL, "large");
			goto again;
		}
}

static void
req_send(struct storelink *s, struct store_req *r)
{
	/* Kept for the next link, which will give it another id. */
	r->sent = 1;
	if (chan_request(s->c, json_object_get(r->msg), -1, STORE_MS,
		req_reply, r) == 0)
		return;
	if (errno == EMSGSIZE) {
		r->large = 1;
		event_active(s->large, EV_TIMEOUT, 0);
	} else
		r->sent = 0; /* the link is ending */
}

void
storelink_request(
    struct account *a, struct json_object *msg, store_fn fn, void *arg)
{
	struct storelink *s = a->store;
	struct store_req *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	*r = (struct store_req){.a = a, .msg = msg, .fn = fn, .arg = arg};
	TAILQ_INSERT_TAIL(&s->reqs, r, entry);
	if (s->c != NULL)
		req_send(s, r);
}

void
storelink_tell(struct account *a, struct json_object *msg)
{
	if (a->store->c == NULL)
		json_object_put(msg);
	else
		chan_send(a->store->c, msg, -1);
}

int
storelink_full(const struct account *a)
{
	return a->store->c != NULL && chan_full(a->store->c);
}

int
storelink_ready(const struct account *a)
{
	return a->store->loaded && access_loaded(a);
}

/* Loading: what was unfinished when we last stopped */

/* Rows that come later are dead ones that an operator has revived. */

static void
on_inbox_row(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;

	if (lanes_restore(a, msg) == -1)
		chan_violation(c, "inbox row");
	else if (a->store->loaded)
		lanes_run(a);
}

static void
on_outbox_row(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;

	if (outbox_restore(a, msg) == -1)
		chan_violation(c, "outbox row");
	else if (a->store->loaded)
		outbox_kick(a);
}

static void
on_grant_row(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	if (pairing_row(arg, msg) == -1)
		chan_violation(c, "grant row");
}

static void
on_cron_row(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	if (jobs_row(arg, msg) == -1)
		chan_violation(c, "cron row");
}

static void
on_cron_gone(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	if (jobs_gone(arg, msg) == -1)
		chan_violation(c, "cron gone");
}

static void
on_mark_row(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;

	if (!a->store->loaded && marks_restore(a, msg) == -1)
		chan_violation(c, "mark row");
}

static void
load_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct storelink *s = a->store;

	s->loading = 0;
	if (err != NULL) {
		/* The database is not there yet; what was got stays. */
		if (!s->told)
			log_event(LOG_WARNING, "store.load", "account", a->id,
			    "error", err, NULL);
		s->told = 1;
		loop_timer(s->again, LOAD_AGAIN_MS);
		return;
	}
	s->loaded = 1;
	s->told = 0;
	marks_set_first(a, api_int(reply, "first_at"));
	lanes_run(a);
	outbox_kick(a);
	conn_wake(a);
}

static void
load(struct account *a)
{
	a->store->loading = 1;
	storelink_request(a, chan_msg("load"), load_done, NULL);
}

static void
on_again(int fd, short what, void *arg)
{
	struct account *a = arg;

	if (!a->store->loaded && !a->store->loading)
		load(a);
}

static const struct chan_handler handlers[] = {
    {"inbox.row", on_inbox_row},
    {"outbox.row", on_outbox_row},
    {"mark.row", on_mark_row},
    {"grant.row", on_grant_row},
    {"cron.row", on_cron_row},
    {"cron.gone", on_cron_gone},
    {NULL, NULL},
};

static void
link_closed(struct chan *c, const char *why, void *arg)
{
	struct account *a = arg;

	log_event(LOG_WARNING, "store.link", "account", a->id, "error", why,
	    NULL);
	worker_broken(a->worker, "store", "", why);
	a->store->c = NULL;
	chan_free(c);
}

static void
link_drained(struct chan *c, void *arg)
{
	conn_throttle(arg);
}

static int
is_late_put(const struct account *a, const struct store_req *r)
{
	int64_t epoch = api_int(r->msg, "epoch");

	return epoch > 0 && epoch < a->put_epoch;
}

/* What is loaded begins to run, which takes a server to ask. */
void
storelink_start(struct account *a)
{
	struct storelink *s = a->store;

	if (a->linked && s->c != NULL && !s->loaded && !s->loading)
		load(a);
}

void
storelink_set(struct account *a, int fd)
{
	struct storelink *s = a->store;
	struct store_req *r, *tmp;

	if (s->c != NULL) {
		struct chan *old = s->c;

		s->c = NULL;
		chan_free(old);
	}
	s->c = chan_new(a->base, fd, PROTO_STORE_ACCOUNT, SIDE_B, handlers,
	    link_closed, a);
	chan_set_drain(s->c, link_drained);
	/*
	 * A load cut in the middle may have restored a part; rows know
	 * their seq and are not restored twice.
	 */
	storelink_start(a);
	for (r = TAILQ_FIRST(&s->reqs); r != NULL; r = tmp) {
		tmp = TAILQ_NEXT(r, entry);
		if (r->sent)
			continue;
		/* Behind one that the last store has refused. */
		if (is_late_put(a, r))
			req_done(r, NULL, "busy");
		else
			req_send(s, r);
	}
	access_load(a);
	jobs_load(a);
	lanes_reclaim(a);
	outbox_retell(a);
}
