#include "config.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/ctl/ctl_op.h"
#include "workers/account/jobs.h"
#include "workers/account/jobs_int.h"
#include "workers/account/lanes.h"
#include "workers/account/storelink.h"

#define AGAIN_MS 2000 /* a store that cannot read its file now */
#define START_MS 100
#define BUSY_MS 500   /* a run that is not over: look again */

static void look(struct account *);
static void ask(struct account *, const char *after);

static void
on_timer(int fd, short what, void *arg)
{
	look(arg);
}

static void
on_again(int fd, short what, void *arg)
{
	jobs_load(arg);
}

struct jobs *
jobs_new(struct account *a)
{
	struct jobs *js;

	if ((js = calloc(1, sizeof(*js))) == NULL ||
	    (js->timer = evtimer_new(a->base, on_timer, a)) == NULL ||
	    (js->again = evtimer_new(a->base, on_again, a)) == NULL)
		fatal("calloc");
	TAILQ_INIT(&js->list);
	return js;
}

/* NULL when there is none. */
static struct job *
job_find(struct account *a, const char *id)
{
	struct job *j;

	TAILQ_FOREACH(j, &a->jobs->list, entry)
		if (strcmp(j->id, id) == 0)
			return j;
	return NULL;
}

static void
job_free(struct account *a, struct job *j)
{
	TAILQ_REMOVE(&a->jobs->list, j, entry);
	sched_clear(&j->sched);
	json_object_put(j->row);
	free(j);
}

/* Time */

/* What is to be done about a job now; next: when to look again, or 0. */
static void
consider(struct account *a, struct job *j, int64_t now, int64_t *next)
{
	int64_t when;

	*next = 0;
	if (!j->enabled || !j->usable || j->putting)
		return;
	/* The clock was set back. The store knows what has been done. */
	if (j->base > now)
		j->base = now;
	when = sched_latest(&j->sched, j->base, now);
	if (when == 0) {
		*next = sched_next(&j->sched, j->base);
		if (j->sched.kind == SCHED_CRON)
			j->base = now;
		return;
	}
	if (lanes_has_event(a, j->prefix)) {
		*next = now + BUSY_MS;
		return;
	}
	job_fire(a, j, when,
	    now - when > JOBS_GRACE_MS && !j->catch_up ? FIRE_SKIP :
							  FIRE_DUE, NULL);
}

static void
look(struct account *a)
{
	struct jobs *js = a->jobs;
	int64_t now = walltime_ms(), next, ms = JOBS_LOOK_MS;
	struct job *j;
	int any = 0;

	if (!js->loaded || a->stopping)
		return;
	/* At the start: what an earlier life had is not all here yet. */
	if (!a->linked || !storelink_ready(a)) {
		loop_timer(js->timer, START_MS);
		return;
	}
	TAILQ_FOREACH(j, &js->list, entry) {
		consider(a, j, now, &next);
		any |= j->enabled && j->usable;
		if (next != 0 && next - now < ms)
			ms = next - now;
	}
	if (any)
		loop_timer(js->timer, ms > 0 ? ms : 0);
	else
		event_del(js->timer);
}

void
job_fired(struct account *a, const char *id, int64_t when)
{
	struct job *j = job_find(a, id);

	if (j == NULL)
		return;
	j->putting = 0;
	if (when > j->base)
		j->base = when;
	if (j->sched.kind == SCHED_AT && when != 0)
		j->enabled = 0;
	look(a);
}

/* A store that takes nothing: the same again, after a while. */
void
job_not_fired(struct account *a, const char *id)
{
	struct job *j = job_find(a, id);

	if (j != NULL)
		j->putting = 0;
	loop_timer(a->jobs->timer, AGAIN_MS);
}

/* From the store */

/* One that cannot be read is kept, so that it is not asked for for ever. */
static void
job_schedule(struct account *a, struct job *j, int64_t every, int64_t at)
{
	const char *why;

	sched_clear(&j->sched);
	j->usable = sched_parse(&j->sched, api_str(j->row, "kind"),
	    api_str(j->row, "expr"), api_str(j->row, "rules"), every, at,
	    &why) == 0;
	if (!j->usable)
		log_event(LOG_ERR, "cron.unusable", "account", a->id, "job",
		    j->id, "error", why, NULL);
}

