/*
 * A worker as its supervisor starts it: a program of the build tree on a
 * channel of its own, not root, in its jail.
 */
#ifndef TESTS_UNIT_NET_PROC_H
#define TESTS_UNIT_NET_PROC_H

#include <sys/types.h>

struct event_base;
struct rusage;

struct proc {
	pid_t pid;
	struct chan *sup;
	int ready, closed, states, warnings, broken;
	char sandbox[64]; /* as it says hello */
	char state[64]; /* of the last report */
	char reason[600];
	char broke[64]; /* the peer of the last link that broke */
	char warning[1024]; /* last line of a warning or worse */
};

/* program: below the build directory. config: JSON text. */
void proc_start(struct proc *, struct event_base *, const char *program,
    const char *config);
/* The same with the arguments of its supervisor, which end with NULL. */
void proc_run(struct proc *, struct event_base *, const char *program,
    const char *const argv[], const char *config);
void proc_fd(struct proc *, const char *name, int fd);
/* The other end of the link. opts: JSON text or NULL. */
void proc_link(struct proc *, const char *kind, const char *peer,
    const char *opts, int fd);
void proc_go(struct proc *); /* "start" */
void proc_unlink(struct proc *, const char *kind, const char *peer);
/* Exit status, or minus the signal that killed it. */
int proc_end(struct proc *);
/* The same of one that ends by itself. What it took: ru, or NULL. */
int proc_wait(struct proc *, struct rusage *ru);
/* KiB of private memory, -1 when this process may not look. */
long proc_private(const struct proc *);

#endif
