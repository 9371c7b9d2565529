/*
 * When a job is due: a cron expression of five fields in a time zone, an
 * interval, or one moment. Pure: times go in and come out. ms is wall clock
 * milliseconds since the epoch, 0 is never.
 *
 * Fields: minute hour day-of-month month day-of-week; each a list of "*",
 * N, N-M, with "/STEP"; names of months and days in English, three letters;
 * Sunday is 0 and 7; "?" is "*"; @hourly @daily @midnight @weekly @monthly
 * @yearly @annually. When both days are given, either of them will do, as
 * crontab(5) has it.
 *
 * A time that the clock jumps over is due once, at the jump; one that it
 * shows twice is due once, the first time.
 */
#ifndef COMMON_CRON_H
#define COMMON_CRON_H

#include <stdint.h>

#define CRON_EXPR_MAX 256 /* bytes */
#define CRON_EVERY_MIN 1000 /* ms */
#define CRON_EVERY_MAX (366LL * 24 * 3600 * 1000)

#define CRON_ID_MAX 64 /* agents, posts */
#define CRON_KIND_MAX 16
#define CRON_NAME_MAX 128
#define CRON_TARGET_MAX 512
#define CRON_SESSION_MAX 384
#define CRON_MESSAGE_MAX 16384

struct fields;
struct zone;

struct cron {
	uint64_t minutes; /* bit N: minute N */
	uint32_t hours, days, months, weekdays;
	int any_day, any_weekday; /* the field began with "*" */
};

enum sched_kind { SCHED_CRON, SCHED_EVERY, SCHED_AT };

struct sched {
	enum sched_kind kind;
	struct cron cron;
	struct zone *zone; /* owned; cron only */
	int64_t every;	   /* ms */
	int64_t at;	   /* ms */
};

/* A job as a client and the control worker describe it; borrowed strings. */
struct cron_job {
	const char *name, *agent, *message, *to, *thread, *session;
	const char *kind, *expr, *zone, *rules; /* see sched_parse() */
	int64_t every, at;			/* ms */
	int catch_up;
};

/* Takes its members, all of them; what is wrong shows in fields_end(). */
void cron_job_take(struct cron_job *, struct fields *);

/* -1 when it is no such expression; then *why is a static text. */
int cron_parse(const char *expr, struct cron *, const char **why);
/* The first time after that one, in seconds; 0: never again. */
int64_t cron_next(const struct cron *, const struct zone *, int64_t after);

/*
 * kind: "cron" (expr, zone as zone.h has it), "every", "at" (ms each). -1
 * when something is wrong; then *why is a static text and *s is empty.
 */
int sched_parse(struct sched *s, const char *kind, const char *expr,
    const char *zone, int64_t every, int64_t at, const char **why);
void sched_clear(struct sched *);
/* The first time after base. An interval begins at base. */
int64_t sched_next(const struct sched *, int64_t base);
/* The last time after base that is not after now. */
int64_t sched_latest(const struct sched *, int64_t base, int64_t now);

#endif
