#include "config.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/add.h"
#include "common/log.h"
#include "common/signed_context.h"
#include "workers/account/callback/buttons.h"

struct build {
	const struct buttons_opts *o;
	struct json_object *actions;
	const char *why;
};

void
buttons_nonce(char nonce[NONCE_SIZE])
{
	(void)snprintf(nonce, NONCE_SIZE, "%08x%08x%08x%08x", arc4random(),
	    arc4random(), arc4random(), arc4random());
}

void
buttons_clean_id(const char *from, char *to, unsigned size)
{
	unsigned n = 0;

	for (; *from != '\0' && n + 1 < size; from++)
		if (isalnum((unsigned char)*from))
			to[n++] = *from;
	to[n] = '\0';
}

/* A string, or a number or truth value as text; "" for anything else. */
const char *
buttons_scalar(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v))
		return "";
	switch (json_object_get_type(v)) {
	case json_type_string:
	case json_type_int:
	case json_type_double:
	case json_type_boolean:
		return json_object_get_string(v);
	default:
		return "";
	}
}

/* The first of these members that is there and not blank. */
static const char *
first_of(struct json_object *o, const char *const *keys)
{
	const char *s;

	for (; *keys != NULL; keys++) {
		s = buttons_scalar(o, *keys);
		if (s[strspn(s, " \t\r\n")] != '\0')
			return s;
	}
	return "";
}

static const char *const name_keys[] = {"label", "text", "name", NULL};
static const char *const raw_names[] = {"text", "name", "label", NULL};
static const char *const value_keys[] = {
    "value", "callbackData", "callback_data", NULL};
static const char *const raw_ids[] = {
    "id", "callback_data", "callbackData", "value", NULL};
static const char *const raw_values[] = {
    "callback_data", "callbackData", "value", "id", NULL};

static int
id_taken(const struct build *b, const char *id)
{
	size_t i, n = json_object_array_length(b->actions);

	for (i = 0; i < n; i++)
		if (strcmp(buttons_scalar(json_object_array_get_idx(b->actions, i),
			       "id"), id) == 0)
			return 1;
	return 0;
}

static void
make_id(const struct build *b, const char *from, char id[BUTTON_ID_MAX + 8])
{
	char base[BUTTON_ID_MAX];
	unsigned n;

	buttons_clean_id(from, base, sizeof(base));
	if (base[0] == '\0')
		(void)strlcpy(base, "b", sizeof(base));
	(void)strlcpy(id, base, BUTTON_ID_MAX + 8);
	for (n = 2; id_taken(b, id); n++)
		(void)snprintf(id, BUTTON_ID_MAX + 8, "%s%u", base, n);
}

static void
sign(const struct buttons_opts *o, struct json_object *ctx)
{
	char token[SIGNED_HEX_SIZE];

	json_object_object_del(ctx, CTX_TOKEN);
	add_str(ctx, CTX_CHANNEL, o->channel);
	json_object_object_add(
	    ctx, CTX_EXPIRES, json_object_new_int64(o->expires));
	json_object_object_del(ctx, CTX_NONCE);
	if (o->nonce != NULL)
		add_str(ctx, CTX_NONCE, o->nonce);
	if (signed_context_sign(o->secret, ctx, token) == 0)
		add_str(ctx, CTX_TOKEN, token);
}

struct json_object *
buttons_action(const struct buttons_opts *o, const char *id, const char *name,
    const char *style, struct json_object *ctx)
{
	struct json_object *a = json_object_new_object();
	struct json_object *in = json_object_new_object();

	add_str(ctx, CTX_ACTION, id);
	sign(o, ctx);
	add_str(in, "url", o->url);
	add_obj(in, "context", ctx);
	add_str(a, "id", id);
	add_str(a, "type", "button");
	add_str(a, "name", name);
	add_str(a, "style", *style != '\0' ? style : "default");
	add_obj(a, "integration", in);
	return a;
}

static int
is_infinite(struct json_object *v)
{
	return json_object_is_type(v, json_type_double) &&
	    !isfinite(json_object_get_double(v));
}

/* "1e999" is taken, and cannot be written: null, as JavaScript has it. */
static void
drop_infinite(struct json_object *o)
{
	struct json_object *v;
	size_t i;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value) {
			if (is_infinite(value))
				json_object_object_add(o, key, NULL);
			else
				drop_infinite(value);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (i = 0; i < json_object_array_length(o); i++) {
			v = json_object_array_get_idx(o, i);
			if (is_infinite(v))
				json_object_array_put_idx(o, i, NULL);
			else
				drop_infinite(v);
		}
	}
}

static struct json_object *
custom_context(struct json_object *entry)
{
	struct json_object *ctx = json_object_new_object(), *v, *copy;

	if (!json_object_object_get_ex(entry, "context", &v) ||
	    !json_object_is_type(v, json_type_object))
		return ctx;
	json_object_object_foreach(v, key, value) {
		copy = NULL;
		json_object_deep_copy(value, &copy, NULL);
		json_object_object_add(ctx, key, copy);
	}
	/* A click on it would be a command of whoever clicks. */
	json_object_object_del(ctx, CTX_PICKER);
	drop_infinite(ctx);
	return ctx;
}

