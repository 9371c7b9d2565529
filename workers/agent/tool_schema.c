#include "config.h"

#include <json-c/json.h>
#include <stddef.h>
#include <string.h>

#include "common/add.h"
#include "common/fields.h"
#include "workers/agent/tool_schema.h"

#define ACTIONS_MAX 16

int
tool_offer_read(struct tool_offer *o, struct json_object *obj)
{
	struct json_object *actions, *v;
	const char *word;
	struct fields f;
	size_t i;

	memset(o, 0, sizeof(*o));
	fields_open(&f, obj);
	actions = fields_arr(&f, "actions", ACTIONS_MAX);
	o->buttons = fields_opt_bool(&f, "buttons", 0);
	o->media = fields_opt_bool(&f, "media", 0);
	if (fields_end(&f) == -1)
		return -1;
	for (i = 0; i < json_object_array_length(actions); i++) {
		v = json_object_array_get_idx(actions, i);
		if (!json_object_is_type(v, json_type_string))
			return -1;
		word = json_object_get_string(v);
		if (strcmp(word, "send") == 0)
			o->send = 1;
		else if (strcmp(word, "react") == 0)
			o->react = 1;
		else if (strcmp(word, "read") == 0)
			o->read = 1;
		else if (strcmp(word, "broadcast") == 0)
			o->broadcast = 1;
	}
	return 0;
}

static struct json_object *
typed(const char *type, const char *about)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "type", type);
	add_str(o, "description", about);
	return o;
}

static void
prop(struct json_object *props, const char *name, const char *type,
    const char *about)
{
	json_object_object_add(props, name, typed(type, about));
}

static struct json_object *
list_of(struct json_object *items, const char *about)
{
	struct json_object *o = typed("array", about);

	add_obj(o, "items", items);
	return o;
}

static void
add_buttons(struct json_object *props)
{
	struct json_object *b = json_object_new_object(), *p, *row;

	p = json_object_new_object();
	prop(p, "text", "string", "label");
	prop(p, "callback_data", "string", "what you get back on a click");
	prop(p, "style", "string", "default, primary or danger");
	add_str(b, "type", "object");
	add_obj(b, "properties", p);
	row = list_of(b, "one row");
	add_obj(props, "buttons",
	    list_of(row, "send: buttons below the message, in rows; a click "
			 "comes to you as a message"));
}

static void
add_word(struct json_object *list, int on, const char *word)
{
	if (on)
		json_object_array_add(list, json_object_new_string(word));
}

static struct json_object *
properties(const struct tool_offer *o)
{
	struct json_object *p = json_object_new_object(), *v, *words;

	v = typed("string", "what to do");
	words = json_object_new_array();
	add_word(words, o->send, "send");
	add_word(words, o->react, "react");
	add_word(words, o->read, "read");
	add_word(words, o->broadcast, "broadcast");
	add_obj(v, "enum", words);
	add_obj(p, "action", v);
	prop(p, "target", "string",
	    "where: channel:ID, #channel-name, user:ID or @username; leave it "
	    "out for the conversation that you are in");
	if (o->broadcast)
		add_obj(p, "targets",
		    list_of(typed("string", "a target"),
			"broadcast: everywhere to send the message"));
	if (o->send) {
		prop(p, "message", "string", "send: the text, Markdown");
		prop(p, "replyTo", "string",
		    "send: id of the post to answer in its thread");
		prop(p, "topLevel", "boolean",
		    "send: outside of the current thread");
		if (o->media) {
			prop(p, "media", "string",
			    "send: URL of one file to attach");
			prop(p, "filename", "string",
			    "send: what the file is called");
		}
		if (o->buttons)
			add_buttons(p);
	}
	if (o->react) {
		prop(p, "messageId", "string", "react: id of the post");
		prop(p, "emoji", "string", "react: a name such as thumbsup");
		prop(p, "remove", "boolean", "react: take it back");
	}
	if (o->read) {
		prop(p, "limit", "integer", "read: posts, up to 200");
		prop(p, "before", "string", "read: posts before this post id");
		prop(p, "after", "string", "read: posts after this post id");
	}
	return p;
}

struct json_object *
tool_schema(const struct tool_offer *o)
{
	struct json_object *list, *tool, *f, *params, *req;

	if (!o->send && !o->react && !o->read)
		return NULL;
	req = json_object_new_array();
	json_object_array_add(req, json_object_new_string("action"));
	params = json_object_new_object();
	add_str(params, "type", "object");
	add_obj(params, "properties", properties(o));
	add_obj(params, "required", req);
	f = json_object_new_object();
	add_str(f, "name", TOOL_NAME);
	add_str(f, "description",
	    "Acts in Mattermost. Your reply itself is posted for you: use this "
	    "only for what your reply cannot do, such as posts elsewhere or "
	    "reactions. When you have already said all with it, reply with "
	    "NO_REPLY.");
	add_obj(f, "parameters", params);
	tool = json_object_new_object();
	add_str(tool, "type", "function");
	add_obj(tool, "function", f);
	list = json_object_new_array();
	json_object_array_add(list, tool);
	return list;
}
