/*
 * The words of JSON5: what json5.c puts values together from.
 */
#ifndef DAEMON_JSON5_LEX_H
#define DAEMON_JSON5_LEX_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/json5.h"

#define JSON5_END 0xffffffffu

struct json5 {
	const unsigned char *text;
	size_t len;
	size_t pos;   /* of cur */
	size_t next;  /* of what follows it */
	uint32_t cur; /* code point, or JSON5_END */
	int line, column;
	int depth;
	int opened; /* line of the innermost object or array */
	int values;
	int failed;
	struct json5_error *err;
};

/* The first error stays; the text counts as at its end from then on. */
void json5_fail_at(struct json5 *, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define json5_fail(p, ...)                                                     \
	json5_fail_at(p, (p)->line, (p)->column, __VA_ARGS__)
/* "'x' where a value should be: " and what helps, where that is known. */
void json5_unexpected(struct json5 *, const char *wanted);

/* Look at the character at next; the first thing to call. */
void json5_load(struct json5 *);
void json5_step(struct json5 *);
/* The byte after the current character, or JSON5_END. */
uint32_t json5_peek(const struct json5 *);
/* White space and comments. */
void json5_skip_space(struct json5 *);

/* The caller's, *len bytes and a NUL; NULL on error. */
char *json5_string(struct json5 *, size_t *len);
char *json5_name(struct json5 *, size_t *len);
/* 1 when the word stands here as a whole; it is taken then. */
int json5_word(struct json5 *, const char *word);
/* Fill v, a fresh value. */
void json5_number(struct json5 *, struct cval *v);

#endif
