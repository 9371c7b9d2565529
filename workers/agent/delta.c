#include "config.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "common/log.h"
#include "workers/agent/delta.h"

#define DEPTH 32
#define TOOLS_MAX 64
#define TOKENS_MAX 1000000000000

static struct json_object *
member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v;

	if (o == NULL || !json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

static const char *
string(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_string);

	return v == NULL ? NULL : json_object_get_string(v);
}

static int64_t
number(struct json_object *o, const char *key, int64_t dflt)
{
	struct json_object *v = member(o, key, json_type_int);

	return v == NULL ? dflt : json_object_get_int64(v);
}

/* Such figures are added up: what no model has counted is not known. */
static int64_t
tokens(struct json_object *usage, const char *key)
{
	int64_t n = number(usage, key, -1);

	return n > TOKENS_MAX ? -1 : n;
}

static struct json_object *
parse(const char *json, size_t len)
{
	static struct json_tokener *tok;
	struct json_object *o;

	if (len == 0 || len > INT_MAX)
		return NULL;
	if (tok == NULL && (tok = json_tokener_new_ex(DEPTH)) == NULL)
		fatal("json_tokener_new_ex");
	json_tokener_reset(tok);
	o = json_tokener_parse_ex(tok, json, (int)len);
	if (o == NULL || json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	return NULL;
}

/*
 * Content in parts: text parts make the answer, parts of type "thinking"
 * the reasoning.
 */
static void
join_parts(struct delta *d, struct json_object *parts)
{
	struct json_object *part;
	const char *type, *text;
	size_t i, n = json_object_array_length(parts);

	for (i = 0; i < n; i++) {
		part = json_object_array_get_idx(parts, i);
		type = string(part, "type");
		text = string(part, "text");
		if (type != NULL && strcmp(type, "thinking") == 0)
			strbuf_puts(&d->joined[1], text == NULL ? " " : text);
		else if (text != NULL)
			strbuf_puts(&d->joined[0], text);
	}
	if (d->joined[0].len > 0) {
		d->content = d->joined[0].s;
		d->content_len = d->joined[0].len;
	}
	if (d->joined[1].len > 0) {
		d->reasoning = d->joined[1].s;
		d->reasoning_len = d->joined[1].len;
	}
}

static struct json_object *
text_member(struct json_object *msg, const char *key)
{
	struct json_object *v = member(msg, key, json_type_string);

	return v == NULL || json_object_get_string_len(v) == 0 ? NULL : v;
}

/* msg: the "delta" of a chunk or the "message" of a whole completion. */
static void
take_message(struct delta *d, struct json_object *msg)
{
	struct json_object *v;

	if ((v = text_member(msg, "content")) != NULL ||
	    (v = text_member(msg, "refusal")) != NULL) {
		d->content = json_object_get_string(v);
		d->content_len = (size_t)json_object_get_string_len(v);
	} else if ((v = member(msg, "content", json_type_array)) != NULL)
		join_parts(d, v);
	if ((v = text_member(msg, "reasoning_content")) != NULL ||
	    (v = text_member(msg, "reasoning")) != NULL ||
	    (v = text_member(msg, "thinking")) != NULL) {
		d->reasoning = json_object_get_string(v);
		d->reasoning_len = (size_t)json_object_get_string_len(v);
	}
	d->tools = member(msg, "tool_calls", json_type_array);
}

static void
take_choice(struct delta *d, struct json_object *choices)
{
	struct json_object *c, *msg;

	if (choices == NULL || json_object_array_length(choices) == 0)
		return;
	c = json_object_array_get_idx(choices, 0);
	d->finish = string(c, "finish_reason");
	if ((msg = member(c, "delta", json_type_object)) == NULL)
		msg = member(c, "message", json_type_object);
	if (msg != NULL)
		take_message(d, msg);
}

/* o: the object that holds "message", "code" and "type". */
static void
take_error(struct delta *d, struct json_object *o)
{
	const char *s;

	d->is_error = 1;
	if ((s = string(o, "message")) != NULL)
		d->err_message = s;
	if ((s = string(o, "code")) != NULL || (s = string(o, "type")) != NULL)
		d->err_code = s;
	d->err_status = number(o, "code", number(o, "status", 0));
	if (d->err_status < 100 || d->err_status > 599)
		d->err_status = 0;
}

/*
 * {"error":{…}} (most), {"error":"text"} (Ollama's own API),
 * {"object":"error","message":…} (older vLLM), {"detail":"text"} (FastAPI).
 */
static void
find_error(struct delta *d)
{
	struct json_object *v;
	const char *s;

	if ((v = member(d->root, "error", json_type_object)) != NULL) {
		take_error(d, v);
		return;
	}
	s = string(d->root, "object");
	if (s != NULL && strcmp(s, "error") == 0) {
		take_error(d, d->root);
		return;
	}
	if ((s = string(d->root, "error")) != NULL ||
	    (s = string(d->root, "detail")) != NULL) {
		d->is_error = 1;
		d->err_message = s;
	}
}

int
delta_parse(struct delta *d, const char *json, size_t len)
{
	struct json_object *usage;

	memset(d, 0, sizeof(*d));
	d->err_message = d->err_code = "";
	d->prompt_tokens = d->completion_tokens = -1;
	if ((d->root = parse(json, len)) == NULL)
		return -1;
	d->model = string(d->root, "model");
	usage = member(d->root, "usage", json_type_object);
	d->prompt_tokens = tokens(usage, "prompt_tokens");
	d->completion_tokens = tokens(usage, "completion_tokens");
	find_error(d);
	if (!d->is_error)
		take_choice(d, member(d->root, "choices", json_type_array));
	return 0;
}

void
delta_free(struct delta *d)
{
	json_object_put(d->root);
	strbuf_free(&d->joined[0]);
	strbuf_free(&d->joined[1]);
	memset(d, 0, sizeof(*d));
}

size_t
delta_ntools(const struct delta *d)
{
	size_t n = d->tools == NULL ? 0 : json_object_array_length(d->tools);

	return n > TOOLS_MAX ? TOOLS_MAX : n;
}

void
delta_tool(const struct delta *d, size_t i, struct delta_tool *t)
{
	struct json_object *o = json_object_array_get_idx(d->tools, i);
	struct json_object *f = member(o, "function", json_type_object);

	t->index = number(o, "index", -1);
	t->id = string(o, "id");
	t->name = string(f, "name");
	if ((t->args = string(f, "arguments")) != NULL)
		return;
	/* Some servers give the object itself. */
	f = member(f, "arguments", json_type_object);
	t->args = f == NULL ? "" :
	    json_object_to_json_string_ext(f, JSON_C_TO_STRING_PLAIN);
}
