#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/json5.h"

#define END_OF_TEXT 0xffffffffu
#define NUMBER_MAX 128 /* characters of one number */
#define EXACT_MAX 9007199254740992.0 /* 2^53: integers are exact below */

struct json5 {
	const unsigned char *text;
	size_t len;
	size_t pos;   /* of cur */
	size_t next;  /* of what follows it */
	uint32_t cur; /* code point, or END_OF_TEXT */
	int line, column;
	int depth;
	int values;
	int failed;
	struct json5_error *err;
};

static struct cval *parse_value(struct json5 *);

static void fail_at(struct json5 *, int, int, const char *, ...)
    __attribute__((format(printf, 4, 5)));

static void
fail_at(struct json5 *p, int line, int column, const char *fmt, ...)
{
	va_list ap;

	if (p->failed)
		return;
	p->failed = 1;
	p->err->line = line;
	p->err->column = column;
	va_start(ap, fmt);
	vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
	va_end(ap);
	p->cur = END_OF_TEXT;
}

#define fail(p, ...) fail_at(p, (p)->line, (p)->column, __VA_ARGS__)

/*
 * The code point at s and its length, or 0 when it is not UTF-8: RFC 3629,
 * section 4.
 */
static size_t
utf8_decode(const unsigned char *s, size_t left, uint32_t *cp)
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

static size_t
utf8_encode(char *out, uint32_t c)
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

/* Look at the character at next. */
static void
load(struct json5 *p)
{
	size_t n;

	p->pos = p->next;
	if (p->failed || p->next >= p->len) {
		p->cur = END_OF_TEXT;
		return;
	}
	n = utf8_decode(p->text + p->next, p->len - p->next, &p->cur);
	if (n == 0)
		fail(p, "this is not UTF-8");
	p->next += n;
}

static void
step(struct json5 *p)
{
	uint32_t was = p->cur;

	if (was == END_OF_TEXT)
		return;
	if (was == '\n' ||
	    (was == '\r' && !(p->next < p->len && p->text[p->next] == '\n'))) {
		p->line++;
		p->column = 0;
	}
	p->column++;
	load(p);
}

static uint32_t
peek(const struct json5 *p)
{
	return p->next < p->len ? p->text[p->next] : END_OF_TEXT;
}

