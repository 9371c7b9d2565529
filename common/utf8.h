/*
 * UTF-8 text, as the server sends it, measured in UTF-16 units, as its
 * limits and the peer's vectors count. Nothing here fails: a byte that is
 * not UTF-8 counts as U+FFFD, one byte long.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes taken (1..4) of the len > 0 bytes at s. */
size_t utf8_next(const char *s, size_t len, uint32_t *cp);
/* The code point that ends right before s[at]; 0 when at is 0. */
uint32_t utf8_before(const char *s, size_t at);

/* Length in UTF-16 units. */
size_t utf8_units(const char *s, size_t len);
/* Bytes of the longest start of s that has at most max UTF-16 units. */
size_t utf8_units_bytes(const char *s, size_t len, size_t max);

/* Blanks as ECMAScript's trim() sees them. */
size_t utf8_skip_blank(const char *s, size_t len);
/* Length without blanks at the end. */
size_t utf8_rtrim(const char *s, size_t len);
/* 1 when there is nothing but blanks. */
int utf8_is_blank(const char *s, size_t len);
/* A new string without blanks at either end. */
char *utf8_trim(const char *s);
/* A new string in lower case. */
char *utf8_lower(const char *s);

#endif
