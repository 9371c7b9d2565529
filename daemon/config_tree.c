#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "daemon/config_tree.h"

/* Objects up to this size are searched for duplicates pair by pair. */
#define DUP_PAIRWISE 16

struct cval *
cval_new(enum cval_type type, int line, int column)
{
	struct cval *v = calloc(1, sizeof(*v));

	if (v == NULL)
		fatal("calloc");
	v->type = type;
	v->line = line;
	v->column = column;
	return v;
}

static char *
copy_bytes(const char *s, size_t len)
{
	char *p = malloc(len + 1);

	if (p == NULL)
		fatal("malloc");
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

struct cval *
cval_str(const char *s, size_t len, int line, int column)
{
	struct cval *v = cval_new(CVAL_STR, line, column);

	v->str = copy_bytes(s, len);
	v->str_len = len;
	return v;
}

struct cval *
cval_clone(const struct cval *from)
{
	struct cval *v = cval_new(from->type, from->line, from->column), *c;
	const struct cval *m;

	v->bad = from->bad;
	v->num = from->num;
	v->i = from->i;
	v->is_int = from->is_int;
	v->b = from->b;
	if (from->str != NULL) {
		v->str = copy_bytes(from->str, from->str_len);
		v->str_len = from->str_len;
	}
	for (m = from->first; m != NULL; m = m->next) {
		c = cval_clone(m);
		if (m->key != NULL) {
			c->key = copy_bytes(m->key, m->key_len);
			c->key_len = m->key_len;
			c->key_line = m->key_line;
			c->key_column = m->key_column;
		}
		cval_append(v, c);
	}
	return v;
}

void
cval_free(struct cval *v)
{
	struct cval *m;

	if (v == NULL)
		return;
	while ((m = v->first) != NULL) {
		v->first = m->next;
		cval_free(m);
	}
	if (v->str != NULL)
		freezero(v->str, v->str_len);
	free(v->key);
	freezero(v, sizeof(*v));
}

void
cval_append(struct cval *arr, struct cval *v)
{
	v->next = NULL;
	if (arr->last == NULL)
		arr->first = v;
	else
		arr->last->next = v;
	arr->last = v;
	arr->count++;
}

struct cval *
cval_take(struct cval *obj, const char *key)
{
	struct cval *prev = NULL, *m;

	if (obj == NULL || obj->type != CVAL_OBJ)
		return NULL;
	for (m = obj->first; m != NULL; prev = m, m = m->next)
		if (strcmp(m->key, key) == 0)
			break;
	if (m == NULL)
		return NULL;
	if (prev == NULL)
		obj->first = m->next;
	else
		prev->next = m->next;
	if (obj->last == m)
		obj->last = prev;
	obj->count--;
	m->next = NULL;
	return m;
}

void
cval_put(struct cval *obj, const char *key, struct cval *v)
{
	char *copy = copy_bytes(key, strlen(key));

	cval_free(cval_take(obj, key));
	free(v->key);
	v->key = copy;
	v->key_len = strlen(copy);
	if (v->key_line == 0) {
		v->key_line = v->line;
		v->key_column = v->column;
	}
	cval_append(obj, v);
}

struct cval *
cval_find(const struct cval *obj, const char *key)
{
	struct cval *m;

	if (obj == NULL || obj->type != CVAL_OBJ)
		return NULL;
	for (m = obj->first; m != NULL; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

struct cval *
cval_get(const struct cval *obj, const char *key)
{
	struct cval *m = cval_find(obj, key);

	return m == NULL || m->bad ? NULL : m;
}

struct cval *
cval_path(const struct cval *obj, const char *path)
{
	const struct cval *v = obj;
	const char *dot;
	char name[64];
	size_t len;

	for (;;) {
		dot = strchr(path, '.');
		len = dot == NULL ? strlen(path) : (size_t)(dot - path);
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		v = cval_get(v, name);
		if (v == NULL || dot == NULL)
			return (struct cval *)v;
		path = dot + 1;
	}
}

const char *
cval_string(const struct cval *v, const char *dflt)
{
	return v == NULL || v->type != CVAL_STR ? dflt : v->str;
}

int
cval_bool(const struct cval *v, int dflt)
{
	return v == NULL || v->type != CVAL_BOOL ? dflt : v->b;
}

int64_t
cval_int(const struct cval *v, int64_t dflt)
{
	return v == NULL || v->type != CVAL_NUM || !v->is_int ? dflt : v->i;
}

const char *
cval_type_name(const struct cval *v)
{
	switch (v->type) {
	case CVAL_NULL:
		return "null";
	case CVAL_BOOL:
		return v->b ? "true" : "false";
	case CVAL_NUM:
		return "a number";
	case CVAL_STR:
		return "a string";
	case CVAL_ARR:
		return "an array";
	case CVAL_OBJ:
		return "an object";
	}
	return "";
}

static int
compare_keys(const void *a, const void *b)
{
	const struct cval *x = *(struct cval *const *)a;
	const struct cval *y = *(struct cval *const *)b;
	int c = strcmp(x->key, y->key);

	if (c != 0)
		return c;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_column < y->key_column ? -1 : 1;
}

static void
duplicates_sorted(const struct cval *obj,
    void (*fn)(const struct cval *, const struct cval *, void *), void *arg)
{
	struct cval **list = reallocarray(NULL, obj->count, sizeof(*list)), *m;
	size_t n = 0, i, first = 0;

	if (list == NULL)
		fatal("reallocarray");
	for (m = obj->first; m != NULL; m = m->next)
		list[n++] = m;
	qsort(list, n, sizeof(*list), compare_keys);
	for (i = 1; i < n; i++) {
		if (strcmp(list[i]->key, list[first]->key) == 0)
			fn(list[i], list[first], arg);
		else
			first = i;
	}
	free(list);
}

void
cval_duplicates(const struct cval *v,
    void (*fn)(const struct cval *, const struct cval *, void *), void *arg)
{
	const struct cval *m, *before;

	if (v->type != CVAL_OBJ)
		return;
	if (v->count > DUP_PAIRWISE) {
		duplicates_sorted(v, fn, arg);
		return;
	}
	for (m = v->first; m != NULL; m = m->next)
		for (before = v->first; before != m; before = before->next)
			if (strcmp(before->key, m->key) == 0) {
				fn(m, before, arg);
				break;
			}
}

static struct json_object *
json_of_list(const struct cval *v)
{
	struct json_object *list;
	const struct cval *m;

	list = v->type == CVAL_ARR ? json_object_new_array()
				   : json_object_new_object();
	if (list == NULL)
		fatalx("out of memory");
	for (m = v->first; m != NULL; m = m->next) {
		if (m->bad)
			continue;
		if (v->type == CVAL_ARR)
			json_object_array_add(list, cval_json(m));
		else
			json_object_object_add(list, m->key, cval_json(m));
	}
	return list;
}

struct json_object *
cval_json(const struct cval *v)
{
	switch (v->type) {
	case CVAL_NULL:
		return NULL;
	case CVAL_BOOL:
		return json_object_new_boolean(v->b);
	case CVAL_NUM:
		return v->is_int ? json_object_new_int64(v->i)
				 : add_new_double(v->num);
	case CVAL_STR:
		return json_object_new_string_len(v->str, (int)v->str_len);
	case CVAL_ARR:
	case CVAL_OBJ:
		return json_of_list(v);
	}
	return NULL;
}
