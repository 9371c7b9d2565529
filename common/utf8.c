#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "common/unicode.h"
#include "common/utf8.h"

static int
is_cont(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_next(const char *s, size_t len, uint32_t *cp)
{
	size_t n = text_char(s, len, cp);

	if (n != 0)
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
		len -= text_put(cp, tmp);
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
			o += text_put(unicode_lower(cp), out + o);
		i += n;
	}
	out[o] = '\0';
	return out;
}
