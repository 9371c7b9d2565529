#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/monotime.h"
#include "tests/mmsim/pending.h"

struct entry {
	struct post *post; /* NULL: reserved */
	char *id;
	int64_t at;
};

static struct hmap cache;
static struct entry *ring[PENDING_MAX];
static size_t ring_at;

static struct hmap reserved;

struct post *
pending_get(const char *id)
{
	struct entry *e = *id ? hmap_get(&cache, id) : NULL;

	if (e == NULL || monotime_now().ms - e->at >= PENDING_MS)
		return NULL;
	return e->post;
}

static void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	if (hmap_get(&cache, e->id) == e)
		hmap_del(&cache, e->id);
	free(e->id);
	free(e);
}

void
pending_put(struct post *p)
{
	struct entry *e;

	if (p->pending_id == NULL)
		return;
	entry_free(ring[ring_at]);
	e = xcalloc(1, sizeof(*e));
	e->post = p;
	e->id = xstrdup(p->pending_id);
	e->at = monotime_now().ms;
	hmap_put(&cache, e->id, e);
	ring[ring_at] = e;
	ring_at = (ring_at + 1) % PENDING_MAX;
}

void
pending_forget(void)
{
	size_t i;

	for (i = 0; i < PENDING_MAX; i++) {
		entry_free(ring[i]);
		ring[i] = NULL;
	}
	hmap_free(&cache);
	ring_at = 0;
}

int
pending_busy(const char *id)
{
	return *id && hmap_get(&reserved, id) != NULL;
}

int
pending_reserve(const char *id)
{
	char *copy;

	if (hmap_get(&reserved, id) != NULL)
		return 0;
	copy = xstrdup(id);
	hmap_put(&reserved, copy, copy);
	return 1;
}

void
pending_release(const char *id)
{
	free(hmap_del(&reserved, id));
}
