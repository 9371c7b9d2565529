/*
 * A string that grows. It is NUL-terminated from the first byte on; running
 * out of memory is fatal, so nothing here fails.
 */
#ifndef ACCOUNT_STRBUF_H
#define ACCOUNT_STRBUF_H

#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *s;
	size_t len;
	size_t size;
};

#define STRBUF_INIT {NULL, 0, 0}

void strbuf_add(struct strbuf *, const char *bytes, size_t len);
void strbuf_puts(struct strbuf *, const char *str);
void strbuf_putc(struct strbuf *, char c);
void strbuf_num(struct strbuf *, int64_t n);
/* A JSON string with its quotes; only ASCII controls, quotes, backslash,
 * backtick and the brackets of our markers are escaped. */
void strbuf_json(struct strbuf *, const char *str);
/* As strbuf_json(), at most max bytes of str, cut at a character, "..." put
 * after what was cut. */
void strbuf_json_max(struct strbuf *, const char *str, size_t max);
void strbuf_truncate(struct strbuf *, size_t len);
/* The string, which the caller frees; "" rather than NULL. Empties it. */
char *strbuf_take(struct strbuf *);
void strbuf_free(struct strbuf *);

#endif
