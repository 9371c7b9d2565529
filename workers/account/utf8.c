#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/unicode.h"
#include "workers/account/utf8.h"

static int
is_cont(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length that a first byte promises, 0 when it cannot be first. */
static size_t
lead_len(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	return 0;
}

static size_t
decode(const unsigned char *p, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t n = lead_len(p[0]), i;
	uint32_t v;

	if (n == 0 || n > len)
		return 0;
	v = p[0] & mask[n];
	for (i = 1; i < n; i++) {
		if (!is_cont(p[i]))
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return n;
}

size_t
utf8_next(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if ((n = decode(p, len, cp)) != 0)
		return n;
	*cp = 0xfffd;
	return 1;
}

uint32_t
utf8_before(const char *s, size_t at)
{
	size_t start = at, n;
	uint32_t cp;

	if (at == 0)
		return 0;
	do {
		start--;
	} while (start > 0 && at - start < 4 && is_cont((unsigned char)s[start]));
	n = utf8_next(s + start, at - start, &cp);
	return start + n == at ? cp : 0xfffd;
}

size_t
utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

int
utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t cp;
	size_t n;

	while (len > 0) {
		if (*p == 0 || (n = decode(p, len, &cp)) == 0)
			return 0;
		p += n;
		len -= n;
	}
	return 1;
}

size_t
utf8_units(const char *s, size_t len)
{
	size_t i = 0, units = 0;
	uint32_t cp;

	while (i < len) {
		i += utf8_next(s + i, len - i, &cp);
		units += cp >= 0x10000 ? 2 : 1;
	}
	return units;
}

size_t
utf8_units_bytes(const char *s, size_t len, size_t max)
{
	size_t i = 0, units = 0, n;
	uint32_t cp;

	while (i < len) {
		n = utf8_next(s + i, len - i, &cp);
		units += cp >= 0x10000 ? 2 : 1;
		if (units > max)
			break;
		i += n;
	}
	return i;
}

size_t
utf8_skip_blank(const char *s, size_t len)
{
	size_t i = 0, n;
	uint32_t cp;

	while (i < len) {
		n = utf8_next(s + i, len - i, &cp);
		if (!unicode_is_space(cp))
			break;
		i += n;
	}
	return i;
}

size_t
utf8_rtrim(const char *s, size_t len)
{
	uint32_t cp;
	char tmp[4];

	while (len > 0) {
		cp = utf8_before(s, len);
		if (!unicode_is_space(cp))
			break;
		len -= utf8_put(cp, tmp);
	}
	return len;
}

int
utf8_is_blank(const char *s, size_t len)
{
	return utf8_skip_blank(s, len) == len;
}

char *
utf8_trim(const char *s)
{
	size_t len = strlen(s), skip = utf8_skip_blank(s, len);
	char *out;

	s += skip;
	len = utf8_rtrim(s, len - skip);
	if ((out = strndup(s, len)) == NULL)
		fatal("strndup");
	return out;
}

/* A lower case letter never takes more than 3 bytes for 2 (U+023A). */
char *
utf8_lower(const char *s)
{
	size_t len = strlen(s), i = 0, o = 0;
	uint32_t cp;
	char *out;

	if ((out = reallocarray(NULL, len + 1, 2)) == NULL)
		fatal("reallocarray");
	while (i < len) {
		size_t n = utf8_next(s + i, len - i, &cp);

		if (cp == 0xfffd) /* keep what is not UTF-8 as it is */
			memcpy(out + o, s + i, n), o += n;
		else
			o += utf8_put(unicode_lower(cp), out + o);
		i += n;
	}
	out[o] = '\0';
	return out;
}
