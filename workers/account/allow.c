#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/utf8.h"
#include "workers/account/allow.h"
#include "workers/account/inbound.h"

#define GROUP_PREFIX "accessGroup:"
#define GROUP_TYPE "message.senders"

struct set {
	char **items; /* sorted */
	size_t n;
};

struct allow_list {
	struct set direct;   /* entries of the list itself */
	struct set grouped;  /* members of the access groups it names */
	int wildcard;
	int group_wildcard;
	int missing;
	int unsupported;
	int n_entries;
};

static int
set_find(const struct set *set, const char *item, size_t *at)
{
	size_t lo = 0, hi = set->n, mid;
	int cmp;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		cmp = strcmp(item, set->items[mid]);
		if (cmp == 0) {
			*at = mid;
			return 1;
		}
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	*at = lo;
	return 0;
}

static void
set_add(struct set *set, char *item)
{
	size_t at;

	if (set_find(set, item, &at)) {
		free(item);
		return;
	}
	set->items = grow(set->items, set->n, sizeof(char *));
	memmove(set->items + at + 1, set->items + at,
	    (set->n - at) * sizeof(char *));
	set->items[at] = item;
	set->n++;
}

static void
set_remove(struct set *set, const char *item)
{
	size_t at;

	if (!set_find(set, item, &at))
		return;
	free(set->items[at]);
	set->n--;
	memmove(set->items + at, set->items + at + 1,
	    (set->n - at) * sizeof(char *));
}

static void
set_clear(struct set *set)
{
	while (set->n > 0)
		free(set->items[--set->n]);
	free(set->items);
}

static const char *
group_name(const char *entry)
{
	size_t len = strlen(GROUP_PREFIX);

	if (strncmp(entry, GROUP_PREFIX, len) != 0 || entry[len] == '\0')
		return NULL;
	return entry + len;
}

char *
allow_normalise(const char *entry)
{
	char *s = utf8_trim(entry), *out, *rest;
	const char *p = s;

	if (group_name(s) != NULL) {
		rest = utf8_trim(group_name(s));
		if (*rest != '\0') {
			if (asprintf(&out, GROUP_PREFIX "%s", rest) == -1)
				fatal("asprintf");
			free(rest);
			free(s);
			return out;
		}
		free(rest);
	}
	if (strncasecmp(p, "mattermost:", 11) == 0)
		p += 11;
	else if (strncasecmp(p, "user:", 5) == 0)
		p += 5;
	p += utf8_skip_blank(p, strlen(p));
	if (*p == '@')
		p++;
	rest = utf8_trim(p);
	out = utf8_lower(rest);
	free(rest);
	free(s);
	return out;
}

static void
add_members(struct allow_list *list, struct json_object *a)
{
	struct json_object *v;
	char *item;
	size_t i;

	if (!json_object_is_type(a, json_type_array))
		return;
	for (i = 0; i < json_object_array_length(a); i++) {
		v = json_object_array_get_idx(a, i);
		if (!json_object_is_type(v, json_type_string))
			continue;
		item = allow_normalise(json_object_get_string(v));
		if (strcmp(item, "*") == 0)
			list->group_wildcard = 1;
		if (*item == '\0' || *item == '*' || group_name(item) != NULL)
			free(item);
		else
			set_add(&list->grouped, item);
	}
}

static void
add_group(struct allow_list *list, struct json_object *groups, const char *name)
{
	struct json_object *g = NULL, *v = NULL, *members = NULL;

	if (!json_object_is_type(groups, json_type_object) ||
	    !json_object_object_get_ex(groups, name, &g) ||
	    !json_object_is_type(g, json_type_object)) {
		list->missing = 1;
		return;
	}
	if (!json_object_object_get_ex(g, "type", &v) ||
	    !json_object_is_type(v, json_type_string) ||
	    strcmp(json_object_get_string(v), GROUP_TYPE) != 0) {
		list->unsupported = 1;
		return;
	}
	if (!json_object_object_get_ex(g, "members", &members) ||
	    !json_object_is_type(members, json_type_object))
		return;
	if (json_object_object_get_ex(members, "*", &v))
		add_members(list, v);
	if (json_object_object_get_ex(members, "mattermost", &v))
		add_members(list, v);
}

