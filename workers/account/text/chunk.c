#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/unicode.h"
#include "common/utf8.h"
#include "workers/account/text/chunk.h"
#include "workers/account/text/fence.h"

struct chunks {
	char **v;
	size_t n;
};

/* One text being cut by length. */
struct cutter {
	const char *text;
	size_t len;
	size_t limit;
	size_t pos;           /* where the next piece starts */
	struct fences fences;
	struct chunks *out;
};

/* Where and how a piece ends. */
struct cut {
	size_t end;
	const struct fence *close; /* fence to close behind it, or NULL */
};

static void
push(struct chunks *out, char *piece)
{
	out->v = grow(out->v, out->n, sizeof(char *));
	out->v[out->n++] = piece;
}

static void
push_copy(struct chunks *out, const char *s, size_t len)
{
	char *piece = strndup(s, len);

	if (piece == NULL)
		fatal("strndup");
	push(out, piece);
}

/* The last newline, else the last blank, outside of fences and (...). */
static size_t
soft_break(const struct cutter *c, size_t end)
{
	size_t at = c->pos, newline = 0, blank = 0, n;
	const struct fence *f;
	int depth = 0;
	uint32_t cp;

	for (; at < end; at += n) {
		n = utf8_next(c->text + at, c->len - at, &cp);
		if ((f = fences_at(&c->fences, at)) != NULL) {
			n = f->end - at;
			continue;
		}
		if (cp == '(')
			depth++;
		else if (cp == ')' && depth > 0)
			depth--;
		else if (depth == 0 && cp == '\n')
			newline = at;
		else if (depth == 0 && unicode_is_space(cp))
			blank = at;
	}
	return newline > c->pos ? newline : blank > c->pos ? blank : 0;
}

/* Bytes from the start of the piece that max UTF-16 units reach. */
static size_t
reach(const struct cutter *c, size_t max)
{
	return c->pos + utf8_units_bytes(c->text + c->pos, c->len - c->pos, max);
}

/* The limit itself, but at least one character. */
static size_t
hard_break(const struct cutter *c, size_t room)
{
	size_t end = reach(c, room);
	uint32_t cp;

	if (end == c->pos)
		end += utf8_next(c->text + end, c->len - end, &cp);
	return end;
}

/* The first place in f where a cut leaves something of its content behind. */
static size_t
least_cut(const struct cutter *c, const struct fence *f)
{
	size_t at = f->start + f->line_len + 1;
	uint32_t cp;

	if (at < c->pos)
		at = c->pos;
	if (at < c->len)
		at += utf8_next(c->text + at, c->len - at, &cp);
	return at < c->len ? at : c->len;
}

/* Cut inside of f, room being left for its closing line. */
static struct cut
fence_cut(const struct cutter *c, const struct fence *f, size_t room)
{
	size_t least = least_cut(c, f), most, at;
	struct cut hard = {hard_break(c, room), NULL};

	if (room <= f->mark_len + 1)
		return hard;
	most = reach(c, room - f->mark_len);
	for (at = most; at >= least && at > f->start; at--)
		if (c->text[at - 1] == '\n')
			return (struct cut){at, f};
	at = reach(c, room - f->mark_len - 1);
	return at < least ? hard : (struct cut){at, f};
}

static struct cut
find_cut(const struct cutter *c, size_t room)
{
	size_t end = hard_break(c, room), soft = soft_break(c, end);
	const struct fence *f;

	if (soft != 0)
		return (struct cut){soft, NULL};
	if ((f = fences_at(&c->fences, end)) != NULL)
		return fence_cut(c, f, room);
	return (struct cut){end, NULL};
}

/*
 * The line that opens the fence again in the piece at pos: as it was, or the
 * bare marker when that leaves no room for content; 0 for none at all.
 */
static size_t
reopen_len(const struct cutter *c, const struct fence *f)
{
	size_t least = f->mark_len + 3; /* two newlines, a unit, the end */

	/* A unit has three bytes at most; a line may be as long as the text. */
	if (c->pos > f->start + f->line_len && f->line_len / 3 <= c->limit &&
	    utf8_units(c->text + f->start, f->line_len) + least <= c->limit)
		return f->line_len;
	return f->mark_len + least <= c->limit ? f->mark_len : 0;
}

static void
put_piece(struct cutter *c, size_t reopen, const struct fence *f,
    const struct cut *cut)
{
	struct strbuf b = STRBUF_INIT;

	if (reopen > 0) {
		strbuf_add(&b, c->text + f->start, reopen);
		strbuf_putc(&b, '\n');
	}
	strbuf_add(&b, c->text + c->pos, cut->end - c->pos);
	if (cut->close != NULL) {
		if (b.s[b.len - 1] != '\n')
			strbuf_putc(&b, '\n');
		strbuf_add(&b, c->text + cut->close->start,
		    cut->close->mark_len);
	}
	push(c->out, strbuf_take(&b));
}

