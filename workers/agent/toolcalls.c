#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/text.h"
#include "workers/agent/delta.h"
#include "workers/agent/toolcalls.h"

static char
word_char(char c)
{
	return c >= 0x21 && c < 0x7f ? c : '?';
}

static void
copy_name(char dst[TOOLCALL_NAME], const char *src)
{
	size_t i;

	for (i = 0; i + 1 < TOOLCALL_NAME && src[i] != '\0'; i++)
		dst[i] = word_char(src[i]);
	dst[i] = '\0';
}

/* A new string, or NULL when there is none that can be kept. */
static char *
copy_id(const char *src)
{
	size_t i, len = src == NULL ? 0 : strlen(src);
	char *id;

	if (len == 0 || len > TOOLCALL_ID_MAX)
		return NULL;
	if ((id = malloc(len + 1)) == NULL)
		fatal("malloc");
	for (i = 0; i < len; i++)
		id[i] = word_char(src[i]);
	id[len] = '\0';
	return id;
}

static int
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int
has(const char *s)
{
	return s != NULL && *s != '\0';
}

/*
 * The call that a numbered piece belongs to. Some servers give every call
 * the number 0: another id then begins another call.
 */
static struct toolcall *
by_index(struct toolcalls *tc, const struct delta_tool *t, const char *id)
{
	struct toolcall *c;
	size_t i;

	for (i = tc->n; i-- > 0;) {
		c = &tc->v[i];
		if (c->index != t->index)
			continue;
		if (id != NULL && c->id != NULL && !same(c->id, id))
			return NULL;
		return c;
	}
	return NULL;
}

/* Without a number: an id or a name begins a call, else it goes on. */
static struct toolcall *
by_id(struct toolcalls *tc, const struct delta_tool *t, const char *id)
{
	size_t i;

	if (id != NULL) {
		for (i = tc->n; i-- > 0;)
			if (same(tc->v[i].id, id))
				return &tc->v[i];
		return NULL;
	}
	return has(t->name) || tc->n == 0 ? NULL : &tc->v[tc->n - 1];
}

static struct toolcall *
call_new(struct toolcalls *tc, int64_t index)
{
	struct toolcall *c;

	if (tc->n == TOOLCALLS_MAX)
		return NULL;
	tc->v = grow(tc->v, tc->n, sizeof(*tc->v));
	c = &tc->v[tc->n++];
	c->index = index;
	return c;
}

static void
args_add(struct toolcalls *tc, struct toolcall *c, const char *p)
{
	size_t len = strlen(p);

	if (c->cut || len == 0)
		return;
	if (len > TOOLCALL_ARGS_MAX - c->args.len ||
	    len > TOOLCALLS_BYTES - tc->bytes) {
		c->cut = 1;
		tc->bytes -= c->args.len;
		strbuf_free(&c->args);
		return;
	}
	strbuf_add(&c->args, p, len);
	tc->bytes += len;
}

void
toolcalls_add(struct toolcalls *tc, const struct delta_tool *t)
{
	struct toolcall *c;
	char *id = copy_id(t->id);

	if (t->index >= 0)
		c = by_index(tc, t, id);
	else if (tc->dropping && !has(t->id) && !has(t->name))
		c = NULL; /* goes on where nothing is kept */
	else
		c = by_id(tc, t, id);
	tc->dropping = c == NULL && (c = call_new(tc, t->index)) == NULL;
	if (c == NULL) {
		tc->lost++;
		free(id);
		return;
	}
	if (c->id == NULL)
		c->id = id;
	else
		free(id);
	if (has(t->name) && c->name[0] == '\0')
		copy_name(c->name, t->name);
	args_add(tc, c, t->args);
}

/* Whether call n needs an id: it has none, or that of another. */
static int
needs_id(const struct toolcalls *tc, size_t n)
{
	size_t i;

	if (tc->v[n].id == NULL)
		return 1;
	for (i = 0; i < n; i++)
		if (same(tc->v[i].id, tc->v[n].id))
			return 1;
	return 0;
}

void
toolcalls_end(struct toolcalls *tc)
{
	size_t i;

	for (i = 0; i < tc->n; i++)
		if (needs_id(tc, i)) {
			free(tc->v[i].id);
			if (asprintf(&tc->v[i].id, "postern_call_%zu", i) ==
			    -1)
				fatal("asprintf");
		}
}

void
toolcalls_free(struct toolcalls *tc)
{
	size_t i;

	for (i = 0; i < tc->n; i++) {
		strbuf_free(&tc->v[i].args);
		free(tc->v[i].id);
	}
	free(tc->v);
	memset(tc, 0, sizeof(*tc));
}

static int
is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

struct json_object *
toolcall_args(const struct toolcall *c, const char **why)
{
	struct json_tokener *tok;
	struct json_object *o;
	const char *text = strbuf_str(&c->args);

	*why = NULL;
	if (c->cut) {
		*why = "the arguments of this call were too long and were "
		       "not used";
		return NULL;
	}
	if (is_blank(text))
		return json_object_new_object();
	if ((tok = json_tokener_new_ex(TOOLCALL_DEPTH)) == NULL)
		fatal("json_tokener_new_ex");
	o = json_tokener_parse_ex(tok, text, (int)c->args.len);
	if (o == NULL || !text_valid(text, c->args.len) ||
	    !json_object_is_type(o, json_type_object) ||
	    !is_blank(text + json_tokener_get_parse_end(tok))) {
		json_object_put(o);
		o = NULL;
		*why = "the arguments of this call are not a JSON object";
	}
	json_tokener_free(tok);
	return o;
}
