#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"

/* Bytes of the character at s, 0 when there is none. */
static size_t
char_len(const unsigned char *s, size_t len)
{
	size_t n, i;
	unsigned char min = 0x80, max = 0xbf;

	if (s[0] < 0x80)
		return s[0] != '\0';
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		min = 0xa0;
	if (s[0] == 0xf0)
		min = 0x90;
	if (s[0] == 0xed)
		max = 0x9f;
	if (s[0] == 0xf4)
		max = 0x8f;
	if (len < n || s[1] < min || s[1] > max)
		return 0;
	for (i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Bytes at the front that are ASCII without NUL, eight at a time. */
static size_t
plain_run(const unsigned char *s, size_t len)
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
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0, n;

	while (i < len) {
		if (s[i] < 0x80)
			i += plain_run(s + i, len - i);
		if (i == len)
			break;
		if ((n = char_len(s + i, len - i)) == 0)
			return 0;
		i += n;
	}
	return 1;
}

char *
text_mend(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	char *out, *d;
	size_t i, n;

	if ((out = malloc(3 * len + 1)) == NULL)
		fatal("malloc");
	for (i = 0, d = out; i < len;) {
		if ((n = char_len(s + i, len - i)) == 0) {
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
