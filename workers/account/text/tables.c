#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/text/fence.h"
#include "workers/account/text/table_row.h"
#include "workers/account/text/tables.h"

#define BULLET "\xe2\x80\xa2 "

struct line {
	const char *s;
	size_t len;    /* without its line end */
	size_t prefix; /* quote marks and indentation */
	const char *end; /* "\n", "\r\n" or "" */
};

struct table {
	const char *prefix;
	size_t prefix_len;
	struct table_row *rows; /* the first is the header */
	size_t n;
};

enum table_mode
tables_mode(const char *name)
{
	if (strcmp(name, "bullets") == 0)
		return TABLES_BULLETS;
	if (strcmp(name, "code") == 0 || strcmp(name, "block") == 0)
		return TABLES_CODE;
	return TABLES_OFF;
}

static size_t
prefix_len(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && (s[i] == ' ' || s[i] == '\t' || s[i] == '>'))
		i++;
	return i;
}

/* 0 at the end of the text. */
static int
read_line(const char *s, struct line *l)
{
	const char *nl = strchr(s, '\n');

	if (*s == '\0')
		return 0;
	l->s = s;
	l->end = nl == NULL ? "" : "\n";
	l->len = nl == NULL ? strlen(s) : (size_t)(nl - s);
	if (nl != NULL && l->len > 0 && s[l->len - 1] == '\r') {
		l->len--;
		l->end = "\r\n";
	}
	l->prefix = prefix_len(s, l->len);
	return 1;
}

static const char *
after(const struct line *l)
{
	return l->s + l->len + strlen(l->end);
}

static int
same_prefix(const struct line *a, const struct line *b)
{
	return a->prefix == b->prefix && memcmp(a->s, b->s, a->prefix) == 0;
}

static int
ends_table(const struct line *first, const struct line *l)
{
	const char *s = l->s + l->prefix;
	size_t len = l->len - l->prefix, indent;

	return utf8_is_blank(s, len) || !same_prefix(first, l) ||
	    *s == '#' || fence_marker(s, len, &indent) != 0;
}

static void
add_row(struct table *t, const struct line *l)
{
	t->rows = grow(t->rows, t->n, sizeof(*t->rows));
	(void)table_row_read(l->s + l->prefix, l->len - l->prefix,
	    &t->rows[t->n++]);
}

static void
table_free(struct table *t)
{
	while (t->n > 0)
		table_row_free(&t->rows[--t->n]);
	free(t->rows);
}

/* A header with its delimiter row below makes a table. */
static int
starts_table(const struct line *head, const struct line *rule)
{
	struct table_row row;
	size_t columns;
	int rc;

	columns = table_delimiter(
	    rule->s + rule->prefix, rule->len - rule->prefix);
	if (columns == 0 || !same_prefix(head, rule) ||
	    memchr(head->s, '|', head->len) == NULL)
		return 0;
	rc = table_row_read(
	    head->s + head->prefix, head->len - head->prefix, &row);
	rc = rc == 0 && row.n == columns;
	table_row_free(&row);
	return rc;
}

static const char *
cell(const struct table_row *row, size_t i)
{
	return i < row->n ? row->cells[i] : "";
}

static void
start_line(struct strbuf *out, const struct table *t, size_t from)
{
	if (out->len > from)
		strbuf_putc(out, '\n');
	strbuf_add(out, t->prefix, t->prefix_len);
}

static void
put_bullet(struct strbuf *out, const char *name, const char *value)
{
	strbuf_puts(out, BULLET);
	if (*name != '\0') {
		strbuf_puts(out, name);
		strbuf_puts(out, ": ");
	}
	strbuf_puts(out, value);
}

static void
put_bullet_row(struct strbuf *out, const struct table *t,
    const struct table_row *row, size_t from)
{
	const struct table_row *head = &t->rows[0];
	size_t i = 0;
	char *label;

	if (head->n > 1) {
		i = 1;
		if (*cell(row, 0) != '\0') {
			start_line(out, t, from);
			label = table_plain(cell(row, 0));
			strbuf_puts(out, "**");
			strbuf_puts(out, label);
			strbuf_puts(out, "**");
			free(label);
		}
	}
	for (; i < head->n; i++) {
		if (*cell(row, i) == '\0')
			continue;
		start_line(out, t, from);
		put_bullet(out, head->cells[i], cell(row, i));
	}
}

static void
put_bullets(struct strbuf *out, const struct table *t)
{
	size_t r, from = out->len;

	for (r = 1; r < t->n; r++) {
		if (out->len > from) { /* a blank line of the same quote */
			strbuf_putc(out, '\n');
			strbuf_add(out, t->prefix,
			    utf8_rtrim(t->prefix, t->prefix_len));
		}
		put_bullet_row(out, t, &t->rows[r], from);
	}
}

