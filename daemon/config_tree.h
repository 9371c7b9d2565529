/*
 * A value as it stands in the file: typed, with its line and column.
 *
 * Trees can hold secrets: whatever is freed here is overwritten first.
 */
#ifndef DAEMON_CONFIG_TREE_H
#define DAEMON_CONFIG_TREE_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

enum cval_type {
	CVAL_NULL,
	CVAL_BOOL,
	CVAL_NUM,
	CVAL_STR,
	CVAL_ARR,
	CVAL_OBJ
};

struct cval {
	enum cval_type type;
	int line, column;
	struct cval *next; /* in its array or object */
	char *key;	   /* as a member, else NULL; always valid UTF-8 */
	size_t key_len;
	int key_line, key_column;
	int bad;	  /* did not fit the table: counts as absent */
	struct cval *first, *last; /* of an array or object */
	size_t count;
	char *str; /* NUL-terminated, no NUL inside */
	size_t str_len;
	double num;
	int64_t i; /* when is_int */
	int is_int;
	int b;
};

/* Empty, the caller's. line, column: from 1, where it stands in the file. */
struct cval *cval_new(enum cval_type, int line, int column);
/* A copy of the value, without its key. */
struct cval *cval_clone(const struct cval *);
/* Overwrites and frees the value, its key and all below. NULL is fine. */
void cval_free(struct cval *);

/* A string of len bytes; takes a copy. */
struct cval *cval_str(const char *, size_t len, int line, int column);

/* Put v at the end of an array, or of an object when it has its key. */
void cval_append(struct cval *arr, struct cval *v);
/* Add a member; a member of that name is freed first. Takes a copy of key. */
void cval_put(struct cval *obj, const char *key, struct cval *v);
/* Take a member out; NULL when there is none. It keeps its key. */
struct cval *cval_take(struct cval *obj, const char *key);

/*
 * The member of that name, or NULL: when obj is NULL or no object, when it
 * is not there, and when it did not fit the table.
 */
struct cval *cval_get(const struct cval *obj, const char *key);
/* The same along "a.b.c". */
struct cval *cval_path(const struct cval *obj, const char *path);
/* The member whatever its state. */
struct cval *cval_find(const struct cval *obj, const char *key);

/* Typed values; dflt when v is NULL or of another type. */
const char *cval_string(const struct cval *v, const char *dflt);
int cval_bool(const struct cval *v, int dflt);
int64_t cval_int(const struct cval *v, int64_t dflt);

/* "an object", "a string", ... */
const char *cval_type_name(const struct cval *);

/* Call fn for every member of obj whose name an earlier one has. */
void cval_duplicates(const struct cval *,
    void (*fn)(const struct cval *again, const struct cval *first, void *),
    void *);

/* As json-c sees it. Values that did not fit the table are left out. */
struct json_object *cval_json(const struct cval *);

#endif
