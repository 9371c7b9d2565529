#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/strbuf.h"
#include "common/unicode.h"
#include "common/utf8.h"
#include "workers/account/text/table_row.h"

static void
trim_line(const char **line, size_t *len)
{
	size_t skip = utf8_skip_blank(*line, *len);

	*line += skip;
	*len = utf8_rtrim(*line, *len - skip);
}

static int
add_cell(struct table_row *row, struct strbuf *cell)
{
	char *raw = strbuf_take(cell);
	int full = row->n == TABLE_COLUMNS_MAX;

	if (!full)
		row->cells[row->n++] = utf8_trim(raw);
	free(raw);
	return full ? -1 : 0;
}

int
table_row_read(const char *line, size_t len, struct table_row *row)
{
	struct strbuf cell = STRBUF_INIT;
	size_t i;
	int rc = 0;

	memset(row, 0, sizeof(*row));
	trim_line(&line, &len);
	i = len > 0 && line[0] == '|';
	for (; i < len; i++) {
		if (line[i] == '\\' && i + 1 < len && line[i + 1] == '|')
			strbuf_putc(&cell, line[++i]);
		else if (line[i] == '|') {
			rc |= add_cell(row, &cell);
			if (i + 1 == len)
				return rc;
		} else
			strbuf_putc(&cell, line[i]);
	}
	return rc | add_cell(row, &cell);
}

void
table_row_free(struct table_row *row)
{
	while (row->n > 0)
		free(row->cells[--row->n]);
}

static int
is_rule(const char *cell)
{
	size_t n;

	cell += *cell == ':';
	n = strspn(cell, "-");
	cell += n;
	cell += *cell == ':';
	return n > 0 && *cell == '\0';
}

size_t
table_delimiter(const char *line, size_t len)
{
	struct table_row row;
	size_t i, n = 0;

	/* One column needs its pipe: "---" alone is a rule or a heading. */
	if (memchr(line, '|', len) != NULL &&
	    table_row_read(line, len, &row) == 0) {
		n = row.n;
		for (i = 0; i < row.n; i++)
			if (!is_rule(row.cells[i]))
				n = 0;
	} else if (memchr(line, '|', len) == NULL)
		return 0;
	table_row_free(&row);
	return n;
}

static int
is_mark(char c)
{
	return c == '*' || c == '_' || c == '~';
}

/* Where the run of n marks that opens at s[at] is closed, or 0. */
static size_t
closing(const char *s, size_t len, size_t at, size_t n)
{
	size_t i, run;
	char c = s[at];

	if (at + n >= len || s[at + n] == ' ' || (c == '~' && n != 2))
		return 0;
	if (c == '_' && at > 0 && unicode_is_word(utf8_before(s, at)))
		return 0;
	for (i = at + n; i < len; i += run) {
		for (run = 0; i + run < len && s[i + run] == c; run++)
			;
		if (run == 0) {
			run = 1;
			continue;
		}
		if (run == n && s[i - 1] != ' ' &&
		    !(c == '_' && i + n < len &&
			unicode_is_word((unsigned char)s[i + n])))
			return i;
	}
	return 0;
}

static void plain(struct strbuf *, const char *s, size_t len, int depth);

/* "`code`": bytes taken, 0 when the marks are not closed. */
static size_t
plain_code(struct strbuf *b, const char *s, size_t len)
{
	size_t n = 0, i, run;

	while (n < len && s[n] == '`')
		n++;
	for (i = n; i < len; i += run) {
		for (run = 0; i + run < len && s[i + run] == '`'; run++)
			;
		if (run == n) {
			strbuf_add(b, s + n, i - n);
			return i + n;
		}
		run += run == 0;
	}
	return 0;
}

/* "[text](target)": bytes taken, 0 when it is no link. */
static size_t
plain_link(struct strbuf *b, const char *s, size_t len, int depth)
{
	const char *mid = memmem(s, len, "](", 2), *end;
	size_t text;

	if (mid == NULL)
		return 0;
	text = (size_t)(mid - s) - 1;
	end = memchr(mid, ')', len - (size_t)(mid - s));
	if (end == NULL)
		return 0;
	plain(b, s + 1, text, depth + 1);
	return (size_t)(end - s) + 1;
}

static size_t
plain_marks(struct strbuf *b, const char *s, size_t len, size_t at, int depth)
{
	size_t n = 0, end;

	while (at + n < len && s[at + n] == s[at])
		n++;
	if ((end = closing(s, len, at, n)) == 0) {
		strbuf_add(b, s + at, n);
		return n;
	}
	plain(b, s + at + n, end - at - n, depth + 1);
	return end + n - at;
}

static void
plain(struct strbuf *b, const char *s, size_t len, int depth)
{
	size_t i = 0, n;

	while (i < len) {
		n = 0;
		if (depth > 8)
			n = 0;
		else if (s[i] == '`')
			n = plain_code(b, s + i, len - i);
		else if (s[i] == '[')
			n = plain_link(b, s + i, len - i, depth);
		else if (s[i] == '!' && i + 1 < len && s[i + 1] == '[' &&
		    (n = plain_link(b, s + i + 1, len - i - 1, depth)) != 0)
			n++;
		else if (is_mark(s[i]))
			n = plain_marks(b, s, len, i, depth);
		if (n == 0)
			strbuf_putc(b, s[i++]);
		i += n;
	}
}

char *
table_plain(const char *cell)
{
	struct strbuf b = STRBUF_INIT;

	plain(&b, cell, strlen(cell), 0);
	return strbuf_take(&b);
}

size_t
table_width(const char *text)
{
	size_t i = 0, len = strlen(text), width = 0;
	uint32_t cp;

	while (i < len) {
		i += utf8_next(text + i, len - i, &cp);
		width += (size_t)unicode_width(cp);
	}
	return width;
}