static void
put_padded(struct strbuf *out, const char *text, size_t width)
{
	size_t n = table_width(text);

	strbuf_puts(out, "| ");
	strbuf_puts(out, text);
	for (; n <= width; n++)
		strbuf_putc(out, ' ');
}

static void
put_code_row(struct strbuf *out, const struct table_row *row, size_t columns,
    const size_t *widths)
{
	size_t i;

	for (i = 0; i < columns; i++)
		put_padded(out, cell(row, i), widths[i]);
	strbuf_putc(out, '|');
}

static void
put_rule(struct strbuf *out, size_t columns, const size_t *widths)
{
	size_t i, n;

	for (i = 0; i < columns; i++) {
		strbuf_puts(out, "| ");
		for (n = 0; n < widths[i]; n++)
			strbuf_putc(out, '-');
		strbuf_putc(out, ' ');
	}
	strbuf_putc(out, '|');
}

/* Cells without their formatting; the widest of each column. */
static void
measure(struct table *t, size_t *widths)
{
	size_t r, i, n;
	char *text;

	for (i = 0; i < t->rows[0].n; i++)
		widths[i] = 3;
	for (r = 0; r < t->n; r++) {
		for (i = 0; i < t->rows[r].n && i < t->rows[0].n; i++) {
			text = table_plain(t->rows[r].cells[i]);
			free(t->rows[r].cells[i]);
			t->rows[r].cells[i] = text;
			n = table_width(text);
			if (n > widths[i])
				widths[i] = n;
		}
	}
}

/* A fence longer than any run of backticks in a cell. */
static size_t
fence_len(const struct table *t)
{
	size_t r, i, run, max = 2;
	const char *s;

	for (r = 0; r < t->n; r++)
		for (i = 0; i < t->rows[r].n; i++)
			for (s = t->rows[r].cells[i]; *s != '\0'; s += run) {
				run = strspn(s, "`");
				max = run > max ? run : max;
				run += run == 0;
			}
	return max + 1;
}

static void
put_fence(struct strbuf *out, size_t n)
{
	while (n-- > 0)
		strbuf_putc(out, '`');
}

static void
put_code(struct strbuf *out, struct table *t)
{
	size_t widths[TABLE_COLUMNS_MAX], r, columns = t->rows[0].n, fence;
	size_t from = out->len;

	measure(t, widths);
	fence = fence_len(t);
	start_line(out, t, from);
	put_fence(out, fence);
	for (r = 0; r < t->n; r++) {
		start_line(out, t, from);
		put_code_row(out, &t->rows[r], columns, widths);
		if (r > 0)
			continue;
		start_line(out, t, from);
		put_rule(out, columns, widths);
	}
	start_line(out, t, from);
	put_fence(out, fence);
}

/* The table whose first two lines were seen. Returns what follows it. */
static const char *
convert(struct strbuf *out, const struct line *head, const struct line *rule,
    enum table_mode mode)
{
	struct table t = {head->s, head->prefix, NULL, 0};
	struct line l = *rule, last = *rule;
	const char *s = after(rule);

	add_row(&t, head);
	while (read_line(s, &l) && !ends_table(head, &l)) {
		add_row(&t, &l);
		last = l;
		s = after(&l);
	}
	if (mode == TABLES_BULLETS)
		put_bullets(out, &t);
	else
		put_code(out, &t);
	strbuf_puts(out, last.end);
	table_free(&t);
	return s;
}

/*
 * 1 while the line belongs to a fenced block or an indented one. A list item
 * above makes indentation part of the list.
 */
static int
in_code(const struct line *l, struct line *fence, int *list)
{
	const char *s = l->s + l->prefix;
	size_t len = l->len - l->prefix, indent;

	if (fence->s != NULL) {
		if (fence_closes(fence->s + fence->prefix,
			fence->len - fence->prefix, s, len))
			fence->s = NULL;
		return 1;
	}
	if (fence_marker(s, len, &indent) != 0) {
		*fence = *l;
		return 1;
	}
	if (len == 0)
		return 0;
	if (*s == '-' || *s == '*' || *s == '+' || (*s >= '0' && *s <= '9'))
		*list = 1;
	else if (l->prefix == 0)
		*list = 0;
	return !*list && l->prefix >= 4 && memchr(l->s, '>', l->prefix) == NULL;
}

char *
tables_convert(const char *text, enum table_mode mode)
{
	struct strbuf out = STRBUF_INIT;
	struct line l, next, fence = {NULL, 0, 0, ""};
	int list = 0;

	if (mode == TABLES_OFF || strchr(text, '|') == NULL) {
		strbuf_puts(&out, text);
		return strbuf_take(&out);
	}
	while (read_line(text, &l)) {
		if (!in_code(&l, &fence, &list) &&
		    read_line(after(&l), &next) && starts_table(&l, &next)) {
			text = convert(&out, &l, &next, mode);
			continue;
		}
		text = after(&l);
		strbuf_add(&out, l.s, (size_t)(text - l.s));
	}
	return strbuf_take(&out);
}
