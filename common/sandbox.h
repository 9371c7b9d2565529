/*
 * The jail of a worker: one interface, one file per mechanism.
 *
 * The caller names its role; which system calls that role may make is the
 * mechanism's own knowledge (sandbox_seccomp.c, sandbox_landlock.c,
 * sandbox_pledge.c).
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

struct stat;

enum sandbox_role {
	SANDBOX_ACCOUNT,
	SANDBOX_AGENT,
	SANDBOX_CALLBACK,
	SANDBOX_CONTROL,
	SANDBOX_STORE,      /* files below its working directory */
	SANDBOX_DIALER,     /* sockets, resolver files, threads */
	SANDBOX_SUPERVISOR  /* forks and execs, no network */
};

/*
 * Enter the jail for good: no core, no_new_privs, not dumpable, then each
 * mechanism that this system has. Fatal when one that should work does not.
 */
void sandbox_enter(enum sandbox_role);

/*
 * Try one forbidden open, one forbidden call and one forbidden socket (which
 * the dialer may have), and exit with a clear message if any succeeds. Called
 * after sandbox_enter() by workers.
 */
void sandbox_selftest(enum sandbox_role);

/* Short text for status and logs: "seccomp+landlock", "pledge", "none". */
const char *sandbox_describe(void);

/* fstat(2), as a jailed worker may call it. */
int sandbox_fstat(int fd, struct stat *);

/* The mechanisms, in the order in which sandbox_enter() calls them. */
int sandbox_landlock(enum sandbox_role); /* 1 in force, 0 not here */
int sandbox_seccomp(enum sandbox_role);
int sandbox_pledge(enum sandbox_role);

/*
 * 1: not root, and yet given all that it takes to lock workers in: to change
 * root and user, and to end what runs as another user (Linux: as ambient
 * capabilities).
 */
int sandbox_can_lock(void);
/* Give up every capability for good, and see that it is so. Fatal if not. */
void sandbox_drop_caps(void);

#endif
