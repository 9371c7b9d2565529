#include "config.h"

#include <sys/queue.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <json-c/json.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/dialer/attempt.h"
#include "workers/dialer/resolve.h"
#include "workers/worker.h"

/*
 * The dialer connects on behalf of workers that cannot. They name an
 * endpoint by its id; which ids a link may name, and what is behind them,
 * comes from the supervisor alone. It reads and writes no payload.
 */

#define DIALS_MAX 128
#define DIALS_LINK_MAX 16
#define ENDPOINTS_MAX 4096
#define UNREAD_MAX 8192 /* bytes of answers: each may hold a descriptor */

struct endpoint {
	int id;
	char *host; /* the proxy's, when there is one */
	uint16_t port;
};

struct link {
	LIST_ENTRY(link) entry;
	struct dialer *dialer;
	struct chan *chan;
	char *kind;
	char *peer;
	int *ids; /* allowed */
	size_t nids;
	LIST_HEAD(, dial) dials;
	int ndials;
};

struct dial {
	LIST_ENTRY(dial) entry;
	struct link *link;
	const struct endpoint *ep;
	struct json_object *req;
	struct resolve_wait *wait;
	struct attempt *attempt;
	struct event deadline;
};

struct dialer {
	struct worker *w;
	struct resolver *resolver;
	struct endpoint *endpoints;
	size_t nendpoints;
	int64_t timeout_ms;
	LIST_HEAD(, link) links;
	int ndials;
};

static void
dial_free(struct dial *d)
{
	LIST_REMOVE(d, entry);
	d->link->ndials--;
	d->link->dialer->ndials--;
	resolver_cancel(d->wait);
	attempt_cancel(d->attempt);
	event_del(&d->deadline);
	json_object_put(d->req);
	free(d);
}

static void
link_free(struct link *l)
{
	LIST_REMOVE(l, entry);
	while (!LIST_EMPTY(&l->dials))
		dial_free(LIST_FIRST(&l->dials));
	chan_free(l->chan);
	free(l->kind);
	free(l->peer);
	free(l->ids);
	free(l);
}

static void
reply_err(struct chan *c, struct json_object *req, int ep, const char *stage,
    int err, const char *text)
{
	struct json_object *msg = chan_reply_msg("dial.err", req);

	add_int(msg, "ep", ep);
	add_str(msg, "stage", stage);
	add_int(msg, "errno", err);
	add_str(msg, "text", text);
	add_bool(msg, "busy", strcmp(stage, "busy") == 0);
	chan_send(c, msg, -1);
}

static void
dial_failed(struct dial *d, const char *stage, int err, const char *text)
{
	/* A server that has moved is found at its new address at once. */
	resolver_forget(d->link->dialer->resolver, d->ep->host);
	reply_err(d->link->chan, d->req, d->ep->id, stage, err, text);
	dial_free(d);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;

	dial_failed(d, d->attempt != NULL ? "connect" : "resolve", ETIMEDOUT,
	    strerror(ETIMEDOUT));
}

static void
on_attempt(void *arg, int fd, int err)
{
	struct dial *d = arg;
	struct json_object *msg;

	d->attempt = NULL;
	if (fd == -1) {
		dial_failed(d, "connect", err, strerror(err));
		return;
	}
	msg = chan_reply_msg("dial.ok", d->req);
	add_int(msg, "ep", d->ep->id);
	chan_send(d->link->chan, msg, fd);
	dial_free(d);
}

static const char *
resolve_words(int eai)
{
	switch (eai) {
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
		return "unknown host";
	case EAI_AGAIN:
		return "no name server answered";
	default:
		return gai_strerror(eai);
	}
}

static void
on_resolved(void *arg, const struct resolved *addrs, int eai)
{
	struct dial *d = arg;

	d->wait = NULL;
	if (eai != 0) {
		dial_failed(d, "resolve", ENOENT, resolve_words(eai));
		return;
	}
	d->attempt = attempt_start(
	    worker_base(d->link->dialer->w), addrs, d->ep->port, on_attempt, d);
}

static const struct endpoint *
endpoint_find(const struct dialer *dl, int id)
{
	size_t i;

	for (i = 0; i < dl->nendpoints; i++)
		if (dl->endpoints[i].id == id)
			return &dl->endpoints[i];
	return NULL;
}

static int
is_allowed(const struct link *l, int id)
{
	size_t i;

	for (i = 0; i < l->nids; i++)
		if (l->ids[i] == id)
			return 1;
	return 0;
}

static void
dial_start(struct link *l, const struct endpoint *ep, struct json_object *msg)
{
	struct dialer *dl = l->dialer;
	struct dial *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		fatal("calloc");
	d->link = l;
	d->ep = ep;
	d->req = json_object_get(msg);
	LIST_INSERT_HEAD(&l->dials, d, entry);
	l->ndials++;
	dl->ndials++;
	evtimer_assign(&d->deadline, worker_base(dl->w), on_deadline, d);
	loop_timer(&d->deadline, dl->timeout_ms);
	/* on_resolved() may have run, and d may be gone, when this returns. */
	resolver_lookup(dl->resolver, ep->host, on_resolved, d, &d->wait);
}

