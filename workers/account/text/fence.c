#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "workers/account/text/fence.h"

size_t
fence_marker(const char *line, size_t len, size_t *indent)
{
	size_t at = 0, first;

	while (at < len && at < 3 && line[at] == ' ')
		at++;
	*indent = first = at;
	if (at == len || (line[at] != '`' && line[at] != '~'))
		return 0;
	while (at < len && line[at] == line[first])
		at++;
	return at - first >= 3 ? at : 0;
}

int
fence_closes(const char *open, size_t open_len, const char *line, size_t len)
{
	size_t oi, ci, on, cn;

	on = fence_marker(open, open_len, &oi);
	cn = fence_marker(line, len, &ci);
	if (on == 0 || cn == 0 || open[oi] != line[ci] || cn - ci < on - oi)
		return 0;
	for (; cn < len; cn++)
		if (line[cn] != ' ' && line[cn] != '\t' && line[cn] != '\r')
			return 0;
	return 1;
}

static struct fence *
add(struct fences *f, size_t start, size_t end, size_t line_len)
{
	f->list = grow(f->list, f->n, sizeof(*f->list));
	f->list[f->n] = (struct fence){.start = start, .end = end,
	    .line_len = line_len};
	return &f->list[f->n++];
}

void
fences_find(const char *text, size_t len, struct fences *f)
{
	struct fence *open = NULL;
	size_t at = 0, n, mark, indent;
	const char *nl;

	memset(f, 0, sizeof(*f));
	while (at < len) {
		nl = memchr(text + at, '\n', len - at);
		n = nl == NULL ? len - at : (size_t)(nl - text) - at;
		if (open != NULL) {
			if (fence_closes(text + open->start, open->line_len,
				text + at, n)) {
				open->end = at + n;
				open = NULL;
			}
		} else if ((mark = fence_marker(text + at, n, &indent)) != 0) {
			open = add(f, at, len, n);
			open->mark_len = mark;
			open->indent = indent;
		}
		at += n + 1;
	}
}

const struct fence *
fences_at(const struct fences *f, size_t at)
{
	size_t lo = 0, hi = f->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (at <= f->list[mid].start)
			hi = mid;
		else if (at >= f->list[mid].end)
			lo = mid + 1;
		else
			return &f->list[mid];
	}
	return NULL;
}

void
fences_free(struct fences *f)
{
	free(f->list);
	memset(f, 0, sizeof(*f));
}
