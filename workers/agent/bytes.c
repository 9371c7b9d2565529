#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/agent/bytes.h"

void
bytes_reserve(struct bytes *b, size_t n)
{
	size_t want, size;
	char *p;

	if (n > SIZE_MAX / 2 - b->len - 1)
		fatalx("bytes: %zu and %zu are too many", b->len, n);
	want = b->len + n + 1;
	if (want <= b->size)
		return;
	size = b->size == 0 ? 256 : b->size;
	while (size < want)
		size *= 2;
	if ((p = realloc(b->p, size)) == NULL)
		fatal("bytes: %zu", size);
	b->p = p;
	b->size = size;
	b->p[b->len] = '\0';
}

void
bytes_add(struct bytes *b, const char *p, size_t n)
{
	bytes_reserve(b, n);
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void
bytes_adds(struct bytes *b, const char *s)
{
	bytes_add(b, s, strlen(s));
}

void
bytes_reset(struct bytes *b, size_t keep)
{
	if (b->size > keep) {
		bytes_free(b);
		return;
	}
	b->len = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

const char *
bytes_str(const struct bytes *b)
{
	return b->p == NULL ? "" : b->p;
}
