#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "workers/account/account.h"
#include "workers/account/agents.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/callback/interact.h"
#include "workers/account/callback/selftest.h"
#include "workers/account/channels.h"
#include "workers/account/command/picker.h"
#include "workers/account/command/slash.h"
#include "workers/account/conn.h"
#include "workers/account/ctl/check.h"
#include "workers/account/ctl/ctl.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/history/cold.h"
#include "workers/account/history/pending.h"
#include "workers/account/intake.h"
#include "workers/account/jobs.h"
#include "workers/account/lanes.h"
#include "workers/account/media/media_in.h"
#include "workers/account/media/media_url.h"
#include "workers/account/names.h"
#include "workers/account/outbox.h"
#include "workers/account/places.h"
#include "workers/account/policy.h"
#include "workers/account/resolve.h"
#include "workers/account/storelink.h"
#include "workers/account/trim.h"
#include "workers/account/users.h"
#include "workers/net/net.h"
#include "workers/net/url.h"
#include "workers/worker.h"

#define STOP_MS 3000 /* for running turns; the supervisor gives 5 s */
#define CAP 12       /* REST connections of one account */

static struct event *stop_timer;

static void
account_prepare(struct worker *w)
{
	struct account *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		fatal("calloc");
	a->worker = w;
	a->base = worker_base(w);
	a->net = net_new(a->base);
	a->store = storelink_new(a);
	a->agents = agents_new(a);
	a->channels = channels_new(a);
	a->users = users_new();
	a->drops = drops_new(a);
	a->figures = figures_new();
	a->intake = intake_new(a);
	a->jobs = jobs_new(a);
	a->slash = slash_new(a);
	a->conn = conn_new(a);
	a->fill = gapfill_new(a);
	a->lanes = lanes_new(a);
	a->outbox = outbox_new(a);
	a->names = names_new();
	a->threads = places_new();
	a->loops = places_new();
	a->gates = places_new();
	a->cold = cold_new();
	trim_init(a);
	worker_set_state(w, a);
}

/* Secrets come before or after this: the endpoint is made at start. */
static struct base_url url;
static struct net_endpoint_opts opts;
static struct secret *proxy_auth;
static int endpoint_id;

static void
endpoint_init(struct account *a, struct json_object *config)
{
	struct json_object *proxy;
	struct fields f;

	fields_open(&f, config);
	if (base_url_parse(&url, fields_str(&f, "baseUrl", 1024)) == -1)
		fatalx("init: baseUrl is not usable");
	endpoint_id = (int)fields_int(&f, "endpoint", 0, INT32_MAX);
	opts.tls_pin = fields_opt_str(&f, "tlsPin", 256);
	if ((proxy = fields_opt_obj(&f, "proxy")) != NULL) {
		opts.proxy_host = api_str(proxy, "host");
		opts.proxy_port = (uint16_t)api_int(proxy, "port");
	}
	if (fields_ok(&f) == -1)
		fatalx("init: %s", fields_error(&f));
	opts.name = a->id;
	opts.https = url.https;
	opts.host = url.host;
	opts.port = url.port;
	opts.base = url.base;
	opts.cap = CAP;
}

static void
account_init(struct worker *w, struct json_object *config)
{
	struct account *a = worker_state(w);
	struct json_object *fill, *messages;
	struct fields f;
	const char *why;

	json_object_get(config); /* strings of opts live in it */
	if ((a->id = strdup(worker_name(w))) == NULL)
		fatal("strdup");
	if ((a->policy = policy_compile(config, &why)) == NULL)
		fatalx("init: %s", why);
	names_init(a);
	a->pending = pending_new(a->policy->history_limit);
	endpoint_init(a, config);
	if (worker_is_check(a->worker))
		check_config(a, config);
	slash_config(a, config);
	interact_config(a, config);
	picker_config(a, config);
	a->resolver = resolver_new(config);
	tool_cfg_read(&a->tools, config);
	fields_open(&f, config);
	if ((why = out_cfg_read(&a->out, config)) != NULL ||
	    (why = stream_cfg_read(&a->stream, fields_opt_obj(&f, "streaming"),
		 a->out.limit)) != NULL)
		fatalx("init: %s", why);
	typing_cfg_read(&a->typing, fields_opt_obj(&f, "typing"));
	a->media_max = media_limit(config);
	a->media_hosts = media_hosts_new(config);
	selftest_init(a, fields_opt_arr(&f, "probeEndpoints", 8));
	fill = fields_opt_obj(&f, "gapFill");
	a->fill_age_ms = fill == NULL ? 60 : api_int(fill, "maxAgeMinutes");
	a->fill_age_ms *= 60000;
	messages = fields_opt_obj(&f, "messages");
	a->debounce_ms = api_int(messages, "debounceMs");
	if ((why = fields_opt_str(&f, "problem", 256)) != NULL &&
	    (a->problem = strdup(why)) == NULL)
		fatal("strdup");
	if (fields_ok(&f) == -1)
		fatalx("init: %s", fields_error(&f));
}

