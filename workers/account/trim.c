#include "config.h"

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/lanes.h"
#include "workers/account/trim.h"

#define TRIM_MS 5000

static void
on_trim(int fd, short what, void *arg)
{
	struct account *a = arg;

	if (lanes_running(a) > 0)
		loop_timer(a->trim, TRIM_MS);
	else
		heap_trim();
}

void
trim_init(struct account *a)
{
	if ((a->trim = evtimer_new(a->base, on_trim, a)) == NULL)
		fatalx("evtimer_new");
}

void
trim_event(struct account *a)
{
	a->n_events++;
	if (!evtimer_pending(a->trim, NULL))
		loop_timer(a->trim, TRIM_MS);
}
