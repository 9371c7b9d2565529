/*
 * Why a turn failed, in the words that its account needs: whether another
 * try may help, when, what to tell people and what to write into the log.
 *
 * Pure: no I/O. text is short and has nothing of the server's own words;
 * detail has its status, code and message cut to 200 bytes, and never a
 * whole body or a secret.
 */
#ifndef WORKERS_AGENT_CLASSIFY_H
#define WORKERS_AGENT_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

#define CLASSIFY_DETAIL 320
#define CLASSIFY_RETRY_MAX (60 * 60 * 1000) /* a server may not ask for more */

struct delta;

struct verdict {
	/* "auth" "rate" "server" "network" "protocol" "cut" "config" … */
	const char *code;
	int transient;
	int retry_ms; /* 0: as the account sees fit */
	const char *text;
	char detail[CLASSIFY_DETAIL];
};

/*
 * An answer with a status other than 2xx. err is what its body said, or
 * NULL; the two headers may be NULL; now is the wall clock in ms.
 */
void classify_status(struct verdict *, int status, const struct delta *err,
    const char *retry_after, const char *retry_after_ms, int64_t now);
/* An error object inside a stream or a 200. */
void classify_error(struct verdict *, const struct delta *err);
/*
 * The request or its answer ended early. began: some of an answer had come.
 * why: the network's words for it.
 */
void classify_network(struct verdict *, int began, const char *why);
/* Anything that the agent finds by itself; detail may be NULL. */
void classify_own(struct verdict *, const char *code, const char *detail);
/* Whether the server says that the messages are too many for its window. */
int classify_too_long(int status, const struct delta *err);
/*
 * Retry-After as seconds or as an HTTP date (RFC 9110 10.2.3), in ms from
 * now, at most CLASSIFY_RETRY_MAX; 0 when it cannot be read.
 */
int classify_retry_after(const char *value, int64_t now);

#endif
