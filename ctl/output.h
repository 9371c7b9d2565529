/*
 * Printing: tables for people, JSON for programs. Text from elsewhere is
 * made harmless for a terminal before it is printed.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

#define TABLE_COLUMNS 12

struct table {
	const char *head[TABLE_COLUMNS]; /* ends with NULL; borrowed */
	char **cells;                    /* row by row */
	size_t columns, rows, used;
};

/* head: titles, NULL-terminated. */
void table_init(struct table *, const char *const head[]);
/* The next cell; a row is complete after as many as there are titles. */
void table_add(struct table *, const char *text);
/* As table_add(); "-" for 0 when blank is set. */
void table_add_int(struct table *, int64_t n, int blank);
/* Print and free it. Colours the word in the column called STATE. */
void table_print(struct table *);

/* 1 when fd is a terminal that shows colours, and is asked to. */
int output_colours(int fd);
/* What a terminal obeys becomes '?'. */
void output_harmless(char *);
/* "3 d 4 h", "12 s". Static buffer. */
const char *output_duration(int64_t ms);
/* Local time of a wall clock in ms; "-" for 0. Static buffer. */
const char *output_time(int64_t ms);
/* One line of text from elsewhere, without what a terminal obeys. */
void output_text(const char *text);
void output_json(struct json_object *);

/* Members of an object, "" and 0 when they are absent or of another type. */
const char *json_str(struct json_object *, const char *key);
int64_t json_int(struct json_object *, const char *key);
int json_true(struct json_object *, const char *key);
struct json_object *json_get(struct json_object *, const char *key);

#endif
