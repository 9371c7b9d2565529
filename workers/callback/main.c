#include "config.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "common/proto.h"
#include "workers/callback/callback.h"
#include "workers/callback/gate.h"
#include "workers/callback/inflight.h"
#include "workers/callback/tls.h"
#include "workers/worker.h"

#define ACCOUNTS_MAX 1000
#define STOP_MS 4000   /* for answers under way; the supervisor gives 5 s */
#define STOP_FRESH_MS 500 /* for who has connected and not yet asked */
#define STOP_EVERY_MS 20
#define TRIM_MS 5000   /* how often unused memory is given back */

static struct event *stop_timer, *trim_timer;
static struct monotime stopped;

static void
on_trim(evutil_socket_t fd, short what, void *arg)
{
	struct callback *cb = arg;
	static uint64_t seen;

	if (gate_accepted(cb->gate) != seen && cb->waiting == 0) {
		heap_trim();
		seen = gate_accepted(cb->gate);
	}
	loop_timer(trim_timer, TRIM_MS);
}

static void
prepare(struct worker *w)
{
	struct callback *cb;

	tls_prepare();
	if ((cb = calloc(1, sizeof(*cb))) == NULL)
		fatal("calloc");
	cb->worker = w;
	cb->base = worker_base(w);
	TAILQ_INIT(&cb->peers);
	proof_init();
	cb->gate = gate_new(cb);
	cb->inflight = inflight_new();
	if ((trim_timer = evtimer_new(cb->base, on_trim, cb)) == NULL)
		fatalx("evtimer_new");
	worker_set_state(w, cb);
}

static char *
copy(const char *s)
{
	char *c = s == NULL ? NULL : strdup(s);

	if (s != NULL && c == NULL)
		fatal("strdup");
	return c;
}

/* The path of an address: what a front end passes on as it came. */
static char *
path_of(const char *url)
{
	const char *s = url == NULL ? NULL : strstr(url, "://");
	char *path;

	if (s == NULL || (s = strchr(s + 3, '/')) == NULL)
		return copy("/");
	path = copy(s);
	path[strcspn(path, "?#")] = '\0';
	return path;
}

static void
read_account(struct callback *cb, struct json_object *o)
{
	struct json_object *list;
	struct fields f;
	struct peer *p;

	fields_open(&f, o);
	p = peers_add(cb, fields_str(&f, "account", 64));
	p->buttons = fields_bool(&f, "buttons");
	p->commands = fields_bool(&f, "commands");
	p->command_path[1] = path_of(fields_opt_str(&f, "commandUrl", 4096));
	p->command_path[0] = copy(fields_opt_str(&f, "callbackPath", 4096));
	fields_opt_str(&f, "interactionUrl", 4096);
	list = fields_opt_arr(&f, "allowedSourceIps", PROTO_LIST);
	if (fields_end(&f) == -1)
		fatalx("config: account: %s", fields_error(&f));
	nets_read(&p->allowed, list);
	if (asprintf(&p->action_path, "/mattermost/interactions/%s", p->id) ==
	    -1)
		fatal("asprintf");
}

static void
read_hooks(struct callback *cb, const char *path)
{
	size_t n = path == NULL ? 0 : strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	if (asprintf(&cb->hook_path[0], "%s%.*s/agent",
		n > 0 && *path == '/' ? "" : "/", (int)n, path) == -1 ||
	    asprintf(&cb->hook_path[1], "%s%.*s/wake",
		n > 0 && *path == '/' ? "" : "/", (int)n, path) == -1)
		fatal("asprintf");
}

static void
init(struct worker *w, struct json_object *config)
{
	struct callback *cb = worker_state(w);
	struct json_object *list;
	struct fields f;
	size_t i;

	fields_open(&f, config);
	fields_int(&f, "port", 1, 65535);
	nets_read(&cb->trusted, fields_opt_arr(&f, "trustedProxies", PROTO_LIST));
	cb->real_ip = fields_opt_bool(&f, "allowRealIpFallback", 0);
	cb->tls = fields_bool(&f, "tls");
	cb->hooks = fields_bool(&f, "hooks");
	cb->hook_sessions = fields_bool(&f, "hookSessions");
	read_hooks(cb, fields_opt_str(&f, "hooksPath", 4096));
	cb->default_account = copy(fields_opt_str(&f, "defaultAccount", 64));
	list = fields_arr(&f, "accounts", ACCOUNTS_MAX);
	if (fields_end(&f) == -1)
		fatalx("config: %s", fields_error(&f));
	for (i = 0; i < json_object_array_length(list); i++)
		read_account(cb, json_object_array_get_idx(list, i));
}

static void
take_secret(struct worker *w, const char *name, const char *value)
{
	struct callback *cb = worker_state(w);

	if (strcmp(name, "hookToken") != 0)
		fatalx("a secret of no use here");
	/* While it runs: another one is in force, or none at all. */
	proof_make(&cb->hook_token, value, strlen(value));
}

static void
take_fd(struct worker *w, const char *name, int fd)
{
	struct callback *cb = worker_state(w);

	if (strcmp(name, "listen") == 0)
		gate_listen(cb->gate, fd);
	else if (strcmp(name, "cert") == 0)
		tls_cert(cb, fd);
	else if (strcmp(name, "key") == 0)
		tls_key(cb, fd);
	else
		fatalx("a descriptor of no use here");
}

static void
take_link(struct worker *w, const char *kind, const char *peer,
    struct json_object *opts, int fd)
{
	struct callback *cb = worker_state(w);

	if (strcmp(kind, "account") == 0)
		peers_link(cb, peer, fd);
	else if (strcmp(kind, "control") == 0)
		peers_control(cb, fd);
	else
		fatalx("a link of no use here");
}

static void
drop_link(struct worker *w, const char *kind, const char *peer)
{
	if (strcmp(kind, "account") == 0)
		peers_unlink(worker_state(w), peer);
}

static void
start(struct worker *w)
{
	struct callback *cb = worker_state(w);

	/* Whoever shows nothing must not be taken for one who knows it. */
	if (cb->hooks && !cb->hook_token.set)
		fatalx("hooks are on, and their token is empty");
	tls_check(cb);
	loop_timer(trim_timer, TRIM_MS);
	gate_start(cb->gate);
	worker_report(w, "up", NULL, NULL);
	worker_ready(w);
}

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct callback *cb = arg;

	gate_stop_all(cb->gate, monotime_since(stopped) > STOP_FRESH_MS);
	if (gate_count(cb->gate) == 0 || monotime_since(stopped) > STOP_MS)
		worker_exit(cb->worker);
	else
		loop_timer(stop_timer, STOP_EVERY_MS);
}

/*
 * What was begun is answered. New connections wait in the backlog of the
 * sockets, which the supervisor keeps, for the next worker.
 */
static void
stop(struct worker *w)
{
	struct callback *cb = worker_state(w);

	if (cb->stopping)
		return;
	cb->stopping = 1;
	gate_stop(cb->gate); /* before the supervisor's next word is read */
	stopped = monotime_now();
	if ((stop_timer = evtimer_new(cb->base, on_stop, cb)) == NULL)
		fatalx("evtimer_new");
	loop_timer(stop_timer, 0);
}

static const struct worker_role role = {
    .title = "callback",
    .sandbox = SANDBOX_CALLBACK,
    .prepare = prepare,
    .init = init,
    .secret = take_secret,
    .fd = take_fd,
    .link = take_link,
    .unlink = drop_link,
    .start = start,
    .stop = stop,
};

int
main(int argc, char *argv[])
{
	return worker_main(argc, argv, &role);
}
