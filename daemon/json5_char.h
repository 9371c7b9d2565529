/*
 * Characters as JSON5 sees them: code points of UTF-8 and their classes.
 */
#ifndef DAEMON_JSON5_CHAR_H
#define DAEMON_JSON5_CHAR_H

#include <stdint.h>

/* 1 or 0 for a code point. */
int json5_is_line_end(uint32_t);
int json5_is_space(uint32_t); /* line ends included */
int json5_is_digit(uint32_t);
/* The value of a hexadecimal digit, or -1. */
int json5_hex_digit(uint32_t);
/* Of a name without quotes. */
int json5_is_name_start(uint32_t);
int json5_is_name_part(uint32_t);

#endif
