/*
 * Text from outside: UTF-8 or not (RFC 3629). json-c's own check takes
 * overlong forms, surrogates and what is beyond U+10FFFF, so it is not
 * relied on.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stddef.h>

/* 1 when all len bytes are UTF-8 without NUL. */
int text_valid(const char *, size_t len);
/*
 * A copy that is: each byte that belongs to no character, and NUL, becomes
 * U+FFFD. The caller frees.
 */
char *text_mend(const char *, size_t len);

#endif
