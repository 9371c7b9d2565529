#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/zone.h"

#define DAY 86400
#define SHIFTS_MAX 1000
#define OFFSET_MAX (26 * 3600) /* RFC 8536: -25 to 26 hours */
#define HOURS_MAX 167
#define UTC_MAX 253402300799LL /* the end of the year 9999 */

/* When summer time begins or ends. */
struct rule_date {
	enum { RULE_JULIAN, RULE_DAY, RULE_MONTH } kind;
	int day;   /* J: 1-365 without 29 February; else 0-365; M: weekday */
	int month; /* 1-12 */
	int week;  /* 1-5, 5 is the last */
	int32_t time; /* seconds after midnight, by the clock in force */
};

struct rule {
	int known;
	int32_t standard, summer; /* seconds east */
	int has_summer;
	struct rule_date from, to;
};

struct shift {
	int64_t at;
	int32_t offset;
};

struct zone {
	int32_t first;
	struct shift *shifts;
	size_t n;
	struct rule rule;
};

/* Days, after Howard Hinnant's days_from_civil. */

static int64_t
days_from(int64_t year, int month, int day)
{
	int64_t era, yoe, doy;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	yoe = year - era * 400;
	doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void
civil_from(int64_t seconds, struct civil *c)
{
	int64_t days = floor_div(seconds, DAY), left = seconds - days * DAY;
	int64_t z = days + 719468, era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = yoe + era * 400 + (c->month <= 2);
	c->hour = (int)(left / 3600);
	c->minute = (int)(left / 60 % 60);
	c->second = (int)(left % 60);
	c->weekday = (int)(((days + 4) % 7 + 7) % 7);
}

int64_t
civil_seconds(const struct civil *c)
{
	return days_from(c->year, c->month, c->day) * DAY + c->hour * 3600LL +
	    c->minute * 60LL + c->second;
}

static int
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
civil_month_days(int64_t year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* The POSIX rule */

static int64_t
rule_moment(const struct rule_date *d, int64_t year)
{
	int64_t day = days_from(year, 1, 1);
	int first, at;

	switch (d->kind) {
	case RULE_JULIAN:
		day += d->day - 1 + (is_leap(year) && d->day >= 60);
		break;
	case RULE_DAY:
		day += d->day;
		break;
	default:
		day = days_from(year, d->month, 1);
		first = (int)(((day + 4) % 7 + 7) % 7);
		at = (d->day - first + 7) % 7 + 7 * (d->week - 1);
		if (at >= civil_month_days(year, d->month))
			at -= 7;
		day += at;
	}
	return day * DAY + d->time;
}

static int32_t
rule_offset(const struct rule *r, int64_t utc)
{
	struct civil c;
	int64_t from, to;
	int summer;

	if (!r->has_summer)
		return r->standard;
	civil_from(utc + r->standard, &c);
	from = rule_moment(&r->from, c.year) - r->standard;
	to = rule_moment(&r->to, c.year) - r->summer;
	if (from < to)
		summer = utc >= from && utc < to;
	else
		summer = utc >= from || utc < to;
	return summer ? r->summer : r->standard;
}

int32_t
zone_offset(const struct zone *z, int64_t utc)
{
	size_t lo = 0, hi = z->n, mid;

	if (z->rule.known && (z->n == 0 || utc >= z->shifts[z->n - 1].at))
		return rule_offset(&z->rule, utc);
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (z->shifts[mid].at <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? z->first : z->shifts[lo - 1].offset;
}

int64_t
zone_utc(const struct zone *z, int64_t local)
{
	int32_t before = zone_offset(z, local - OFFSET_MAX - 3600);
	int32_t after = zone_offset(z, local + OFFSET_MAX + 3600);
	int64_t lo, hi, mid;

	if (zone_offset(z, local - before) == before)
		return local - before;
	if (zone_offset(z, local - after) == after)
		return local - after;
	/* The clock jumps over it, somewhere between these two. */
	lo = local - (after > before ? after : before);
	hi = local - (after > before ? before : after);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (zone_offset(z, mid) == before)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

/* Reading */

static int
take_number(const char **p, int64_t max, int64_t *n)
{
	*n = 0;
	if (!isdigit((unsigned char)**p))
		return -1;
	while (isdigit((unsigned char)**p)) {
		*n = *n * 10 + (*(*p)++ - '0');
		if (*n > max)
			return -1;
	}
	return 0;
}

static int
take_signed(const char **p, int64_t max, int64_t *n)
{
	int minus = **p == '-';

	if (**p == '-' || **p == '+')
		(*p)++;
	if (take_number(p, max, n) == -1)
		return -1;
	if (minus)
		*n = -*n;
	return 0;
}

/* [+-]hh[:mm[:ss]] */
static int
take_time(const char **p, int64_t hours, int32_t *out)
{
	int minus = **p == '-', i;
	int64_t n, sum;

	if (**p == '-' || **p == '+')
		(*p)++;
	if (take_number(p, hours, &sum) == -1)
		return -1;
	sum *= 3600;
	for (i = 0; i < 2 && **p == ':'; i++) {
		(*p)++;
		if (take_number(p, 59, &n) == -1)
			return -1;
		sum += i == 0 ? n * 60 : n;
	}
	*out = (int32_t)(minus ? -sum : sum);
	return 0;
}

/* A name is not kept: three letters or more, or anything in <>. */
static int
take_name(const char **p)
{
	size_t n = 0;

	if (**p == '<') {
		for ((*p)++; **p != '>'; (*p)++, n++)
			if (!isalnum((unsigned char)**p) && **p != '+' &&
			    **p != '-')
				return -1;
		(*p)++;
	} else
		for (; isalpha((unsigned char)**p); (*p)++)
			n++;
	return n >= 3 ? 0 : -1;
}

static int
take_date(const char **p, struct rule_date *d)
{
	int64_t n;

	if (*(*p)++ != ',')
		return -1;
	d->time = 2 * 3600;
	if (**p == 'M') {
		d->kind = RULE_MONTH;
		(*p)++;
		if (take_number(p, 12, &n) == -1 || n < 1 || *(*p)++ != '.')
			return -1;
		d->month = (int)n;
		if (take_number(p, 5, &n) == -1 || n < 1 || *(*p)++ != '.')
			return -1;
		d->week = (int)n;
		if (take_number(p, 6, &n) == -1)
			return -1;
	} else if (**p == 'J') {
		d->kind = RULE_JULIAN;
		(*p)++;
		if (take_number(p, 365, &n) == -1 || n < 1)
			return -1;
	} else {
		d->kind = RULE_DAY;
		if (take_number(p, 365, &n) == -1)
			return -1;
	}
	d->day = (int)n;
	if (**p != '/')
		return 0;
	(*p)++;
	return take_time(p, HOURS_MAX, &d->time);
}

static int
take_rule(const char *p, struct rule *r)
{
	int32_t west;

	if (take_name(&p) == -1 || take_time(&p, 24, &west) == -1)
		return -1;
	r->known = 1;
	r->standard = -west;
	if (*p == '\0')
		return 0;
	r->has_summer = 1;
	r->summer = r->standard + 3600;
	if (take_name(&p) == -1)
		return -1;
	if (*p != ',' && *p != '\0') {
		if (take_time(&p, 24, &west) == -1)
			return -1;
		r->summer = -west;
	}
	/* Without dates nobody can say when. */
	if (take_date(&p, &r->from) == -1 || take_date(&p, &r->to) == -1)
		return -1;
	return *p == '\0' ? 0 : -1;
}

static int
take_shift(const char **p, struct zone *z)
{
	int64_t at, offset;

	(*p)++;
	if (z->n == SHIFTS_MAX || take_signed(p, UTC_MAX, &at) == -1 ||
	    *(*p)++ != ':' || take_signed(p, OFFSET_MAX, &offset) == -1 ||
	    (z->n > 0 && at <= z->shifts[z->n - 1].at))
		return -1;
	z->shifts = grow(z->shifts, z->n, sizeof(*z->shifts));
	z->shifts[z->n++] = (struct shift){at, (int32_t)offset};
	return 0;
}

struct zone *
zone_parse(const char *text, const char **why)
{
	const char *p = text;
	struct zone *z;
	int64_t n;

	if ((z = calloc(1, sizeof(*z))) == NULL)
		fatal("calloc");
	*why = "the offsets of the time zone are not usable";
	if (strlen(text) > ZONE_TEXT_MAX ||
	    take_signed(&p, OFFSET_MAX, &n) == -1)
		goto bad;
	z->first = (int32_t)n;
	while (*p == ' ')
		if (take_shift(&p, z) == -1)
			goto bad;
	if (*p++ != ';')
		goto bad;
	*why = "the rule of the time zone is not usable";
	if (*p != '\0' && take_rule(p, &z->rule) == -1)
		goto bad;
	return z;
bad:
	zone_free(z);
	return NULL;
}

void
zone_free(struct zone *z)
{
	if (z == NULL)
		return;
	free(z->shifts);
	free(z);
}
