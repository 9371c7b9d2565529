#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/grow.h"
#include "common/log.h"
#include "ctl/output.h"

#define GAP 2

/* Embeddings, overrides and isolates: U+202A-202E and U+2066-2069. */
static int
turns_direction(const unsigned char *p)
{
	if (p[0] != 0xe2)
		return 0;
	return (p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
	    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

/*
 * C0, DEL and C1 (as UTF-8) are what a terminal acts upon; what turns the
 * direction of text makes one cell read like another.
 */
void
output_harmless(char *s)
{
	unsigned char *p;

	for (p = (unsigned char *)s; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			p[0] = '?';
			p[1] = '?';
		} else if (turns_direction(p))
			memset(p, '?', 3);
	}
}

static char *
harmless_copy(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		fatal("strdup");
	output_harmless(copy);
	return copy;
}

void
table_init(struct table *t, const char *const head[])
{
	memset(t, 0, sizeof(*t));
	while (head[t->columns] != NULL && t->columns < TABLE_COLUMNS - 1) {
		t->head[t->columns] = head[t->columns];
		t->columns++;
	}
}

void
table_add(struct table *t, const char *text)
{
	if (t->used % t->columns == 0) {
		t->cells = grow(
		    t->cells, t->rows, t->columns * sizeof(*t->cells));
		t->rows++;
	}
	t->cells[t->used++] =
	    harmless_copy(text == NULL || text[0] == '\0' ? "-" : text);
}

void
table_add_int(struct table *t, int64_t n, int blank)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%lld", (long long)n);
	table_add(t, blank && n == 0 ? "-" : buf);
}

/* Characters, not bytes: names are UTF-8. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *
colour_of(const char *state)
{
	static const char *const good[] = {"connected", "up", NULL};
	static const char *const bad[] = {"down", "parked", "full", NULL};
	static const char *const wait[] = {
	    "connecting", "starting", "backoff", "stopping", NULL};
	int i;

	for (i = 0; good[i] != NULL; i++)
		if (strcmp(state, good[i]) == 0)
			return "\033[32m";
	for (i = 0; bad[i] != NULL; i++)
		if (strcmp(state, bad[i]) == 0)
			return "\033[31m";
	for (i = 0; wait[i] != NULL; i++)
		if (strcmp(state, wait[i]) == 0)
			return "\033[33m";
	return NULL;
}

int
output_colours(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && getenv("NO_COLOR") == NULL &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

static void
print_cell(const char *text, size_t pad, const char *colour)
{
	if (colour != NULL)
		printf("%s%s\033[0m%*s", colour, text, (int)pad, "");
	else
		printf("%s%*s", text, (int)pad, "");
}

static void
print_row(const struct table *t, char *const *row, const size_t *widths,
    int colour)
{
	const char *text, *c;
	size_t i, pad;

	for (i = 0; i < t->columns; i++) {
		text = row == NULL ? t->head[i] : row[i];
		c = row != NULL && colour && strcmp(t->head[i], "STATE") == 0 ?
		    colour_of(text) : NULL;
		pad = i + 1 == t->columns ? 0 : widths[i] - width(text) + GAP;
		print_cell(text, pad, c);
	}
	printf("\n");
}

void
table_print(struct table *t)
{
	size_t widths[TABLE_COLUMNS] = {0}, i, w;
	int colour = output_colours(STDOUT_FILENO);

	for (i = 0; i < t->columns; i++)
		widths[i] = width(t->head[i]);
	for (i = 0; i < t->rows * t->columns; i++)
		if ((w = width(t->cells[i])) > widths[i % t->columns])
			widths[i % t->columns] = w;
	print_row(t, NULL, widths, 0);
	for (i = 0; i < t->rows; i++)
		print_row(t, t->cells + i * t->columns, widths, colour);
	for (i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->rows = t->used = 0;
}

const char *
output_duration(int64_t ms)
{
	static char buf[48];
	long long s = ms / 1000;

	if (s < 60)
		snprintf(buf, sizeof(buf), "%lld s", s);
	else if (s < 3600)
		snprintf(buf, sizeof(buf), "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, sizeof(buf), "%lld h %lld min", s / 3600,
		    s / 60 % 60);
	else
		snprintf(buf, sizeof(buf), "%lld d %lld h", s / 86400,
		    s / 3600 % 24);
	return buf;
}

const char *
output_time(int64_t ms)
{
	static char buf[32];
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (ms <= 0 || localtime_r(&t, &tm) == NULL)
		return "-";
	strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

void
output_text(const char *text)
{
	char *copy = strdup(text), *line, *rest;

	if (copy == NULL)
		fatal("strdup");
	rest = copy;
	while ((line = strsep(&rest, "\n")) != NULL) {
		output_harmless(line);
		printf("%s\n", line);
	}
	free(copy);
}

void
output_json(struct json_object *o)
{
	printf("%s\n", json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
		JSON_C_TO_STRING_NOSLASHESCAPE));
}

struct json_object *
json_get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v))
		return NULL;
	return v;
}

const char *
json_str(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return json_object_is_type(v, json_type_string) ?
	    json_object_get_string(v) : "";
}

int64_t
json_int(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return json_object_is_type(v, json_type_int) ?
	    json_object_get_int64(v) : 0;
}

int
json_true(struct json_object *o, const char *key)
{
	return json_object_get_boolean(json_get(o, key));
}
