/*
 * Text from outside: UTF-8 or not (RFC 3629). json-c's own check takes
 * overlong forms, surrogates and what is beyond U+10FFFF, so it is not
 * relied on.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The character that the len > 0 bytes at s begin with, and its bytes (1 to
 * 4); 0 when they begin with none. NUL is a character here.
 */
size_t text_char(const char *s, size_t len, uint32_t *cp);
/* Bytes written (1 to 4). cp: up to U+10FFFF. */
size_t text_put(uint32_t cp, char out[4]);
/* 1 when all len bytes are UTF-8 without NUL. */
int text_valid(const char *, size_t len);
/*
 * A copy that is: each byte that belongs to no character, and NUL, becomes
 * U+FFFD. The caller frees.
 */
char *text_mend(const char *, size_t len);
/*
 * The id that the name of an account or an agent stands for: lower case, with
 * "-" for what is no letter, digit, "_" or "-" of ASCII, and none at its ends;
 * at most TEXT_ID_SIZE - 1 bytes. "" when nothing is left.
 */
#define TEXT_ID_SIZE 65
void text_id(const char *name, char id[TEXT_ID_SIZE]);
/*
 * The shortest decimal form that is read back as the same number: "0.1". Not
 * for infinity and NaN.
 */
#define TEXT_DOUBLE_SIZE 32
void text_double(double, char buf[TEXT_DOUBLE_SIZE]);
/* A copy, which the caller frees. Without memory the program ends. */
char *text_dup(const char *);

#endif
