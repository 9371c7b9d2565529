/*
 * Members of JSON objects, as every frame and every row is made of them.
 * The object owns the new member. The key is not copied: it is a literal, or
 * lives as long as the program. Without memory a string becomes null, which
 * no reader takes for one.
 */
#ifndef COMMON_ADD_H
#define COMMON_ADD_H

#include <stdint.h>

struct json_object;

/* value: a reference that is given away; NULL: null. */
void add_obj(struct json_object *, const char *key, struct json_object *value);
/* value: UTF-8, copied; not NULL. */
void add_str(struct json_object *, const char *key, const char *value);
void add_int(struct json_object *, const char *key, int64_t value);
void add_bool(struct json_object *, const char *key, int value);
/* A number that prints as it is written, 0.1: a new reference. */
struct json_object *add_new_double(double value);

#endif
