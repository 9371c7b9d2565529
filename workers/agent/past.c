#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "common/add.h"
#include "common/proto.h"
#include "workers/agent/answer.h"
#include "workers/agent/past.h"

#define MESSAGE_COST 16 /* bytes that a message has beside its text */
#define CUT " [cut]"

static const char *
str(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

static struct json_object *
calls_of(struct json_object *m)
{
	struct json_object *v;

	if (!json_object_object_get_ex(m, "tool_calls", &v) ||
	    !json_object_is_type(v, json_type_array) ||
	    json_object_array_length(v) == 0)
		return NULL;
	return v;
}

static struct json_object *
plain(const char *role, const char *content)
{
	struct json_object *m = json_object_new_object();

	add_str(m, "role", role);
	add_str(m, "content", content);
	return m;
}

/* A call with the members that it must have, and no others; or NULL. */
static struct json_object *
call_copy(struct json_object *call)
{
	struct json_object *f, *c, *g;
	const char *id = str(call, "id"), *name, *args;

	if (id == NULL || *id == '\0' ||
	    !json_object_object_get_ex(call, "function", &f) ||
	    (name = str(f, "name")) == NULL || *name == '\0' ||
	    (args = str(f, "arguments")) == NULL)
		return NULL;
	g = json_object_new_object();
	add_str(g, "name", name);
	add_str(g, "arguments", args);
	c = json_object_new_object();
	add_str(c, "id", id);
	add_str(c, "type", "function");
	add_obj(c, "function", g);
	return c;
}

/*
 * Messages of one group, the assistant's and a result for each call, copied
 * behind out. 0 when it is not whole; out is then as it was.
 */
static size_t
group_copy(struct json_object *history, size_t at, struct json_object *out)
{
	struct json_object *m = json_object_array_get_idx(history, at), *r;
	struct json_object *calls = calls_of(m), *list, *c, *msg;
	size_t i, n = json_object_array_length(calls);
	size_t before = json_object_array_length(out);
	const char *id, *text, *role;

	list = json_object_new_array();
	msg = plain("assistant", str(m, "content") == NULL
				     ? "" : str(m, "content"));
	add_obj(msg, "tool_calls", list);
	json_object_array_add(out, msg);
	for (i = 0; i < n; i++) {
		c = call_copy(json_object_array_get_idx(calls, i));
		r = json_object_array_get_idx(history, at + 1 + i);
		id = str(r, "tool_call_id");
		text = str(r, "content");
		role = str(r, "role");
		if (c == NULL || role == NULL || strcmp(role, "tool") != 0 ||
		    id == NULL || strcmp(id, str(c, "id")) != 0 ||
		    text == NULL) {
			json_object_put(c);
			json_object_array_del_idx(out, before,
			    json_object_array_length(out) - before);
			return 0;
		}
		json_object_array_add(list, c);
		msg = plain("tool", text);
		add_str(msg, "tool_call_id", id);
		json_object_array_add(out, msg);
	}
	return n + 1;
}

/* Nobody gets into the system role through the history. */
static struct json_object *
clean(struct json_object *history, int tools)
{
	struct json_object *out = json_object_new_array(), *m;
	size_t i, took, n;
	const char *role, *text;

	n = history == NULL ? 0 : json_object_array_length(history);
	for (i = 0; i < n; i += took) {
		m = json_object_array_get_idx(history, i);
		role = str(m, "role");
		text = str(m, "content");
		took = 1;
		if (role == NULL)
			continue;
		if (strcmp(role, "user") == 0 && text != NULL)
			json_object_array_add(out, plain("user", text));
		else if (strcmp(role, "assistant") != 0)
			continue;
		else if (calls_of(m) == NULL) {
			if (text != NULL)
				json_object_array_add(
				    out, plain("assistant", text));
		} else if (tools && (took = group_copy(history, i, out)) == 0)
			took = 1;
	}
	return out;
}

static size_t
message_size(struct json_object *m)
{
	struct json_object *calls = calls_of(m);
	const char *text = str(m, "content");
	size_t n = MESSAGE_COST + (text == NULL ? 0 : strlen(text)), len;

	if (calls != NULL) {
		json_object_to_json_string_length(
		    calls, JSON_C_TO_STRING_PLAIN, &len);
		n += len;
	}
	return n;
}

size_t
past_size(struct json_object *messages)
{
	size_t i, used = 0;

	for (i = 0; i < json_object_array_length(messages); i++)
		used += message_size(json_object_array_get_idx(messages, i));
	return used;
}

struct json_object *
past_trim(struct json_object *history, size_t budget, int tools)
{
	struct json_object *out = clean(history, tools), *m;
	size_t i, start, used = 0;

	/* Groups lie between two of the user's: none is cut in two. */
	for (start = i = json_object_array_length(out); i-- > 0;) {
		m = json_object_array_get_idx(out, i);
		used += message_size(m);
		if (used > budget)
			break;
		if (strcmp(str(m, "role"), "user") == 0)
			start = i;
	}
	json_object_array_del_idx(out, 0, start);
	return out;
}

/* Keeping */

static void
cut_content(struct json_object *m)
{
	const char *text = str(m, "content");
	size_t len = text == NULL ? 0 : strlen(text);
	char buf[PAST_RESULT_MAX + sizeof(CUT)];

	if (len <= PAST_RESULT_MAX)
		return;
	len = answer_prefix(text, len, PAST_RESULT_MAX);
	memcpy(buf, text, len);
	memcpy(buf + len, CUT, sizeof(CUT));
	add_str(m, "content", buf);
}

/* Half of an object is no JSON: long arguments are left out whole. */
static void
cut_args(struct json_object *calls)
{
	struct json_object *f;
	size_t i;

	for (i = 0; i < json_object_array_length(calls); i++) {
		json_object_object_get_ex(
		    json_object_array_get_idx(calls, i), "function", &f);
		if (strlen(str(f, "arguments")) > PAST_ARGS_MAX)
			add_str(f, "arguments", "{\"left_out\":true}");
	}
}

static size_t
json_size(struct json_object *o)
{
	size_t len;

	json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &len);
	return len;
}

struct json_object *
past_record(struct json_object *added)
{
	struct json_object *out = clean(added, 1), *m;
	size_t i;

	for (i = 0; i < json_object_array_length(out); i++) {
		m = json_object_array_get_idx(out, i);
		cut_content(m);
		if (calls_of(m) != NULL)
			cut_args(calls_of(m));
	}
	/* Beside them are the message and its answer. */
	while (json_size(out) > PAST_TOOLS_MAX ||
	    json_object_array_length(out) > PROTO_TRANSCRIPT - 2) {
		m = json_object_array_get_idx(out, 0);
		i = calls_of(m) == NULL
			? 0 : json_object_array_length(calls_of(m));
		json_object_array_del_idx(out, 0, i + 1);
	}
	return out;
}
