#include "config.h"

#include <sys/time.h>

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"

struct event_base *
loop_new(void)
{
	struct event_config *cfg;
	struct event_base *base;

	signal(SIGPIPE, SIG_IGN);
	if ((cfg = event_config_new()) == NULL)
		fatalx("event_config_new");
	/* The coarse clock would let a 1 ms timer fire after 4 ms. */
	event_config_set_flag(cfg,
	    EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK |
		EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (base == NULL)
		fatalx("event_base_new");
	return base;
}

void
loop_timer(struct event *ev, int64_t ms)
{
	struct timeval tv = ms_timeval(ms < 0 ? 0 : ms);

	if (evtimer_add(ev, &tv) == -1)
		fatalx("evtimer_add");
}

int64_t
loop_jitter(int64_t ms)
{
	return ms - ms / 5 + arc4random_uniform((uint32_t)(2 * (ms / 5) + 1));
}

int64_t
loop_backoff(unsigned failures, int64_t first, int64_t most)
{
	int64_t ms = first;

	while (failures-- > 0 && ms < most)
		ms *= 2;
	return loop_jitter(ms < most ? ms : most);
}

int
fd_prepare(int fd)
{
	int fl;

	if ((fl = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, fl | O_NONBLOCK) == -1)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
heap_trim(void)
{
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(64 * 1024);
#endif
}
