/*
 * A long answer in pieces that fit a post, by length: at the last newline,
 * else the last blank that is not inside parentheses, else anywhere between
 * two characters. A code block that is cut is closed and opened again.
 *
 * limit: UTF-16 units of one piece (spec channel 4.5). The array and its
 * strings are the caller's: chunk_free(). An empty text has no pieces.
 */
#ifndef ACCOUNT_CHUNK_H
#define ACCOUNT_CHUNK_H

#include <stddef.h>

char **chunk_length(const char *text, size_t limit, size_t *n);
/* Whole paragraphs as long as they fit, oversize ones by length. */
char **chunk_newline(const char *text, size_t limit, size_t *n);
void chunk_free(char **chunks, size_t n);

#endif
