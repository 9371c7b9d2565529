#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cron.h"
#include "common/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define ROUNDS 8

/* Whatever the shifts are, a moment is near what its clock shows. */
static void
check_zone(const struct zone *z, int64_t at)
{
	int64_t utc;
	int i;

	for (i = 0; i < 4 * ROUNDS; i++, at += 1800) {
		utc = zone_utc(z, at);
		if (utc < at - 27 * 3600 || utc > at + 27 * 3600 ||
		    zone_offset(z, utc) < -26 * 3600 ||
		    zone_offset(z, utc) > 26 * 3600)
			abort();
	}
}

static void
check_next(const struct sched *s, int64_t base)
{
	int64_t t = base, next;
	int i;

	for (i = 0; i < ROUNDS; i++, t = next) {
		if ((next = sched_next(s, t)) == 0)
			return;
		if (next <= t)
			abort();
	}
	/* Of several that were missed one, and none that is to come. */
	next = sched_latest(s, base, t);
	if (next <= base || next > t)
		abort();
}

/* Eight bytes of a time, then lines: the expression and the zone. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sched s;
	const char *why;
	char *expr, *zone;
	uint64_t n;
	int64_t at;

	if (size < sizeof(n) || size > 8192)
		return 0;
	memcpy(&n, data, sizeof(n));
	at = (int64_t)(n % 7258118400u); /* up to the year 2200 */
	data += sizeof(n);
	size -= sizeof(n);
	if ((expr = malloc(size + 1)) == NULL)
		abort();
	memcpy(expr, data, size);
	expr[size] = '\0';
	if ((zone = strchr(expr, '\n')) != NULL)
		*zone++ = '\0';
	why = NULL;
	if (sched_parse(&s, "cron", expr, zone == NULL ? "0;" : zone, 0, 0,
		&why) == 0) {
		check_zone(s.zone, at);
		check_next(&s, at * 1000);
	} else if (why == NULL)
		abort();
	sched_clear(&s);
	free(expr);
	return 0;
}
