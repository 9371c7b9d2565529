/*
 * One scheduled job: what jobs.c (when) and jobs_fire.c (what) share.
 */
#ifndef ACCOUNT_JOBS_INT_H
#define ACCOUNT_JOBS_INT_H

#include <sys/queue.h>

#include <stdint.h>

#include "common/cron.h"

#define JOB_ID_MAX 64

struct account;
struct ctl_op;
struct event;
struct json_object;

struct job {
	TAILQ_ENTRY(job) entry;
	char id[JOB_ID_MAX + 1];
	char prefix[JOB_ID_MAX + 2]; /* of the ids of its events */
	struct json_object *row;     /* owned: as the store has it */
	struct sched sched;
	int usable;    /* sched could be read */
	int catch_up;
	int enabled;
	int64_t base;  /* ms: nothing up to then is due any more */
	int putting;   /* the store has not answered yet */
	int seen;      /* by the load that is under way */
};

struct jobs {
	TAILQ_HEAD(, job) list;
	struct event *timer;
	struct event *again;
	int loading, loaded;
	int told; /* that they could not be loaded */
};

enum fire { FIRE_DUE, FIRE_SKIP, FIRE_HAND };

/*
 * Into the inbox, or with FIRE_SKIP only into the job's row. op, which is
 * taken over and may be NULL, is answered. Then job_fired() or, when the
 * store would not, job_not_fired().
 */
void job_fire(struct account *, struct job *, int64_t when, enum fire,
    struct ctl_op *op);
/* when 0: by hand. */
void job_fired(struct account *, const char *id, int64_t when);
void job_not_fired(struct account *, const char *id);

#endif
