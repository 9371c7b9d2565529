#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/json5.h"
#include "daemon/json5_char.h"
#include "daemon/json5_lex.h"

static struct cval *parse_value(struct json5 *);

static void
parse_array(struct json5 *p, struct cval *v)
{
	struct cval *m;

	v->type = CVAL_ARR;
	json5_step(p);
	for (;;) {
		json5_skip_space(p);
		if (p->cur == ']' || p->failed)
			break;
		if ((m = parse_value(p)) == NULL)
			break;
		cval_append(v, m);
		json5_skip_space(p);
		if (p->cur == ']')
			break;
		if (p->cur != ',') {
			json5_unexpected(p, "',' or ']'");
			break;
		}
		json5_step(p);
	}
	json5_step(p);
}

static struct cval *
parse_member(struct json5 *p)
{
	int line = p->line, column = p->column;
	struct cval *v;
	char *key = NULL;
	size_t len = 0;

	if (p->cur == '"' || p->cur == '\'')
		key = json5_string(p, &len);
	else if (json5_is_name_start(p->cur) || p->cur == '\\')
		key = json5_name(p, &len);
	else
		json5_unexpected(p, "a name");
	if (key == NULL)
		return NULL;
	json5_skip_space(p);
	if (p->cur != ':')
		json5_unexpected(p, "':'");
	json5_step(p);
	json5_skip_space(p);
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

static void
parse_object(struct json5 *p, struct cval *v)
{
	struct cval *m;

	v->type = CVAL_OBJ;
	json5_step(p);
	for (;;) {
		json5_skip_space(p);
		if (p->cur == '}' || p->failed)
			break;
		if ((m = parse_member(p)) == NULL)
			break;
		cval_append(v, m);
		json5_skip_space(p);
		if (p->cur == '}')
			break;
		if (p->cur != ',') {
			json5_unexpected(p, "',' or '}'");
			break;
		}
		json5_step(p);
	}
	json5_step(p);
}

static void
parse_scalar(struct json5 *p, struct cval *v)
{
	if (p->cur == '"' || p->cur == '\'') {
		v->type = CVAL_STR;
		v->str = json5_string(p, &v->str_len);
	} else if (json5_word(p, "null")) {
		v->type = CVAL_NULL;
	} else if ((v->b = json5_word(p, "true")) || json5_word(p, "false")) {
		v->type = CVAL_BOOL;
	} else if (json5_is_digit(p->cur) || p->cur == '+' || p->cur == '-' ||
	    p->cur == '.' || p->cur == 'I' || p->cur == 'N') {
		json5_number(p, v);
	} else {
		json5_unexpected(p, "a value");
	}
}

/* NULL on error. */
static struct cval *
parse_value(struct json5 *p)
{
	int outer = p->opened;
	struct cval *v;

	if (p->failed)
		return NULL;
	if (++p->values > JSON5_VALUES) {
		json5_fail(p, "more than %d values", JSON5_VALUES);
		return NULL;
	}
	v = cval_new(CVAL_NULL, p->line, p->column);
	if (p->cur == '{' || p->cur == '[') {
		p->opened = p->line;
		if (++p->depth > JSON5_DEPTH)
			json5_fail(p, "nested deeper than %d", JSON5_DEPTH);
		else if (p->cur == '{')
			parse_object(p, v);
		else
			parse_array(p, v);
		p->depth--;
		p->opened = outer;
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
		json5_fail(&p, "larger than %u bytes", JSON5_SIZE);
		return NULL;
	}
	json5_load(&p);
	json5_skip_space(&p);
	v = parse_value(&p);
	json5_skip_space(&p);
	if (v != NULL && !p.failed && p.cur != JSON5_END)
		json5_unexpected(&p, "the end");
	if (v != NULL && p.failed) {
		cval_free(v);
		return NULL;
	}
	return v;
}
