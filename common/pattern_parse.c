#include "config.h"

#include <string.h>

#include "common/pattern_impl.h"
#include "common/unicode.h"
#include "common/utf8.h"

#define DEPTH_MAX 16

static int parse_alt(struct parser *);

int
pattern_refuse(struct parser *ps, const char *why)
{
	if (ps->why == NULL)
		ps->why = why;
	ps->at = ps->len;
	return 0;
}

static int
node(struct parser *ps, enum node_type type, int a, int b)
{
	struct node *n;

	if (ps->n_nodes == NODE_MAX)
		return pattern_refuse(ps, "too long");
	n = &ps->nodes[ps->n_nodes];
	memset(n, 0, sizeof(*n));
	n->type = type;
	n->a = a;
	n->b = b;
	return ps->n_nodes++;
}

static int
inst_node(struct parser *ps, enum op op, uint32_t a, uint32_t b)
{
	int n = node(ps, NODE_INST, 0, 0);

	ps->nodes[n].inst = (struct inst){op, a, b};
	return n;
}

static int
peek(const struct parser *ps)
{
	return ps->at < ps->len ? (unsigned char)ps->s[ps->at] : -1;
}

static uint32_t
take(struct parser *ps)
{
	uint32_t cp;

	ps->at += utf8_next(ps->s + ps->at, ps->len - ps->at, &cp);
	return cp;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \xHH, \uHHHH and \u{H..}; the letter was taken. */
static uint32_t
take_hex(struct parser *ps, size_t digits)
{
	uint32_t v = 0;
	int braces = digits == 4 && peek(ps) == '{';
	size_t n = 0, max = braces ? 6 : digits;

	if (braces)
		ps->at++;
	while (n < max && hex_digit(peek(ps)) >= 0) {
		v = v * 16 + (uint32_t)hex_digit(peek(ps));
		ps->at++;
		n++;
	}
	if (n == 0 || (!braces && n != digits) || v > 0x10ffff || v == 0 ||
	    (braces && peek(ps) != '}'))
		return (uint32_t)pattern_refuse(ps, "bad \\x or \\u");
	if (braces)
		ps->at++;
	return v;
}

/* An escape that stands for one character; its letter was taken. */
static uint32_t
escaped_char(struct parser *ps, uint32_t c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'v':
		return '\v';
	case 'f':
		return '\f';
	case 'x':
		return take_hex(ps, 2);
	case 'u':
		return take_hex(ps, 4);
	default:
		if (c < 128 && unicode_is_word(c) && c != '_')
			return (uint32_t)pattern_refuse(
			    ps, c >= '0' && c <= '9' ? "back reference" :
						       "unknown escape");
		return c;
	}
}

static int
is_class_letter(uint32_t c)
{
	return c == 'd' || c == 'D' || c == 'w' || c == 'W' || c == 's' ||
	    c == 'S';
}

static int
add_range(struct parser *ps, uint32_t first, uint32_t last)
{
	if (ps->p->n_ranges == CLASS_MAX)
		return pattern_refuse(ps, "too many character classes");
	if (first > last && first != CLASS_ESCAPE)
		return pattern_refuse(ps, "range out of order");
	ps->p->ranges[ps->p->n_ranges++] = (struct class_range){first, last};
	return 0;
}

static int
char_node(struct parser *ps, uint32_t cp)
{
	if (pattern_ignores(cp))
		return node(ps, NODE_EMPTY, 0, 0);
	return inst_node(ps, OP_CHAR, unicode_lower(cp), 0);
}

static int
parse_escape(struct parser *ps)
{
	uint32_t c, first = (uint32_t)ps->p->n_ranges;

	if (peek(ps) == -1)
		return pattern_refuse(ps, "ends with a backslash");
	c = take(ps);
	if (c == 'b')
		return inst_node(ps, OP_WORD_EDGE, 0, 0);
	if (c == 'B')
		return inst_node(ps, OP_NOT_WORD_EDGE, 0, 0);
	if (is_class_letter(c)) {
		add_range(ps, CLASS_ESCAPE, c);
		return inst_node(ps, OP_CLASS, first, 1);
	}
	return char_node(ps, escaped_char(ps, c));
}

/* One end of a range. 0 with *letter set for \d and the like. */
static uint32_t
class_char(struct parser *ps, uint32_t *letter)
{
	uint32_t c = take(ps);

	*letter = 0;
	if (c != '\\')
		return c;
	if (peek(ps) == -1)
		return (uint32_t)pattern_refuse(ps, "class without an end");
	c = take(ps);
	if (c == 'b')
		return '\b';
	if (is_class_letter(c)) {
		*letter = c;
		return 0;
	}
	return escaped_char(ps, c);
}

