/*
 * Characters as JSON5 sees them: code points of UTF-8 and their classes.
 */
#ifndef DAEMON_JSON5_CHAR_H
#define DAEMON_JSON5_CHAR_H

#include <stddef.h>
#include <stdint.h>

/*
 * The code point at s, of which left > 0 bytes are there: its length, or 0
 * when it is not UTF-8 (RFC 3629, section 4).
 */
size_t json5_utf8_decode(const unsigned char *s, size_t left, uint32_t *cp);
/* At most four bytes, without a NUL at the end. */
size_t json5_utf8_encode(char *out, uint32_t cp);

int json5_is_line_end(uint32_t);
int json5_is_space(uint32_t); /* line ends included */
int json5_is_digit(uint32_t);
/* The value of a hexadecimal digit, or -1. */
int json5_hex_digit(uint32_t);
/* Of a name without quotes. */
int json5_is_name_start(uint32_t);
int json5_is_name_part(uint32_t);

#endif
