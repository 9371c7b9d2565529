#include "config.h"

#include <string.h>

#include "common/utf8.h"
#include "workers/account/preview/block.h"
#include "workers/account/text/fence.h"

/* Where the paragraph that at is in ends for good; 0: not yet. */
static size_t
paragraph_end(const char *text, size_t len, size_t at, const struct fences *f)
{
	const char *nl;
	size_t i, next;

	while ((nl = memchr(text + at, '\n', len - at)) != NULL) {
		i = (size_t)(nl - text);
		next = i + 1 + strspn(text + i + 1, " \t\r");
		if (text[next] == '\n' && fences_at(f, i) == NULL)
			return i;
		at = i + 1;
	}
	return 0;
}

size_t
block_ready(const char *text, size_t min, size_t max, int idle)
{
	size_t len = strlen(text), start = utf8_skip_blank(text, len);
	size_t end, done = 0, at = start, units = 0;
	struct fences f;

	fences_find(text, len, &f);
	while ((end = paragraph_end(text, len, at, &f)) != 0) {
		units = utf8_units(text + start, end - start);
		if (units > max && done != 0)
			break;
		done = end;
		if (units >= max)
			break;
		at = end + utf8_skip_blank(text + end, len - end);
	}
	fences_free(&f);
	if (units >= max || (idle && units >= min))
		return done;
	return 0;
}

size_t
block_follows(const char *text, const char *piece)
{
	size_t skip = utf8_skip_blank(text, strlen(text)), len;
	const char *at;

	piece += utf8_skip_blank(piece, strlen(piece));
	len = utf8_rtrim(piece, strlen(piece));
	if (len == 0 || strncmp(text + skip, piece, len) != 0)
		return 0;
	at = text + skip + len;
	if (*at != '\0' && utf8_skip_blank(at, strlen(at)) == 0)
		return 0; /* in the middle of a word */
	return skip + len;
}
