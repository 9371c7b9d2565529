#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "daemon/sdnotify.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade.h"
#include "daemon/watch.h"

int64_t
watch_interval(int64_t watchdog_ms)
{
	if (watchdog_ms > 0 && watchdog_ms / 3 < WATCH_PING_MS)
		return watchdog_ms / 3 > 0 ? watchdog_ms / 3 : 1;
	return WATCH_PING_MS;
}

static void
take_memory(struct proc *p, struct json_object *msg)
{
	struct fields f;

	fields_open(&f, msg);
	fields_int(&f, "id", 0, INT64_MAX);
	p->resident = fields_opt_int(&f, "resident", 0, INT64_MAX, 0);
	p->private = fields_opt_int(&f, "private", 0, INT64_MAX, 0);
	if (fields_end(&f) == -1)
		chan_violation(p->chan, "badly formed message");
}

static void
on_pong(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct proc *p = arg;

	p->pinged = 0;
	if (msg != NULL)
		take_memory(p, msg);
	/* Without a channel its end is known already. */
	if (msg == NULL && p->phase == PHASE_UP && p->chan != NULL &&
	    monotime_since(p->pinged_at) >= WATCH_DEADLINE_MS)
		proc_kill(p, "does not answer");
}

void
watch_ping(struct proc *p)
{
	if (p->phase != PHASE_UP || p->chan == NULL || p->pinged)
		return;
	p->pinged = 1;
	p->pinged_at = monotime_now();
	chan_request(p->chan, chan_msg("ping"), -1, WATCH_DEADLINE_MS,
	    on_pong, p);
}

/* 1 when every worker that runs has answered in time. */
static int
watch_all_answer(struct supervisor *sup)
{
	struct proc *p;

	RB_FOREACH (p, proc_tree, &sup->procs)
		if (p->pinged && monotime_since(p->pinged_at) > WATCH_LATE_MS)
			return 0;
	return 1;
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sup = arg;
	struct proc *p;

	if (sdnotify_watchdog_ms() > 0 && watch_all_answer(sup))
		sdnotify("WATCHDOG=1");
	RB_FOREACH (p, proc_tree, &sup->procs)
		watch_ping(p);
	loop_timer(sup->watch, watch_interval(sdnotify_watchdog_ms()));
}

void
watch_start(struct supervisor *sup)
{
	if ((sup->watch = evtimer_new(sup->base, on_watch, sup)) == NULL)
		fatalx("out of memory");
	loop_timer(sup->watch, watch_interval(sdnotify_watchdog_ms()));
}

static struct proc *
find_pid(struct supervisor *sup, pid_t pid)
{
	struct proc *p;

	RB_FOREACH (p, proc_tree, &sup->procs)
		if (p->pid == pid)
			return p;
	return NULL;
}

void
watch_reap(struct supervisor *sup)
{
	struct proc *p;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == sup->upgrade_check)
			upgrade_checked(sup, status);
		else if ((p = find_pid(sup, pid)) != NULL)
			proc_reaped(p, status);
	if (pid == -1 && errno != ECHILD)
		log_warn("waitpid");
}
