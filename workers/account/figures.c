#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/figures.h"

/* Upper bounds in ms; what is longer is in the last bucket. */
static const int64_t bounds[] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500,
    5000, 10000, 30000, 60000, 300000};

#define BUCKETS (sizeof(bounds) / sizeof(bounds[0]) + 1)

struct figures {
	uint64_t accepted[INBOUND_KIND_MAX];
	uint64_t dropped[INBOUND_KIND_MAX][REASON_MAX];
	uint64_t turns[BUCKETS];
	int64_t turn_ms;
	uint64_t failed;
};

struct figures *
figures_new(void)
{
	struct figures *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		fatal("calloc");
	return f;
}

void
figures_accepted(struct account *a, enum inbound_kind kind)
{
	a->figures->accepted[kind]++;
}

void
figures_dropped(struct account *a, enum inbound_kind kind, enum reason reason)
{
	a->figures->dropped[kind][reason]++;
}

void
figures_turn(struct account *a, int64_t ms, int answered)
{
	struct figures *f = a->figures;
	size_t i;

	for (i = 0; i < BUCKETS - 1 && ms > bounds[i]; i++)
		;
	f->turns[i]++;
	f->turn_ms += ms;
	if (!answered)
		f->failed++;
}

static void
add(struct json_object *list, int kind, const char *reason, uint64_t n)
{
	struct json_object *o;

	if (n == 0)
		return;
	o = json_object_new_object();
	add_str(o, "kind", inbound_kind_name((enum inbound_kind)kind));
	add_str(o, "reason", reason);
	add_int(o, "n", (int64_t)n);
	json_object_array_add(list, o);
}

void
figures_add(const struct account *a, struct json_object *status)
{
	const struct figures *f = a->figures;
	struct json_object *list = json_object_new_array(), *o;
	struct json_object *le = json_object_new_array();
	struct json_object *counts = json_object_new_array();
	size_t i;
	int k, r;

	for (k = 0; k < INBOUND_KIND_MAX; k++) {
		add(list, k, "accepted", f->accepted[k]);
		for (r = 0; r < REASON_MAX; r++)
			add(list, k, reason_name((enum reason)r),
			    f->dropped[k][r]);
	}
	add_obj(status, "handled", list);
	for (i = 0; i < BUCKETS; i++) {
		if (i < BUCKETS - 1)
			json_object_array_add(le,
			    add_new_double((double)bounds[i] / 1000));
		json_object_array_add(
		    counts, json_object_new_int64((int64_t)f->turns[i]));
	}
	o = json_object_new_object();
	add_obj(o, "seconds", le);
	add_obj(o, "counts", counts);
	add_int(o, "sum_ms", f->turn_ms);
	add_int(o, "failed", (int64_t)f->failed);
	add_obj(status, "turns", o);
}
