/*
 * Test vectors: JSON files of {"about", "cases": [{"name", "in", "out",
 * "quirk"?}]}, input and expected output, in $POSTERN_VECTORS or else in
 * tests/vectors of the source tree. A case that is marked a quirk may differ
 * here; the test then says in a struct deviation what is right and why.
 */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <json-c/json.h>
#include <stddef.h>

struct deviation {
	const char *name; /* of the case; NULL ends the list */
	const char *ours; /* expected here, as the check prints it */
	const char *why;
};

/*
 * One case: write what we get, as text, into got, and what is expected into
 * want. The texts are compared.
 */
typedef void (*vector_fn)(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want);

/*
 * Runs all cases of tests/vectors/NAME.json. got and want are objects that
 * the function fills with the same members. Fails the cmocka test, after
 * printing every case that differs.
 */
void vectors_run(const char *name, vector_fn, const struct deviation *);

/* $POSTERN_VECTORS or tests/vectors. */
const char *vectors_dir(void);
/*
 * A file of them, the caller's, and its cases; from tests/vectors when it is
 * not in the directory above. Fails when there are none.
 */
struct json_object *vectors_load(const char *name, struct json_object **cases);

/* Members of a case; NULL or "" when absent or null. */
struct json_object *vec_get(struct json_object *, const char *key);
const char *vec_str(struct json_object *, const char *key);
int vec_bool(struct json_object *, const char *key);
void vec_put_str(struct json_object *, const char *key, const char *value);
void vec_put_bool(struct json_object *, const char *key, int value);
/* Copies a member of out to want. */
void vec_want(
    struct json_object *want, struct json_object *out, const char *key);

#endif
