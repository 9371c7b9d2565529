/*
 * The places that posternd needs before anything runs: its directories with
 * the right owners, the lock against a second instance, and the control
 * socket. Everything here is fatal when it is not as it must be, with the
 * command that would help.
 */
#ifndef DAEMON_RUNDIR_H
#define DAEMON_RUNDIR_H

#include <stddef.h>

struct supervisor;

/* The path of the file that holds our pid and the lock; the caller frees. */
char *rundir_pid_file(const struct supervisor *);
/*
 * For posternd -nn: the runtime and the empty directory only. 1 when no
 * other instance runs there, which then cannot start before we end.
 */
int rundir_make_small(struct supervisor *);
/* Look up whom the workers run as. Rootless: ourselves. */
void rundir_users(struct supervisor *);
/* Runtime directory, empty directory to chroot into, database directory. */
void rundir_make(struct supervisor *);
/*
 * Take the lock; fatal when another instance has it. Before detaching:
 * the lock goes along.
 */
void rundir_lock(struct supervisor *);
/*
 * All of the above, to see whether it can be had by who comes after the
 * instance that leaves the lock of this pid file behind.
 */
void rundir_try(struct supervisor *, const char *left);
/* Write our pid, after detaching. */
void rundir_write_pid(struct supervisor *);
/* Bind and listen; only a socket that nobody answers on is replaced. */
void rundir_listen(struct supervisor *);
/* Remove the socket, empty the pid file, let go of the lock. */
void rundir_leave(struct supervisor *);

#endif
