#include "config.h"

#include <string.h>

#include <json-c/json.h>

#include "common/strbuf.h"
#include "workers/account/callback/buttons.h"

/* Parts are set apart by a blank line. */
static void
part(struct strbuf *b)
{
	if (b->len > 0)
		strbuf_puts(b, "\n\n");
}

static void
put_part(struct strbuf *b, const char *text)
{
	if (*text == '\0')
		return;
	part(b);
	strbuf_puts(b, text);
}

static const char *
label_of(struct json_object *o)
{
	const char *s = buttons_scalar(o, "label");

	return *s != '\0' ? s : buttons_scalar(o, "text");
}

static int
has_value(struct json_object *o)
{
	return *buttons_scalar(o, "value") != '\0' ||
	    *buttons_scalar(o, "callbackData") != '\0' ||
	    *buttons_scalar(o, "callback_data") != '\0';
}

/* "- label", with the address or the command that it stands for. */
static int
put_button(struct strbuf *b, struct json_object *o, int first)
{
	struct json_object *action = NULL;
	const char *label = label_of(o), *url = buttons_scalar(o, "url"), *cmd = "";

	json_object_object_get_ex(o, "action", &action);
	if (strcmp(buttons_scalar(action, "type"), "url") == 0 ||
	    strcmp(buttons_scalar(action, "type"), "web-app") == 0)
		url = buttons_scalar(action, "url");
	if (strcmp(buttons_scalar(action, "type"), "command") == 0)
		cmd = buttons_scalar(action, "command");
	if (*label == '\0' || (action == NULL && *url == '\0' && !has_value(o)))
		return 0;
	if (first)
		part(b);
	else
		strbuf_putc(b, '\n');
	strbuf_puts(b, "- ");
	strbuf_puts(b, label);
	if (*url != '\0') {
		strbuf_puts(b, ": ");
		strbuf_puts(b, url);
	} else if (*cmd != '\0') {
		strbuf_puts(b, ": `");
		strbuf_puts(b, cmd);
		strbuf_putc(b, '`');
	}
	return 1;
}

static struct json_object *
list_of(struct json_object *o, const char *key, size_t *n)
{
	struct json_object *v = NULL;

	*n = 0;
	if (json_object_is_type(o, json_type_object) &&
	    json_object_object_get_ex(o, key, &v) &&
	    json_object_is_type(v, json_type_array))
		*n = json_object_array_length(v);
	return v;
}

static void
put_select(struct strbuf *b, struct json_object *block)
{
	struct json_object *list;
	const char *head = buttons_scalar(block, "placeholder"), *label;
	size_t i, n;

	list = list_of(block, "options", &n);
	if (n == 0)
		return;
	put_part(b, *head != '\0' ? head : "Options");
	strbuf_putc(b, ':');
	for (i = 0; i < n; i++) {
		label = label_of(json_object_array_get_idx(list, i));
		if (*label == '\0')
			continue;
		strbuf_puts(b, "\n- ");
		strbuf_puts(b, label);
	}
}

static void
put_block(struct strbuf *b, struct json_object *block)
{
	struct json_object *list;
	const char *type = buttons_scalar(block, "type");
	int some = 0;
	size_t i, n;

	if (strcmp(type, "buttons") == 0) {
		list = list_of(block, "buttons", &n);
		for (i = 0; i < n; i++)
			some |= put_button(b,
			    json_object_array_get_idx(list, i), !some);
	} else if (strcmp(type, "select") == 0)
		put_select(b, block);
	else if (strcmp(type, "divider") == 0)
		put_part(b, "---");
	else
		put_part(b, buttons_scalar(block, "text"));
}

char *
buttons_text(const char *text, struct json_object *presentation)
{
	struct strbuf b = STRBUF_INIT;
	struct json_object *blocks;
	size_t i, n;

	strbuf_puts(&b, text);
	put_part(&b, buttons_scalar(presentation, "title"));
	blocks = list_of(presentation, "blocks", &n);
	for (i = 0; i < n; i++)
		put_block(&b, json_object_array_get_idx(blocks, i));
	return strbuf_take(&b);
}
