/*
 * posternd -nn: after the file, ask the servers. The dialer and the accounts
 * are started as always, jailed as always, and only told to ask; the
 * callback worker is, too, unless a daemon that runs has its sockets. What
 * they find is printed as a table, or as JSON.
 */
#ifndef DAEMON_ONLINE_H
#define DAEMON_ONLINE_H

struct proc;
struct supervisor;

/* sup has its configuration. The exit status: 0 when nothing has failed. */
int online_run(struct supervisor *, int json);

/* The loop is there. */
void online_begin(struct supervisor *);
/* What an account tells. -1: this is no such run, or not its turn. */
int online_row(struct proc *, const char *what, const char *state,
    const char *detail);
void online_end(struct proc *);
/* Something happened to a worker: is there anybody left to wait for? */
void online_look(struct supervisor *);

#endif
