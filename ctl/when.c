#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/zone.h"
#include "ctl/when.h"

#define YEARS_MS (100LL * 366 * 86400 * 1000)

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
    {"w", 7 * 86400000LL}, {"sec", 1000}, {"min", 60000},
};
#define NUNITS (sizeof(units) / sizeof(units[0]))

static int64_t
unit(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < NUNITS; i++)
		if (strlen(units[i].name) == n &&
		    strncasecmp(units[i].name, s, n) == 0)
			return units[i].ms;
	return 0;
}

int
when_duration(const char *s, int64_t *ms)
{
	int64_t n, u;
	size_t len;

	*ms = 0;
	do {
		if (!isdigit((unsigned char)*s))
			return -1;
		for (n = 0; isdigit((unsigned char)*s); s++)
			if ((n = n * 10 + (*s - '0')) > YEARS_MS)
				return -1;
		for (len = 0; isalpha((unsigned char)s[len]); len++)
			;
		if ((u = unit(s, len)) == 0 || n > YEARS_MS / u)
			return -1;
		s += len;
		if ((*ms += n * u) > YEARS_MS)
			return -1;
	} while (*s != '\0');
	return 0;
}

/* Exactly so many digits. */
static int
digits(const char **p, int n, int *v)
{
	for (*v = 0; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -1;
		*v = *v * 10 + (**p - '0');
	}
	return 0;
}

static int
literal(const char **p, const char *any)
{
	if (**p == '\0' || strchr(any, **p) == NULL)
		return -1;
	(*p)++;
	return 0;
}

/* "HH:MM[:SS[.fff]]" */
static int
take_clock(const char **p, struct civil *c)
{
	if (digits(p, 2, &c->hour) == -1 || literal(p, ":") == -1 ||
	    digits(p, 2, &c->minute) == -1)
		return -1;
	c->second = 0;
	if (**p == ':') {
		(*p)++;
		if (digits(p, 2, &c->second) == -1)
			return -1;
		if (**p == '.')
			for ((*p)++; isdigit((unsigned char)**p); (*p)++)
				;
	}
	return c->hour < 24 && c->minute < 60 && c->second < 60 ? 0 : -1;
}

static int
take_date(const char **p, struct civil *c)
{
	int year;

	if (digits(p, 4, &year) == -1 || literal(p, "-") == -1 ||
	    digits(p, 2, &c->month) == -1 || literal(p, "-") == -1 ||
	    digits(p, 2, &c->day) == -1)
		return -1;
	c->year = year;
	return c->month >= 1 && c->month <= 12 && c->day >= 1 &&
		c->day <= civil_month_days(year, c->month) ? 0 : -1;
}

/* "Z", "+01:00", "-0330". 1: there is one, 0: nothing follows. */
static int
take_offset(const char **p, int *seconds)
{
	int sign, h, m = 0;

	if (**p == '\0')
		return 0;
	if (strcasecmp(*p, "z") == 0) {
		*seconds = 0;
		return 1;
	}
	sign = **p == '-' ? -1 : 1;
	if (literal(p, "+-") == -1 || digits(p, 2, &h) == -1)
		return -1;
	if (**p == ':')
		(*p)++;
	if (**p != '\0' && digits(p, 2, &m) == -1)
		return -1;
	if (**p != '\0' || h > 26 || m > 59)
		return -1;
	*seconds = sign * (h * 3600 + m * 60);
	return 1;
}

/* The next time that the clocks of the zone show this. */
static int64_t
next_clock(struct civil *c, const struct zone *z, int64_t now)
{
	struct civil today;
	int64_t at;

	civil_from(now + zone_offset(z, now), &today);
	c->year = today.year;
	c->month = today.month;
	c->day = today.day;
	at = zone_utc(z, civil_seconds(c));
	return at > now ? at : zone_utc(z, civil_seconds(c) + 86400);
}

int
when_time(const char *s, const struct zone *z, int64_t now_ms, int64_t *ms)
{
	struct civil c;
	const char *p = s;
	int offset = 0, rc;
	int64_t d;

	if (when_duration(*s == '+' ? s + 1 : s, &d) == 0) {
		*ms = now_ms + d;
		return 0;
	}
	if (take_clock(&p, &c) == 0 && *p == '\0') {
		*ms = next_clock(&c, z, now_ms / 1000) * 1000;
		return 0;
	}
	p = s;
	if (take_date(&p, &c) == -1 || literal(&p, "Tt ") == -1 ||
	    take_clock(&p, &c) == -1 || (rc = take_offset(&p, &offset)) == -1)
		return -1;
	*ms = 1000 * (rc == 1 ? civil_seconds(&c) - offset :
				zone_utc(z, civil_seconds(&c)));
	return *ms > 0 ? 0 : -1;
}

const char *
when_text(int64_t ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} all[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000},
	    {"s", 1000}, {"ms", 1}};
	static char buf[64];
	size_t i, n = 0;
	int parts = 0;

	buf[0] = '\0';
	for (i = 0; i < 5 && parts < 2; i++) {
		if (ms < all[i].ms)
			continue;
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%lld %s",
		    n > 0 ? " " : "", (long long)(ms / all[i].ms),
		    all[i].name);
		ms %= all[i].ms;
		parts++;
	}
	return n > 0 ? buf : "0 s";
}
