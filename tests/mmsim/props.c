#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/log.h"
#include "tests/mmsim/props.h"

/* Keys of an attachment in the order of its Go struct. */
static const char *const attachment_keys[] = {"fallback", "color", "pretext",
    "author_name", "author_link", "author_icon", "title", "title_link",
    "text", "fields", "image_url", "thumb_url", "footer", "footer_icon",
    "ts"};
/* Keys of an action, of which only id and name are always there. */
static const char *const action_keys[] = {"id", "type", "name", "disabled",
    "style", "data_source", "options", "default_option"};

static const char *
str_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

/* In the order of its Go struct. */
static void
put_integration(struct buf *b, struct json_object *in)
{
	struct json_object *v;

	buf_str(b, "{");
	if (str_of(in, "url")[0] != '\0')
		buf_kstr(b, "url", str_of(in, "url"));
	if (json_object_object_get_ex(in, "context", &v) &&
	    json_object_is_type(v, json_type_object)) {
		buf_fmt(b, "%s\"context\":", b->p[b->len - 1] == '{' ? ""
								      : ",");
		buf_value(b, v);
	}
	buf_str(b, "}");
}

static void
put_action(struct buf *b, struct json_object *a, int strip)
{
	struct json_object *v;
	char id[ID_LEN + 1];
	size_t i;

	buf_str(b, "{");
	for (i = 0; i < sizeof(action_keys) / sizeof(action_keys[0]); i++) {
		if (!strcmp(action_keys[i], "id") &&
		    str_of(a, "id")[0] == '\0') {
			id_new(id);
			buf_kstr(b, "id", id);
			continue;
		}
		if (!json_object_object_get_ex(a, action_keys[i], &v) ||
		    v == NULL ||
		    (json_object_is_type(v, json_type_string) &&
			json_object_get_string_len(v) == 0 &&
			strcmp(action_keys[i], "name") != 0) ||
		    (json_object_is_type(v, json_type_boolean) &&
			!json_object_get_boolean(v))) {
			if (!strcmp(action_keys[i], "name"))
				buf_kstr(b, "name", "");
			continue;
		}
		if (b->p[b->len - 1] != '{')
			buf_str(b, ",");
		buf_fmt(b, "\"%s\":", action_keys[i]);
		buf_value(b, v);
	}
	if (!strip && json_object_object_get_ex(a, "integration", &v) &&
	    json_object_is_type(v, json_type_object)) {
		buf_str(b, ",\"integration\":");
		put_integration(b, v);
	}
	buf_str(b, "}");
}

/* 1 when any action has an integration. */
static int
put_actions(struct buf *b, struct json_object *att, int strip)
{
	struct json_object *acts, *a, *v;
	size_t i, n, put = 0;
	int integ = 0;

	if (!json_object_object_get_ex(att, "actions", &acts) ||
	    !json_object_is_type(acts, json_type_array))
		return 0;
	n = json_object_array_length(acts);
	for (i = 0; i < n; i++) {
		a = json_object_array_get_idx(acts, i);
		if (!json_object_is_type(a, json_type_object))
			continue;
		buf_str(b, put++ ? "," : ",\"actions\":[");
		put_action(b, a, strip);
		integ |= json_object_object_get_ex(a, "integration", &v) &&
		    v != NULL;
	}
	if (put > 0)
		buf_str(b, "]");
	return integ;
}

static void
put_fields(struct buf *b, struct json_object *v)
{
	struct json_object *f, *x;
	size_t i, n;

	if (!json_object_is_type(v, json_type_array)) {
		buf_str(b, "null");
		return;
	}
	n = json_object_array_length(v);
	buf_str(b, "[");
	for (i = 0; i < n; i++) {
		f = json_object_array_get_idx(v, i);
		if (!json_object_is_type(f, json_type_object))
			continue;
		buf_str(b, i ? ",{" : "{");
		buf_kstr(b, "title", str_of(f, "title"));
		buf_str(b, ",\"value\":");
		buf_value(b, json_object_object_get(f, "value"));
		x = json_object_object_get(f, "short");
		buf_kbool(b, "short", json_object_get_boolean(x));
		buf_str(b, "}");
	}
	buf_str(b, "]");
}

static int
put_attachment(struct buf *b, struct json_object *a, int strip)
{
	const char *key;
	size_t i;
	int integ;

	buf_str(b, "{\"id\":0");
	for (i = 0; i < sizeof(attachment_keys) / sizeof(char *); i++) {
		key = attachment_keys[i];
		if (!strcmp(key, "fields") || !strcmp(key, "ts")) {
			buf_fmt(b, ",\"%s\":", key);
			if (*key == 'f')
				put_fields(b, json_object_object_get(a, key));
			else
				buf_value(b, json_object_object_get(a, key));
		} else
			buf_kstr(b, key, str_of(a, key));
	}
	integ = put_actions(b, a, strip);
	buf_str(b, "}");
	return integ;
}

static int
put_attachments(struct buf *b, struct json_object *v, int strip)
{
	struct json_object *a;
	size_t i, n;
	int integ = 0, put = 0;

	if (!json_object_is_type(v, json_type_array)) {
		buf_str(b, "null");
		return 0;
	}
	n = json_object_array_length(v);
	buf_str(b, "[");
	for (i = 0; i < n; i++) {
		a = json_object_array_get_idx(v, i);
		if (!json_object_is_type(a, json_type_object))
			continue;
		buf_str(b, put++ ? "," : "");
		integ |= put_attachment(b, a, strip);
	}
	buf_str(b, "]");
	return integ;
}

static int
key_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Keys sorted, attachments in their own shape; 1: integrations in them. */
static int
put_props(struct buf *b, struct json_object *o, int strip)
{
	size_t n = (size_t)json_object_object_length(o), i = 0;
	const char **keys = xcalloc(n, sizeof(*keys));
	struct json_object *v;
	int integ = 0;

	json_object_object_foreach(o, key, unused) {
		(void)unused;
		keys[i++] = key;
	}
	qsort(keys, n, sizeof(*keys), key_cmp);
	buf_str(b, "{");
	for (i = 0; i < n; i++) {
		buf_str(b, i ? "," : "");
		buf_jstr(b, keys[i]);
		buf_str(b, ":");
		v = json_object_object_get(o, keys[i]);
		if (!strcmp(keys[i], "attachments"))
			integ |= put_attachments(b, v, strip);
		else
			buf_value(b, v);
	}
	buf_str(b, "}");
	free(keys);
	return integ;
}

char *
props_store(struct json_object *sent, int from_bot)
{
	struct json_object *o;
	struct buf b = {0};

	if (!json_object_is_type(sent, json_type_object)) {
		buf_str(&b, from_bot == 1 ? "{\"from_bot\":\"true\"}" : "{}");
		return buf_steal(&b);
	}
	o = json_object_get(sent);
	if (from_bot == 1)
		json_object_object_add(o, "from_bot",
		    json_object_new_string("true"));
	put_props(&b, o, 0);
	json_object_put(o);
	return buf_steal(&b);
}

void
props_set(struct post *p, char *text)
{
	free(p->props);
	p->props = text;
	p->embeds = strstr(text, "\"attachments\":[{") != NULL;
	p->actions = strstr(text, "\"integration\":") != NULL;
}

void
props_render(struct buf *b, const struct post *p)
{
	struct json_object *o;

	if (!p->actions) {
		buf_str(b, p->props);
		return;
	}
	o = json_tokener_parse(p->props);
	if (o == NULL)
		fatalx("stored props are not JSON");
	put_props(b, o, 1);
	json_object_put(o);
}
