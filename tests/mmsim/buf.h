/*
 * A growing byte string and JSON output as Go's encoding/json writes it:
 * compact, map keys sorted, <, > and & as \u003c, \u003e, \u0026, U+2028 and
 * U+2029 escaped, other text as raw UTF-8, numbers through a float64.
 * Memory failure is fatal.
 */
#ifndef MMSIM_BUF_H
#define MMSIM_BUF_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

struct buf {
	char *p; /* NUL-terminated once something was added */
	size_t len;
	size_t cap;
};

void buf_add(struct buf *, const void *, size_t);
void buf_str(struct buf *, const char *);
void buf_num(struct buf *, int64_t);
void buf_fmt(struct buf *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
/* A quoted JSON string of len bytes; invalid UTF-8 becomes U+FFFD. */
void buf_json(struct buf *, const char *, size_t len);
void buf_jstr(struct buf *, const char *);
/* "key":"value" and "key":number, with a comma first when comma is set. */
void buf_kstr(struct buf *, const char *key, const char *value);
void buf_knum(struct buf *, const char *key, int64_t);
void buf_kbool(struct buf *, const char *key, int);
/* Any value, object keys sorted. NULL is null. */
void buf_value(struct buf *, struct json_object *);
void buf_free(struct buf *);
/* The bytes, owned by the caller; the buffer is empty again. */
char *buf_steal(struct buf *);

/* A copy with every invalid UTF-8 sequence replaced by U+FFFD. */
char *utf8_clean(const char *, size_t len);
/* Number of code points of a valid string. */
size_t utf8_runes(const char *);

void *xmalloc(size_t);
void *xcalloc(size_t, size_t);
void *xrealloc(void *, size_t);
char *xstrdup(const char *);
/* Grow an array of *cap items of size bytes to hold n, in place. */
void *xgrow(void *, size_t *cap, size_t n, size_t size);

#endif
