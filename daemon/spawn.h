/*
 * Processes: the only file that forks.
 *
 * A worker is one of our own programs, started with a fixed command line,
 * the channel to us as descriptor 3, nothing above it, and no environment
 * but TZ.
 */
#ifndef DAEMON_SPAWN_H
#define DAEMON_SPAWN_H

#include <sys/types.h>

enum role {
	ROLE_STORE,
	ROLE_DIALER,
	ROLE_AGENT,
	ROLE_ACCOUNT,
	ROLE_CALLBACK,
	ROLE_CONTROL,
	ROLE_MAX
};

struct spawn {
	enum role role;
	const char *name; /* account or agent id, "" for a single one */
	const char *dir;  /* to chroot into */
	uid_t uid;
	gid_t gid;
	unsigned file_max; /* bytes of a file that it may write, 0: any */
	int rootless;
	int keep_root;    /* drop the uid but do not chroot */
	int verbose;
	int keep_stderr;
};

/* "account" */
const char *role_name(enum role);

/*
 * Choose the directory of the worker programs: the one that argv0 lies in
 * when they lie beside it (a build tree), else the installed one. As root,
 * only a directory that root alone may write to is taken.
 */
void spawn_init(const char *argv0);

/*
 * Start a worker. chan is its end of the channel and stays the caller's to
 * close. Returns its pid, or -1 with errno.
 */
pid_t spawn_worker(const struct spawn *, int chan);

/*
 * The program itself, as it is started now: absolute, or NULL when it is not
 * one that may be run with our rights (it can be written by others).
 */
const char *spawn_self(void);
/*
 * The program itself with -n before these arguments of ours, with our own
 * environment and out (which stays the caller's) as its standard error. Its
 * pid, or -1 with errno.
 */
pid_t spawn_check(char *const argv[], int out);
/* 1 when all programs of the workers can be run; 0, and path of one not. */
int spawn_has_workers(char *path, size_t len);

/* Execute it in our place. Returns only when that is not possible. */
void spawn_over(char *const argv[]);

/*
 * Go on in the background: the parent waits until spawn_detached() is
 * called in the child, and leaves with status 0, or 1 if the child died
 * before.
 */
void spawn_detach(void);
void spawn_detached(void);

/* "signal 31 (sandbox violation)", "exit status 1". Static buffer. */
const char *spawn_status_text(int status);

#endif
