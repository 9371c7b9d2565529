/*
 * One HTTP connection: reads a head, asks the route whether to go on, reads
 * the body, and writes the answer. From the first byte that is waited for
 * to the last one of a request there is one deadline.
 */
#ifndef CALLBACK_CONN_H
#define CALLBACK_CONN_H

#include <sys/queue.h>

struct callback;
struct conn;
struct sockaddr;
struct source;

/*
 * What the gate knows of a connection: idle ones, that a new one may take
 * the place of, are in both lists, in the order in which they became so.
 */
struct gated {
	TAILQ_ENTRY(gated) all, own;
	struct source *source;
	struct conn *conn;
	int idle;
};

TAILQ_HEAD(gated_list, gated);

/*
 * Begin; fd is the connection's. sa NULL: a UNIX socket. g is part of what
 * the gate knows. NULL (fd closed) when there is no memory for TLS.
 */
struct conn *conn_new(struct callback *, int fd, const struct sockaddr *,
    struct gated *g);
/* Its place is needed: close at once. */
void conn_evict(struct conn *);
/*
 * The callback worker stops: close unless a request has begun or, if not
 * all, its first one may still be on its way.
 */
void conn_stop(struct conn *, int all);

#endif
