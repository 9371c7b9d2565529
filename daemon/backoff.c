#include "config.h"

#include "daemon/backoff.h"

int64_t
backoff_next(struct backoff *b, struct monotime started, struct monotime now)
{
	int64_t wait;

	if (b->next_ms == 0 || monotime_diff(started, now) >= BACKOFF_QUIET_MS)
		b->next_ms = BACKOFF_FIRST_MS;
	wait = b->next_ms;
	b->next_ms *= 2;
	if (b->next_ms > BACKOFF_MAX_MS)
		b->next_ms = BACKOFF_MAX_MS;
	return wait;
}

void
backoff_reset(struct backoff *b)
{
	b->next_ms = 0;
}
