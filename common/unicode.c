#include "config.h"

#include <stddef.h>
#include <stdint.h>

#include "common/unicode.h"

struct range {
	uint32_t first;
	uint32_t last;
};

struct lower_run {
	uint32_t first;
	uint32_t last;
	uint32_t step;
	int32_t delta;
};

#include "common/unicode_tables.h"

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

static int
in_ranges(const struct range *r, size_t n, uint32_t cp)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (cp < r[mid].first)
			hi = mid;
		else if (cp > r[mid].last)
			lo = mid + 1;
		else
			return 1;
	}
	return 0;
}

int
unicode_is_word(uint32_t cp)
{
	if (cp < 0x80)
		return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') ||
		    (cp >= 'A' && cp <= 'Z') || cp == '_';
	return in_ranges(word_ranges, NELEM(word_ranges), cp);
}

int
unicode_is_unseen(uint32_t cp)
{
	if (cp < 0x80)
		return cp <= ' ' || cp == 0x7f;
	return in_ranges(unseen_ranges, NELEM(unseen_ranges), cp);
}

int
unicode_is_space(uint32_t cp)
{
	if (cp < 0x80)
		return cp == ' ' || (cp >= '\t' && cp <= '\r');
	return cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
	    cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f ||
	    cp == 0x3000 || cp == 0xfeff;
}

uint32_t
unicode_lower(uint32_t cp)
{
	size_t lo = 0, hi = NELEM(lower_runs), mid;
	const struct lower_run *r;

	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		r = &lower_runs[mid];
		if (cp < r->first) {
			hi = mid;
			continue;
		}
		if (cp > r->last) {
			lo = mid + 1;
			continue;
		}
		if ((cp - r->first) % r->step != 0)
			return cp;
		return (uint32_t)((int32_t)cp + r->delta);
	}
	return cp;
}

int
unicode_width(uint32_t cp)
{
	if (cp < 0x300)
		return cp >= ' ' && cp != 0x7f && cp != 0xad;
	if (in_ranges(wide_ranges, NELEM(wide_ranges), cp))
		return 2;
	return unicode_is_unseen(cp) && !unicode_is_space(cp) ? 0 : 1;
}
