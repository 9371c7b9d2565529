/*
 * One line of a Markdown table: its cells.
 */
#ifndef ACCOUNT_TABLE_ROW_H
#define ACCOUNT_TABLE_ROW_H

#include <stddef.h>

#define TABLE_COLUMNS_MAX 64

struct table_row {
	char *cells[TABLE_COLUMNS_MAX]; /* trimmed, pipes unescaped */
	size_t n;
};

/* 0, or -1 when it has more cells than we take. */
int table_row_read(const char *line, size_t len, struct table_row *);
void table_row_free(struct table_row *);
/* Columns of a delimiter row ("|---|:-:|"), 0 when it is none. */
size_t table_delimiter(const char *line, size_t len);
/* A new string: the text of a cell without emphasis, code marks, links. */
char *table_plain(const char *cell);
/* Columns on a screen with a fixed-width font. */
size_t table_width(const char *text);

#endif
