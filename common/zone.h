/*
 * Time zones without files: a zone is a line of text, which whoever may
 * read /usr/share/zoneinfo has made of it, good for all times to come.
 *
 *	OFFSET[ AT:OFFSET]...;[POSIX]
 *
 * OFFSET: seconds east of Greenwich; the first until the first AT (seconds
 * since the epoch, UTC), each other from its AT on. POSIX: the rule from the
 * last AT on, as TZ of POSIX.1 has it with the hours of RFC 8536 (-167 to
 * 167); without it the last OFFSET is for ever.
 *
 *	3600 1774746000:7200 1792890000:3600;CET-1CEST,M3.5.0,M10.5.0/3
 */
#ifndef COMMON_ZONE_H
#define COMMON_ZONE_H

#include <stddef.h>
#include <stdint.h>

#define ZONE_TEXT_MAX 8192 /* bytes; Africa/Casablanca needs some 2500 */

struct zone;

/* A date and time of day, in whatever zone. */
struct civil {
	int64_t year;
	int month; /* 1-12 */
	int day;   /* 1-31 */
	int hour, minute, second;
	int weekday; /* 0 Sunday; not read by civil_seconds() */
};

/* NULL when the text is not of that form; then *why is a static text. */
struct zone *zone_parse(const char *text, const char **why);
void zone_free(struct zone *); /* NULL is fine */
/* Seconds east of Greenwich at that time (seconds since the epoch). */
int32_t zone_offset(const struct zone *, int64_t utc);
/*
 * When a clock on the wall shows local (seconds since the epoch as if it
 * were UTC): the first time, where it does so twice, and the moment of the
 * shift where it never does. Never falls as local grows, where shifts are
 * more than two days apart.
 */
int64_t zone_utc(const struct zone *, int64_t local);

/* Seconds since the epoch to a date, and back; the days of a month. */
void civil_from(int64_t seconds, struct civil *);
int64_t civil_seconds(const struct civil *);
int civil_month_days(int64_t year, int month);

#endif
