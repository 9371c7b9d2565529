/*
 * The sandbox probe: each act runs in a process of its own, inside the real
 * jail of a role. A forbidden act must fail with an error or be killed; a
 * needed act must work.
 */
#ifndef TESTS_SANDBOX_PROBE_H
#define TESTS_SANDBOX_PROBE_H

#include <sys/types.h>

#include "common/sandbox.h"

#define R(role) (1u << (role))
#define R_FETCHERS (R(SANDBOX_ACCOUNT) | R(SANDBOX_AGENT))
#define R_LISTENERS (R(SANDBOX_CALLBACK) | R(SANDBOX_CONTROL))
#define R_STORE R(SANDBOX_STORE)
#define R_DIALER R(SANDBOX_DIALER)
#define R_WORKERS (R_FETCHERS | R_LISTENERS | R_STORE | R_DIALER)
#define R_NOT_DIALER (R_WORKERS & ~R_DIALER)

/* What was there before the jail. */
struct scene {
	enum sandbox_role role;
	struct event_base *base;
	int listen_fd;   /* nobody may come here but the dialer */
	int spare_fd;    /* listens, too */
	int port;        /* of listen_fd, on 127.0.0.1 */
	int tcp, tcp6;   /* not connected, as if the dialer had failed */
	int connected;   /* what the dialer passes on */
	int udp;         /* not connected */
	int unix_fd;     /* not connected; "sock" listens here */
	int pair[2];     /* what a link looks like */
	int eventfd;
	int exec_fd;     /* /bin/true, open */
	int file_fd;     /* an empty file, open for writing */
	pid_t sibling;   /* a process of the same user */
	void *page;      /* of memory, readable and writable */
	const char *outside; /* a readable file beside the store's directory */
};

struct act {
	const char *name;
	unsigned roles;
	/*
	 * Forbidden: 0 when it was refused (errno says how), 1 when it was
	 * done. Needed: 0 when it works.
	 */
	int (*fn)(struct scene *);
	int sure; /* any user can do it where there is no jail */
};

/* Where nobody is; but packets would go there. */
#define PROBE_METADATA "169.254.169.254"
#define PROBE_HOST "192.0.2.1"

/*
 * A network of this process's own, in which every packet is seen: the
 * descriptor, or -1 where that cannot be had.
 */
int capture_open(void);
/* How many packets were sent since the last time that begin anything. */
int capture_drain(int fd);
extern const char capture_name[];

extern const struct act probe_forbidden_net[];
extern const struct act probe_forbidden[];
extern const struct act probe_needed[];

#endif
