#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"

/* The length that a first byte promises, 0 when it cannot be first. */
static size_t
lead_len(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

size_t
text_char(const char *text, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *s = (const unsigned char *)text;
	size_t n = lead_len(s[0]), i;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = s[0] & mask[n];
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*cp = c;
	return n;
}

size_t
text_put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Bytes at the front that are ASCII without NUL, eight at a time. */
static size_t
plain_run(const char *s, size_t len)
{
	uint64_t w;
	size_t i;

	for (i = 0; i + sizeof(w) <= len; i += sizeof(w)) {
		memcpy(&w, s + i, sizeof(w));
		if (((w - 0x0101010101010101u) | w) & 0x8080808080808080u)
			break;
	}
	return i;
}

int
text_valid(const char *text, size_t len)
{
	size_t i = 0, n;
	uint32_t cp;

	while (i < len) {
		if ((unsigned char)text[i] < 0x80)
			i += plain_run(text + i, len - i);
		if (i == len)
			break;
		n = text_char(text + i, len - i, &cp);
		if (n == 0 || cp == 0)
			return 0;
		i += n;
	}
	return 1;
}

char *
text_mend(const char *text, size_t len)
{
	char *out, *d;
	size_t i, n;
	uint32_t cp;

	if ((out = malloc(3 * len + 1)) == NULL)
		fatal("malloc");
	for (i = 0, d = out; i < len;) {
		n = text_char(text + i, len - i, &cp);
		if (n == 0 || cp == 0) {
			memcpy(d, "\xef\xbf\xbd", 3);
			d += 3;
			i++;
			continue;
		}
		memcpy(d, text + i, n);
		d += n;
		i += n;
	}
	*d = '\0';
	if ((d = realloc(out, (size_t)(d - out) + 1)) == NULL)
		fatal("realloc");
	return d;
}

static int
is_of_id(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	    c == '-';
}

void
text_id(const char *name, char id[TEXT_ID_SIZE])
{
	size_t n = 0;
	int gap = 0;
	char c;

	for (; *name != '\0' && n + 1 < TEXT_ID_SIZE; name++) {
		c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name;
		if (is_of_id(c))
			gap = 0;
		else if (gap)
			continue;
		else {
			gap = 1;
			c = '-';
		}
		if (c != '-' || n > 0)
			id[n++] = c;
	}
	while (n > 0 && id[n - 1] == '-')
		n--;
	id[n] = '\0';
}

char *
text_dup(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatal("strdup");
	return p;
}

void
text_double(double value, char buf[TEXT_DOUBLE_SIZE])
{
	int digits;

	/* 17 are always enough for a double of IEEE 754. */
	for (digits = 15; digits <= 17; digits++) {
		snprintf(buf, TEXT_DOUBLE_SIZE, "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			break;
	}
}
