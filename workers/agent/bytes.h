/*
 * A growing run of bytes. Always NUL-terminated once something was added;
 * the caller checks its own bound before it adds.
 */
#ifndef WORKERS_AGENT_BYTES_H
#define WORKERS_AGENT_BYTES_H

#include <stddef.h>

struct bytes {
	char *p; /* NULL while nothing was ever added */
	size_t len;
	size_t size;
};

/* Room for at least n more bytes and the NUL. Fatal without memory. */
void bytes_reserve(struct bytes *, size_t n);
void bytes_add(struct bytes *, const char *p, size_t n);
void bytes_adds(struct bytes *, const char *s);
/* Forget the content; a buffer over keep bytes goes back to malloc. */
void bytes_reset(struct bytes *, size_t keep);
void bytes_free(struct bytes *);
/* The content, "" when there is none. Borrowed. */
const char *bytes_str(const struct bytes *);

#endif
