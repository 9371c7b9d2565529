/*
 * A hash table from strings to pointers: open addressing, no order. Keys
 * are borrowed and must live as long as their entry.
 */
#ifndef MMSIM_HMAP_H
#define MMSIM_HMAP_H

#include <stddef.h>
#include <stdint.h>

struct hslot {
	const char *key; /* NULL: free; tombstone when val is NULL too */
	void *val;
	uint64_t hash;
};

struct hmap {
	struct hslot *slot;
	size_t cap;
	size_t n;    /* live entries */
	size_t used; /* live and deleted entries */
};

void *hmap_get(const struct hmap *, const char *key);
/* Replaces an entry of the same key (and its key pointer). val != NULL. */
void hmap_put(struct hmap *, const char *key, void *val);
/* The value that was there, or NULL. */
void *hmap_del(struct hmap *, const char *key);
/* *pos starts at 0. The next value, or NULL at the end. */
void *hmap_next(const struct hmap *, size_t *pos);
void hmap_free(struct hmap *);

#endif
