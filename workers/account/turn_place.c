#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/resolve.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"
#include "workers/account/turn_place.h"

static const char *
target_of(const struct row *r)
{
	return api_str(r->data, "to");
}

int
turn_needs_place(const struct row *r)
{
	return r->channel[0] == '\0' && *target_of(r) != '\0';
}

struct placing {
	struct account *a;
	int64_t id;
};

/* The turn may be over when the answer comes: it is found by its number. */
static void
placed(struct account *a, const char *channel, const char *failed, void *arg)
{
	struct turn *t = lanes_turn(a, ((struct placing *)arg)->id);

	free(arg);
	if (t == NULL || t->ending)
		return;
	if (channel == NULL) {
		turn_fail(t, resolve_is_passing(a), "target", failed, 0);
		return;
	}
	ID_COPY(t->row->channel, channel);
	if (mm_id_valid(api_str(t->row->data, "thread")))
		ID_COPY(t->row->root, api_str(t->row->data, "thread"));
	turn_go(t);
}

/* In a turn of the loop of its own: the lane must know the turn first. */
static void
look_up(int fd, short what, void *arg)
{
	struct account *a = ((struct placing *)arg)->a;
	struct turn *t = lanes_turn(a, ((struct placing *)arg)->id);

	if (t == NULL || t->ending)
		free(arg);
	else
		resolve_start(a, target_of(t->row), placed, arg);
}

int
turn_place(struct turn *t)
{
	struct timeval now = {0, 0};
	struct placing *p;

	if (!turn_needs_place(t->row))
		return 0;
	if ((p = malloc(sizeof(*p))) == NULL)
		fatal("malloc");
	p->a = t->a;
	p->id = t->id;
	if (event_base_once(t->a->base, -1, EV_TIMEOUT, look_up, p, &now) ==
	    -1)
		fatalx("event_base_once");
	return 1;
}
