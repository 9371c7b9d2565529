/*
 * Connecting to one of several addresses (RFC 8305, simplified): the next
 * one starts when the last failed or after 250 ms, at most three run side
 * by side, each has 3 s, and the first that is up wins.
 */
#ifndef WORKERS_DIALER_ATTEMPT_H
#define WORKERS_DIALER_ATTEMPT_H

#include <stdint.h>

#include "workers/dialer/resolve.h"

#define ATTEMPT_STAGGER_MS 250 /* RFC 8305 8 */
#define ATTEMPT_ADDR_MS 3000
#define ATTEMPT_PARALLEL 3

struct attempt;

/*
 * fd: connected, non-blocking, close-on-exec, TCP_NODELAY; the receiver's.
 * -1: err is the errno of the first address that failed.
 */
typedef void (*attempt_fn)(void *arg, int fd, int err);

/* fn is called once, from the loop, and the attempt is gone then. */
struct attempt *attempt_start(struct event_base *, const struct resolved *,
    uint16_t port, attempt_fn, void *arg);
/* NULL is fine. fn will not be called. */
void attempt_cancel(struct attempt *);

#endif