static void
account_secret(struct worker *w, const char *name, const char *value)
{
	struct account *a = worker_state(w);

	if (strcmp(name, "token") == 0)
		a->token = secret_new(value, strlen(value));
	else if (strncmp(name, "command:", 8) == 0) {
		check_manual();
		slash_manual(a, name + 8, value);
	} else if (strcmp(name, "proxy") == 0)
		proxy_auth = secret_new(value, strlen(value));
	else
		fatalx("a secret of no use here");
}

static void
account_fd(struct worker *w, const char *name, int fd)
{
	struct account *a = worker_state(w);

	if (strcmp(name, "ca") != 0)
		fatalx("a descriptor of no use here");
	if (net_set_ca(a->net, fd) == -1)
		log_warnx("the certificates cannot be used");
}

static void
account_link(struct worker *w, const char *kind, const char *peer,
    struct json_object *link_opts, int fd)
{
	struct account *a = worker_state(w);

	if (strcmp(kind, "dial") == 0)
		net_set_dialer(a->net, fd);
	else if (strcmp(kind, "store") == 0)
		storelink_set(a, fd);
	else if (strcmp(kind, "turn") == 0)
		agents_set(a, peer, fd);
	else if (strcmp(kind, "control") == 0)
		ctl_set(a, fd);
	else if (strcmp(kind, "callback") == 0)
		callbacks_set(a, fd);
	else
		fatalx("a link of no use here");
}

static void
account_unlink(struct worker *w, const char *kind, const char *peer)
{
	if (strcmp(kind, "turn") == 0)
		agents_remove(worker_state(w), peer);
}

static void
account_start(struct worker *w)
{
	struct account *a = worker_state(w);

	opts.proxy_auth = proxy_auth;
	if ((a->ep = net_endpoint_new(a->net, endpoint_id, &opts)) == NULL)
		fatalx("the endpoint of baseUrl is not usable");
	if (a->problem == NULL && (a->token == NULL ||
		net_endpoint_set_bearer(a->ep, a->token) == -1))
		a->problem = strdup("the bot token has characters that no "
				    "header may have");
	if (worker_is_check(w)) {
		worker_ready(w);
		check_start(a);
		return;
	}
	media_hosts_start(a, a->media_hosts);
	a->linked = 1;
	storelink_start(a);
	worker_ready(w);
	lanes_run(a);
	conn_wake(a);
}

static int slash_going;

static void
slash_gone(struct account *a)
{
	slash_going = 0;
}

static void
on_stop(int fd, short what, void *arg)
{
	struct account *a = arg;

	if (what == EV_TIMEOUT &&
	    (lanes_running(a) > 0 || slash_going || callbacks_busy(a)) &&
	    a->stopping++ < 30) {
		loop_timer(stop_timer, STOP_MS / 30);
		return;
	}
	worker_exit(a->worker);
}

/*
 * No new events, no new turns; what is under way may finish. What does not
 * is in the store and comes back with the next start.
 */
static void
account_stop(struct worker *w)
{
	struct account *a = worker_state(w);

	if (a->stopping)
		return;
	a->stopping = 1;
	callbacks_leave(a);
	if (worker_again(w)) {
		slash_leave(a);
	} else {
		slash_going = 1;
		slash_stop(a, slash_gone);
	}
	conn_stop(a);
	intake_flush(a);
	if ((stop_timer = evtimer_new(a->base, on_stop, a)) == NULL)
		fatalx("evtimer_new");
	loop_timer(stop_timer, 0);
}

static const struct worker_role role = {
    .title = "account",
    .sandbox = SANDBOX_ACCOUNT,
    .prepare = account_prepare,
    .init = account_init,
    .secret = account_secret,
    .fd = account_fd,
    .link = account_link,
    .unlink = account_unlink,
    .start = account_start,
    .stop = account_stop,
};

int
main(int argc, char *argv[])
{
	return worker_main(argc, argv, &role);
}
