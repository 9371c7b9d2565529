#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/pattern.h"
#include "workers/account/pattern_impl.h"
#include "workers/account/strbuf.h"
#include "workers/account/unicode.h"
#include "workers/account/utf8.h"

#define DEPTH_MAX 16
#define REPEAT_MAX 64
#define NODE_MAX 1600
#define WORK_MAX 20000 /* steps of emission: nested empty repeats */

enum node_type {
	NODE_EMPTY,
	NODE_INST,   /* one instruction */
	NODE_CAT,    /* a then b */
	NODE_ALT,    /* a or b */
	NODE_REPEAT  /* a, min to max times (max -1: no end) */
};

struct node {
	enum node_type type;
	struct inst inst;
	int a;
	int b;
	int min;
	int max;
};

struct parser {
	const char *s;
	size_t len;
	size_t at;
	int depth;
	const char *why; /* first error, or NULL */
	struct pattern *p;
	struct node nodes[NODE_MAX];
	int n_nodes;
	int work;
};

static int parse_alt(struct parser *);

static int
refuse(struct parser *ps, const char *why)
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
		return refuse(ps, "too long");
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
		return (uint32_t)refuse(ps, "bad \\x or \\u");
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
			return (uint32_t)refuse(
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
		return refuse(ps, "too many character classes");
	if (first > last && first != CLASS_ESCAPE)
		return refuse(ps, "range out of order");
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
		return refuse(ps, "ends with a backslash");
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
		return (uint32_t)refuse(ps, "class without an end");
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
		refuse(ps, "range out of order");
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
		return refuse(ps, "class without an end");
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
			return refuse(ps, "look-around or named group");
		ps->at++;
	}
	if (++ps->depth > DEPTH_MAX)
		return refuse(ps, "nested too deeply");
	n = parse_alt(ps);
	ps->depth--;
	if (peek(ps) != ')')
		return refuse(ps, "group without an end");
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
		return refuse(ps, "nothing to repeat");
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
			refuse(ps, "repeats too often");
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
		refuse(ps, "range out of order");
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
		return refuse(ps, "nothing to repeat");
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

static uint32_t
emit(struct parser *ps, enum op op, uint32_t a, uint32_t b)
{
	struct pattern *p = ps->p;

	if (p->n_prog == PROG_MAX) {
		refuse(ps, "too long");
		return 0;
	}
	p->prog[p->n_prog] = (struct inst){op, a, b};
	return (uint32_t)p->n_prog++;
}

static void emit_node(struct parser *, int n);

static void
emit_repeat(struct parser *ps, const struct node *r)
{
	struct pattern *p = ps->p;
	uint32_t splits[REPEAT_MAX], split;
	int i, n = 0;

	for (i = 0; i < r->min; i++)
		emit_node(ps, r->a);
	if (r->max == -1) {
		split = emit(ps, OP_SPLIT, 0, 0);
		emit_node(ps, r->a);
		emit(ps, OP_JUMP, split, 0);
		p->prog[split].a = split + 1;
		p->prog[split].b = (uint32_t)p->n_prog;
		return;
	}
	for (; i < r->max; i++) {
		splits[n++] = split = emit(ps, OP_SPLIT, 0, 0);
		p->prog[split].a = split + 1;
		emit_node(ps, r->a);
	}
	while (n > 0)
		p->prog[splits[--n]].b = (uint32_t)p->n_prog;
}

static void
emit_node(struct parser *ps, int n)
{
	const struct node *nd = &ps->nodes[n];
	uint32_t split, jump;

	if (ps->why == NULL && ++ps->work > WORK_MAX)
		refuse(ps, "too long");
	if (ps->why != NULL)
		return;
	switch (nd->type) {
	case NODE_EMPTY:
		break;
	case NODE_INST:
		emit(ps, nd->inst.op, nd->inst.a, nd->inst.b);
		break;
	case NODE_CAT:
		emit_node(ps, nd->a);
		emit_node(ps, nd->b);
		break;
	case NODE_ALT:
		split = emit(ps, OP_SPLIT, 0, 0);
		emit_node(ps, nd->a);
		jump = emit(ps, OP_JUMP, 0, 0);
		ps->p->prog[split].a = split + 1;
		ps->p->prog[split].b = (uint32_t)ps->p->n_prog;
		emit_node(ps, nd->b);
		ps->p->prog[jump].a = (uint32_t)ps->p->n_prog;
		break;
	case NODE_REPEAT:
		emit_repeat(ps, nd);
		break;
	}
}

struct pattern *
pattern_compile(const char *source, const char **why)
{
	struct parser *ps = calloc(1, sizeof(*ps));
	struct pattern *p = calloc(1, sizeof(*p));
	int root;

	if (ps == NULL || p == NULL ||
	    (p->prog = calloc(PROG_MAX + 1, sizeof(*p->prog))) == NULL)
		fatal("calloc");
	ps->s = source;
	ps->len = strlen(source);
	ps->p = p;
	if (ps->len > PATTERN_MAX)
		refuse(ps, "too long");
	root = parse_alt(ps);
	if (ps->why == NULL && ps->at < ps->len)
		refuse(ps, "group without a start");
	emit_node(ps, root);
	emit(ps, OP_MATCH, 0, 0);
	*why = ps->why;
	if (ps->why == NULL) {
		pattern_find_starts(p);
		if (p->starts_empty)
			*why = "matches the empty text";
	}
	free(ps);
	if (*why != NULL) {
		pattern_free(p);
		return NULL;
	}
	p->prog = reallocarray(p->prog, p->n_prog, sizeof(*p->prog));
	if (p->prog == NULL)
		fatal("reallocarray");
	return p;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	free(p->prog);
	free(p);
}

/* Copy text with all punctuation escaped and blanks turned into \s+. */
static void
put_literal(struct strbuf *b, const char *s, size_t len)
{
	size_t i = 0, n;
	uint32_t cp;

	while (i < len) {
		if ((n = utf8_skip_blank(s + i, len - i)) > 0) {
			strbuf_puts(b, "\\s+");
			i += n;
			continue;
		}
		n = utf8_next(s + i, len - i, &cp);
		if (cp < 128 && (!unicode_is_word(cp)))
			strbuf_putc(b, '\\');
		strbuf_add(b, s + i, n);
		i += n;
	}
}

struct pattern *
pattern_of_literal(const char *literal)
{
	struct strbuf b = STRBUF_INIT;
	struct pattern *p = NULL;
	char *s = utf8_trim(literal), *source;
	const char *why;

	put_literal(&b, s, strlen(s));
	source = strbuf_take(&b);
	if (*source != '\0')
		p = pattern_compile(source, &why);
	free(source);
	free(s);
	return p;
}

struct pattern *
pattern_of_name(const char *name)
{
	struct strbuf b = STRBUF_INIT;
	struct pattern *p = NULL;
	char *s = utf8_trim(name), *source;
	size_t len = strlen(s);
	uint32_t first = 0;
	const char *why;

	if (len > 0) {
		utf8_next(s, len, &first);
		if (unicode_is_word(first))
			strbuf_puts(&b, "\\b");
		strbuf_puts(&b, "@?");
		put_literal(&b, s, len);
		if (unicode_is_word(utf8_before(s, len)))
			strbuf_puts(&b, "\\b");
	}
	source = strbuf_take(&b);
	if (*source != '\0')
		p = pattern_compile(source, &why);
	free(source);
	free(s);
	return p;
}
