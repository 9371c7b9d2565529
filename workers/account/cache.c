#include "config.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/tree.h"
#include "workers/account/cache.h"

struct entry {
	RB_ENTRY(entry) node;
	TAILQ_ENTRY(entry) age;
	struct monotime at;
	char *value;
	char *key;
};

RB_HEAD(entry_tree, entry);

struct cache {
	struct entry_tree tree;
	TAILQ_HEAD(, entry) ages; /* oldest first */
	size_t max, n;
	int64_t ttl_ms;
};

static int
entry_cmp(const struct entry *a, const struct entry *b)
{
	return strcmp(a->key, b->key);
}

RB_GENERATE_STATIC(entry_tree, entry, node, entry_cmp)

struct cache *
cache_new(size_t max, int64_t ttl_ms)
{
	struct cache *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	RB_INIT(&c->tree);
	TAILQ_INIT(&c->ages);
	c->max = max;
	c->ttl_ms = ttl_ms;
	return c;
}

static void
entry_drop(struct cache *c, struct entry *e)
{
	RB_REMOVE(entry_tree, &c->tree, e);
	TAILQ_REMOVE(&c->ages, e, age);
	c->n--;
	free(e->key);
	free(e->value);
	free(e);
}

void
cache_free(struct cache *c)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(&c->ages)) != NULL)
		entry_drop(c, e);
	free(c);
}

static struct entry *
entry_find(struct cache *c, const char *key)
{
	struct entry want = {.key = (char *)(uintptr_t)key};

	return RB_FIND(entry_tree, &c->tree, &want);
}

const char *
cache_get(struct cache *c, const char *key, struct monotime now)
{
	struct entry *e = entry_find(c, key);

	if (e == NULL)
		return NULL;
	if (c->ttl_ms > 0 && monotime_diff(e->at, now) >= c->ttl_ms) {
		entry_drop(c, e);
		return NULL;
	}
	return e->value;
}

void
cache_put(
    struct cache *c, const char *key, const char *value, struct monotime now)
{
	struct entry *e;

	cache_forget(c, key);
	if (c->n >= c->max)
		entry_drop(c, TAILQ_FIRST(&c->ages));
	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    (e->key = strdup(key)) == NULL ||
	    (e->value = strdup(value)) == NULL)
		fatal("calloc");
	e->at = now;
	RB_INSERT(entry_tree, &c->tree, e);
	TAILQ_INSERT_TAIL(&c->ages, e, age);
	c->n++;
}

void
cache_forget(struct cache *c, const char *key)
{
	struct entry *e = entry_find(c, key);

	if (e != NULL)
		entry_drop(c, e);
}

size_t
cache_count(const struct cache *c)
{
	return c->n;
}