/* Skip what the cut replaces: one blank, then newlines. */
static void
advance(struct cutter *c, const struct cut *cut)
{
	uint32_t cp;
	size_t n;

	c->pos = cut->end;
	if (cut->close != NULL || c->pos >= c->len ||
	    fences_at(&c->fences, c->pos) != NULL)
		return;
	n = utf8_next(c->text + c->pos, c->len - c->pos, &cp);
	if (unicode_is_space(cp))
		c->pos += n;
	while (c->pos < c->len && c->text[c->pos] == '\n')
		c->pos++;
}

/* 0 when the text is used up. */
static int
next_piece(struct cutter *c)
{
	const struct fence *f = fences_at(&c->fences, c->pos);
	size_t reopen = f == NULL ? 0 : reopen_len(c, f), room = c->limit;
	struct cut cut;

	if (c->pos >= c->len)
		return 0;
	if (reopen > 0)
		room -= utf8_units(c->text + f->start, reopen) + 1;
	if (reach(c, room) == c->len)
		cut = (struct cut){c->len, NULL};
	else if (f != NULL && reopen == 0)
		cut = (struct cut){hard_break(c, room), NULL};
	else
		cut = find_cut(c, room);
	put_piece(c, reopen, f, &cut);
	advance(c, &cut);
	return 1;
}

static void
by_length(const char *text, size_t len, size_t limit, struct chunks *out)
{
	struct cutter c = {.text = text, .len = len, .limit = limit,
	    .out = out};

	if (len == 0)
		return;
	if (limit == 0 || utf8_units_bytes(text, len, limit) == len) {
		push_copy(out, text, len);
		return;
	}
	fences_find(text, len, &c.fences);
	while (next_piece(&c))
		;
	fences_free(&c.fences);
}

static char *
without_cr(const char *text)
{
	struct strbuf b = STRBUF_INIT;
	const char *p;

	while ((p = strstr(text, "\r\n")) != NULL) {
		strbuf_add(&b, text, (size_t)(p - text));
		text = p + 1;
	}
	strbuf_puts(&b, text);
	return strbuf_take(&b);
}

static size_t
line_at(const char *text, size_t len, size_t at)
{
	const char *nl = memchr(text + at, '\n', len - at);

	return nl == NULL ? len - at : (size_t)(nl - text) - at;
}

/* End of the paragraph that starts at *at, where blank lines are skipped. */
static size_t
paragraph(const char *text, size_t len, const struct fences *f, size_t *at)
{
	size_t n, end;

	while (*at < len) {
		n = line_at(text, len, *at);
		if (!utf8_is_blank(text + *at, n))
			break;
		*at += n + 1;
	}
	for (end = *at; end < len; end += n + 1) {
		n = line_at(text, len, end);
		if (utf8_is_blank(text + end, n) &&
		    (n == 0 ? fences_at(f, end) == NULL :
			      fences_at(f, end + n) == NULL))
			break;
	}
	return end < len ? end - 1 : len;
}

static void
by_paragraph(const char *text, size_t len, size_t limit, struct chunks *out)
{
	size_t at = 0, end, start = 0, last = 0; /* start..last is packed */
	size_t units = 0;                        /* of that */
	struct fences f;

	fences_find(text, len, &f);
	for (; at < len; at = end + 1) {
		end = paragraph(text, len, &f, &at);
		if (at >= len)
			break;
		units += utf8_units(text + last, end - last);
		if (last > start && units <= limit) {
			last = end;
			continue;
		}
		by_length(text + start, last - start, limit, out);
		start = at;
		last = end;
		units = utf8_units(text + start, last - start);
	}
	by_length(text + start, last - start, limit, out);
	fences_free(&f);
}

char **
chunk_length(const char *text, size_t limit, size_t *n)
{
	struct chunks out = {NULL, 0};

	by_length(text, strlen(text), limit, &out);
	*n = out.n;
	return out.v;
}

char **
chunk_newline(const char *text, size_t limit, size_t *n)
{
	struct chunks out = {NULL, 0};
	size_t len = strlen(text);
	char *plain;

	if (limit == 0 || utf8_units_bytes(text, len, limit) == len)
		return chunk_length(text, limit, n);
	plain = without_cr(text);
	by_paragraph(plain, strlen(plain), limit, &out);
	free(plain);
	*n = out.n;
	return out.v;
}

void
chunk_free(char **chunks, size_t n)
{
	while (n > 0)
		free(chunks[--n]);
	free(chunks);
}
