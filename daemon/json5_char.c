#include "config.h"

#include "daemon/json5_char.h"

int
json5_is_line_end(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

/* JSON5 8: the white space of ES5 with the space separators of Unicode. */
int
json5_is_space(uint32_t c)
{
	switch (c) {
	case ' ':
	case '\t':
	case '\n':
	case '\v':
	case '\f':
	case '\r':
	case 0xa0:
	case 0x1680:
	case 0x2028:
	case 0x2029:
	case 0x202f:
	case 0x205f:
	case 0x3000:
	case 0xfeff:
		return 1;
	default:
		return c >= 0x2000 && c <= 0x200a;
	}
}

int
json5_is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
int
json5_hex_digit(uint32_t c)
{
	if (json5_is_digit(c))
		return (int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (int)(c - 'A') + 10;
	return -1;
}

int
json5_is_name_start(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '$' || c == '_';
	/* Letters by block: Latin-1 signs, punctuation, symbols are none. */
	return c >= 0xaa && c <= 0x10ffff && !json5_is_space(c) &&
	    !(c > 0xaa && c < 0xb5) && !(c > 0xb5 && c < 0xba) &&
	    !(c > 0xba && c < 0xc0) && c != 0xd7 && c != 0xf7 &&
	    !(c >= 0x2000 && c < 0x2071) && !(c >= 0x2190 && c < 0x2c00) &&
	    !(c >= 0x3001 && c < 0x3005) && !(c >= 0xd800 && c < 0xf900) &&
	    c < 0xf0000;
}

int
json5_is_name_part(uint32_t c)
{
	return json5_is_name_start(c) || json5_is_digit(c) || c == 0x200c ||
	    c == 0x200d;
}
