#include "config.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "daemon/conf.h"
#include "daemon/feed.h"
#include "daemon/links.h"
#include "daemon/reload.h"
#include "daemon/supervisor.h"
#include "daemon/watch.h"

static void proc_gone(struct proc *);

static int
proc_cmp(struct proc *a, struct proc *b)
{
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	return strcmp(a->name, b->name);
}

RB_GENERATE(proc_tree, proc, node, proc_cmp)

const char *
proc_label(const struct proc *p)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "%s%s%s", role_name(p->role),
	    p->name[0] == '\0' ? "" : " ", p->name);
	return buf;
}

struct proc *
proc_find(struct supervisor *sup, enum role role, const char *name)
{
	struct proc key;

	key.role = role;
	key.name = (char *)(uintptr_t)name;
	return RB_FIND(proc_tree, &sup->procs, &key);
}

int
proc_is_wired(const struct proc *p)
{
	return p->chan != NULL && p->phase >= PHASE_INIT &&
	    p->phase <= PHASE_UP;
}

static void
set_why(struct proc *p, const char *why)
{
	if (p->why[0] == '\0')
		strlcpy(p->why, why, sizeof(p->why));
}

static void
send_start(struct proc *p)
{
	chan_send(p->chan, chan_msg("start"), -1);
	chan_set_state(p->chan, PROTO_RUN);
	p->phase = PHASE_START;
	loop_timer(p->timer, PROC_READY_MS);
}

/* Half gone: the channel or the process is still there. Take the rest. */
static void
finish_off(struct proc *p)
{
	struct chan *c;

	if (p->pid != 0) {
		set_why(p, "hung up and stayed");
		kill(p->pid, SIGKILL);
		loop_timer(p->timer, PROC_REAP_MS);
		return;
	}
	c = p->chan;
	p->chan = NULL;
	chan_free(c);
	proc_gone(p);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct proc *p = arg;

	if (p->phase == PHASE_DOWN) {
		proc_start(p);
		return;
	}
	if (p->chan == NULL || p->pid == 0) {
		finish_off(p);
		return;
	}
	switch (p->phase) {
	case PHASE_HELLO:
		proc_kill(p, "no hello in time");
		break;
	case PHASE_INIT:
		send_start(p);
		break;
	case PHASE_START:
		proc_kill(p, "not ready in time");
		break;
	case PHASE_STOPPING:
		proc_kill(p, "did not stop in time");
		break;
	default:
		break;
	}
}

struct proc *
proc_new(struct supervisor *sup, enum role role, const char *name)
{
	struct proc *p;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->name = strdup(name)) == NULL)
		fatal("calloc");
	p->sup = sup;
	p->role = role;
	p->phase = PHASE_DOWN;
	TAILQ_INIT(&p->links[SIDE_A]);
	TAILQ_INIT(&p->links[SIDE_B]);
	if ((p->timer = evtimer_new(sup->base, on_timer, p)) == NULL)
		fatalx("out of memory");
	health_init(
	    &p->health, role == ROLE_ACCOUNT ? &sup->accounts : NULL);
	RB_INSERT(proc_tree, &sup->procs, p);
	return p;
}

void
proc_free(struct proc *p)
{
	links_drop(p);
	health_fini(&p->health);
	RB_REMOVE(proc_tree, &p->sup->procs, p);
	event_free(p->timer);
	free(p->name);
	free(p);
}

/* It does not count as starting any more, for better or worse. */
static void
counted(struct proc *p)
{
	struct supervisor *sup = p->sup;

	if (p->first) {
		p->first = 0;
		sup->not_up--;
	}
	if (p->exchanged) {
		p->exchanged = 0;
		sup->exchanging--;
	}
}

static void
retry_later(struct proc *p)
{
	int64_t wait;

	wait = backoff_next(&p->backoff, p->started, monotime_now());
	log_event(p->violation ? LOG_ERR : LOG_WARNING, "worker.died", "role",
	    role_name(p->role), "name",
	    p->name[0] == '\0' ? NULL : p->name, "why", p->why, "retryMs",
	    LOG_NUM(wait), NULL);
	health_event(&p->health, HEALTH_EV_DEATH, p->why);
	p->restarts++;
	loop_timer(p->timer, wait);
	counted(p);
}

/* Neither channel nor process is left. */
static void
proc_gone(struct proc *p)
{
	struct supervisor *sup = p->sup;
	enum phase was = p->phase;

	event_del(p->timer);
	if (was != PHASE_DOWN)
		p->stopped_at = walltime_ms();
	p->phase = PHASE_DOWN;
	p->pinged = 0;
	if (was == PHASE_HELLO)
		links_settled(p);
	if (was == PHASE_STOPPING)
		log_event(LOG_INFO, "worker.stopped", "role",
		    role_name(p->role), "name",
		    p->name[0] == '\0' ? NULL : p->name, "why",
		    p->why[0] == '\0' ? NULL : p->why, NULL);
	if (p->role == ROLE_CALLBACK)
		reload_callback_gone(sup);
	if (p->next == NEXT_RETRY) {
		retry_later(p);
	} else if (p->next == NEXT_START) {
		proc_start(p);
	} else {
		counted(p);
		health_event(&p->health, HEALTH_EV_DEATH, "stopped");
		if (p->next == NEXT_REMOVE)
			proc_free(p);
	}
	supervisor_check(sup);
}

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct proc *p = arg;

	chan_free(c);
	p->chan = NULL;
	if (p->phase == PHASE_HELLO) {
		p->phase = PHASE_INIT; /* nobody need wait for it */
		links_settled(p);
	}
	if (strcmp(why, "hangup") != 0 && p->pid != 0) {
		set_why(p, why);
		kill(p->pid, SIGKILL);
	}
	if (p->pid == 0)
		proc_gone(p);
	else
		loop_timer(p->timer, PROC_REAP_MS);
}

