#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/strbuf.h"

void
strbuf_reserve(struct strbuf *b, size_t more)
{
	size_t size = b->size == 0 ? 64 : b->size;

	if (more >= SIZE_MAX / 4 - b->len)
		fatalx("strbuf: %zu and %zu are too many", b->len, more);
	while (size < b->len + more + 1)
		size *= 2;
	if (size == b->size)
		return;
	if ((b->s = realloc(b->s, size)) == NULL)
		fatal("strbuf: %zu", size);
	b->size = size;
	b->s[b->len] = '\0';
}

void
strbuf_add(struct strbuf *b, const char *bytes, size_t len)
{
	strbuf_reserve(b, len);
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

	strbuf_reserve(b, 0);
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

void
strbuf_reset(struct strbuf *b, size_t keep)
{
	if (b->size > keep)
		strbuf_free(b);
	else
		strbuf_truncate(b, 0);
}

const char *
strbuf_str(const struct strbuf *b)
{
	return b->s == NULL ? "" : b->s;
}
