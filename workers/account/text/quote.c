#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/strbuf.h"
#include "workers/account/text/quote.h"

/* Bytes of the escape for the character at s, 0 when it needs none. */
static size_t
escape(const char *s, size_t left, char out[8], size_t *taken)
{
	unsigned char c = (unsigned char)*s;

	*taken = 1;
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 8, "\\%c", c);
	if (c == '\n')
		return (size_t)snprintf(out, 8, "\\n");
	if (c == '\t')
		return (size_t)snprintf(out, 8, "\\t");
	if (c < 0x20 || c == 0x7f || c == '`')
		return (size_t)snprintf(out, 8, "\\u%04x", c);
	if (left >= 3 && (memcmp(s, "\xe2\x9f\xa6", 3) == 0 ||
			     memcmp(s, "\xe2\x9f\xa7", 3) == 0)) {
		*taken = 3;
		return (size_t)snprintf(out, 8, "\\u27%s",
		    (unsigned char)s[2] == 0xa6 ? "e6" : "e7");
	}
	return 0;
}

static void
json_bytes(struct strbuf *b, const char *s, size_t len)
{
	size_t i, plain = 0, n, taken;
	char tmp[8];

	for (i = 0; i < len; i += taken) {
		n = escape(s + i, len - i, tmp, &taken);
		if (n == 0)
			continue;
		strbuf_add(b, s + plain, i - plain);
		strbuf_add(b, tmp, n);
		plain = i + taken;
	}
	strbuf_add(b, s + plain, len - plain);
}

void
quote_json(struct strbuf *b, const char *str)
{
	quote_json_max(b, str, SIZE_MAX);
}

void
quote_json_max(struct strbuf *b, const char *str, size_t max)
{
	size_t len = strlen(str), keep = len;

	if (len > max) {
		keep = max;
		while (keep > 0 && ((unsigned char)str[keep] & 0xc0) == 0x80)
			keep--;
	}
	strbuf_putc(b, '"');
	json_bytes(b, str, keep);
	if (keep < len)
		strbuf_puts(b, "...");
	strbuf_putc(b, '"');
}
