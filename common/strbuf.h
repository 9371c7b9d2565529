/*
 * Bytes that grow, with a NUL behind them from the first one on. All zero is
 * an empty one. Without memory the program ends, so nothing here fails; who
 * takes from outside checks its own bound before it adds.
 */
#ifndef COMMON_STRBUF_H
#define COMMON_STRBUF_H

#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *s; /* NULL while nothing was ever added */
	size_t len;
	size_t size;
};

#define STRBUF_INIT {NULL, 0, 0}

/* Room for at least more bytes and the NUL. */
void strbuf_reserve(struct strbuf *, size_t more);
void strbuf_add(struct strbuf *, const char *bytes, size_t len);
void strbuf_puts(struct strbuf *, const char *str);
void strbuf_putc(struct strbuf *, char c);
void strbuf_num(struct strbuf *, int64_t n);
/* Forgets what is beyond len. */
void strbuf_truncate(struct strbuf *, size_t len);
/* Forgets everything; more than keep bytes of room go back to malloc. */
void strbuf_reset(struct strbuf *, size_t keep);
/* The content, "" when there is none. Borrowed until the next change. */
const char *strbuf_str(const struct strbuf *);
/* The string, which the caller frees; "" rather than NULL. Empties it. */
char *strbuf_take(struct strbuf *);
void strbuf_free(struct strbuf *);

#endif
