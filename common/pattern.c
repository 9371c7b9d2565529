#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/pattern.h"
#include "common/pattern_impl.h"
#include "common/strbuf.h"
#include "common/unicode.h"
#include "common/utf8.h"

#define WORK_MAX 20000 /* steps of emission: nested empty repeats */

static uint32_t
emit(struct parser *ps, enum op op, uint32_t a, uint32_t b)
{
	struct pattern *p = ps->p;

	if (p->n_prog == PROG_MAX) {
		pattern_refuse(ps, "too long");
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
		pattern_refuse(ps, "too long");
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
		pattern_refuse(ps, "too long");
	root = pattern_parse(ps);
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
