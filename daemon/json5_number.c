#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/json5_char.h"
#include "daemon/json5_lex.h"

#define NUMBER_MAX 128 /* characters of one number */
#define EXACT_MAX 9007199254740992.0 /* 2^53: integers are exact below */

static void
take_digits(struct json5 *p, char *buf, size_t *n)
{
	while (json5_is_digit(p->cur) && *n < NUMBER_MAX) {
		buf[(*n)++] = (char)p->cur;
		json5_step(p);
	}
}

/* A decimal number without its sign. */
static double
parse_decimal(struct json5 *p)
{
	char buf[NUMBER_MAX + 8];
	size_t n = 0, whole;

	if (p->cur == '0' && json5_is_digit(json5_peek(p))) {
		json5_fail(p, "a number does not begin with 0");
		return 0;
	}
	take_digits(p, buf, &n);
	whole = n;
	if (p->cur == '.') {
		buf[n++] = '.';
		json5_step(p);
		take_digits(p, buf, &n);
		if (whole == 0 && n == 1)
			json5_unexpected(p, "a digit");
	}
	if (p->cur == 'e' || p->cur == 'E') {
		buf[n++] = 'e';
		json5_step(p);
		if (p->cur == '+' || p->cur == '-') {
			buf[n++] = (char)p->cur;
			json5_step(p);
		}
		if (!json5_is_digit(p->cur))
			json5_unexpected(p, "a digit");
		take_digits(p, buf, &n);
	}
	if (n >= NUMBER_MAX)
		json5_fail(p, "this number is too long");
	buf[n] = '\0';
	return p->failed ? 0 : strtod(buf, NULL);
}

static double
parse_hexadecimal(struct json5 *p)
{
	double d = 0;

	json5_step(p);
	json5_step(p);
	if (json5_hex_digit(p->cur) == -1)
		json5_unexpected(p, "a hexadecimal digit");
	while (json5_hex_digit(p->cur) != -1) {
		d = d * 16 + json5_hex_digit(p->cur);
		json5_step(p);
	}
	return d;
}

int
json5_word(struct json5 *p, const char *word)
{
	size_t len = strlen(word), i;
	uint32_t after;

	if (p->len - p->pos < len || memcmp(p->text + p->pos, word, len) != 0)
		return 0;
	if (p->pos + len < p->len &&
	    text_char((const char *)p->text + p->pos + len,
		p->len - p->pos - len, &after) != 0 &&
	    (json5_is_name_part(after) || after == '\\'))
		return 0;
	for (i = 0; i < len; i++)
		json5_step(p);
	return 1;
}

void
json5_number(struct json5 *p, struct cval *v)
{
	int sign = p->cur == '-' ? -1 : 1;

	if (p->cur == '-' || p->cur == '+')
		json5_step(p);
	if (json5_word(p, "Infinity"))
		v->num = (double)INFINITY;
	else if (json5_word(p, "NaN"))
		v->num = (double)NAN;
	else if (p->cur == '0' && (json5_peek(p) == 'x' || json5_peek(p) == 'X'))
		v->num = parse_hexadecimal(p);
	else if (json5_is_digit(p->cur) || p->cur == '.')
		v->num = parse_decimal(p);
	else
		json5_unexpected(p, "a number");
	if (json5_is_name_part(p->cur))
		json5_unexpected(p, "the end of a number");
	v->type = CVAL_NUM;
	v->num *= sign;
	/* NaN compares as false. */
	if (v->num >= -EXACT_MAX && v->num <= EXACT_MAX &&
	    (double)(int64_t)v->num == v->num) {
		v->is_int = 1;
		v->i = (int64_t)v->num;
	}
}
