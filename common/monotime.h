/*
 * Monotonic time as a type of its own, so that it cannot be mixed up with
 * the wall clock. Milliseconds since an unknown start, from CLOCK_MONOTONIC.
 */
#ifndef COMMON_MONOTIME_H
#define COMMON_MONOTIME_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

struct monotime {
	int64_t ms;
};

static inline struct monotime
monotime_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct monotime){
	    (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000};
}

static inline struct monotime
monotime_add(struct monotime t, int64_t ms)
{
	return (struct monotime){t.ms + ms};
}

/* Milliseconds from a to b; negative when b is earlier. */
static inline int64_t
monotime_diff(struct monotime a, struct monotime b)
{
	return b.ms - a.ms;
}

static inline int64_t
monotime_since(struct monotime t)
{
	return monotime_diff(t, monotime_now());
}

/* Milliseconds until t, 0 when it has passed. */
static inline int64_t
monotime_left(struct monotime t)
{
	int64_t d = monotime_diff(monotime_now(), t);

	return d > 0 ? d : 0;
}

/* Wall clock in milliseconds since the epoch, the unit of Mattermost. */
static inline int64_t
walltime_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline struct timeval
ms_timeval(int64_t ms)
{
	return (struct timeval){ms / 1000, (ms % 1000) * 1000};
}

#endif
