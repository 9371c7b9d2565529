/*
 * Typed access to a JSON object with an end check.
 *
 * A handler opens a struct fields on its message, takes every member by
 * type and bound, and closes with fields_end(): a member of the wrong type,
 * out of bounds, missing or not asked for makes that fail. Values that
 * failed read as "" , 0 or NULL, so a handler may take all and test once.
 * Strings are borrowed from the object and live as long as it does.
 */
#ifndef COMMON_FIELDS_H
#define COMMON_FIELDS_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

struct fields {
	struct json_object *obj;
	int taken;        /* members asked for and present */
	const char *bad;  /* first member that was wrong, or NULL */
	const char *why;
};

/* "t" and "id" of a frame count as taken. obj may be NULL: all is missing. */
void fields_open(struct fields *, struct json_object *obj);

/* max: bytes without the NUL. A string with a NUL inside is refused. */
const char *fields_str(struct fields *, const char *key, size_t max);
/* NULL when absent or null. */
const char *fields_opt_str(struct fields *, const char *key, size_t max);
int64_t fields_int(struct fields *, const char *key, int64_t min, int64_t max);
int64_t fields_opt_int(
    struct fields *, const char *key, int64_t min, int64_t max, int64_t dflt);
int fields_bool(struct fields *, const char *key);
int fields_opt_bool(struct fields *, const char *key, int dflt);
/* Borrowed object or array; its own content is not checked. */
struct json_object *fields_obj(struct fields *, const char *key);
struct json_object *fields_opt_obj(struct fields *, const char *key);
/* The same of an array; max: elements. */
struct json_object *fields_arr(struct fields *, const char *key, size_t max);
struct json_object *fields_opt_arr(
    struct fields *, const char *key, size_t max);

/*
 * 0 when every member was there, well typed and taken; else -1. Members
 * that nobody took are an error: two ends of a link are one version.
 */
int fields_end(struct fields *);
/* As fields_end() for data of the network: members not asked for are fine. */
int fields_ok(const struct fields *);

/* Text for a log line: "member: what is wrong". Static buffer. */
const char *fields_error(const struct fields *);

#endif
