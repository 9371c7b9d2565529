#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/pipeline.h"
#include "workers/account/storelink.h"

#define FLUSH_MS 100 /* design 5: recorded in batches */
#define BATCH_MAX 100

struct drops {
	struct json_object *batch;
	struct event *timer;
	uint64_t counts[REASON_MAX];
};

static void
on_timer(int fd, short what, void *arg)
{
	drops_flush(arg);
}

struct drops *
drops_new(struct account *a)
{
	struct drops *d;

	if ((d = calloc(1, sizeof(*d))) == NULL ||
	    (d->timer = evtimer_new(a->base, on_timer, a)) == NULL)
		fatal("calloc");
	return d;
}

void
drops_add(struct account *a, const struct inbound *in, const struct verdict *v)
{
	struct drops *d = a->drops;
	struct json_object *o;

	d->counts[v->reason]++;
	figures_dropped(a, in->kind, v->reason);
	/* Our own posts are known from the outbox. */
	if (v->reason == REASON_OWN_POST)
		return;
	log_event(LOG_DEBUG, "event.dropped", "account", a->id, "event_id",
	    in->event_id, "reason", reason_name(v->reason), NULL);
	o = json_object_new_object();
	json_object_object_add(o, "post",
	    json_object_new_string(in->kind == INBOUND_CRON ? in->event_id :
							      in->post_id));
	json_object_object_add(
	    o, "channel", json_object_new_string(in->channel_id));
	json_object_object_add(o, "at", json_object_new_int64(in->create_at));
	json_object_object_add(
	    o, "stage", json_object_new_string(stage_name(v->stage)));
	json_object_object_add(
	    o, "reason", json_object_new_string(reason_name(v->reason)));
	json_object_object_add(
	    o, "rule", json_object_new_string(v->rule != NULL ? v->rule : ""));
	json_object_object_add(
	    o, "kind", json_object_new_string(inbound_kind_name(in->kind)));
	json_object_object_add(o, "mark", json_object_new_boolean(0));
	if (d->batch == NULL)
		d->batch = json_object_new_array();
	json_object_array_add(d->batch, o);
	if (json_object_array_length(d->batch) >= BATCH_MAX)
		drops_flush(a);
	else if (!evtimer_pending(d->timer, NULL))
		loop_timer(d->timer, FLUSH_MS);
}

void
drops_flush(struct account *a)
{
	struct drops *d = a->drops;
	struct json_object *msg;

	if (d->batch == NULL)
		return;
	msg = chan_msg("drops");
	json_object_object_add(msg, "drops", d->batch);
	d->batch = NULL;
	storelink_tell(a, msg);
}

struct json_object *
drops_counts(const struct account *a)
{
	struct json_object *o = json_object_new_object();
	int i;

	for (i = 0; i < REASON_MAX; i++)
		if (a->drops->counts[i] > 0)
			json_object_object_add(o, reason_name(i),
			    json_object_new_int64(
				(int64_t)a->drops->counts[i]));
	return o;
}
