/*
 * The server's calls to integrations: slash commands and actions. Each call
 * is a new TCP connection that stays idle for 90 s after its answer, as a
 * real 5.37 leaves them; redirects are followed (307 and 308 with the body,
 * others as GET); 30 s for the whole call; addresses that are not public are
 * refused unless AllowedUntrustedInternalConnections lists them (hosts).
 */
#ifndef MMSIM_OUTGOING_H
#define MMSIM_OUTGOING_H

#include <stddef.h>

#define OUTGOING_S 30
#define OUTGOING_IDLE_S 90
#define OUTGOING_IDLE_MAX 512 /* the oldest idle connection is closed then */
#define OUTGOING_HOPS 10

struct outgoing_reply {
	int status; /* 0: no answer */
	char line[64];     /* "201 Created" */
	const char *ctype; /* NULL when there is none */
	const char *body;  /* NUL-terminated */
	size_t len;
};

typedef void (*outgoing_cb)(const struct outgoing_reply *, void *);

/*
 * method POST or GET; token: for "Authorization: Token", or NULL; body may
 * be NULL. The callback is called exactly once, never from within the call.
 */
void outgoing_call(const char *method, const char *url, const char *ctype,
    const char *token, const char *body, size_t len, outgoing_cb, void *);
/* White-space separated hosts and addresses; NULL: the default. */
void outgoing_allow(const char *list);
/* Idle connections are closed; calls under way end without an answer. */
void outgoing_reset(void);
size_t outgoing_idle(void);

#endif
