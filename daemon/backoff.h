/*
 * When to start a worker again: 1 s after its first death, doubling to 60 s,
 * and back to 1 s once it has lived quietly for 5 minutes. Pure: the caller
 * brings the time.
 */
#ifndef DAEMON_BACKOFF_H
#define DAEMON_BACKOFF_H

#include <stdint.h>

#include "common/monotime.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 60000
#define BACKOFF_QUIET_MS (5 * 60 * 1000)

struct backoff {
	int64_t next_ms; /* 0: has not failed lately */
};

/*
 * A worker that was started at `started` is dead at `now`: the milliseconds
 * to wait before it is started again.
 */
int64_t backoff_next(
    struct backoff *, struct monotime started, struct monotime now);
/* Forget the past: its configuration has changed. */
void backoff_reset(struct backoff *);

#endif
