/*
 * Secrets in memory that is locked, left out of core dumps, and overwritten
 * when freed. The type is opaque and has no printing function: the only way
 * to the bytes is secret_bytes(), which is what a review looks for.
 */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stddef.h>

struct secret;

#define SECRET_MAX 8192 /* bytes of one secret */

/* A copy of len bytes; NULL when len is 0 or over SECRET_MAX. */
struct secret *secret_new(const char *bytes, size_t len);
/* NULL is fine. */
void secret_free(struct secret *);
/* NUL-terminated, borrowed. Never log, never put into an environment. */
const char *secret_bytes(const struct secret *);
size_t secret_len(const struct secret *);
/* Constant time in the bytes: 1 equal, 0 not. NULL equals nothing. */
int secret_equal(const struct secret *, const struct secret *);

#endif
