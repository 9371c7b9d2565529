/*
 * An answer that is too long for one post, in pieces. Limits are in UTF-16
 * units (textChunkLimit); no character is torn, and a fenced code block that
 * is cut is closed and opened again, unless the limit is too small for that.
 * The array and its strings are the caller's: chunk_free(). An empty text has
 * no pieces; limit 0 means one piece.
 */
#ifndef ACCOUNT_CHUNK_H
#define ACCOUNT_CHUNK_H

#include <stddef.h>

/*
 * Each piece ends at its last newline, else at its last blank outside of
 * parentheses, else where the limit is.
 */
char **chunk_length(const char *text, size_t limit, size_t *n);
/* Whole paragraphs packed together; those too long are cut as above. */
char **chunk_newline(const char *text, size_t limit, size_t *n);
void chunk_free(char **chunks, size_t n);

#endif
