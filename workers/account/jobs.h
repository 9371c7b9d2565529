/*
 * Scheduled jobs of this account: when one is due it becomes an inbound of
 * the kind INBOUND_CRON, which is in the inbox before anything happens, by
 * the id "JOB:WHEN": the same time never comes twice, whatever the clocks do.
 *
 * They are loaded from the store and kept up to date by its frames. One run
 * of a job at a time: what comes due meanwhile has been missed.
 */
#ifndef ACCOUNT_JOBS_H
#define ACCOUNT_JOBS_H

struct account;
struct chan;
struct jobs;
struct json_object;

/* When later than that, a time was missed: made up for or not, by the job. */
#define JOBS_GRACE_MS 60000
/* The wall clock is looked at again at least so often. */
#define JOBS_LOOK_MS 10000

/* Knows none; lives as long as the account. */
struct jobs *jobs_new(struct account *);
/* The store is there (again): what has changed? */
void jobs_load(struct account *);
/* A cron.row, a cron.gone of the store. -1: not of its shape. */
int jobs_row(struct account *, struct json_object *);
int jobs_gone(struct account *, struct json_object *);
/* The handler of cron.run on the control link. */
void jobs_on_run(struct chan *, struct json_object *, int fd, void *arg);

#endif