static void
class_item(struct parser *ps)
{
	uint32_t letter, last_letter = 0, first = class_char(ps, &letter);
	uint32_t last = first;

	if (letter != 0) {
		add_range(ps, CLASS_ESCAPE, letter);
		return;
	}
	if (peek(ps) == '-' && ps->at + 1 < ps->len &&
	    ps->s[ps->at + 1] != ']') {
		ps->at++;
		last = class_char(ps, &last_letter);
	}
	if (last_letter != 0)
		pattern_refuse(ps, "range out of order");
	else
		add_range(ps, first, last);
}

static int
parse_class(struct parser *ps)
{
	uint32_t first = (uint32_t)ps->p->n_ranges;
	enum op op = OP_CLASS;

	if (peek(ps) == '^') {
		op = OP_NOT_CLASS;
		ps->at++;
	}
	while (peek(ps) != -1 && peek(ps) != ']')
		class_item(ps);
	if (peek(ps) != ']')
		return pattern_refuse(ps, "class without an end");
	ps->at++;
	return inst_node(ps, op, first, (uint32_t)ps->p->n_ranges - first);
}

static int
parse_group(struct parser *ps)
{
	int n;

	if (peek(ps) == '?') {
		ps->at++;
		if (peek(ps) != ':')
			return pattern_refuse(ps, "look-around or named group");
		ps->at++;
	}
	if (++ps->depth > DEPTH_MAX)
		return pattern_refuse(ps, "nested too deeply");
	n = parse_alt(ps);
	ps->depth--;
	if (peek(ps) != ')')
		return pattern_refuse(ps, "group without an end");
	ps->at++;
	return n;
}

static int
parse_atom(struct parser *ps)
{
	uint32_t c = take(ps);

	switch (c) {
	case '.':
		return inst_node(ps, OP_ANY, 0, 0);
	case '^':
		return inst_node(ps, OP_START, 0, 0);
	case '$':
		return inst_node(ps, OP_END, 0, 0);
	case '[':
		return parse_class(ps);
	case '(':
		return parse_group(ps);
	case '\\':
		return parse_escape(ps);
	case '*':
	case '+':
	case '?':
		return pattern_refuse(ps, "nothing to repeat");
	default:
		return char_node(ps, c);
	}
}

static int
take_number(struct parser *ps, int *n)
{
	int v = 0, any = 0;

	while (peek(ps) >= '0' && peek(ps) <= '9') {
		v = v * 10 + (peek(ps) - '0');
		any = 1;
		ps->at++;
		if (v > REPEAT_MAX) {
			pattern_refuse(ps, "repeats too often");
			return 0;
		}
	}
	*n = v;
	return any;
}

/* {m}, {m,} or {m,n}; anything else leaves the brace as a character. */
static int
take_braces(struct parser *ps, int *min, int *max)
{
	size_t start = ps->at;

	ps->at++;
	if (!take_number(ps, min))
		goto literal;
	*max = *min;
	if (peek(ps) == ',') {
		ps->at++;
		if (!take_number(ps, max))
			*max = -1;
	}
	if (peek(ps) != '}')
		goto literal;
	ps->at++;
	if (*max != -1 && *max < *min)
		pattern_refuse(ps, "range out of order");
	return 1;
literal:
	if (ps->why == NULL)
		ps->at = start;
	return 0;
}

static int
take_quantifier(struct parser *ps, int *min, int *max)
{
	int c = peek(ps);

	if (c == '{')
		return take_braces(ps, min, max);
	if (c != '*' && c != '+' && c != '?')
		return 0;
	ps->at++;
	*min = c == '+';
	*max = c == '?' ? 1 : -1;
	return 1;
}

static int
parse_piece(struct parser *ps)
{
	int n = parse_atom(ps), min, max, r;

	if (!take_quantifier(ps, &min, &max))
		return n;
	if (peek(ps) == '?') /* lazy: which match is found is all the same */
		ps->at++;
	if (peek(ps) == '*' || peek(ps) == '+' || peek(ps) == '?')
		return pattern_refuse(ps, "nothing to repeat");
	r = node(ps, NODE_REPEAT, n, 0);
	ps->nodes[r].min = min;
	ps->nodes[r].max = max;
	return r;
}

static int
parse_cat(struct parser *ps)
{
	int n = node(ps, NODE_EMPTY, 0, 0);

	while (ps->why == NULL && peek(ps) != -1 && peek(ps) != '|' &&
	    peek(ps) != ')')
		n = node(ps, NODE_CAT, n, parse_piece(ps));
	return n;
}

static int
parse_alt(struct parser *ps)
{
	int n = parse_cat(ps);

	while (ps->why == NULL && peek(ps) == '|') {
		ps->at++;
		n = node(ps, NODE_ALT, n, parse_cat(ps));
	}
	return n;
}

int
pattern_parse(struct parser *ps)
{
	int root = parse_alt(ps);

	if (ps->why == NULL && ps->at < ps->len)
		pattern_refuse(ps, "group without a start");
	return root;
}
