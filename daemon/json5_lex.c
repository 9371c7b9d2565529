#include "config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/text.h"
#include "daemon/json5_char.h"
#include "daemon/json5_lex.h"

void
json5_fail_at(struct json5 *p, int line, int column, const char *fmt, ...)
{
	va_list ap;

	if (p->failed)
		return;
	p->failed = 1;
	p->err->line = line;
	p->err->column = column;
	p->err->top = p->depth == 0;
	va_start(ap, fmt);
	vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
	va_end(ap);
	p->cur = JSON5_END;
}

void
json5_load(struct json5 *p)
{
	size_t n;

	p->pos = p->next;
	if (p->failed || p->next >= p->len) {
		p->cur = JSON5_END;
		return;
	}
	n = text_char(
	    (const char *)p->text + p->next, p->len - p->next, &p->cur);
	if (n == 0)
		json5_fail(p, "this is not UTF-8");
	p->next += n;
}

void
json5_step(struct json5 *p)
{
	uint32_t was = p->cur;

	if (was == JSON5_END)
		return;
	if (was == '\n' ||
	    (was == '\r' && !(p->next < p->len && p->text[p->next] == '\n'))) {
		p->line++;
		p->column = 0;
	}
	p->column++;
	json5_load(p);
}

uint32_t
json5_peek(const struct json5 *p)
{
	return p->next < p->len ? p->text[p->next] : JSON5_END;
}

static void
skip_block_comment(struct json5 *p)
{
	int line = p->line, column = p->column;

	json5_step(p);
	json5_step(p);
	while (p->cur != JSON5_END && !(p->cur == '*' && json5_peek(p) == '/'))
		json5_step(p);
	if (p->cur == JSON5_END) {
		json5_fail_at(p, line, column, "this comment does not end");
		return;
	}
	json5_step(p);
	json5_step(p);
}

void
json5_skip_space(struct json5 *p)
{
	for (;;) {
		if (json5_is_space(p->cur)) {
			json5_step(p);
		} else if (p->cur == '/' && json5_peek(p) == '/') {
			while (p->cur != JSON5_END && !json5_is_line_end(p->cur))
				json5_step(p);
		} else if (p->cur == '/' && json5_peek(p) == '*') {
			skip_block_comment(p);
		} else {
			return;
		}
	}
}

/* True, NONE: as other languages write them. */
static int
is_word_of_others(const struct json5 *p)
{
	static const char *const words[] = {
	    "true", "false", "null", "none", "nil"};
	const char *s = (const char *)p->text + p->pos;
	size_t i, n = 0;

	while (p->pos + n < p->len && isalnum((unsigned char)s[n]))
		n++;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (n == strlen(words[i]) && strncasecmp(s, words[i], n) == 0)
			return 1;
	return 0;
}

/* Between two members, and between a name and its value. */
static const char *
hint_between(const struct json5 *p, const char *wanted)
{
	int begins = json5_is_name_start(p->cur) || p->cur == '"' ||
	    p->cur == '\'' || p->cur == '{' || p->cur == '[';

	if (wanted[1] == ',')
		return begins ? "a comma is missing" : NULL;
	return p->cur == '-' || p->cur == '.' || p->cur == '*' ?
	    "such a name belongs in quotes" : NULL;
}

/* What those who know YAML, JavaScript or a word processor have meant. */
static const char *
hint(const struct json5 *p, const char *wanted)
{
	if (p->cur == '#')
		return "a comment begins with //";
	if (p->depth == 0)
		return NULL;
	if (p->cur >= 0x2018 && p->cur <= 0x201f)
		return "a quote is \" or '";
	if (*wanted == '\'')
		return hint_between(p, wanted);
	if (strcmp(wanted, "a name") == 0)
		return p->cur == ',' ? NULL : "such a name belongs in quotes";
	if (!json5_is_name_start(p->cur) || (strcmp(wanted, "a value") != 0 &&
		strcmp(wanted, "a number") != 0))
		return NULL;
	return is_word_of_others(p) ? "it is true, false or null" :
				      "text belongs in quotes";
}