void
proc_reaped(struct proc *p, int status)
{
	p->pid = 0;
	p->sup->alive--;
	p->violation = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	if (p->phase != PHASE_STOPPING || status != 0)
		set_why(p, spawn_status_text(status));
	/* Its last words may still be in the channel. */
	if (p->chan == NULL)
		proc_gone(p);
	else
		loop_timer(p->timer, PROC_REAP_MS);
}

void
proc_kill(struct proc *p, const char *why)
{
	struct chan *c = p->chan;

	set_why(p, why);
	p->chan = NULL;
	chan_free(c);
	if (p->pid != 0)
		kill(p->pid, SIGKILL);
	loop_timer(p->timer, PROC_REAP_MS);
}

static pid_t
spawn(struct proc *p, int chan)
{
	struct supervisor *sup = p->sup;
	int store = p->role == ROLE_STORE;
	struct ids *ids = store ? &sup->store_ids : &sup->worker_ids;
	struct spawn sp = {
	    .role = p->role,
	    .name = p->name,
	    .dir = store ? sup->store_dir : sup->empty_dir,
	    .uid = ids->uid,
	    .gid = ids->gid,
	    .file_max = p->role == ROLE_ACCOUNT ? p->account->file_max : 0,
	    .rootless = sup->rootless,
	    .keep_root = p->role == ROLE_DIALER,
	    .verbose = log_get_verbose(),
	    .keep_stderr = sup->foreground,
	};

	return spawn_worker(&sp, chan);
}

void
proc_start(struct proc *p)
{
	struct supervisor *sup = p->sup;
	int fd[2], saved;

	p->next = NEXT_RETRY;
	p->started = monotime_now();
	p->started_at = walltime_ms();
	p->why[0] = '\0';
	p->violation = p->again = 0;
	p->resident = p->private = 0;
	p->phase = PHASE_HELLO;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fd) == -1) {
		set_why(p, strerror(errno));
		proc_gone(p);
		return;
	}
	p->pid = spawn(p, fd[1]);
	saved = errno;
	close(fd[1]);
	if (p->pid == -1) {
		close(fd[0]);
		p->pid = 0;
		snprintf(p->why, sizeof(p->why), "postern-%s: %s",
		    role_name(p->role), strerror(saved));
		proc_gone(p);
		return;
	}
	sup->alive++;
	p->chan = chan_new(sup->base, fd[0], PROTO_SUPERVISOR, SIDE_A,
	    proc_handlers, on_close, p);
	chan_set_state(p->chan, PROTO_INIT);
	health_event(&p->health, HEALTH_EV_SPAWN, NULL);
	loop_timer(p->timer, PROC_HELLO_MS);
}

void
proc_stop(struct proc *p, enum proc_next next)
{
	struct json_object *msg;

	p->next = next;
	if (p->phase == PHASE_STOPPING)
		return;
	if (p->phase == PHASE_DOWN) {
		proc_gone(p);
		return;
	}
	health_event(&p->health, HEALTH_EV_STOP, NULL);
	if (p->phase == PHASE_HELLO) {
		p->phase = PHASE_STOPPING;
		links_settled(p);
	}
	if (p->chan == NULL)
		return; /* on its way already */
	if (p->phase == PHASE_START || p->phase == PHASE_UP) {
		p->phase = PHASE_STOPPING;
		msg = chan_msg("stop");
		add_bool(msg, "again", p->again || p->sup->upgrading);
		chan_send(p->chan, msg, -1);
		loop_timer(p->timer, PROC_STOP_MS);
		return;
	}
	/* Nothing can be under way in it. */
	p->phase = PHASE_STOPPING;
	proc_kill(p, "not needed any more");
}

void
proc_hello(struct proc *p)
{
	p->phase = PHASE_INIT;
	feed_worker(p);
	links_wire(p);
	links_settled(p);
	if (p->waits == 0)
		send_start(p);
	else
		loop_timer(p->timer, PROC_PEERS_MS);
}

void
proc_peer_settled(struct proc *p)
{
	if (p->phase == PHASE_INIT && p->waits == 0 && p->chan != NULL)
		send_start(p);
}

void
proc_ready(struct proc *p)
{
	if (p->phase != PHASE_START)
		return;
	p->phase = PHASE_UP;
	event_del(p->timer);
	health_event(&p->health, HEALTH_EV_READY, NULL);
	log_event(LOG_DEBUG, "worker.ready", "role", role_name(p->role),
	    "name", p->name[0] == '\0' ? NULL : p->name, "ms",
	    LOG_NUM(monotime_since(p->started)), NULL);
	watch_ping(p);
	counted(p);
	supervisor_check(p->sup);
}
