/*
 * One worker as the supervisor sees it, whether its process exists or not.
 *
 * Its life: a process is started (PHASE_HELLO), says hello in the right
 * version, is told its configuration, secrets, descriptors and links
 * (PHASE_INIT), is told to start once the peers that are starting beside it
 * have their ends too (PHASE_START), and is ready (PHASE_UP). Whatever goes
 * wrong ends in PHASE_DOWN and another try after its back-off; nobody else
 * is touched.
 */
#ifndef DAEMON_PROC_H
#define DAEMON_PROC_H

#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

#include "common/chan.h"
#include "common/monotime.h"
#include "daemon/backoff.h"
#include "daemon/spawn.h"
#include "daemon/state.h"

/* A build for memcheck says 6: what runs under it is that much slower. */
#ifndef PROC_SLOWNESS
#define PROC_SLOWNESS 1
#endif
#define PROC_HELLO_MS (10000 * PROC_SLOWNESS) /* from fork to hello */
#define PROC_PEERS_MS (1000 * PROC_SLOWNESS)  /* start waits for its peers */
#define PROC_READY_MS (60000 * PROC_SLOWNESS) /* from start to ready */
#define PROC_STOP_MS (5000 * PROC_SLOWNESS)   /* from stop to SIGKILL */
#define PROC_REAP_MS (1000 * PROC_SLOWNESS)   /* from hangup to SIGKILL */
#define PROC_LOG_WINDOW_MS 10000
#define PROC_LOG_LINES 1000   /* a window; what is more is counted only */

struct config_account;
struct config_agent;
struct event;
struct supervisor;

enum phase {
	PHASE_DOWN,
	PHASE_HELLO,
	PHASE_INIT,
	PHASE_START,
	PHASE_UP,
	PHASE_STOPPING
};

/* What follows when its process is gone. */
enum proc_next {
	NEXT_RETRY,  /* start again after the back-off */
	NEXT_START,  /* start again at once */
	NEXT_REMOVE, /* forget it */
	NEXT_REST    /* stay down: the daemon is stopping */
};

TAILQ_HEAD(link_list, link);
RB_HEAD(proc_tree, proc);

struct proc {
	RB_ENTRY(proc) node;
	struct supervisor *sup;
	enum role role;
	char *name;
	/* Its part of the present configuration; NULL for other roles. */
	const struct config_account *account;
	const struct config_agent *agent;
	unsigned round; /* of the plan that last wanted it */

	enum phase phase;
	enum proc_next next;
	pid_t pid;         /* 0: none, or it was reaped */
	struct chan *chan; /* NULL: hung up */
	struct event *timer;
	struct monotime started;
	int64_t started_at, stopped_at; /* wall clock ms, 0 never */
	struct backoff backoff;
	unsigned restarts;
	int checked;   /* posternd -nn: it has told all */
	unsigned rows; /* posternd -nn: that it has told */
	int again;     /* stopped for one that keeps its slash commands */
	int changed;   /* by the plan being made */
	int after_callback; /* stopped when the callback worker is gone */
	int exchanged; /* counts in supervisor.exchanging */
	int first;     /* counts in supervisor.not_up */
	char why[HEALTH_TEXT]; /* of its end, as far as known */
	int violation;         /* the sandbox ended it */

	/* Bytes, as it last said; 0: not known. */
	int64_t resident, private;
	int pinged; /* an answer is due */
	struct monotime pinged_at;

	struct monotime log_window;
	unsigned log_lines;

	struct link_list links[2]; /* those where it is side A, side B */
	unsigned waits;            /* links whose peer has yet to say hello */
	struct health health;
};

RB_PROTOTYPE(proc_tree, proc, node, proc_cmp)

/* NULL when there is none. name: of the account or agent, or "". */
struct proc *proc_find(struct supervisor *, enum role, const char *name);
/* A worker without a process, in the list. */
struct proc *proc_new(struct supervisor *, enum role, const char *name);

/* Without a process, it is taken out of the list. */
void proc_free(struct proc *);

/* Start its process now. A failure counts as a death. */
void proc_start(struct proc *);
/* Ask it to end; with next REMOVE it is freed when gone, maybe at once. */
void proc_stop(struct proc *, enum proc_next next);
/* End it at once: it broke a promise. why is for people. */
void proc_kill(struct proc *, const char *why);
/* waitpid() has returned it. */
void proc_reaped(struct proc *, int status);
/* Its peer has said hello or is down: it may have waited for that. */
void proc_peer_settled(struct proc *);
/* It has been told its configuration and may be sent links. */
int proc_is_wired(const struct proc *);

/* Handed to chan_new(): what workers may send. In procmsg.c. */
extern const struct chan_handler proc_handlers[];
/* For procmsg.c: hello was right; it is ready. */
void proc_hello(struct proc *);
void proc_ready(struct proc *);

/* "account main", "store". Static buffer. */
const char *proc_label(const struct proc *);

#endif
