#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/storelink.h"

#define FLUSH_MS 100 /* recorded in batches */
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

/* Into the batch; rule may be "". */
static void
record(struct account *a, const struct inbound *in, enum reason reason,
    const char *rule)
{
	struct drops *d = a->drops;
	struct json_object *o = json_object_new_object();

	add_str(o, "post",
	    in->post_id[0] != '\0' ? in->post_id : in->event_id);
	add_str(o, "channel", in->channel_id);
	add_int(o, "at", in->create_at);
	add_str(o, "stage", stage_name(reason_stage(reason)));
	add_str(o, "reason", reason_name(reason));
	add_str(o, "rule", rule);
	add_str(o, "kind", inbound_kind_name(in->kind));
	if (d->batch == NULL)
		d->batch = json_object_new_array();
	json_object_array_add(d->batch, o);
	if (json_object_array_length(d->batch) >= BATCH_MAX)
		drops_flush(a);
	else if (!evtimer_pending(d->timer, NULL))
		loop_timer(d->timer, FLUSH_MS);
}

void
drops_count(struct account *a, enum inbound_kind kind, enum reason reason)
{
	a->drops->counts[reason]++;
	figures_dropped(a, kind, reason);
}

void
drops_add(struct account *a, const struct inbound *in, enum reason reason,
    const char *rule)
{
	drops_count(a, in->kind, reason);
	/* Our own posts are known from the outbox. */
	if (reason == REASON_OWN_POST)
		return;
	log_event(LOG_DEBUG, "event.dropped", "account", a->id, "event_id",
	    in->event_id, "reason", reason_name(reason), NULL);
	record(a, in, reason, rule);
}

void
drops_bad(struct account *a, enum inbound_kind kind, const char *name,
    const char *post, const char *channel, enum reason reason)
{
	struct inbound *in;

	if (name != NULL)
		log_event(LOG_INFO, "event.malformed", "account", a->id,
		    "name", name, "event_id", post, "reason",
		    reason_name(reason), NULL);
	else
		log_event(LOG_INFO, "post.malformed", "account", a->id,
		    "event_id", post, "reason", reason_name(reason), NULL);
	drops_count(a, kind, reason);
	if (kind == INBOUND_NONE)
		return;
	in = inbound_new(kind);
	ID_COPY(in->post_id, post);
	ID_COPY(in->channel_id, channel);
	record(a, in, reason, "");
	inbound_free(in);
}

void
drops_noted(struct account *a, const struct inbound *in, const char *rule)
{
	record(a, in, REASON_OK, rule);
}

void
drops_flush(struct account *a)
{
	struct drops *d = a->drops;
	struct json_object *msg;

	if (d->batch == NULL)
		return;
	msg = chan_msg("drops");
	add_obj(msg, "drops", d->batch);
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
