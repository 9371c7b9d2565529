#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "daemon/conf.h"
#include "daemon/logsink.h"
#include "daemon/online.h"
#include "daemon/reload.h"
#include "daemon/sdnotify.h"
#include "daemon/spawn.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade.h"
#include "daemon/watch.h"

/*
 * The order of the end: who takes callers in, then those that have work
 * under way while all that they need is there, then the others, then what
 * made it durable.
 */
#define STOP_STAGES 4
static const int stop_stage_of[ROLE_MAX] = {
    [ROLE_CALLBACK] = 0,
    [ROLE_ACCOUNT] = 1,
    [ROLE_AGENT] = 1,
    [ROLE_DIALER] = 2,
    [ROLE_CONTROL] = 2,
    [ROLE_STORE] = 3,
};

static int
stage_is_empty(struct supervisor *sup)
{
	struct proc *p;

	RB_FOREACH (p, proc_tree, &sup->procs)
		if (stop_stage_of[p->role] == sup->stop_stage &&
		    (p->pid != 0 || p->phase != PHASE_DOWN))
			return 0;
	return 1;
}

static void
stop_stage(struct supervisor *sup)
{
	struct proc *p, *next;

	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next)
		if (stop_stage_of[p->role] == sup->stop_stage)
			proc_stop(p, NEXT_REST);
}

static void
check_stop(struct supervisor *sup)
{
	while (sup->stop_stage < STOP_STAGES && stage_is_empty(sup)) {
		if (++sup->stop_stage < STOP_STAGES)
			stop_stage(sup);
		else if (!sup->upgrading)
			event_base_loopbreak(sup->base);
		else
			upgrade_go(sup);
	}
}

void
supervisor_again(struct supervisor *sup)
{
	struct proc *p, *next;

	sup->stopping = sup->upgrading = sup->stop_stage = 0;
	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next)
		proc_start(p);
	sdnotify("READY=1");
}

static void
tell_status(struct supervisor *sup)
{
	char text[sizeof(sup->status)];

	health_summary(&sup->accounts, text, sizeof(text));
	if (strcmp(text, sup->status) == 0)
		return;
	strlcpy(sup->status, text, sizeof(sup->status));
	sdnotify("STATUS=%s", text);
}

static void
tell_ready(struct supervisor *sup)
{
	sup->ready = 1;
	log_event(LOG_INFO, "daemon.ready", "accounts",
	    LOG_NUM(sup->accounts.total), "processes", LOG_NUM(sup->alive),
	    "ms", LOG_NUM(monotime_since(sup->started)), NULL);
	sdnotify("READY=1\nMAINPID=%ld", (long)getpid());
	spawn_detached();
}

static void
on_check(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sup = arg;

	if (sup->stopping) {
		check_stop(sup);
		return;
	}
	if (sup->online != NULL) {
		online_look(sup);
		return;
	}
	tell_status(sup);
	if (!sup->ready && sup->not_up == 0)
		tell_ready(sup);
	if (sup->reloading && sup->exchanging == 0)
		reload_done(sup);
}

void
supervisor_check(struct supervisor *sup)
{
	event_active(sup->check, EV_TIMEOUT, 0);
}

void
supervisor_stop(struct supervisor *sup, const char *why)
{
	if (sup->stopping)
		return;
	sup->stopping = 1;
	log_event(LOG_INFO, "daemon.stopping", "why", why, NULL);
	if (sup->upgrading)
		sdnotify_reloading();
	else
		sdnotify("STOPPING=1");
	stop_stage(sup);
	supervisor_check(sup);
}

void
supervisor_verbose(struct supervisor *sup, int on)
{
	struct json_object *msg;
	struct proc *p;

	log_set_verbose(on);
	RB_FOREACH (p, proc_tree, &sup->procs) {
		if (!proc_is_wired(p))
			continue;
		msg = chan_msg("verbose");
		add_bool(msg, "on", on != 0);
		chan_send(p->chan, msg, -1);
	}
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *sup = arg;

	switch (sig) {
	case SIGCHLD:
		watch_reap(sup);
		break;
	case SIGHUP:
		reload_request(sup);
		break;
	case SIGUSR1:
		logsink_reopen();
		break;
	default:
		supervisor_stop(sup, strsignal((int)sig));
	}
}

static void
signals_setup(struct supervisor *sup)
{
	static const int list[SUPERVISOR_SIGNALS] = {
	    SIGCHLD, SIGHUP, SIGUSR1, SIGTERM, SIGINT};
	sigset_t none;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < SUPERVISOR_SIGNALS; i++) {
		sup->signals[i] =
		    evsignal_new(sup->base, list[i], on_signal, sup);
		if (sup->signals[i] == NULL ||
		    event_add(sup->signals[i], NULL) == -1)
			fatalx("signal %d", list[i]);
	}
	/* The program before this one may have held them back for us. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
supervisor_init(struct supervisor *sup)
{
	memset(sup, 0, sizeof(*sup));
	RB_INIT(&sup->procs);
	sup->lock_fd = sup->listen_fd = -1;
	sup->started = monotime_now();
}

void
supervisor_run(struct supervisor *sup)
{
	struct proc *p, *next;

	sup->base = loop_new();
	sup->check = event_new(sup->base, -1, 0, on_check, sup);
	if (sup->check == NULL)
		fatalx("out of memory");
	signals_setup(sup);
	reload_plan(sup, NULL);
	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next) {
		p->first = 1;
		sup->not_up++;
	}
	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next)
		proc_start(p);
	if (sup->online != NULL)
		online_begin(sup);
	watch_start(sup);
	supervisor_check(sup);
	event_base_dispatch(sup->base);
}

void
supervisor_free(struct supervisor *sup)
{
	struct proc *p, *next;
	size_t i;

	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next)
		proc_free(p);
	for (i = 0; i < SUPERVISOR_SIGNALS; i++)
		event_free(sup->signals[i]);
	event_free(sup->check);
	event_free(sup->watch);
	event_base_free(sup->base);
	config_free(sup->config);
	free(sup->config_path);
	free(sup->run_dir);
	free(sup->store_dir);
	free(sup->empty_dir);
	free(sup->socket_path);
}
