#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/strbuf.h"
#include "workers/account/utf8.h"

static void
grow(struct strbuf *b, size_t more)
{
	size_t size = b->size == 0 ? 64 : b->size;

	if (more >= SIZE_MAX / 4 - b->len)
		fatalx("strbuf: too large");
	while (size < b->len + more + 1)
		size *= 2;
	if (size == b->size)
		return;
	if ((b->s = realloc(b->s, size)) == NULL)
		fatal("realloc");
	b->size = size;
}

void
strbuf_add(struct strbuf *b, const char *bytes, size_t len)
{
	grow(b, len);
	if (len > 0)
		memcpy(b->s + b->len, bytes, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void
strbuf_puts(struct strbuf *b, const char *str)
{
	strbuf_add(b, str, strlen(str));
}

void
strbuf_putc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void
strbuf_num(struct strbuf *b, int64_t n)
{
	char tmp[24];

	snprintf(tmp, sizeof(tmp), "%" PRId64, n);
	strbuf_puts(b, tmp);
}

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
		return (size_t)snprintf(
		    out, 8, "\\u27%s", (unsigned char)s[2] == 0xa6 ? "e6" : "e7");
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
strbuf_json(struct strbuf *b, const char *str)
{
	strbuf_json_max(b, str, SIZE_MAX);
}

void
strbuf_json_max(struct strbuf *b, const char *str, size_t max)
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

void
strbuf_truncate(struct strbuf *b, size_t len)
{
	if (len < b->len) {
		b->len = len;
		b->s[len] = '\0';
	}
}

char *
strbuf_take(struct strbuf *b)
{
	char *s;

	if (b->s == NULL)
		grow(b, 0), b->s[0] = '\0';
	s = b->s;
	memset(b, 0, sizeof(*b));
	return s;
}

void
strbuf_free(struct strbuf *b)
{
	free(b->s);
	memset(b, 0, sizeof(*b));
}
