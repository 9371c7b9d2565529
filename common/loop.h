/*
 * The event loop: what every process sets up in the same way.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdint.h>

struct event;
struct event_base;

/* Made before the jail: it opens descriptors. Fatal on failure. */
struct event_base *loop_new(void);

/*
 * (Re)arm a one-shot timer of the kind evtimer_new() makes; ms from now, 0
 * is the next turn of the loop.
 */
void loop_timer(struct event *, int64_t ms);

/* 20 % either way, so that a host full of waiters does not knock as one. */
int64_t loop_jitter(int64_t ms);
/* How long to wait after so many failures: first ms, doubling to most ms,
 * with jitter. */
int64_t loop_backoff(unsigned failures, int64_t first, int64_t most);

/* O_NONBLOCK and FD_CLOEXEC. -1 with errno. */
int fd_prepare(int fd);

/* Give unused heap back to the system, where that is possible. */
void heap_trim(void);

#endif
