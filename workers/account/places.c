#include "config.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/tree.h"
#include "workers/account/inbound.h"
#include "workers/account/places.h"

struct place {
	RB_ENTRY(place) entry;
	TAILQ_ENTRY(place) age;
	int64_t value, at;
	char channel[MM_ID_SIZE];
	char root[MM_ID_SIZE];
};

RB_HEAD(place_tree, place);

struct places {
	struct place_tree tree;
	TAILQ_HEAD(, place) ages; /* the longest unused first */
	int n;
};

static int
place_cmp(const struct place *a, const struct place *b)
{
	int cmp = strcmp(a->root, b->root);

	return cmp != 0 ? cmp : strcmp(a->channel, b->channel);
}

RB_GENERATE_STATIC(place_tree, place, entry, place_cmp)

struct places *
places_new(void)
{
	struct places *ps;

	if ((ps = calloc(1, sizeof(*ps))) == NULL)
		fatal("calloc");
	RB_INIT(&ps->tree);
	TAILQ_INIT(&ps->ages);
	return ps;
}

void
places_free(struct places *ps)
{
	if (ps == NULL)
		return;
	places_clear(ps);
	free(ps);
}

int
places_count(const struct places *ps)
{
	return ps->n;
}

static struct place *
find(const struct places *ps, const char *channel, const char *root)
{
	struct place key;

	if (strlcpy(key.channel, channel, MM_ID_SIZE) >= MM_ID_SIZE ||
	    strlcpy(key.root, root, MM_ID_SIZE) >= MM_ID_SIZE)
		return NULL;
	return RB_FIND(place_tree, (struct place_tree *)(uintptr_t)&ps->tree,
	    &key);
}

static void
forget(struct places *ps, struct place *p)
{
	RB_REMOVE(place_tree, &ps->tree, p);
	TAILQ_REMOVE(&ps->ages, p, age);
	ps->n--;
	free(p);
}

int64_t
places_get(const struct places *ps, const char *channel, const char *root)
{
	const struct place *p = find(ps, channel, root);

	return p == NULL ? 0 : p->value;
}

int64_t
places_fresh(const struct places *ps, const char *channel, const char *root,
    int64_t now, int64_t life)
{
	const struct place *p = find(ps, channel, root);

	return p == NULL || now - p->at >= life ? 0 : p->value;
}

void
places_set(struct places *ps, const char *channel, const char *root,
    int64_t value, int64_t at)
{
	struct place *p = find(ps, channel, root);

	if (strlen(channel) > MM_ID_LEN || strlen(root) > MM_ID_LEN)
		return;
	if (p != NULL)
		TAILQ_REMOVE(&ps->ages, p, age);
	else {
		if (ps->n >= PLACES_MAX)
			forget(ps, TAILQ_FIRST(&ps->ages));
		if ((p = calloc(1, sizeof(*p))) == NULL)
			fatal("calloc");
		strlcpy(p->channel, channel, sizeof(p->channel));
		strlcpy(p->root, root, sizeof(p->root));
		RB_INSERT(place_tree, &ps->tree, p);
		ps->n++;
	}
	p->value = value;
	p->at = at;
	TAILQ_INSERT_TAIL(&ps->ages, p, age);
}

void
places_forget(struct places *ps, const char *channel, const char *root)
{
	struct place *p = find(ps, channel, root);

	if (p != NULL)
		forget(ps, p);
}

void
places_clear(struct places *ps)
{
	struct place *p;

	while ((p = TAILQ_FIRST(&ps->ages)) != NULL)
		forget(ps, p);
}
