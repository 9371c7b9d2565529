#include "config.h"

#include <json-c/json.h>

#include "common/add.h"

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
