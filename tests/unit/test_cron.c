#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cron.h"
#include "common/zone.h"

/* Expressions, zones and the times they make; all times are of the world. */

#define UTC "0;"
#define BERLIN "3600;CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "-18000;EST5EDT,M3.2.0,M11.1.0"
#define SYDNEY "36000;AEST-10AEDT,M10.1.0,M4.1.0/3"
#define LORD_HOWE "37800;<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
#define DUBLIN "0;IST-1GMT0,M10.5.0,M3.5.0/1"
#define KOLKATA "19800;IST-5:30"
/* Only what is listed counts: a zone that has left the rule it had. */
#define LISTED "3600 1774746000:7200 1792890000:3600;"
/* Samoa had no 30 December 2011. */
#define APIA "-36000 1325239200:50400;"

/* "2026-03-29T01:30:00Z" or the same without Z: seconds as if of UTC. */
static int64_t
at(const char *s)
{
	struct civil c = {0};
	int year;

	assert_int_equal(sscanf(s, "%d-%d-%dT%d:%d:%d", &year, &c.month,
	    &c.day, &c.hour, &c.minute, &c.second), 6);
	c.year = year;
	return civil_seconds(&c);
}

static const char *
iso(int64_t t)
{
	static char buf[2][64];
	static int n;
	struct civil c;

	n = !n;
	civil_from(t, &c);
	snprintf(buf[n], sizeof(buf[n]), "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    (int)c.year, c.month, c.day, c.hour, c.minute, c.second);
	return buf[n];
}

static struct zone *
zone(const char *text)
{
	const char *why;
	struct zone *z = zone_parse(text, &why);

	if (z == NULL)
		fail_msg("%s: %s", text, why);
	return z;
}

static void
test_civil(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int weekday;
	} cases[] = {
	    {"1970-01-01T00:00:00", 0, 4},
	    {"1969-12-31T23:59:59", -1, 3},
	    {"2000-02-29T12:00:00", 951825600, 2},
	    {"2000-03-01T00:00:00", 951868800, 3},
	    {"2026-11-26T08:30:00", 1795681800, 4},
	    {"2100-03-01T00:00:00", 4107542400, 1},
	    {"9999-12-31T23:59:59", 253402300799, 5},
	};
	struct civil c;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(at(cases[i].text), cases[i].seconds);
		civil_from(cases[i].seconds, &c);
		assert_int_equal(civil_seconds(&c), cases[i].seconds);
		assert_int_equal(c.weekday, cases[i].weekday);
	}
	assert_int_equal(civil_month_days(2024, 2), 29);
	assert_int_equal(civil_month_days(2100, 2), 28);
	assert_int_equal(civil_month_days(2000, 2), 29);
	assert_int_equal(civil_month_days(2026, 4), 30);
	assert_int_equal(civil_month_days(2026, 12), 31);
}

