#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/conn.h"
#include "workers/account/lanes.h"
#include "workers/account/preview/typing.h"

struct typing {
	struct account *a;
	const struct row *row;
	struct event *timer;
	struct monotime began;
	int on;
	int stopped;
	int failures; /* in a row */
};

void
typing_cfg_read(struct typing_cfg *c, struct json_object *o)
{
	static const char *const names[] = {
	    "instant", "thinking", "message", "never"};
	struct json_object *v = NULL;
	const char *s = api_str(o, "mode");
	double seconds;
	int i;

	c->mode = TYPING_INSTANT;
	c->every_ms = TYPING_EVERY_MS;
	for (i = 0; i < 4; i++)
		if (strcmp(s, names[i]) == 0)
			c->mode = (enum typing_when)i;
	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, "intervalSeconds", &v) ||
	    (!json_object_is_type(v, json_type_int) &&
		!json_object_is_type(v, json_type_double)))
		return;
	seconds = json_object_get_double(v);
	if (seconds >= 0 && seconds <= 3600)
		c->every_ms = (int64_t)(seconds * 1000);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct typing *t = arg;

	if (monotime_since(t->began) > TYPING_MAX_MS)
		return;
	if (conn_typing(t->a, t->row->channel, t->row->root) == 0)
		t->failures = 0;
	else if (++t->failures == TYPING_FAILURES)
		return;
	if (t->a->typing.every_ms > 0)
		loop_timer(t->timer, t->a->typing.every_ms);
}

struct typing *
typing_new(struct account *a, const struct row *r)
{
	struct typing *t;

	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->timer = evtimer_new(a->base, on_timer, t)) == NULL)
		fatal("calloc");
	t->a = a;
	t->row = r;
	return t;
}

void
typing_free(struct typing *t)
{
	if (t == NULL)
		return;
	event_free(t->timer);
	free(t);
}

void
typing_begin(struct typing *t, enum typing_when what)
{
	if (t->on || t->stopped || what < t->a->typing.mode ||
	    t->row->channel[0] == '\0')
		return;
	t->on = 1;
	t->began = monotime_now();
	loop_timer(t->timer, TYPING_AFTER_MS);
}

void
typing_stop(struct typing *t)
{
	t->stopped = 1;
	event_del(t->timer);
}
