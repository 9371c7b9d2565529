/*
 * What the supervisor knows: its configuration, where things are, and the
 * list of workers. Everything in daemon/ works on one of these.
 */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include <sys/types.h>

#include "common/monotime.h"
#include "daemon/proc.h"
#include "daemon/state.h"

struct config;
struct event;
struct event_base;
struct online;

#define SUPERVISOR_SIGNALS 5

struct ids {
	uid_t uid;
	gid_t gid;
};

/* How the last reload went, for status. */
struct reload_report {
	int64_t at; /* wall clock, ms; 0: none yet */
	int ok;
	char text[256];
};

struct supervisor {
	struct event_base *base;
	struct config *config;
	char *config_path;
	char *run_dir, *store_dir, *empty_dir;
	char *socket_path;
	int foreground;
	int rootless;
	int by_caps; /* not root, but given what it takes to lock workers in */
	struct ids worker_ids, store_ids; /* whom they run as */
	gid_t control_gid;                /* may use the control socket */
	int lock_fd;                      /* the locked pid file */
	int listen_fd;                    /* the control socket */
	struct monotime started;

	struct proc_tree procs;
	unsigned alive; /* processes that exist */
	struct health_count accounts;
	unsigned link_round;

	int ready;            /* the service manager was told so */
	unsigned not_up;      /* of the first start, to become ready */
	int reloading;        /* workers are being exchanged */
	unsigned exchanging;  /* how many of them are not up again */
	int reload_again;     /* asked for meanwhile */
	struct reload_report reload;
	int stopping;
	int upgrading; /* and then the program is exchanged */
	pid_t upgrade_check; /* the new program looks at the file, or 0 */
	char *const *argv;
	struct online *online; /* posternd -nn, or NULL */
	int stop_stage;
	char status[64]; /* as the service manager knows it */

	struct event *check, *watch, *signals[SUPERVISOR_SIGNALS];
};

/* Make it in the state in which nothing runs yet. In supervisor.c. */
void supervisor_init(struct supervisor *);
/* Start every worker of the configuration and run until the end. */
void supervisor_run(struct supervisor *);
/* After supervisor_run(): leave nothing behind in memory. */
void supervisor_free(struct supervisor *);
/* Begin to end: workers first, the store last, then the loop. */
void supervisor_stop(struct supervisor *, const char *why);
/* Stopped for an upgrade that cannot be: start all workers again. */
void supervisor_again(struct supervisor *);
/*
 * Something happened to a worker: in the next turn of the loop see what
 * follows from it (ready, reloaded, stopped) and tell the service manager.
 */
void supervisor_check(struct supervisor *);
/* Verbosity of this process and all workers. */
void supervisor_verbose(struct supervisor *, int on);

#endif
