#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"
#include "common/pattern_impl.h"
#include "common/unicode.h"
#include "common/utf8.h"

/* The states alive at one place of the text, each at most once. */
struct states {
	uint16_t list[PROG_MAX];
	uint16_t where[PROG_MAX];
	size_t n;
};

struct run {
	const struct pattern *p;
	struct states sets[2];
	uint32_t before; /* 0 at the start */
	uint32_t after;  /* 0 at the end */
	int matched;
};

int
pattern_ignores(uint32_t cp)
{
	return cp == 0xad || (cp >= 0x200b && cp <= 0x200f) ||
	    (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x2069) ||
	    cp == 0xfeff || cp == 0xfe0f;
}

static int
escape_has(uint32_t escape, uint32_t cp)
{
	switch (escape) {
	case 'd':
		return cp >= '0' && cp <= '9';
	case 'D':
		return !(cp >= '0' && cp <= '9');
	case 'w':
		return unicode_is_word(cp);
	case 'W':
		return !unicode_is_word(cp);
	case 's':
		return unicode_is_space(cp);
	default:
		return !unicode_is_space(cp);
	}
}

static int
range_has(const struct class_range *r, uint32_t cp)
{
	if (r->first == CLASS_ESCAPE)
		return escape_has(r->last, cp);
	if (cp >= r->first && cp <= r->last)
		return 1;
	/* Text is in lower case; [A-Z] means its letters all the same. */
	return cp >= 'a' && cp <= 'z' && cp - 32 >= r->first &&
	    cp - 32 <= r->last;
}

static int
pattern_class_has(
    const struct pattern *p, const struct inst *in, uint32_t cp)
{
	uint32_t i;

	for (i = 0; i < in->b; i++)
		if (range_has(&p->ranges[in->a + i], cp))
			return in->op == OP_CLASS;
	return in->op == OP_NOT_CLASS;
}

static int
holds(const struct run *run, enum op op)
{
	int edge;

	if (op == OP_START)
		return run->before == 0;
	if (op == OP_END)
		return run->after == 0;
	edge = (run->before != 0 && unicode_is_word(run->before)) !=
	    (run->after != 0 && unicode_is_word(run->after));
	return op == OP_WORD_EDGE ? edge : !edge;
}

static int
known(struct states *set, uint32_t at)
{
	return set->where[at] < set->n && set->list[set->where[at]] == at;
}

/* Add a state and all that it leads to without taking a character. */
static void
follow(struct run *run, struct states *set, uint32_t start)
{
	uint32_t stack[PROG_MAX], at;
	size_t depth = 0;
	const struct inst *in;

	stack[depth++] = start;
	while (depth > 0) {
		at = stack[--depth];
		if (known(set, at))
			continue;
		set->where[at] = (uint16_t)set->n;
		set->list[set->n++] = (uint16_t)at;
		in = &run->p->prog[at];
		if (in->op == OP_MATCH)
			run->matched = 1;
		else if (in->op == OP_JUMP)
			stack[depth++] = in->a;
		else if (in->op == OP_SPLIT) {
			stack[depth++] = in->b;
			stack[depth++] = in->a;
		} else if (in->op >= OP_START && holds(run, in->op))
			stack[depth++] = at + 1;
	}
}

static int
takes(const struct run *run, const struct inst *in, uint32_t cp)
{
	switch (in->op) {
	case OP_CHAR:
		return in->a == cp;
	case OP_ANY:
		return cp != '\n' && cp != '\r';
	case OP_CLASS:
	case OP_NOT_CLASS:
		return pattern_class_has(run->p, in, cp);
	default:
		return 0;
	}
}

static int
can_start(const struct pattern *p, uint32_t cp)
{
	if (p->starts_empty)
		return 1;
	return cp < 128 ? p->starts[cp] : p->starts_other;
}

/* The next character that counts, in lower case; 0 at the end. */
static uint32_t
next_char(const char *text, size_t len, size_t *at)
{
	uint32_t cp;

	while (*at < len) {
		*at += utf8_next(text + *at, len - *at, &cp);
		if (!pattern_ignores(cp) && cp != 0)
			return unicode_lower(cp);
	}
	return 0;
}

int
pattern_search(const struct pattern *p, const char *text, size_t len)
{
	static struct run run; /* large, and there is one thread */
	struct states *now = &run.sets[0], *then = &run.sets[1], *swap;
	size_t at = 0, i;
	uint32_t cp;

	run.p = p;
	run.before = run.matched = 0;
	now->n = then->n = 0;
	run.after = next_char(text, len, &at);
	for (;;) {
		cp = run.after;
		if (can_start(p, cp) || cp == 0)
			follow(&run, now, 0);
		if (run.matched || cp == 0)
			return run.matched;
		run.before = cp;
		run.after = next_char(text, len, &at);
		for (i = 0; i < now->n; i++)
			if (takes(&run, &p->prog[now->list[i]], cp))
				follow(&run, then, now->list[i] + 1u);
		if (run.matched)
			return 1;
		swap = now;
		now = then;
		then = swap;
		then->n = 0;
	}
}

/* Everything reachable from the start, taking every assertion for true. */
void
pattern_find_starts(struct pattern *p)
{
	unsigned char seen[PROG_MAX] = {0};
	uint32_t stack[2 * PROG_MAX], at, c;
	size_t depth = 0;
	const struct inst *in;

	stack[depth++] = 0;
	while (depth > 0) {
		at = stack[--depth];
		if (seen[at])
			continue;
		seen[at] = 1;
		in = &p->prog[at];
		if (in->op == OP_MATCH) {
			p->starts_empty = 1;
		} else if (in->op == OP_JUMP || in->op == OP_SPLIT) {
			stack[depth++] = in->a;
			if (in->op == OP_SPLIT)
				stack[depth++] = in->b;
		} else if (in->op >= OP_START) {
			stack[depth++] = at + 1;
		} else if (in->op == OP_CHAR) {
			if (in->a < 128)
				p->starts[in->a] = 1;
			else
				p->starts_other = 1;
		} else {
			p->starts_other = 1;
			for (c = 0; c < 128; c++)
				p->starts[c] |= in->op == OP_ANY ||
				    pattern_class_has(p, in, c);
		}
	}
}
