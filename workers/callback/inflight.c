#include "config.h"

#include <sys/tree.h>

#include <stdlib.h>

#include "common/log.h"
#include "common/tree.h"
#include "workers/callback/inflight.h"

struct slot {
	RB_ENTRY(slot) node;
	uint64_t key;
	unsigned n;
};

RB_HEAD(slot_tree, slot);

struct inflight {
	struct slot_tree tree;
	unsigned keys;
};

static int
slot_cmp(const struct slot *a, const struct slot *b)
{
	return a->key < b->key ? -1 : a->key > b->key;
}

RB_GENERATE_STATIC(slot_tree, slot, node, slot_cmp)

struct inflight *
inflight_new(void)
{
	struct inflight *in;

	if ((in = calloc(1, sizeof(*in))) == NULL)
		fatal("calloc");
	RB_INIT(&in->tree);
	return in;
}

void
inflight_free(struct inflight *in)
{
	struct slot *s;

	while ((s = RB_ROOT(&in->tree)) != NULL) {
		RB_REMOVE(slot_tree, &in->tree, s);
		free(s);
	}
	free(in);
}

int
inflight_begin(struct inflight *in, uint64_t key)
{
	struct slot *s, find = {.key = key};

	if ((s = RB_FIND(slot_tree, &in->tree, &find)) == NULL) {
		if (in->keys >= INFLIGHT_KEYS)
			return -1;
		if ((s = calloc(1, sizeof(*s))) == NULL)
			fatal("calloc");
		s->key = key;
		RB_INSERT(slot_tree, &in->tree, s);
		in->keys++;
	}
	if (s->n >= INFLIGHT_MAX)
		return -1;
	s->n++;
	return 0;
}

void
inflight_end(struct inflight *in, uint64_t key)
{
	struct slot *s, find = {.key = key};

	if ((s = RB_FIND(slot_tree, &in->tree, &find)) == NULL)
		return;
	if (--s->n > 0)
		return;
	RB_REMOVE(slot_tree, &in->tree, s);
	in->keys--;
	free(s);
}