void
json5_unexpected(struct json5 *p, const char *wanted)
{
	const char *help;
	char shown[8];

	if (p->cur == JSON5_END && p->depth > 0) {
		json5_fail(p, "the text ends where %s should be: what opens in "
		    "line %d does not end", wanted, p->opened);
		return;
	}
	if (p->cur == JSON5_END) {
		json5_fail(p, "the text ends where %s should be", wanted);
		return;
	}
	help = hint(p, wanted);
	if (p->cur < 0x20 || p->cur == 0x7f)
		strlcpy(shown, "?", sizeof(shown));
	else
		shown[text_put(p->cur, shown)] = '\0';
	json5_fail(p, "'%s' where %s should be%s%s", shown, wanted,
	    help == NULL ? "" : ": ", help == NULL ? "" : help);
}

/* n hexadecimal digits of an escape. */
static uint32_t
parse_hex(struct json5 *p, int n)
{
	uint32_t c = 0;
	int d;

	while (n-- > 0) {
		if ((d = json5_hex_digit(p->cur)) == -1) {
			json5_unexpected(p, "a hexadecimal digit");
			return 0;
		}
		c = c << 4 | (uint32_t)d;
		json5_step(p);
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
	if (c < 0xdc00 && p->cur == '\\' && json5_peek(p) == 'u') {
		json5_step(p);
		json5_step(p);
		low = parse_hex(p, 4);
		if (low >= 0xdc00 && low <= 0xdfff)
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	json5_fail(p, "half a surrogate pair");
	return 0;
}

/* After a backslash. The code point, or 0 for a line that goes on. */
static uint32_t
parse_escape(struct json5 *p)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	uint32_t c = p->cur;
	const char *at;

	if (c == JSON5_END) {
		json5_fail(p, "the text ends inside a string");
		return 0;
	}
	if (c == '0' || c == 'x' || c == 'u') {
		json5_step(p);
		if (c != '0')
			c = c == 'x' ? parse_hex(p, 2) : parse_unicode(p);
		else
			c = 0;
		if (c == 0)
			json5_fail(p, "a string cannot hold a NUL");
		return c;
	}
	if (json5_is_digit(c)) {
		json5_fail(p, "no such escape: \\%c", (char)c);
		return 0;
	}
	json5_step(p);
	if (json5_is_line_end(c)) {
		if (c == '\r' && p->cur == '\n')
			json5_step(p);
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

char *
json5_string(struct json5 *p, size_t *len)
{
	uint32_t quote = p->cur, c;
	int line = p->line, column = p->column;
	char *buf;
	size_t n = 0;

	json5_step(p);
	buf = string_room(p, quote);
	while (p->cur != quote && !p->failed) {
		c = p->cur;
		if (c == JSON5_END || c == '\n' || c == '\r') {
			json5_fail_at(p, line, column, "this string does not end");
			break;
		}
		if (c == 0) {
			json5_fail(p, "a string cannot hold a NUL");
			break;
		}
		json5_step(p);
		if (c == '\\')
			c = parse_escape(p);
		if (c != 0)
			n += text_put(c, buf + n);
	}
	if (p->failed) {
		freezero(buf, n);
		return NULL;
	}
	json5_step(p);
	buf[n] = '\0';
	*len = n;
	return buf;
}

char *
json5_name(struct json5 *p, size_t *len)
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
		if (c == '\\' && json5_peek(p) == 'u') {
			json5_step(p);
			json5_step(p);
			c = parse_unicode(p);
			if (!json5_is_name_part(c))
				json5_fail(p, "this escape is not for a name");
		} else if (json5_is_name_part(c)) {
			json5_step(p);
		} else {
			break;
		}
		if (p->failed)
			break;
		n += text_put(c, buf + n);
	}
	if (p->failed) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*len = n;
	return buf;
}
