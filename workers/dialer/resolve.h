/*
 * Names to addresses, off the event loop: getaddrinfo() in a few threads,
 * with answers kept for a short time. One look-up of a name is under way at
 * most, so the names of the configuration bound everything here.
 */
#ifndef WORKERS_DIALER_RESOLVE_H
#define WORKERS_DIALER_RESOLVE_H

#include <sys/socket.h>

#define RESOLVE_ADDRS 8
#define RESOLVE_KEEP_MS 30000
#define RESOLVE_THREADS 4

struct event_base;
struct resolver;
struct resolve_wait;

struct resolve_addr {
	socklen_t len;
	struct sockaddr_storage ss; /* port 0 */
};

struct resolved {
	int n;
	struct resolve_addr addr[RESOLVE_ADDRS];
};

/* eai: 0 and a result, or the error of getaddrinfo() and NULL. */
typedef void (*resolve_fn)(void *arg, const struct resolved *, int eai);

/* Before the jail: loads what the resolver would load at first use. */
struct resolver *resolver_new(struct event_base *);

/*
 * Calls fn once: before this returns when the answer is known (an address,
 * or kept), else later from the loop, and until then *wait is set.
 */
void resolver_lookup(struct resolver *, const char *host, resolve_fn, void *arg,
    struct resolve_wait **wait);
/* Nobody was there: the next one asks anew, though an answer is kept. */
void resolver_forget(struct resolver *, const char *host);
/* fn will not be called; NULL is fine. The look-up itself goes on. */
void resolver_cancel(struct resolve_wait *);

#endif