/* Room for one more of these lengths? */
static int
fits(struct build *b, const char *name, const char *value)
{
	if (json_object_array_length(b->actions) >= BUTTONS_MAX)
		b->why = "too many buttons";
	else if (strlen(name) > BUTTON_NAME_MAX ||
	    strlen(value) > BUTTON_VALUE_MAX)
		b->why = "a button's label or value is too long";
	return b->why == NULL;
}

static void
add_button(struct build *b, struct json_object *entry, const char *name,
    const char *from, const char *value)
{
	struct json_object *ctx, *a, *v;
	char id[BUTTON_ID_MAX + 8];

	if (*name == '\0' || *from == '\0' || !fits(b, name, value))
		return;
	make_id(b, from, id);
	ctx = custom_context(entry);
	add_str(ctx, CTX_VALUE, value);
	a = buttons_action(b->o, id, name, buttons_scalar(entry, "style"), ctx);
	if (json_object_object_get_ex(entry, "disabled", &v) &&
	    json_object_get_boolean(v))
		add_bool(a, "disabled", 1);
	json_object_array_add(b->actions, a);
}

/* Rows of buttons, or buttons, or both. */
static void
add_raw(struct build *b, struct json_object *v)
{
	size_t i;

	if (json_object_is_type(v, json_type_array)) {
		for (i = 0; i < json_object_array_length(v); i++)
			add_raw(b, json_object_array_get_idx(v, i));
	} else if (json_object_is_type(v, json_type_object))
		add_button(b, v, first_of(v, raw_names), first_of(v, raw_ids),
		    first_of(v, raw_values));
}

static struct json_object *
array_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_array))
		return NULL;
	return v;
}

static size_t
length(struct json_object *a)
{
	return a == NULL ? 0 : json_object_array_length(a);
}

/*
 * The value of a button of a presentation: "" when it is only text. Of the
 * typed actions a callback is one that can be clicked.
 */
static const char *
block_value(struct json_object *button)
{
	struct json_object *action;

	if (json_object_object_get_ex(button, "action", &action) &&
	    json_object_is_type(action, json_type_object))
		return strcmp(buttons_scalar(action, "type"), "callback") == 0 ?
		    buttons_scalar(action, "value") : "";
	if (*buttons_scalar(button, "url") != '\0')
		return "";
	return first_of(button, value_keys);
}

static void
add_menu(struct build *b, struct json_object *block)
{
	struct json_object *from = array_of(block, "options"), *to, *a, *opt;
	const char *name = buttons_scalar(block, "placeholder"), *label, *value;
	char id[BUTTON_ID_MAX + 8];
	size_t i;

	to = json_object_new_array();
	for (i = 0; i < length(from) && i < 100; i++) {
		opt = json_object_array_get_idx(from, i);
		label = first_of(opt, name_keys);
		value = first_of(opt, value_keys);
		if (*label == '\0' || *value == '\0')
			continue;
		opt = json_object_new_object();
		add_str(opt, "text", label);
		add_str(opt, "value", value);
		json_object_array_add(to, opt);
	}
	if (length(to) == 0 || !fits(b, name, "")) {
		json_object_put(to);
		return;
	}
	make_id(b, *buttons_scalar(block, "id") != '\0' ? buttons_scalar(block, "id") :
						   "menu", id);
	a = buttons_action(b->o, id, *name != '\0' ? name : "Options", "",
	    json_object_new_object());
	add_str(a, "type", "select");
	add_obj(a, "options", to);
	json_object_array_add(b->actions, a);
}

static void
add_presentation(struct build *b, struct json_object *p)
{
	struct json_object *blocks = array_of(p, "blocks"), *block, *list, *e;
	const char *value;
	size_t i, j;

	for (i = 0; i < length(blocks); i++) {
		block = json_object_array_get_idx(blocks, i);
		if (strcmp(buttons_scalar(block, "type"), "select") == 0)
			add_menu(b, block);
		if (strcmp(buttons_scalar(block, "type"), "buttons") != 0)
			continue;
		list = array_of(block, "buttons");
		for (j = 0; j < length(list); j++) {
			e = json_object_array_get_idx(list, j);
			if (!json_object_is_type(e, json_type_object))
				continue;
			value = block_value(e);
			add_button(b, e, first_of(e, name_keys), value, value);
		}
	}
}

struct json_object *
buttons_props(const struct buttons_opts *o, struct json_object *buttons,
    struct json_object *presentation, const char **why)
{
	struct build b = {.o = o, .actions = json_object_new_array()};
	struct json_object *props, *att, *list;
	size_t len;

	add_raw(&b, buttons);
	add_presentation(&b, presentation);
	*why = b.why;
	if (b.why != NULL || json_object_array_length(b.actions) == 0) {
		json_object_put(b.actions);
		return NULL;
	}
	props = json_object_new_object();
	att = json_object_new_object();
	list = json_object_new_array();
	add_str(att, "text", o->text != NULL ? o->text : "");
	add_obj(att, "actions", b.actions);
	json_object_array_add(list, att);
	add_obj(props, "attachments", list);
	json_object_to_json_string_length(props, JSON_C_TO_STRING_PLAIN, &len);
	if (len <= BUTTONS_PROPS_MAX)
		return props;
	*why = "the buttons are too large for one message";
	json_object_put(props);
	return NULL;
}