static void
test_offsets(void **state)
{
	static const struct {
		const char *zone, *when;
		int offset;
	} cases[] = {
	    {UTC, "2026-07-01T00:00:00", 0},
	    {KOLKATA, "2026-07-01T00:00:00", 19800},
	    {BERLIN, "2026-03-29T00:59:59", 3600},
	    {BERLIN, "2026-03-29T01:00:00", 7200},
	    {BERLIN, "2026-10-25T00:59:59", 7200},
	    {BERLIN, "2026-10-25T01:00:00", 3600},
	    {BERLIN, "2077-07-01T00:00:00", 7200},
	    {NEW_YORK, "2026-03-08T06:59:59", -18000},
	    {NEW_YORK, "2026-03-08T07:00:00", -14400},
	    {NEW_YORK, "2026-11-01T05:59:59", -14400},
	    {NEW_YORK, "2026-11-01T06:00:00", -18000},
	    {SYDNEY, "2026-01-15T00:00:00", 39600},
	    {SYDNEY, "2026-04-04T15:59:59", 39600},
	    {SYDNEY, "2026-04-04T16:00:00", 36000},
	    {SYDNEY, "2026-10-03T15:59:59", 36000},
	    {SYDNEY, "2026-10-03T16:00:00", 39600},
	    {SYDNEY, "2026-12-31T23:59:59", 39600},
	    {LORD_HOWE, "2026-01-15T00:00:00", 39600},
	    {LORD_HOWE, "2026-06-15T00:00:00", 37800},
	    {DUBLIN, "2026-01-15T00:00:00", 0},
	    {DUBLIN, "2026-07-15T00:00:00", 3600},
	    {DUBLIN, "2026-03-29T01:00:00", 3600},
	    {LISTED, "2026-01-01T00:00:00", 3600},
	    {LISTED, "2026-07-01T00:00:00", 7200},
	    {LISTED, "2027-07-01T00:00:00", 3600},
	    {"0;<+03>-3", "2026-07-01T00:00:00", 10800},
	    {"0;WGT3WGST,M3.5.0/-2,M10.5.0/-1", "2026-03-29T00:59:59",
		-10800},
	    {"0;WGT3WGST,M3.5.0/-2,M10.5.0/-1", "2026-03-29T01:00:00",
		-7200},
	    {"0;XXX0YYY,J60,J300", "2028-02-29T12:00:00", 0},
	    {"0;XXX0YYY,J60,J300", "2028-03-01T02:00:00", 3600},
	    {"0;XXX0YYY,59,300", "2028-02-29T02:00:00", 3600},
	};
	struct zone *z;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		z = zone(cases[i].zone);
		if (zone_offset(z, at(cases[i].when)) != cases[i].offset)
			fail_msg("%s %s: %d", cases[i].zone, cases[i].when,
			    zone_offset(z, at(cases[i].when)));
		zone_free(z);
	}
}

static void
test_local_to_utc(void **state)
{
	static const struct {
		const char *zone, *local, *utc;
	} cases[] = {
	    {UTC, "2026-07-01T12:00:00", "2026-07-01T12:00:00Z"},
	    {BERLIN, "2026-07-01T12:00:00", "2026-07-01T10:00:00Z"},
	    {BERLIN, "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"},
	    /* It is never 2 to 3. */
	    {BERLIN, "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"},
	    {BERLIN, "2026-03-29T02:30:00", "2026-03-29T01:00:00Z"},
	    {BERLIN, "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"},
	    {BERLIN, "2026-03-29T03:00:01", "2026-03-29T01:00:01Z"},
	    /* It is twice 2 to 3: the first. */
	    {BERLIN, "2026-10-25T02:00:00", "2026-10-25T00:00:00Z"},
	    {BERLIN, "2026-10-25T02:59:59", "2026-10-25T00:59:59Z"},
	    {BERLIN, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"},
	    {NEW_YORK, "2026-03-08T02:30:00", "2026-03-08T07:00:00Z"},
	    {NEW_YORK, "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"},
	    {SYDNEY, "2026-10-04T02:30:00", "2026-10-03T16:00:00Z"},
	    {LORD_HOWE, "2026-10-04T02:15:00", "2026-10-03T15:30:00Z"},
	    {APIA, "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"},
	    {APIA, "2011-12-31T00:00:00", "2011-12-30T10:00:00Z"},
	    {APIA, "2011-12-29T23:59:59", "2011-12-30T09:59:59Z"},
	};
	struct zone *z;
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		z = zone(cases[i].zone);
		t = zone_utc(z, at(cases[i].local));
		if (t != at(cases[i].utc))
			fail_msg("%s %s: %s", cases[i].zone, cases[i].local,
			    iso(t));
		zone_free(z);
	}
}

