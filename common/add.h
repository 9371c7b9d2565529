/*
 * Members of JSON objects, as every frame and every row is made of them.
 * The object owns the new member; the key is copied. Without memory a string
 * becomes null, which no reader takes for one.
 */
#ifndef COMMON_ADD_H
#define COMMON_ADD_H

#include <stdint.h>

struct json_object;

/* value: UTF-8, copied; not NULL. */
void add_str(struct json_object *, const char *key, const char *value);
void add_int(struct json_object *, const char *key, int64_t value);
void add_bool(struct json_object *, const char *key, int value);

#endif
