#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/fields.h"

static void
fail(struct fields *f, const char *key, const char *why)
{
	if (f->bad == NULL) {
		f->bad = key;
		f->why = why;
	}
}

void
fields_open(struct fields *f, struct json_object *obj)
{
	memset(f, 0, sizeof(*f));
	if (obj == NULL || !json_object_is_type(obj, json_type_object)) {
		fail(f, "", "not an object");
		return;
	}
	f->obj = obj;
	if (json_object_object_get_ex(obj, "t", NULL))
		f->taken++;
	if (json_object_object_get_ex(obj, "id", NULL))
		f->taken++;
}

static struct json_object *
take(struct fields *f, const char *key, int required)
{
	struct json_object *v = NULL;

	if (f->obj != NULL && json_object_object_get_ex(f->obj, key, &v)) {
		if (strcmp(key, "id") != 0 && strcmp(key, "t") != 0)
			f->taken++;
	}
	if (v == NULL && required)
		fail(f, key, "missing");
	return v;
}

static struct json_object *
take_typed(struct fields *f, const char *key, enum json_type type, int required)
{
	struct json_object *v = take(f, key, required);

	if (v != NULL && !json_object_is_type(v, type)) {
		fail(f, key, "wrong type");
		return NULL;
	}
	return v;
}

static const char *
check_str(struct fields *f, const char *key, struct json_object *v, size_t max)
{
	const char *s = json_object_get_string(v);
	size_t len = json_object_get_string_len(v);

	if (len > max) {
		fail(f, key, "too long");
		return NULL;
	}
	if (strlen(s) != len) {
		fail(f, key, "has a NUL");
		return NULL;
	}
	return s;
}

const char *
fields_str(struct fields *f, const char *key, size_t max)
{
	struct json_object *v = take_typed(f, key, json_type_string, 1);
	const char *s = v == NULL ? NULL : check_str(f, key, v, max);

	return s == NULL ? "" : s;
}

const char *
fields_opt_str(struct fields *f, const char *key, size_t max)
{
	struct json_object *v = take_typed(f, key, json_type_string, 0);

	return v == NULL ? NULL : check_str(f, key, v, max);
}

static int64_t
check_int(struct fields *f, const char *key, struct json_object *v, int64_t min,
    int64_t max)
{
	int64_t n = json_object_get_int64(v);

	if (n < min || n > max) {
		fail(f, key, "out of range");
		return 0;
	}
	return n;
}

int64_t
fields_int(struct fields *f, const char *key, int64_t min, int64_t max)
{
	struct json_object *v = take_typed(f, key, json_type_int, 1);

	return v == NULL ? 0 : check_int(f, key, v, min, max);
}

int64_t
fields_opt_int(struct fields *f, const char *key, int64_t min, int64_t max,
    int64_t dflt)
{
	struct json_object *v = take_typed(f, key, json_type_int, 0);

	return v == NULL ? dflt : check_int(f, key, v, min, max);
}

int
fields_bool(struct fields *f, const char *key)
{
	struct json_object *v = take_typed(f, key, json_type_boolean, 1);

	return v != NULL && json_object_get_boolean(v);
}

int
fields_opt_bool(struct fields *f, const char *key, int dflt)
{
	struct json_object *v = take_typed(f, key, json_type_boolean, 0);

	return v == NULL ? dflt : json_object_get_boolean(v);
}

struct json_object *
fields_obj(struct fields *f, const char *key)
{
	return take_typed(f, key, json_type_object, 1);
}

struct json_object *
fields_opt_obj(struct fields *f, const char *key)
{
	return take_typed(f, key, json_type_object, 0);
}

static struct json_object *
check_arr(struct fields *f, const char *key, struct json_object *v, size_t max)
{
	if (v != NULL && json_object_array_length(v) > max) {
		fail(f, key, "too many");
		return NULL;
	}
	return v;
}

struct json_object *
fields_arr(struct fields *f, const char *key, size_t max)
{
	return check_arr(f, key, take_typed(f, key, json_type_array, 1), max);
}

struct json_object *
fields_opt_arr(struct fields *f, const char *key, size_t max)
{
	return check_arr(f, key, take_typed(f, key, json_type_array, 0), max);
}

int
fields_ok(const struct fields *f)
{
	return f->bad == NULL ? 0 : -1;
}

int
fields_end(struct fields *f)
{
	if (f->bad == NULL && f->taken != json_object_object_length(f->obj))
		fail(f, "*", "members that nobody asked for");
	return fields_ok(f);
}

const char *
fields_error(const struct fields *f)
{
	static char buf[128];

	if (f->bad == NULL)
		return "no error";
	snprintf(buf, sizeof(buf), "%s: %s", f->bad, f->why);
	return buf;
}