static void
test_bad_zones(void **state)
{
	static const char *const bad[] = {"", ";", "0", "x;", "0;C", "0;CE-1",
	    "0;CET", "0;CET-1CEST", "0;CET-1CEST,M3.5.0", "0;CET-25",
	    "0;CET-1CEST,M13.5.0,M10.5.0", "0;CET-1CEST,M3.6.0,M10.5.0",
	    "0;CET-1CEST,M3.5.7,M10.5.0", "0;CET-1CEST,M3.5.0,M10.5.0/168",
	    "0;CET-1CEST,M3.5.0,M10.5.0x", "0;<C ET>-1", "0;CET-1:60",
	    "0 5:;", "0 5:1 5:2;", "0 9:1 5:2;", "0 :1;", "99999999;",
	    "0 999999999999999999:1;", "0  5:1;", "0;J0", "0;<+03-3",
	    "0;XXX0YYY,J0,J300", "0;XXX0YYY,J366,J300"};
	char longest[ZONE_TEXT_MAX + 8];
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (zone_parse(bad[i], &why) != NULL)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_non_null(why);
	}
	memset(longest, '0', sizeof(longest));
	memcpy(longest + ZONE_TEXT_MAX + 1, ";", 2);
	assert_null(zone_parse(longest, &why));
}

struct next_case {
	const char *expr, *zone, *after, *next; /* "" never */
};

static void
check_next(const struct next_case *c)
{
	struct zone *z = zone(c->zone);
	struct cron cron;
	const char *why;
	int64_t t;

	if (cron_parse(c->expr, &cron, &why) == -1)
		fail_msg("%s: %s", c->expr, why);
	t = cron_next(&cron, z, at(c->after));
	if (t != (c->next[0] == '\0' ? 0 : at(c->next)))
		fail_msg("\"%s\" after %s: %s, not %s", c->expr, c->after,
		    iso(t), c->next);
	zone_free(z);
}

