#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "workers/agent/agent.h"
#include "workers/agent/model.h"
#include "workers/net/net.h"

#define SPARE 4 /* connections for answered calls and for warming */
#define PARALLEL_MAX 256
#define WARM_MS 50000		    /* servers drop idle connections later */
#define WARM_FOR_MS (10 * 60 * 1000) /* after the last turn */

/* Behind those of the list that the same person asked of the same account. */
static int64_t
rank_behind(const struct calls *list, const struct call *c, int64_t rank)
{
	const struct turn *t = c->turn;
	const struct call *o;

	TAILQ_FOREACH(o, list, entry)
		if (o->rank >= rank && o->turn->link == t->link &&
		    strcmp(o->turn->ask.sender, t->ask.sender) == 0)
			rank = o->rank + 1;
	return rank;
}

/*
 * Start-time fair queueing: each person's next call has a rank one higher
 * than the one before, and whoever had nothing under way begins at the rank
 * that is served now. So nobody who asks a lot is in the way of those who
 * ask little, and is served all the same.
 */
static int64_t
rank_of(const struct model *m, const struct call *c)
{
	return rank_behind(
	    &m->waiting, c, rank_behind(&m->active, c, m->rank));
}

static void
wait_in_line(struct model *m, struct call *c)
{
	struct call *before;

	TAILQ_FOREACH_REVERSE(before, &m->waiting, calls, entry)
		if (before->rank <= c->rank)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(&m->waiting, before, c, entry);
	else
		TAILQ_INSERT_HEAD(&m->waiting, c, entry);
	m->nwaiting++;
	c->waiting = 1;
}

static void
start(struct model *m, struct call *c)
{
	m->running++;
	TAILQ_INSERT_TAIL(&m->active, c, entry);
	if (c->rank > m->rank)
		m->rank = c->rank;
	call_begin(c);
}

static void
on_kick(int fd, short ev, void *arg)
{
	struct model *m = arg;
	struct call *c;

	while (m->running < m->parallel &&
	    (c = TAILQ_FIRST(&m->waiting)) != NULL) {
		TAILQ_REMOVE(&m->waiting, c, entry);
		m->nwaiting--;
		c->waiting = 0;
		start(m, c);
	}
}

void
model_release(struct model *m, struct call *c)
{
	if (c->waiting) {
		TAILQ_REMOVE(&m->waiting, c, entry);
		m->nwaiting--;
		return;
	}
	TAILQ_REMOVE(&m->active, c, entry);
	m->running--;
	if (m->nwaiting > 0)
		event_active(m->kick, EV_TIMEOUT, 0);
}

static void
on_warm(int fd, short ev, void *arg)
{
	struct model *m = arg;

	if (monotime_since(m->used) > WARM_FOR_MS)
		return;
	if (m->running == 0)
		net_endpoint_warm(m->endpoint, 1, "/models");
	loop_timer(m->warm, WARM_MS);
}

static void
model_turn(struct turn *t)
{
	struct model *m = t->link->agent->model;
	struct call *c = call_new(m, t);

	m->used = monotime_now();
	if (!evtimer_pending(m->warm, NULL))
		loop_timer(m->warm, WARM_MS);
	c->rank = rank_of(m, c);
	if (m->running < m->parallel && m->nwaiting == 0)
		start(m, c);
	else
		wait_in_line(m, c);
}

static void
model_abort(struct turn *t)
{
	call_abort(t->run);
}

static void
model_drain(struct turn *t)
{
	call_drain(t->run);
}

unsigned
model_queued(const struct agent *a)
{
	return a->model == NULL ? 0 : a->model->nwaiting;
}

static void
take_proxy(struct model *m, struct json_object *proxy)
{
	struct fields f;

	if (proxy == NULL)
		return;
	fields_open(&f, proxy);
	m->proxy_host = fields_str(&f, "host", 255);
	m->proxy_port = (uint16_t)fields_int(&f, "port", 1, 65535);
	if (fields_ok(&f) == -1)
		fatalx("model.proxy: %s", fields_error(&f));
}

void
model_init(struct agent *a, struct json_object *cfg)
{
	struct model *m;
	struct fields f;
	const char *url;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		fatal("calloc");
	fields_open(&f, cfg);
	m->endpoint_id = (int)fields_int(&f, "endpoint", 0, INT_MAX);
	url = fields_str(&f, "baseUrl", 1024);
	take_proxy(m, fields_opt_obj(&f, "proxy"));
	fields_str(&f, "api", 64);
	m->name = fields_str(&f, "model", 256);
	a->prompt.window =
	    (size_t)fields_int(&f, "contextWindow", 0, INT_MAX);
	m->max_tokens = fields_opt_int(&f, "maxTokens", 1, INT_MAX, 0);
	m->images = fields_opt_bool(&f, "images", 0);
	m->parallel = (int)fields_opt_int(
	    &f, "parallel", 1, PARALLEL_MAX, MODEL_PARALLEL);
	m->tls_pin = fields_opt_str(&f, "tlsPin", 128);
	if (fields_ok(&f) == -1)
		fatalx("model: %s", fields_error(&f));
	if (base_url_parse(&m->url, url) == -1)
		fatalx("model.baseUrl is not usable");
	a->prompt.answer = (size_t)m->max_tokens;
	a->model_name = m->name;
	a->model = m;
	m->agent = a;
	m->max_name = "max_tokens";
	TAILQ_INIT(&m->waiting);
	TAILQ_INIT(&m->active);
	m->kick = event_new(a->base, -1, 0, on_kick, m);
	m->warm = evtimer_new(a->base, on_warm, m);
	if (m->kick == NULL || m->warm == NULL)
		fatalx("event_new");
}

void
model_start(struct agent *a)
{
	struct model *m = a->model;
	struct net_endpoint_opts opts = {
	    .name = "model",
	    .https = m->url.https,
	    .host = m->url.host,
	    .port = m->url.port,
	    .base = m->url.base,
	    .proxy_host = m->proxy_host,
	    .proxy_port = m->proxy_port,
	    .proxy_auth = a->proxy_auth,
	    .tls_pin = m->tls_pin,
	    .cap = m->parallel + SPARE,
	};

	m->endpoint = net_endpoint_new(a->net, m->endpoint_id, &opts);
	if (m->endpoint == NULL)
		fatalx("the model's endpoint is not usable");
	if (net_endpoint_set_bearer(m->endpoint, a->key) == -1)
		fatalx("the model's key has characters that no key may have");
	m->used = monotime_now();
	on_warm(-1, 0, m);
}

const struct runtime model_runtime = {
    .name = "model",
    .start = model_turn,
    .abort = model_abort,
    .drain = model_drain,
};
