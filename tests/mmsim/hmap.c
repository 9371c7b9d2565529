#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/mmsim/buf.h"
#include "tests/mmsim/hmap.h"

static const char deleted[] = "";

static uint64_t
hash_str(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h ^ h >> 29;
}

static struct hslot *
find(const struct hmap *m, const char *key, uint64_t h)
{
	size_t i = h & (m->cap - 1);

	for (;; i = (i + 1) & (m->cap - 1)) {
		struct hslot *s = &m->slot[i];

		if (s->key == NULL)
			return NULL;
		if (s->val != NULL && s->hash == h && !strcmp(s->key, key))
			return s;
	}
}

static void
insert(struct hmap *m, const char *key, void *val, uint64_t h)
{
	size_t i = h & (m->cap - 1);

	while (m->slot[i].key != NULL)
		i = (i + 1) & (m->cap - 1);
	m->slot[i] = (struct hslot){key, val, h};
	m->n++;
	m->used++;
}

static void
resize(struct hmap *m)
{
	struct hslot *old = m->slot;
	size_t cap = m->cap, i;

	m->cap = m->n * 4 < cap ? cap : cap ? cap * 2 : 16;
	m->slot = xcalloc(m->cap, sizeof(*m->slot));
	m->n = m->used = 0;
	for (i = 0; i < cap; i++)
		if (old[i].val != NULL)
			insert(m, old[i].key, old[i].val, old[i].hash);
	free(old);
}

void *
hmap_get(const struct hmap *m, const char *key)
{
	struct hslot *s;

	if (m->cap == 0)
		return NULL;
	s = find(m, key, hash_str(key));
	return s ? s->val : NULL;
}

void
hmap_put(struct hmap *m, const char *key, void *val)
{
	uint64_t h = hash_str(key);
	struct hslot *s = m->cap ? find(m, key, h) : NULL;

	if (s != NULL) {
		s->key = key;
		s->val = val;
		return;
	}
	if ((m->used + 1) * 3 > m->cap * 2)
		resize(m);
	insert(m, key, val, h);
}

void *
hmap_del(struct hmap *m, const char *key)
{
	struct hslot *s = m->cap ? find(m, key, hash_str(key)) : NULL;
	void *val;

	if (s == NULL)
		return NULL;
	val = s->val;
	s->val = NULL;
	s->key = deleted;
	m->n--;
	return val;
}

void *
hmap_next(const struct hmap *m, size_t *pos)
{
	while (*pos < m->cap) {
		struct hslot *s = &m->slot[(*pos)++];

		if (s->val != NULL)
			return s->val;
	}
	return NULL;
}

void
hmap_free(struct hmap *m)
{
	free(m->slot);
	memset(m, 0, sizeof(*m));
}
