/*
 * What a code point is, from tables of our own: a jailed worker cannot load
 * a locale, and the answer must not depend on one.
 */
#ifndef COMMON_UNICODE_H
#define COMMON_UNICODE_H

#include <stdint.h>

/* Letter, digit, mark or underscore: what a word is made of. */
int unicode_is_word(uint32_t cp);
/* Control, format, mark or separator: nothing to see when alone. */
int unicode_is_unseen(uint32_t cp);
/* Blank in the sense of ECMAScript's trim(): ECMA-262, WhiteSpace. */
int unicode_is_space(uint32_t cp);
/* Simple lower case; the code point itself when it has none. */
uint32_t unicode_lower(uint32_t cp);
/* Columns on a terminal: 0 for marks and format characters, 2 when wide. */
int unicode_width(uint32_t cp);

#endif
