#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/signed_context.h"
#include "common/text.h"
#include "common/utf8.h"
#include "workers/account/callback/buttons.h"
#include "workers/account/media/media_type.h"
#include "workers/account/target.h"
#include "workers/account/text/chunk.h"
#include "workers/account/text/emoji.h"
#include "workers/account/tool/tool_args.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define DEPTH 16 /* of a frame */
#define SECRET \
	"495fab2303295954f15b41374c74806a600657e0d2834e514023aa49ac814081"
#define CHANNEL "c10123456789abcdefghijklmn"
#define NONCE "0123456789abcdef0123456789abcdef"
#define EXPIRES 1795341160

static struct json_object *
parse(const uint8_t *data, size_t size)
{
	struct json_tokener *tok;
	struct json_object *o;

	if (!text_valid((const char *)data, size))
		return NULL;
	tok = json_tokener_new_ex(DEPTH);
	o = json_tokener_parse_ex(tok, (const char *)data, (int)size);
	json_tokener_free(tok);
	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		abort();
	return v;
}

static const char *
str(struct json_object *o, const char *key)
{
	return json_object_get_string(get(o, key));
}

/* Whatever the model has written into it, the context is ours. */
static void
check_context(struct json_object *ctx, const char *id)
{
	struct json_object *again;
	const char *text;

	if (strcmp(str(ctx, CTX_CHANNEL), CHANNEL) != 0 ||
	    json_object_get_int64(get(ctx, CTX_EXPIRES)) != EXPIRES ||
	    strcmp(str(ctx, CTX_NONCE), NONCE) != 0 ||
	    strcmp(str(ctx, CTX_ACTION), id) != 0)
		abort();
	if (!json_object_object_get_ex(ctx, CTX_TOKEN, NULL))
		return; /* too deep: nobody can click it */
	if (!signed_context_verify(SECRET, ctx, str(ctx, CTX_TOKEN)))
		abort();
	/* As the server gives it back. */
	text = json_object_to_json_string_ext(ctx, JSON_C_TO_STRING_PLAIN);
	again = signed_context_parse(text, strlen(text));
	if (again == NULL ||
	    !signed_context_verify(SECRET, again, str(ctx, CTX_TOKEN)))
		abort();
	json_object_put(again);
}

static void
check_props(struct json_object *props)
{
	struct json_object *list, *a;
	size_t i, k, n, len;
	char clean[BUTTON_ID_MAX + 8];
	const char *id;

	json_object_to_json_string_length(props, JSON_C_TO_STRING_PLAIN, &len);
	list = get(json_object_array_get_idx(get(props, "attachments"), 0),
	    "actions");
	n = json_object_array_length(list);
	if (n == 0 || n > BUTTONS_MAX || len > BUTTONS_PROPS_MAX)
		abort();
	for (i = 0; i < n; i++) {
		a = json_object_array_get_idx(list, i);
		id = str(a, "id");
		buttons_clean_id(id, clean, sizeof(clean));
		if (*id == '\0' || strcmp(id, clean) != 0 ||
		    strlen(str(a, "name")) > BUTTON_NAME_MAX)
			abort();
		for (k = 0; k < i; k++)
			if (strcmp(id, str(json_object_array_get_idx(list, k),
				"id")) == 0)
				abort();
		check_context(get(get(a, "integration"), "context"), id);
	}
}

static void
check_text(const char *text)
{
	char **v;
	size_t i, n;

	if (*text != '\0' && !text_valid(text, strlen(text)))
		abort();
	v = chunk_newline(text, 4000, &n);
	for (i = 0; i < n; i++)
		if (*v[i] == '\0' || !text_valid(v[i], strlen(v[i])))
			abort();
	chunk_free(v, n);
}

static void
check_send(const struct tool_args *t)
{
	static const struct buttons_opts opts = {SECRET, "http://127.0.0.1/x",
	    CHANNEL, NONCE, EXPIRES, NULL};
	struct json_object *props;
	const char *why = NULL;
	char *text, name[MEDIA_NAME_MAX + 1];

	text = buttons_text(t->text, t->presentation);
	check_text(text);
	free(text);
	props = buttons_props(&opts, t->buttons, t->presentation, &why);
	if (props != NULL)
		check_props(props);
	json_object_put(props);
	if (t->media == NULL)
		return;
	media_name(name, t->filename != NULL ? t->filename : t->media);
	if (*name == '\0' || strpbrk(name, "/\\\"\r\n") != NULL ||
	    !text_valid(name, strlen(name)))
		abort();
}

static void
check_targets(const struct tool_args *t)
{
	struct tool_args one;
	size_t i, n;

	n = json_object_array_length(t->targets);
	if (n == 0 || n > TOOL_TARGETS_MAX || t->target != NULL)
		abort();
	for (i = 0; i < n; i++) {
		tool_args_one(t, json_object_get_string(
		    json_object_array_get_idx(t->targets, i)), &one);
		if (one.action != TOOL_SEND || *one.target == '\0')
			abort();
		tool_args_clear(&one);
	}
}

static void
check_args(const struct tool_args *t)
{
	struct target to;
	char *s;

	if ((t->action == TOOL_BAD) != (t->error != NULL))
		abort();
	if (t->target != NULL) {
		target_parse(t->target, &to);
		if ((to.kind == TARGET_BAD) != (to.value == NULL))
			abort();
		target_clear(&to);
	}
	switch (t->action) {
	case TOOL_BROADCAST:
		check_targets(t);
		/* FALLTHROUGH */
	case TOOL_SEND:
		check_send(t);
		break;
	case TOOL_REACT:
		if (!mm_id_valid(t->post) || t->emoji == NULL)
			abort();
		if ((s = emoji_name(t->emoji)) != NULL)
			(void)emoji_name_valid(s);
		free(s);
		break;
	case TOOL_READ:
		if (t->limit < 1 || t->limit > READ_LIMIT_MAX ||
		    (t->before[0] != '\0' && t->after[0] != '\0'))
			abort();
		break;
	default:
		break;
	}
}

/* The arguments of a call of the message tool, as a model writes them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *o;
	struct tool_args t;

	if (size > 65536 || (o = parse(data, size)) == NULL)
		return 0;
	tool_args_parse(o, "a", &t);
	check_args(&t);
	tool_args_clear(&t);
	json_object_put(o);
	return 0;
}