static void
test_next(void **state)
{
	static const struct next_case cases[] = {
	    {"* * * * *", UTC, "2026-11-26T08:30:00Z",
		"2026-11-26T08:31:00Z"},
	    {"* * * * *", UTC, "2026-11-26T08:30:59Z",
		"2026-11-26T08:31:00Z"},
	    {"0 * * * *", UTC, "2026-11-26T08:30:00Z",
		"2026-11-26T09:00:00Z"},
	    {"*/15 * * * *", UTC, "2026-11-26T08:46:00Z",
		"2026-11-26T09:00:00Z"},
	    {"5/20 * * * *", UTC, "2026-11-26T08:26:00Z",
		"2026-11-26T08:45:00Z"},
	    {"5/20 * * * *", UTC, "2026-11-26T08:45:00Z",
		"2026-11-26T09:05:00Z"},
	    {"10-30/10 * * * *", UTC, "2026-11-26T08:31:00Z",
		"2026-11-26T09:10:00Z"},
	    {"0,15,45 8-10 * * *", UTC, "2026-11-26T10:45:00Z",
		"2026-11-27T08:00:00Z"},
	    {"30 4 * * *", UTC, "2026-12-31T05:00:00Z",
		"2027-01-01T04:30:00Z"},
	    {"0 0 1 * *", UTC, "2026-11-26T00:00:00Z",
		"2026-12-01T00:00:00Z"},
	    /* The 31st: months without one are left out. */
	    {"0 9 31 * *", UTC, "2026-01-31T09:00:00Z",
		"2026-03-31T09:00:00Z"},
	    {"0 9 31 * *", UTC, "2026-10-31T09:00:00Z",
		"2026-12-31T09:00:00Z"},
	    {"0 9 30 2,4 *", UTC, "2026-01-01T00:00:00Z",
		"2026-04-30T09:00:00Z"},
	    /* Leap years, also where the century has none. */
	    {"0 0 29 2 *", UTC, "2026-01-01T00:00:00Z",
		"2028-02-29T00:00:00Z"},
	    {"0 0 29 2 *", UTC, "2096-02-29T00:00:00Z",
		"2104-02-29T00:00:00Z"},
	    {"0 0 28 2 *", UTC, "2028-02-28T00:00:00Z",
		"2029-02-28T00:00:00Z"},
	    /* Days of the week; 26 November 2026 is a Thursday. */
	    {"0 9 * * 1-5", UTC, "2026-11-27T09:00:00Z",
		"2026-11-30T09:00:00Z"},
	    {"0 9 * * mon-fri", UTC, "2026-11-27T09:00:00Z",
		"2026-11-30T09:00:00Z"},
	    {"0 9 * * SUN", UTC, "2026-11-26T09:00:00Z",
		"2026-11-29T09:00:00Z"},
	    {"0 9 * * 7", UTC, "2026-11-26T09:00:00Z",
		"2026-11-29T09:00:00Z"},
	    {"0 9 * * 0", UTC, "2026-11-26T09:00:00Z",
		"2026-11-29T09:00:00Z"},
	    {"0 9 * * 6-7", UTC, "2026-11-28T09:00:00Z",
		"2026-11-29T09:00:00Z"},
	    {"0 9 * * 5/2", UTC, "2026-11-27T09:00:00Z",
		"2026-12-04T09:00:00Z"},
	    {"0 9 ? * 4", UTC, "2026-11-26T09:00:00Z",
		"2026-12-03T09:00:00Z"},
	    /* Both kinds of day: either. */
	    {"0 9 1 * 1", UTC, "2026-11-26T09:00:00Z",
		"2026-11-30T09:00:00Z"},
	    {"0 9 1 * 1", UTC, "2026-11-30T09:00:00Z",
		"2026-12-01T09:00:00Z"},
	    {"0 9 31 2 1", UTC, "2026-02-02T09:00:00Z",
		"2026-02-09T09:00:00Z"},
	    /* One of them with "*" and a step: both. */
	    {"0 9 */2 * 1", UTC, "2026-11-26T09:00:00Z",
		"2026-12-07T09:00:00Z"},
	    {"0 0 29 2 */7", UTC, "2026-01-01T00:00:00Z",
		"2032-02-29T00:00:00Z"},
	    {"0 0 1 jan *", UTC, "2026-11-26T00:00:00Z",
		"2027-01-01T00:00:00Z"},
	    {"0 0 1 Feb-Mar *", UTC, "2026-11-26T00:00:00Z",
		"2027-02-01T00:00:00Z"},
	    {"0 0 1 */5 *", UTC, "2026-01-01T00:00:00Z",
		"2026-06-01T00:00:00Z"},
	    {"@hourly", UTC, "2026-11-26T08:30:00Z", "2026-11-26T09:00:00Z"},
	    {"@daily", UTC, "2026-11-26T08:30:00Z", "2026-11-27T00:00:00Z"},
	    {"@midnight", UTC, "2026-11-26T08:30:00Z",
		"2026-11-27T00:00:00Z"},
	    {"@weekly", UTC, "2026-11-26T08:30:00Z", "2026-11-29T00:00:00Z"},
	    {"@monthly", UTC, "2026-11-26T08:30:00Z",
		"2026-12-01T00:00:00Z"},
	    {"@Yearly", UTC, "2026-11-26T08:30:00Z", "2027-01-01T00:00:00Z"},
	    {"  0\t9  * * *  ", UTC, "2026-11-26T08:30:00Z",
		"2026-11-26T09:00:00Z"},
	    /* Zones. */
	    {"0 9 * * *", BERLIN, "2026-07-01T00:00:00Z",
		"2026-07-01T07:00:00Z"},
	    {"0 9 * * *", BERLIN, "2026-12-01T00:00:00Z",
		"2026-12-01T08:00:00Z"},
	    {"0 9 * * 1", NEW_YORK, "2026-11-26T00:00:00Z",
		"2026-11-30T14:00:00Z"},
	    {"30 9 * * *", KOLKATA, "2026-11-26T04:00:00Z",
		"2026-11-27T04:00:00Z"},
	    {"0 0 1 1 *", SYDNEY, "2026-11-26T00:00:00Z",
		"2026-12-31T13:00:00Z"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_next(&cases[i]);
}

/* Each time in turn, from a night on. */
static void
test_summer_time(void **state)
{
	static const struct {
		const char *expr, *zone, *from;
		const char *times[8];
	} cases[] = {
	    /* Does not exist: once, at the shift. */
	    {"30 2 * * *", BERLIN, "2026-03-28T00:00:00Z",
		{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
		    "2026-03-30T00:30:00Z"}},
	    {"*/20 2 * * *", BERLIN, "2026-03-28T12:00:00Z",
		{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z",
		    "2026-03-30T00:20:00Z"}},
	    {"*/30 * * * *", BERLIN, "2026-03-29T00:00:00Z",
		{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z",
		    "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"}},
	    {"0 3 * * *", BERLIN, "2026-03-28T12:00:00Z",
		{"2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"}},
	    /* Twice: once, the first time. */
	    {"30 2 * * *", BERLIN, "2026-10-24T12:00:00Z",
		{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
	    {"*/30 * * * *", BERLIN, "2026-10-24T23:45:00Z",
		{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z",
		    "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"}},
	    /* Asked in the second hour: the first has had it. */
	    {"30 2 * * *", BERLIN, "2026-10-25T01:10:00Z",
		{"2026-10-26T01:30:00Z"}},
	    {"30 2 * * *", NEW_YORK, "2026-03-07T12:00:00Z",
		{"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}},
	    {"30 1 * * *", NEW_YORK, "2026-10-31T12:00:00Z",
		{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
	    {"30 2 * * *", SYDNEY, "2026-10-03T00:00:00Z",
		{"2026-10-03T16:00:00Z", "2026-10-04T15:30:00Z"}},
	    {"15 2 * * *", LORD_HOWE, "2026-10-03T00:00:00Z",
		{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
	    /* A whole day that there was not. */
	    {"0 12 * * *", APIA, "2011-12-29T12:00:00Z",
		{"2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z",
		    "2011-12-30T22:00:00Z"}},
	};
	struct zone *z;
	struct cron cron;
	const char *why;
	int64_t t;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		z = zone(cases[i].zone);
		assert_int_equal(cron_parse(cases[i].expr, &cron, &why), 0);
		t = at(cases[i].from);
		for (k = 0; cases[i].times[k] != NULL; k++) {
			t = cron_next(&cron, z, t);
			if (t != at(cases[i].times[k]))
				fail_msg("%s %s, %zu: %s, not %s",
				    cases[i].expr, cases[i].from, k, iso(t),
				    cases[i].times[k]);
		}
		zone_free(z);
	}
}

/* In every zone, each time is after the last, and none is left out. */
static void
test_order(void **state)
{
	static const char *const zones[] = {
	    UTC, BERLIN, NEW_YORK, SYDNEY, LORD_HOWE, DUBLIN};
	struct cron every, hour;
	int64_t t, u, end;
	struct zone *z;
	const char *why;
	size_t i;
	int n;

	assert_int_equal(cron_parse("*/10 * * * *", &every, &why), 0);
	assert_int_equal(cron_parse("0 5 * * *", &hour, &why), 0);
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		z = zone(zones[i]);
		end = at("2027-01-01T00:00:00Z");
		for (t = at("2026-01-01T00:00:00Z"); t < end; t = u) {
			u = cron_next(&every, z, t);
			assert_true(u > t && u - t <= 3600 + 600);
		}
		n = 0;
		for (t = at("2026-01-01T00:00:00Z"); t < end;
		     t = cron_next(&hour, z, t))
			n++;
		assert_in_range(n, 365, 366);
		zone_free(z);
	}
}

static void
test_bad_expressions(void **state)
{
	static const char *const bad[] = {"", "*", "* * * *", "* * * * * *",
	    "60 * * * *", "-1 * * * *", "* 24 * * *", "* * 0 * *",
	    "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8",
	    "*/0 * * * *", "*/x * * * *", "1- * * * *", "-5 * * * *",
	    "5-1 * * * *", "1,,2 * * * *", ", * * * *", "1, * * * *",
	    "* * * foo *", "* * * * foo", "* * * * fri-mon", "jan * * * *",
	    "1.5 * * * *", "* * L * *", "* * 15W * *", "* * * * 5#2",
	    "@reboot", "@every 5m", "H * * * *", "99999999999 * * * *",
	    "1-2-3 * * * *", "*5 * * * *", "* * * janu *",
	    /* days that no month has */
	    "0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31 feb *"};
	char longest[CRON_EXPR_MAX + 16];
	struct cron c;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (cron_parse(bad[i], &c, &why) != -1)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_non_null(why);
	}
	memset(longest, ' ', sizeof(longest));
	memcpy(longest + sizeof(longest) - 10, "* * * * *", 10);
	assert_int_equal(cron_parse(longest, &c, &why), -1);
}

static struct sched
sched(const char *kind, const char *expr, int64_t every, int64_t when)
{
	struct sched s;
	const char *why;

	if (sched_parse(&s, kind, expr, BERLIN, every, when, &why) == -1)
		fail_msg("%s", why);
	return s;
}

static void
test_latest(void **state)
{
	int64_t now = at("2026-11-26T08:30:30Z") * 1000;
	int64_t hour = 3600000, day = 24 * hour, minute = 60000;
	int64_t half = at("2026-11-26T08:30:00Z") * 1000;
	struct sched s = sched("cron", "*/10 * * * *", 0, 0);

	/* The last one, however long it is ago that one was asked. */
	assert_int_equal(sched_latest(&s, now - hour, now), half);
	assert_int_equal(sched_latest(&s, now - 30 * day, now), half);
	assert_int_equal(sched_latest(&s, now - 3000 * day, now), half);
	assert_int_equal(sched_latest(&s, half, now), 0);
	assert_int_equal(sched_latest(&s, half - 1, now), half);
	assert_int_equal(sched_latest(&s, half - 1, half), half);
	assert_int_equal(sched_latest(&s, half - 1, half - 1), 0);
	/* A clock that was set back. */
	assert_int_equal(sched_latest(&s, now + hour, now), 0);
	assert_int_equal(sched_next(&s, half), half + 10 * minute);
	assert_int_equal(sched_next(&s, half - 1), half);
	sched_clear(&s);

	s = sched("cron", "0 0 29 2 *", 0, 0);
	assert_int_equal(sched_latest(&s, now - 900 * day, now), 0);
	assert_int_equal(sched_latest(&s, now - 2000 * day, now),
	    at("2024-02-28T23:00:00Z") * 1000);
	sched_clear(&s);

	s = sched("every", "", 10 * minute, 0);
	assert_int_equal(sched_next(&s, now), now + 10 * minute);
	assert_int_equal(sched_latest(&s, now - 10 * minute + 1, now), 0);
	assert_int_equal(sched_latest(&s, now - 10 * minute, now), now);
	assert_int_equal(sched_latest(&s, now - 25 * minute, now),
	    now - 5 * minute);
	assert_int_equal(sched_latest(&s, now + minute, now), 0);
	sched_clear(&s);

	s = sched("at", "", 0, half);
	assert_int_equal(sched_next(&s, half - 1), half);
	assert_int_equal(sched_next(&s, half), 0);
	assert_int_equal(sched_latest(&s, half - 1, half - 1), 0);
	assert_int_equal(sched_latest(&s, half - 1, now), half);
	assert_int_equal(sched_latest(&s, half, now), 0);
	sched_clear(&s);
}

static void
test_bad_schedules(void **state)
{
	static const struct {
		const char *kind, *expr, *zone;
		int64_t every, at;
	} bad[] = {
	    {"", "", UTC, 1000, 1},
	    {"daily", "", UTC, 1000, 1},
	    {"cron", "* * * *", UTC, 0, 0},
	    {"cron", "* * * * *", "", 0, 0},
	    {"every", "", "", 999, 0},
	    {"every", "", "", 0, 0},
	    {"every", "", "", -1, 0},
	    {"every", "", "", CRON_EVERY_MAX + 1, 0},
	    {"at", "", "", 0, 0},
	    {"at", "", "", 0, -5},
	};
	struct sched s;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (sched_parse(&s, bad[i].kind, bad[i].expr, bad[i].zone,
			bad[i].every, bad[i].at, &why) != -1)
			fail_msg("taken: case %zu", i);
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_civil),
	    cmocka_unit_test(test_offsets),
	    cmocka_unit_test(test_local_to_utc),
	    cmocka_unit_test(test_bad_zones),
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_summer_time),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_bad_expressions),
	    cmocka_unit_test(test_latest),
	    cmocka_unit_test(test_bad_schedules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
