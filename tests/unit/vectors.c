#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/vectors.h"

struct json_object *
vec_get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

const char *
vec_str(struct json_object *o, const char *key)
{
	struct json_object *v = vec_get(o, key);

	return v == NULL ? "" : json_object_get_string(v);
}

int
vec_bool(struct json_object *o, const char *key)
{
	return json_object_get_boolean(vec_get(o, key));
}

void
vec_put_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(
	    o, key, value == NULL ? NULL : json_object_new_string(value));
}

void
vec_put_bool(struct json_object *o, const char *key, int value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void
vec_want(struct json_object *want, struct json_object *out, const char *key)
{
	struct json_object *v = vec_get(out, key), *copy = NULL;

	if (v != NULL)
		json_object_deep_copy(v, &copy, NULL);
	json_object_object_add(want, key, copy);
}

const char *
vectors_dir(void)
{
	const char *dir = getenv("POSTERN_VECTORS");

	return dir == NULL || *dir == '\0' ? VECTORS_DIR : dir;
}

struct json_object *
vectors_load(const char *name, struct json_object **cases)
{
	struct json_object *o;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s.json", vectors_dir(), name);
	if (access(path, F_OK) == -1) {
		/* Some are of this project alone. */
		print_message("%s: is not there, ours is taken\n", path);
		snprintf(path, sizeof(path), VECTORS_DIR "/%s.json", name);
	}
	if ((o = json_object_from_file(path)) == NULL)
		fail_msg("%s: cannot be read", path);
	*cases = vec_get(o, "cases");
	assert_true(json_object_array_length(*cases) > 0);
	return o;
}

static const struct deviation *
deviation_of(const struct deviation *list, const char *name)
{
	for (; list != NULL && list->name != NULL; list++)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

static int
run_case(const char *file, struct json_object *c, vector_fn fn,
    const struct deviation *list)
{
	struct json_object *got = json_object_new_object();
	struct json_object *want = json_object_new_object();
	const char *name = vec_str(c, "name"), *g, *w;
	const struct deviation *d = deviation_of(list, name);
	int bad;

	fn(vec_get(c, "in"), vec_get(c, "out"), got, want);
	g = json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN);
	w = json_object_to_json_string_ext(want, JSON_C_TO_STRING_PLAIN);
	if (d != NULL) {
		bad = strcmp(g, d->ours) != 0;
		if (!vec_bool(c, "quirk"))
			bad = 1; /* only quirks may differ */
		w = d->ours;
	} else
		bad = strcmp(g, w) != 0;
	if (bad)
		print_error("%s: %s:\n  got  %s\n  want %s\n", file, name, g, w);
	json_object_put(got);
	json_object_put(want);
	return bad;
}

void
vectors_run(const char *name, vector_fn fn, const struct deviation *list)
{
	struct json_object *cases, *file = vectors_load(name, &cases);
	size_t i, n;
	int bad = 0;

	n = json_object_array_length(cases);
	for (i = 0; i < n; i++)
		bad += run_case(
		    name, json_object_array_get_idx(cases, i), fn, list);
	json_object_put(file);
	print_message("%s: %zu cases, %d differ\n", name, n, bad);
	assert_int_equal(bad, 0);
}