static int
take(struct account *a, struct json_object *row)
{
	static const char *const strings[] = {"name", "agent", "kind", "expr",
	    "zone", "rules", "message", "to", "thread", "session",
	    "last_event"};
	int64_t every, at, floor;
	int catch_up, enabled;
	struct fields f;
	const char *id;
	struct job *j;
	size_t i;

	fields_open(&f, row);
	id = fields_str(&f, "id", JOB_ID_MAX);
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		fields_str(&f, strings[i], PROTO_NORMAL);
	every = fields_int(&f, "every", 0, INT64_MAX);
	at = fields_int(&f, "at", 0, INT64_MAX);
	floor = fields_int(&f, "floor", 0, INT64_MAX);
	catch_up = fields_bool(&f, "catch_up");
	enabled = fields_bool(&f, "enabled");
	if (fields_ok(&f) == -1 || *id == '\0')
		return -1;
	if ((j = job_find(a, id)) == NULL) {
		if ((j = calloc(1, sizeof(*j))) == NULL)
			fatal("calloc");
		TAILQ_INSERT_TAIL(&a->jobs->list, j, entry);
	}
	ID_COPY(j->id, id);
	snprintf(j->prefix, sizeof(j->prefix), "%s:", id);
	json_object_put(j->row);
	j->row = json_object_get(row);
	j->catch_up = catch_up;
	j->enabled = enabled;
	j->seen = 1;
	if (!j->putting)
		j->base = floor;
	job_schedule(a, j, every, at);
	return 0;
}

int
jobs_row(struct account *a, struct json_object *msg)
{
	struct json_object *row;
	struct fields f;

	fields_open(&f, msg);
	row = fields_obj(&f, "job");
	if (fields_end(&f) == -1 || take(a, row) == -1)
		return -1;
	look(a);
	return 0;
}

int
jobs_gone(struct account *a, struct json_object *msg)
{
	const char *id;
	struct fields f;
	struct job *j;

	fields_open(&f, msg);
	id = fields_str(&f, "job", JOB_ID_MAX);
	if (fields_end(&f) == -1)
		return -1;
	if ((j = job_find(a, id)) != NULL)
		job_free(a, j);
	return 0;
}

static void
loaded(struct account *a)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&a->jobs->list); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (!j->seen)
			job_free(a, j);
	}
	a->jobs->loading = 0;
	a->jobs->loaded = 1;
	a->jobs->told = 0;
	look(a);
}

static void
page_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct json_object *rows = NULL, *more = NULL, *row = NULL;
	size_t i, n = 0;

	if (err == NULL && json_object_object_get_ex(reply, "jobs", &rows) &&
	    json_object_is_type(rows, json_type_array))
		n = json_object_array_length(rows);
	else if (err == NULL)
		err = "not of its shape";
	for (i = 0; i < n && err == NULL; i++) {
		row = json_object_array_get_idx(rows, i);
		if (take(a, row) == -1)
			err = "not of its shape";
	}
	if (err != NULL) {
		if (!a->jobs->told)
			log_event(LOG_WARNING, "store.cron", "account", a->id,
			    "error", err, NULL);
		a->jobs->told = 1;
		a->jobs->loading = 0;
		loop_timer(a->jobs->again, AGAIN_MS);
		return;
	}
	json_object_object_get_ex(reply, "more", &more);
	if (row != NULL && json_object_get_boolean(more))
		ask(a, api_str(row, "id"));
	else
		loaded(a);
}

static void
ask(struct account *a, const char *after)
{
	struct json_object *msg = chan_msg("cron.load");

	add_str(msg, "after", after);
	storelink_request(a, msg, page_done, NULL);
}

void
jobs_load(struct account *a)
{
	struct job *j;

	if (a->jobs->loading)
		return; /* it is sent again with the new link */
	a->jobs->loading = 1;
	TAILQ_FOREACH(j, &a->jobs->list, entry)
		j->seen = 0;
	ask(a, "");
}

/* By hand */

void
jobs_on_run(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct ctl_op *op;
	struct fields f;
	const char *id;
	struct job *j;

	fields_open(&f, msg);
	id = fields_str(&f, "job", JOB_ID_MAX);
	if (fields_end(&f) == -1) {
		chan_violation(c, "cron.run");
		return;
	}
	if ((op = calloc(1, sizeof(*op))) == NULL)
		fatal("calloc");
	ctl_op_begin(op, a, c, msg);
	j = job_find(a, id);
	if (!a->jobs->loaded || !storelink_ready(a))
		ctl_op_err(op, "store", "the store is not there yet");
	else if (j == NULL)
		ctl_op_err(op, "gone", "there is no such job");
	else if (j->putting || lanes_has_event(a, j->prefix))
		ctl_op_err(op, "busy", "the job runs already");
	else {
		job_fire(a, j, walltime_ms(), FIRE_HAND, op);
		return;
	}
	free(op);
}