static void
on_dial(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct link *l = arg;
	const struct endpoint *ep;
	struct fields f;
	int id;

	fields_open(&f, msg);
	id = (int)fields_int(&f, "ep", 0, INT32_MAX);
	if (fields_end(&f) == -1) {
		chan_violation(c, fields_error(&f));
		return;
	}
	/* Who asks on and reads nothing would have all that there are. */
	if (chan_queued(c) > UNREAD_MAX) {
		chan_violation(c, "does not read its answers");
		return;
	}
	ep = endpoint_find(l->dialer, id);
	if (ep == NULL || !is_allowed(l, id)) {
		chan_violation(c, "an endpoint that is not its own");
		return;
	}
	if (l->ndials >= DIALS_LINK_MAX || l->dialer->ndials >= DIALS_MAX) {
		reply_err(c, msg, id, "busy", EAGAIN, "too many dials");
		return;
	}
	dial_start(l, ep, msg);
}

static const struct chan_handler link_handlers[] = {
    {"dial", on_dial},
    {NULL, NULL},
};

static void
on_link_closed(struct chan *c, const char *why, void *arg)
{
	struct link *l = arg;

	if (strcmp(why, "hangup") != 0)
		log_event(LOG_WARNING, "dialer.violation", "kind", l->kind,
		    "peer", l->peer, "reason", why, NULL);
	worker_broken(l->dialer->w, l->kind, l->peer, why);
	link_free(l);
}

static void
endpoint_parse(struct endpoint *ep, struct json_object *obj)
{
	struct json_object *proxy;
	const char *host;
	struct fields f, pf;

	fields_open(&f, obj);
	ep->id = (int)fields_int(&f, "id", 0, INT32_MAX);
	host = fields_str(&f, "host", 253);
	ep->port = (uint16_t)fields_int(&f, "port", 1, 65535);
	proxy = fields_opt_obj(&f, "proxy");
	if (fields_end(&f) == -1)
		fatalx("endpoints: %s", fields_error(&f));
	if (proxy != NULL) {
		fields_open(&pf, proxy);
		host = fields_str(&pf, "host", 253);
		ep->port = (uint16_t)fields_int(&pf, "port", 1, 65535);
		if (fields_end(&pf) == -1)
			fatalx("endpoints: proxy: %s", fields_error(&pf));
	}
	if ((ep->host = strdup(host)) == NULL)
		fatal("strdup");
}

static void
dialer_prepare(struct worker *w)
{
	struct dialer *dl;

	if ((dl = calloc(1, sizeof(*dl))) == NULL)
		fatal("calloc");
	dl->w = w;
	LIST_INIT(&dl->links);
	dl->resolver = resolver_new(worker_base(w));
	worker_set_state(w, dl);
}

static void
dialer_init(struct worker *w, struct json_object *config)
{
	struct dialer *dl = worker_state(w);
	struct json_object *list;
	struct fields f;
	size_t i;

	fields_open(&f, config);
	list = fields_arr(&f, "endpoints", ENDPOINTS_MAX);
	dl->timeout_ms =
	    fields_opt_int(&f, "connectTimeoutMs", 100, 120000, 10000);
	if (fields_end(&f) == -1)
		fatalx("init: %s", fields_error(&f));
	dl->nendpoints = json_object_array_length(list);
	dl->endpoints = calloc(dl->nendpoints + 1, sizeof(*dl->endpoints));
	if (dl->endpoints == NULL)
		fatal("calloc");
	for (i = 0; i < dl->nendpoints; i++)
		endpoint_parse(
		    &dl->endpoints[i], json_object_array_get_idx(list, i));
}

static struct link *
link_find(struct dialer *dl, const char *kind, const char *peer)
{
	struct link *l;

	LIST_FOREACH(l, &dl->links, entry)
	if (strcmp(l->kind, kind) == 0 && strcmp(l->peer, peer) == 0)
		return l;
	return NULL;
}

static void
link_ids(struct link *l, struct json_object *opts)
{
	struct json_object *list, *id;
	struct fields f;
	size_t i;

	fields_open(&f, opts);
	list = fields_arr(&f, "endpoints", ENDPOINTS_MAX);
	if (fields_end(&f) == -1)
		fatalx("link: %s", fields_error(&f));
	l->nids = json_object_array_length(list);
	if ((l->ids = calloc(l->nids + 1, sizeof(*l->ids))) == NULL)
		fatal("calloc");
	for (i = 0; i < l->nids; i++) {
		id = json_object_array_get_idx(list, i);
		if (!json_object_is_type(id, json_type_int))
			fatalx("link: an endpoint is not a number");
		l->ids[i] = json_object_get_int(id);
	}
}

static void
dialer_link(struct worker *w, const char *kind, const char *peer,
    struct json_object *opts, int fd)
{
	struct dialer *dl = worker_state(w);
	struct link *l;

	if ((l = link_find(dl, kind, peer)) != NULL)
		link_free(l);
	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->kind = strdup(kind)) == NULL ||
	    (l->peer = strdup(peer)) == NULL)
		fatal("calloc");
	l->dialer = dl;
	LIST_INIT(&l->dials);
	link_ids(l, opts);
	l->chan = chan_new(worker_base(w), fd, PROTO_DIAL, SIDE_A,
	    link_handlers, on_link_closed, l);
	LIST_INSERT_HEAD(&dl->links, l, entry);
}

static void
dialer_unlink(struct worker *w, const char *kind, const char *peer)
{
	struct link *l = link_find(worker_state(w), kind, peer);

	if (l != NULL)
		link_free(l);
}

static void
dialer_start(struct worker *w)
{
	worker_ready(w);
}

int
main(int argc, char *argv[])
{
	static const struct worker_role role = {
	    .title = "dialer",
	    .sandbox = SANDBOX_DIALER,
	    .prepare = dialer_prepare,
	    .init = dialer_init,
	    .link = dialer_link,
	    .unlink = dialer_unlink,
	    .start = dialer_start,
	};

	return worker_main(argc, argv, &role);
}
