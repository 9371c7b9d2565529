#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/chunk.h"
#include "workers/account/strbuf.h"
#include "workers/account/utf8.h"

struct pieces {
	char **v;
	size_t n;
};

/* The fence that is open at some place of the text. */
struct fence {
	const char *line; /* the opening line, NULL: none open */
	size_t len;
	size_t mark; /* its backticks or tildes */
	size_t indent;
};

static void
piece_add(struct pieces *p, char *s)
{
	p->v = reallocarray(p->v, p->n + 1, sizeof(*p->v));
	if (p->v == NULL)
		fatal("reallocarray");
	p->v[p->n++] = s;
}

static size_t
line_len(const char *s, size_t len)
{
	const char *nl = memchr(s, '\n', len);

	return nl == NULL ? len : (size_t)(nl - s);
}

/* Marks at the start of a line, after at most three blanks; 0: no fence. */
static size_t
fence_mark(const char *s, size_t len, size_t *indent)
{
	size_t i = 0, n = 0;

	while (i < len && i < 3 && s[i] == ' ')
		i++;
	*indent = i;
	if (i == len || (s[i] != '`' && s[i] != '~'))
		return 0;
	while (i + n < len && s[i + n] == s[i])
		n++;
	return n < 3 ? 0 : n;
}

/* Follow the fences over s. */
static void
fence_walk(struct fence *f, const char *s, size_t len)
{
	size_t n, mark, indent;

	while (len > 0) {
		n = line_len(s, len);
		mark = fence_mark(s, n, &indent);
		if (mark > 0 && f->line == NULL) {
			*f = (struct fence){s, n, mark, indent};
		} else if (mark >= f->mark && f->line != NULL && mark > 0 &&
		    s[indent] == f->line[f->indent] &&
		    utf8_is_blank(s + indent + mark, n - indent - mark))
			f->line = NULL;
		if (n < len)
			n++;
		s += n;
		len -= n;
	}
}

/* Where to cut the first max bytes of s: bytes that belong to the piece. */
static size_t
cut_at(const char *s, size_t max)
{
	size_t i, nl = 0, blank = 0;
	int depth = 0;

	for (i = 0; i < max; i++) {
		if (s[i] == '(')
			depth++;
		else if (s[i] == ')' && depth > 0)
			depth--;
		else if (s[i] == '\n')
			nl = i;
		else if ((s[i] == ' ' || s[i] == '\t') && depth == 0)
			blank = i;
	}
	if (nl > 0)
		return nl;
	return blank > 0 ? blank : max;
}

/* The piece, its open fence closed, the one before it opened again. */
static char *
piece_make(const struct fence *before, const struct fence *after,
    const char *s, size_t len)
{
	struct strbuf b = STRBUF_INIT;

	if (before->line != NULL) {
		strbuf_add(&b, before->line, before->len);
		strbuf_putc(&b, '\n');
	}
	strbuf_add(&b, s, len);
	if (after->line != NULL) {
		if (b.len > 0 && b.s[b.len - 1] != '\n')
			strbuf_putc(&b, '\n');
		strbuf_add(&b, after->line, after->indent + after->mark);
	}
	return strbuf_take(&b);
}

static void
split(struct pieces *p, const char *s, size_t len, size_t limit)
{
	struct fence before = {0}, after;
	size_t take, fits, room;

	while (len > 0) {
		room = limit;
		if (before.line != NULL &&
		    room > before.len + before.mark + before.indent + 10)
			room -= before.len + 1;
		if (utf8_units(s, len) <= room) {
			after = (struct fence){0};
			piece_add(p, piece_make(&before, &after, s, len));
			return;
		}
		/* Room for the line that closes a fence. */
		after = before;
		fits = utf8_units_bytes(s, len, room);
		fence_walk(&after, s, fits);
		if (after.line != NULL && room > after.mark + 10)
			fits = utf8_units_bytes(
			    s, len, room - after.mark - after.indent - 1);
		take = cut_at(s, fits);
		after = before;
		fence_walk(&after, s, take);
		piece_add(p, piece_make(&before, &after, s, take));
		before = after;
		s += take;
		len -= take;
		/* The blank or newline at the cut stands for the cut. */
		if (len > 0 && (*s == '\n' || *s == ' ' || *s == '\t')) {
			s++;
			len--;
		}
	}
}

char **
chunk_length(const char *text, size_t limit, size_t *n)
{
	struct pieces p = {NULL, 0};

	split(&p, text, strlen(text), limit);
	*n = p.n;
	return p.v;
}

/* Bytes of the first paragraph, fences kept whole, and what separates it. */
static size_t
paragraph(const char *s, size_t len, size_t *gap)
{
	struct fence f = {0};
	size_t i = 0, n, text = 0;

	while (i < len) {
		n = line_len(s + i, len - i);
		if (f.line == NULL && utf8_is_blank(s + i, n)) {
			if (text > 0)
				break;
		} else
			text = i + n;
		fence_walk(&f, s + i, n);
		i += n + (i + n < len);
	}
	while (i < len && utf8_is_blank(s + i, line_len(s + i, len - i)))
		i += line_len(s + i, len - i) + 1;
	*gap = i < len ? i - text : len - text;
	return text;
}

char **
chunk_newline(const char *text, size_t limit, size_t *n)
{
	struct pieces p = {NULL, 0};
	struct strbuf b = STRBUF_INIT;
	size_t len = strlen(text), take, gap;

	while (len > 0) {
		take = paragraph(text, len, &gap);
		if (b.len > 0 && utf8_units(b.s, b.len) + 2 +
			utf8_units(text, take) > limit) {
			piece_add(&p, strbuf_take(&b));
			b = (struct strbuf)STRBUF_INIT;
		}
		if (utf8_units(text, take) > limit)
			split(&p, text, take, limit);
		else if (take > 0) {
			if (b.len > 0)
				strbuf_puts(&b, "\n\n");
			strbuf_add(&b, text, take);
		}
		text += take + gap;
		len -= take + gap;
	}
	if (b.len > 0)
		piece_add(&p, strbuf_take(&b));
	else
		strbuf_free(&b);
	*n = p.n;
	return p.v;
}

void
chunk_free(char **chunks, size_t n)
{
	while (n > 0)
		free(chunks[--n]);
	free(chunks);
}
