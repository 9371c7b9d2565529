#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cron.h"
#include "common/fields.h"
#include "common/zone.h"

/*
 * 29 February can be 8 years away, and 40 when it has to be a certain
 * weekday, too.
 */
#define YEARS_MAX 50
#define MINUTE 60
#define DAY 86400

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may",
    "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {
    "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field {
	int min, max;
	const char *const *names; /* of min, min + 1, ... */
	const char *why;
} fields[5] = {
    {0, 59, NULL, "the minute is not of 0 to 59, *, lists, ranges and steps"},
    {0, 23, NULL, "the hour is not of 0 to 23, *, lists, ranges and steps"},
    {1, 31, NULL,
	"the day of the month is not of 1 to 31, *, lists, ranges and steps"},
    {1, 12, month_names,
	"the month is not of 1 to 12, jan to dec, *, lists, ranges and steps"},
    {0, 7, day_names, "the day of the week is not of 0 to 7, sun to sat, *, "
	"lists, ranges and steps"},
};

static const struct {
	const char *name, *expr;
} macros[] = {
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

/* Reading */

static int
take_number(const char **p, int *n)
{
	int digits = 0;

	*n = 0;
	while (isdigit((unsigned char)**p)) {
		*n = *n * 10 + (*(*p)++ - '0');
		if (++digits > 4)
			return -1;
	}
	return digits > 0 ? 0 : -1;
}

static int
take_value(const char **p, const struct field *f, int *n)
{
	int i;

	if (isdigit((unsigned char)**p))
		return take_number(p, n) == 0 && *n >= f->min &&
			*n <= f->max ? 0 : -1;
	for (i = 0; f->names != NULL && f->names[i] != NULL; i++)
		if (strncasecmp(*p, f->names[i], 3) == 0) {
			*p += 3;
			*n = f->min + i;
			return 0;
		}
	return -1;
}

/* "*", "N", "N-M", each with "/STEP"; "N/STEP" goes on to the end. */
static int
take_part(const char **p, const struct field *f, uint64_t *bits)
{
	int from = f->min, to = f->max, step = 1;

	/* Sunday is not there twice. */
	if (f->names == day_names)
		to = 6;
	if (**p == '*' || **p == '?')
		(*p)++;
	else {
		if (take_value(p, f, &from) == -1)
			return -1;
		if (**p == '-') {
			(*p)++;
			if (take_value(p, f, &to) == -1)
				return -1;
		} else if (**p != '/')
			to = from;
		else if (from > to)
			to = from;
	}
	if (**p == '/') {
		(*p)++;
		if (take_number(p, &step) == -1 || step < 1)
			return -1;
	}
	if (from > to)
		return -1;
	for (; from <= to; from += step)
		*bits |= 1ULL << from;
	return 0;
}

static int
take_field(const char **p, const struct field *f, uint64_t *bits)
{
	*bits = 0;
	for (;;) {
		if (take_part(p, f, bits) == -1)
			return -1;
		if (**p != ',')
			break;
		(*p)++;
	}
	return **p == '\0' || isblank((unsigned char)**p) ? 0 : -1;
}

/* A day of the month that no month of the list has. */
static int
is_impossible(const struct cron *c)
{
	int m, d;

	if (!c->any_weekday)
		return 0;
	for (m = 1; m <= 12; m++)
		for (d = 1; d <= civil_month_days(2000, m); d++)
			if (c->months >> m & 1 && c->days >> d & 1)
				return 0;
	return 1;
}

static int
is_any(const char *p)
{
	return *p == '*' || *p == '?';
}

int
cron_parse(const char *expr, struct cron *c, const char **why)
{
	uint64_t bits[5];
	size_t i;

	memset(c, 0, sizeof(*c));
	if (strlen(expr) > CRON_EXPR_MAX) {
		*why = "the expression is too long";
		return -1;
	}
	expr += strspn(expr, " \t");
	for (i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (strcasecmp(expr, macros[i].name) == 0)
			expr = macros[i].expr;
	for (i = 0; i < 5; i++) {
		expr += strspn(expr, " \t");
		if (*expr == '\0') {
			*why = "a cron expression has five fields: minute, "
			       "hour, day of the month, month, day of the "
			       "week";
			return -1;
		}
		if (i == 2)
			c->any_day = is_any(expr);
		if (i == 4)
			c->any_weekday = is_any(expr);
		if (take_field(&expr, &fields[i], &bits[i]) == -1) {
			*why = fields[i].why;
			return -1;
		}
	}
	expr += strspn(expr, " \t");
	if (*expr != '\0') {
		*why = "a cron expression has no more than five fields";
		return -1;
	}
	c->minutes = bits[0];
	c->hours = (uint32_t)bits[1];
	c->days = (uint32_t)bits[2];
	c->months = (uint32_t)bits[3];
	c->weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f);
	if (is_impossible(c)) {
		*why = "there is no such day in any of these months";
		return -1;
	}
	return 0;
}

/* Times */

static int
day_fits(const struct cron *c, const struct civil *t)
{
	int day = c->days >> t->day & 1;
	int weekday = c->weekdays >> t->weekday & 1;

	if ((c->months >> t->month & 1) == 0)
		return 0;
	/* "*" with a step is a restriction that the other one joins. */
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* The first time of the day that begins at local, from that minute on. */
static int64_t
day_next(const struct cron *c, const struct zone *z, int64_t local,
    int minute, int64_t after)
{
	int64_t utc;

	for (; minute < DAY / MINUTE; minute++) {
		if ((c->hours >> minute / 60 & 1) == 0) {
			minute += 59 - minute % 60;
			continue;
		}
		if ((c->minutes >> minute % 60 & 1) == 0)
			continue;
		utc = zone_utc(z, local + minute * MINUTE);
		if (utc > after)
			return utc;
	}
	return 0;
}

int64_t
cron_next(const struct cron *c, const struct zone *z, int64_t after)
{
	int64_t local = after + zone_offset(z, after), utc;
	struct civil t;
	int minute, days;

	civil_from(local, &t);
	minute = t.hour * 60 + t.minute;
	local -= t.hour * 3600LL + t.minute * 60 + t.second;
	for (days = 0; days < YEARS_MAX * 366; days++) {
		civil_from(local, &t);
		if (day_fits(c, &t) &&
		    (utc = day_next(c, z, local, minute, after)) != 0)
			return utc;
		local += DAY;
		minute = 0;
	}
	return 0;
}

/* Rounded down: what is due at a second is due after the ms before it. */
static int64_t
seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

int64_t
sched_next(const struct sched *s, int64_t base)
{
	switch (s->kind) {
	case SCHED_CRON:
		return cron_next(&s->cron, s->zone, seconds(base)) * 1000;
	case SCHED_EVERY:
		return base + s->every;
	default:
		return s->at > base ? s->at : 0;
	}
}

/* Hours, days, months, years back, until something is found there. */
static int64_t
cron_latest(const struct sched *s, int64_t base, int64_t now)
{
	static const int64_t back[] = {3600, DAY, 32LL * DAY, 366LL * DAY,
	    8LL * 366 * DAY, 50LL * 366 * DAY};
	int64_t from = base, t, found = 0;
	size_t i;

	for (i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		from = now - back[i] * 1000;
		if (from < base)
			from = base;
		if ((t = sched_next(s, from)) != 0 && t <= now)
			break;
		if (from == base)
			return 0;
	}
	for (t = sched_next(s, from); t != 0 && t <= now;
	    t = sched_next(s, t))
		found = t;
	return found;
}

int64_t
sched_latest(const struct sched *s, int64_t base, int64_t now)
{
	if (now <= base)
		return 0;
	switch (s->kind) {
	case SCHED_CRON:
		return cron_latest(s, base, now);
	case SCHED_EVERY:
		return now - base < s->every ? 0 :
		    now - (now - base) % s->every;
	default:
		return s->at > base && s->at <= now ? s->at : 0;
	}
}

int
sched_parse(struct sched *s, const char *kind, const char *expr,
    const char *zone, int64_t every, int64_t at, const char **why)
{
	memset(s, 0, sizeof(*s));
	if (strcmp(kind, "cron") == 0) {
		s->kind = SCHED_CRON;
		if (cron_parse(expr, &s->cron, why) == -1)
			return -1;
		return (s->zone = zone_parse(zone, why)) == NULL ? -1 : 0;
	}
	if (strcmp(kind, "every") == 0) {
		s->kind = SCHED_EVERY;
		s->every = every;
		*why = "an interval is from one second to a year";
		return every >= CRON_EVERY_MIN && every <= CRON_EVERY_MAX ?
		    0 : -1;
	}
	s->kind = SCHED_AT;
	s->at = at;
	*why = "there is no such kind of schedule";
	return strcmp(kind, "at") == 0 && at > 0 ? 0 : -1;
}

void
sched_clear(struct sched *s)
{
	zone_free(s->zone);
	s->zone = NULL;
}

void
cron_job_take(struct cron_job *j, struct fields *f)
{
	j->name = fields_str(f, "name", CRON_NAME_MAX);
	j->agent = fields_str(f, "agent", CRON_ID_MAX);
	j->kind = fields_str(f, "kind", CRON_KIND_MAX);
	j->expr = fields_str(f, "expr", CRON_EXPR_MAX);
	j->zone = fields_str(f, "zone", CRON_NAME_MAX);
	j->rules = fields_str(f, "rules", ZONE_TEXT_MAX);
	j->every = fields_int(f, "every", 0, INT64_MAX);
	j->at = fields_int(f, "at", 0, INT64_MAX);
	j->message = fields_str(f, "message", CRON_MESSAGE_MAX);
	j->to = fields_str(f, "to", CRON_TARGET_MAX);
	j->thread = fields_str(f, "thread", CRON_ID_MAX);
	j->session = fields_str(f, "session", CRON_SESSION_MAX);
	j->catch_up = fields_bool(f, "catch_up");
}
