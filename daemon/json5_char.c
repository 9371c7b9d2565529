#include "config.h"

#include "daemon/json5_char.h"

/*
 * The code point at s and its length, or 0 when it is not UTF-8: RFC 3629,
 * section 4.
 */
size_t
json5_utf8_decode(const unsigned char *s, size_t left, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n, i;
	uint32_t c;

	if (s[0] < 0x80)
		n = 1;
	else if (s[0] >= 0xc2 && s[0] < 0xe0)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*cp = c;
	return n;
}

size_t
json5_utf8_encode(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

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
