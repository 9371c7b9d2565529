#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_private.h"
#include "daemon/json5.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Hold a tree against the table and bring its old spellings up to date. */
static void
check(struct cval *root)
{
	struct config_errors errs;
	struct config_ctx ctx = {.file = "fuzz", .errs = &errs, .root = root};
	const struct config_message *m;
	size_t i;

	config_errors_init(&errs);
	config_check(&ctx);
	config_legacy(&ctx);
	config_errors_sort(&errs);
	for (i = 0; i < errs.len; i++) {
		m = &errs.msgs[i];
		if (m->line < 0 || m->column < 0 || *m->text == '\0')
			abort();
	}
	config_errors_free(&errs);
	free(ctx.ignored);
}

/*
 * Text that is taken comes out as JSON that is taken and comes out the
 * same; text that is refused has a place and a reason.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json5_error err;
	struct json_object *one, *two;
	struct cval *v, *again, *copy;
	const char *text;

	v = json5_parse((const char *)data, size, &err);
	if (v == NULL) {
		if (err.line < 1 || err.column < 1 || err.text[0] == '\0')
			abort();
		return 0;
	}
	one = cval_json(v);
	text = json_object_to_json_string_ext(one, JSON_C_TO_STRING_PLAIN);
	again = json5_parse(text, strlen(text), &err);
	if (again == NULL)
		abort();
	two = cval_json(again);
	if (strcmp(text, json_object_to_json_string_ext(
		two, JSON_C_TO_STRING_PLAIN)) != 0)
		abort();
	json_object_put(one);
	json_object_put(two);
	cval_free(again);
	copy = cval_clone(v);
	cval_free(v);
	if (copy->type == CVAL_OBJ)
		check(copy);
	cval_free(copy);
	return 0;
}