static void
add_entry(struct allow_list *list, struct json_object *v,
    struct json_object *groups)
{
	char *item;

	if (!json_object_is_type(v, json_type_string) &&
	    !json_object_is_type(v, json_type_int) &&
	    !json_object_is_type(v, json_type_double))
		return;
	item = allow_normalise(json_object_get_string(v));
	if (*item == '\0') {
		free(item);
		return;
	}
	list->n_entries++;
	if (group_name(item) != NULL) {
		add_group(list, groups, group_name(item));
		free(item);
	} else if (strcmp(item, "*") == 0) {
		list->wildcard = 1;
		free(item);
	} else
		set_add(&list->direct, item);
}

struct allow_list *
allow_compile(struct json_object *entries, struct json_object *groups)
{
	struct allow_list *list = calloc(1, sizeof(*list));
	size_t i;

	if (list == NULL)
		fatal("calloc");
	if (!json_object_is_type(entries, json_type_array))
		return list;
	for (i = 0; i < json_object_array_length(entries); i++)
		add_entry(list, json_object_array_get_idx(entries, i), groups);
	return list;
}

void
allow_free(struct allow_list *list)
{
	if (list == NULL)
		return;
	set_clear(&list->direct);
	set_clear(&list->grouped);
	free(list);
}

int
allow_empty(const struct allow_list *list)
{
	return list->n_entries == 0;
}

int
allow_missing_group(const struct allow_list *list)
{
	return list->missing;
}

int
allow_unsupported_group(const struct allow_list *list)
{
	return list->unsupported;
}

static enum allow_match
find(const struct allow_list *list, const char *key, enum allow_match as)
{
	size_t at;

	if (*key == '\0')
		return ALLOW_NONE;
	if (set_find(&list->direct, key, &at))
		return as;
	return set_find(&list->grouped, key, &at) ? ALLOW_ACCESS_GROUP :
						    ALLOW_NONE;
}

enum allow_match
allow_find(const struct allow_list *list, const char *user_id,
    const char *name, int by_name)
{
	enum allow_match m;
	char *key;

	if (list->wildcard)
		return ALLOW_WILDCARD;
	if (list->group_wildcard)
		return ALLOW_ACCESS_GROUP;
	/* Ids of the server are in normal form as they are. */
	if ((m = find(list, user_id, ALLOW_ID)) != ALLOW_NONE)
		return m;
	if (!by_name || name == NULL)
		return ALLOW_NONE;
	key = allow_normalise(name);
	/* A display name cannot stand for a group reference: those are not
	 * among the names. */
	m = find(list, key, ALLOW_NAME);
	free(key);
	return m;
}

static void
set_names(const struct set *set, void (*fn)(const char *, void *), void *arg)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (!mm_id_valid(set->items[i]))
			fn(set->items[i], arg);
}

void
allow_names(const struct allow_list *list, void (*fn)(const char *, void *),
    void *arg)
{
	set_names(&list->direct, fn, arg);
	set_names(&list->grouped, fn, arg);
}

static void
set_resolve(struct set *set, const char *name, const char *user_id)
{
	size_t at;
	char *id;

	if (!set_find(set, name, &at))
		return;
	if ((id = strdup(user_id)) == NULL)
		fatal("strdup");
	set_remove(set, name);
	set_add(set, id);
}

void
allow_resolve(struct allow_list *list, const char *name, const char *user_id)
{
	set_resolve(&list->direct, name, user_id);
	set_resolve(&list->grouped, name, user_id);
}

/* Pairing grants a person, never everyone or a group. */
void
allow_add(struct allow_list *list, const char *entry)
{
	char *item = allow_normalise(entry);

	if (*item == '\0' || strcmp(item, "*") == 0 || group_name(item) != NULL)
		free(item);
	else {
		set_add(&list->direct, item);
		list->n_entries = (int)list->direct.n;
	}
}

void
allow_remove(struct allow_list *list, const char *entry)
{
	char *item = allow_normalise(entry);

	set_remove(&list->direct, item);
	list->n_entries = (int)list->direct.n;
	free(item);
}