static int
is_line_end(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

/* JSON5 8: the white space of ES5 with the space separators of Unicode. */
static int
is_space(uint32_t c)
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

static int
is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
static int
hex_digit(uint32_t c)
{
	if (is_digit(c))
		return (int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (int)(c - 'A') + 10;
	return -1;
}

static int
is_name_start(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '$' || c == '_';
	/* Letters by block: Latin-1 signs, punctuation, symbols are none. */
	return c >= 0xaa && c <= 0x10ffff && !is_space(c) &&
	    !(c > 0xaa && c < 0xb5) && !(c > 0xb5 && c < 0xba) &&
	    !(c > 0xba && c < 0xc0) && c != 0xd7 && c != 0xf7 &&
	    !(c >= 0x2000 && c < 0x2071) && !(c >= 0x2190 && c < 0x2c00) &&
	    !(c >= 0x3001 && c < 0x3005) && !(c >= 0xd800 && c < 0xf900) &&
	    c < 0xf0000;
}

static int
is_name_part(uint32_t c)
{
	return is_name_start(c) || is_digit(c) || c == 0x200c || c == 0x200d;
}

static void
skip_block_comment(struct json5 *p)
{
	int line = p->line, column = p->column;

	step(p);
	step(p);
	while (p->cur != END_OF_TEXT && !(p->cur == '*' && peek(p) == '/'))
		step(p);
	if (p->cur == END_OF_TEXT) {
		fail_at(p, line, column, "this comment does not end");
		return;
	}
	step(p);
	step(p);
}

static void
skip_space(struct json5 *p)
{
	for (;;) {
		if (is_space(p->cur)) {
			step(p);
		} else if (p->cur == '/' && peek(p) == '/') {
			while (p->cur != END_OF_TEXT && !is_line_end(p->cur))
				step(p);
		} else if (p->cur == '/' && peek(p) == '*') {
			skip_block_comment(p);
		} else {
			return;
		}
	}
}

static void
fail_unexpected(struct json5 *p, const char *wanted)
{
	char shown[8];

	if (p->cur == END_OF_TEXT) {
		fail(p, "the text ends where %s should be", wanted);
		return;
	}
	if (p->cur < 0x20 || p->cur == 0x7f)
		strlcpy(shown, "?", sizeof(shown));
	else
		shown[utf8_encode(shown, p->cur)] = '\0';
	fail(p, "'%s' where %s should be", shown, wanted);
}

/* n hexadecimal digits of an escape. */
static uint32_t
parse_hex(struct json5 *p, int n)
{
	uint32_t c = 0;
	int d;

	while (n-- > 0) {
		if ((d = hex_digit(p->cur)) == -1) {
			fail_unexpected(p, "a hexadecimal digit");
			return 0;
		}
		c = c << 4 | (uint32_t)d;
		step(p);
	}
	return c;
}

/* After "\u": a code point, of two escapes when it needs both. */
static uint32_t
parse_unicode(struct json5 *p)
{
	uint32_t c = parse_hex(p, 4), low;

	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c < 0xdc00 && p->cur == '\\' && peek(p) == 'u') {
		step(p);
		step(p);
		low = parse_hex(p, 4);
		if (low >= 0xdc00 && low <= 0xdfff)
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	fail(p, "half a surrogate pair");
	return 0;
}

/* After a backslash. The code point, or 0 for a line that goes on. */
static uint32_t
parse_escape(struct json5 *p)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	uint32_t c = p->cur;
	const char *at;

	if (c == END_OF_TEXT) {
		fail(p, "the text ends inside a string");
		return 0;
	}
	if (c == '0' || c == 'x' || c == 'u') {
		step(p);
		if (c != '0')
			c = c == 'x' ? parse_hex(p, 2) : parse_unicode(p);
		else
			c = 0;
		if (c == 0)
			fail(p, "a string cannot hold a NUL");
		return c;
	}
	if (is_digit(c)) {
		fail(p, "no such escape: \\%c", (char)c);
		return 0;
	}
	step(p);
	if (is_line_end(c)) {
		if (c == '\r' && p->cur == '\n')
			step(p);
		return 0;
	}
	at = c < 0x80 ? strchr(from, (int)c) : NULL;
	return at == NULL ? c : (unsigned char)to[at - from];
}

/*
 * Room for a string up to its quote: what an escape stands for is never
 * longer than the escape, so the buffer need not grow and leaves no copies.
 */
static char *
string_room(const struct json5 *p, uint32_t quote)
{
	size_t end = p->pos;
	char *buf;

	while (end < p->len && p->text[end] != quote)
		end += p->text[end] == '\\' && end + 1 < p->len ? 2 : 1;
	if (end > p->len)
		end = p->len;
	if ((buf = malloc(end - p->pos + 1)) == NULL)
		fatal("malloc");
	return buf;
}

/* A quoted string; NULL on error. */
static char *
parse_string(struct json5 *p, size_t *len)
{
	uint32_t quote = p->cur, c;
	int line = p->line, column = p->column;
	char *buf;
	size_t n = 0;

	step(p);
	buf = string_room(p, quote);
	while (p->cur != quote && !p->failed) {
		c = p->cur;
		if (c == END_OF_TEXT || c == '\n' || c == '\r') {
			fail_at(p, line, column, "this string does not end");
			break;
		}
		if (c == 0) {
			fail(p, "a string cannot hold a NUL");
			break;
		}
		step(p);
		if (c == '\\')
			c = parse_escape(p);
		if (c != 0)
			n += utf8_encode(buf + n, c);
	}
	if (p->failed) {
		freezero(buf, n);
		return NULL;
	}
	step(p);
	buf[n] = '\0';
	*len = n;
	return buf;
}

/* A name without quotes; NULL on error. */
static char *
parse_name(struct json5 *p, size_t *len)
{
	size_t start = p->pos, end, n = 0;
	uint32_t c;
	char *buf;

	end = start;
	while (end < p->len && p->text[end] != ':' && p->text[end] > ' ')
		end++;
	if ((buf = malloc(end - start + 1)) == NULL)
		fatal("malloc");
	for (;;) {
		c = p->cur;
		if (c == '\\' && peek(p) == 'u') {
			step(p);
			step(p);
			c = parse_unicode(p);
			if (!is_name_part(c))
				fail(p, "this escape is not for a name");
		} else if (is_name_part(c)) {
			step(p);
		} else {
			break;
		}
		if (p->failed)
			break;
		n += utf8_encode(buf + n, c);
	}
	if (p->failed) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*len = n;
	return buf;
}

static void
take_digits(struct json5 *p, char *buf, size_t *n)
{
	while (is_digit(p->cur) && *n < NUMBER_MAX) {
		buf[(*n)++] = (char)p->cur;
		step(p);
	}
}

/* A decimal number without its sign. */
static double
parse_decimal(struct json5 *p)
{
	char buf[NUMBER_MAX + 8];
	size_t n = 0, whole;

	if (p->cur == '0' && is_digit(peek(p))) {
		fail(p, "a number does not begin with 0");
		return 0;
	}
	take_digits(p, buf, &n);
	whole = n;
	if (p->cur == '.') {
		buf[n++] = '.';
		step(p);
		take_digits(p, buf, &n);
		if (whole == 0 && n == 1)
			fail_unexpected(p, "a digit");
	}
	if (p->cur == 'e' || p->cur == 'E') {
		buf[n++] = 'e';
		step(p);
		if (p->cur == '+' || p->cur == '-') {
			buf[n++] = (char)p->cur;
			step(p);
		}
		if (!is_digit(p->cur))
			fail_unexpected(p, "a digit");
		take_digits(p, buf, &n);
	}
	if (n >= NUMBER_MAX)
		fail(p, "this number is too long");
	buf[n] = '\0';
	return p->failed ? 0 : strtod(buf, NULL);
}

static double
parse_hexadecimal(struct json5 *p)
{
	double d = 0;

	step(p);
	step(p);
	if (hex_digit(p->cur) == -1)
		fail_unexpected(p, "a hexadecimal digit");
	while (hex_digit(p->cur) != -1) {
		d = d * 16 + hex_digit(p->cur);
		step(p);
	}
	return d;
}

/* 1 when the word stands here as a whole; it is taken then. */
static int
take_word(struct json5 *p, const char *word)
{
	size_t len = strlen(word), i;
	uint32_t after;

	if (p->len - p->pos < len || memcmp(p->text + p->pos, word, len) != 0)
		return 0;
	if (p->pos + len < p->len &&
	    utf8_decode(p->text + p->pos + len, p->len - p->pos - len,
		&after) != 0 &&
	    (is_name_part(after) || after == '\\'))
		return 0;
	for (i = 0; i < len; i++)
		step(p);
	return 1;
}

static struct cval *
parse_number(struct json5 *p, struct cval *v)
{
	int sign = p->cur == '-' ? -1 : 1;

	if (p->cur == '-' || p->cur == '+')
		step(p);
	if (take_word(p, "Infinity"))
		v->num = (double)INFINITY;
	else if (take_word(p, "NaN"))
		v->num = (double)NAN;
	else if (p->cur == '0' && (peek(p) == 'x' || peek(p) == 'X'))
		v->num = parse_hexadecimal(p);
	else if (is_digit(p->cur) || p->cur == '.')
		v->num = parse_decimal(p);
	else
		fail_unexpected(p, "a number");
	if (is_name_part(p->cur))
		fail_unexpected(p, "the end of a number");
	v->type = CVAL_NUM;
	v->num *= sign;
	/* NaN compares as false. */
	if (v->num >= -EXACT_MAX && v->num <= EXACT_MAX &&
	    (double)(int64_t)v->num == v->num) {
		v->is_int = 1;
		v->i = (int64_t)v->num;
	}
	return v;
}

static struct cval *
parse_array(struct json5 *p, struct cval *v)
{
	struct cval *m;

	v->type = CVAL_ARR;
	step(p);
	for (;;) {
		skip_space(p);
		if (p->cur == ']' || p->failed)
			break;
		if ((m = parse_value(p)) == NULL)
			break;
		cval_append(v, m);
		skip_space(p);
		if (p->cur == ']')
			break;
		if (p->cur != ',') {
			fail_unexpected(p, "',' or ']'");
			break;
		}
		step(p);
	}
	step(p);
	return v;
}

static struct cval *
parse_member(struct json5 *p)
{
	int line = p->line, column = p->column;
	struct cval *v;
	char *key = NULL;
	size_t len = 0;

	if (p->cur == '"' || p->cur == '\'')
		key = parse_string(p, &len);
	else if (is_name_start(p->cur) || p->cur == '\\')
		key = parse_name(p, &len);
	else
		fail_unexpected(p, "a name");
	if (key == NULL)
		return NULL;
	skip_space(p);
	if (p->cur != ':')
		fail_unexpected(p, "':'");
	step(p);
	skip_space(p);
	if ((v = parse_value(p)) == NULL) {
		free(key);
		return NULL;
	}
	v->key = key;
	v->key_len = len;
	v->key_line = line;
	v->key_column = column;
	return v;
}

static struct cval *
parse_object(struct json5 *p, struct cval *v)
{
	struct cval *m;

	v->type = CVAL_OBJ;
	step(p);
	for (;;) {
		skip_space(p);
		if (p->cur == '}' || p->failed)
			break;
		if ((m = parse_member(p)) == NULL)
			break;
		cval_append(v, m);
		skip_space(p);
		if (p->cur == '}')
			break;
		if (p->cur != ',') {
			fail_unexpected(p, "',' or '}'");
			break;
		}
		step(p);
	}
	step(p);
	return v;
}

static struct cval *
parse_scalar(struct json5 *p, struct cval *v)
{
	if (p->cur == '"' || p->cur == '\'') {
		v->type = CVAL_STR;
		v->str = parse_string(p, &v->str_len);
		return v;
	}
	if (take_word(p, "null"))
		return v;
	if ((v->b = take_word(p, "true")) || take_word(p, "false")) {
		v->type = CVAL_BOOL;
		return v;
	}
	if (is_digit(p->cur) || p->cur == '+' || p->cur == '-' ||
	    p->cur == '.' || p->cur == 'I' || p->cur == 'N')
		return parse_number(p, v);
	fail_unexpected(p, "a value");
	return v;
}

/* NULL on error. */
static struct cval *
parse_value(struct json5 *p)
{
	struct cval *v;

	if (p->failed)
		return NULL;
	if (++p->values > JSON5_VALUES) {
		fail(p, "more than %d values", JSON5_VALUES);
		return NULL;
	}
	v = cval_new(CVAL_NULL, p->line, p->column);
	if (p->cur == '{' || p->cur == '[') {
		if (++p->depth > JSON5_DEPTH)
			fail(p, "nested deeper than %d", JSON5_DEPTH);
		else if (p->cur == '{')
			parse_object(p, v);
		else
			parse_array(p, v);
		p->depth--;
	} else {
		parse_scalar(p, v);
	}
	if (!p->failed)
		return v;
	cval_free(v);
	return NULL;
}

struct cval *
json5_parse(const char *text, size_t len, struct json5_error *err)
{
	struct json5 p = {.text = (const unsigned char *)text, .len = len,
	    .line = 1, .column = 1, .err = err};
	struct cval *v;

	memset(err, 0, sizeof(*err));
	if (len > JSON5_SIZE) {
		fail(&p, "larger than %u bytes", JSON5_SIZE);
		return NULL;
	}
	load(&p);
	skip_space(&p);
	v = parse_value(&p);
	skip_space(&p);
	if (v != NULL && !p.failed && p.cur != END_OF_TEXT)
		fail_unexpected(&p, "the end");
	if (v != NULL && p.failed) {
		cval_free(v);
		return NULL;
	}
	return v;
}
