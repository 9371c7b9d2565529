#include "config.h"

#include <json-c/json.h>
#include <math.h>

#include "common/add.h"
#include "common/text.h"

/* A copy of each key is a fourth of what an object costs. */
void
add_obj(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add_ex(o, key, value, JSON_C_OBJECT_KEY_IS_CONSTANT);
}

void
add_str(struct json_object *o, const char *key, const char *value)
{
	add_obj(o, key, json_object_new_string(value));
}

void
add_int(struct json_object *o, const char *key, int64_t value)
{
	add_obj(o, key, json_object_new_int64(value));
}

void
add_bool(struct json_object *o, const char *key, int value)
{
	add_obj(o, key, json_object_new_boolean(value));
}

struct json_object *
add_new_double(double value)
{
	char text[TEXT_DOUBLE_SIZE];

	if (!isfinite(value))
		return json_object_new_double(value);
	text_double(value, text);
	return json_object_new_double_s(value, text);
}
