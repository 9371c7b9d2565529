#include "config.h"

#include <sys/queue.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/tree.h"
#include "workers/account/inbound.h"
#include "workers/account/seen.h"

#define SEEN_MAX 4096

struct seen_id {
	RB_ENTRY(seen_id) entry;
	TAILQ_ENTRY(seen_id) age;
	char id[];
};

RB_HEAD(seen_tree, seen_id);

struct seen {
	struct seen_tree tree;
	TAILQ_HEAD(, seen_id) ages; /* oldest first */
	int n;
};

static int
seen_cmp(const struct seen_id *a, const struct seen_id *b)
{
	return strcmp(a->id, b->id);
}

RB_GENERATE_STATIC(seen_tree, seen_id, entry, seen_cmp)

struct seen *
seen_new(void)
{
	struct seen *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("calloc");
	RB_INIT(&s->tree);
	TAILQ_INIT(&s->ages);
	return s;
}

static void
seen_drop(struct seen *s, struct seen_id *i)
{
	RB_REMOVE(seen_tree, &s->tree, i);
	TAILQ_REMOVE(&s->ages, i, age);
	s->n--;
	free(i);
}

static struct seen_id *
id_new(const char *id)
{
	size_t len = strlen(id) + 1;
	struct seen_id *i;

	if ((i = malloc(sizeof(*i) + len)) == NULL)
		fatal("malloc");
	memcpy(i->id, id, len);
	return i;
}

int
seen_add(struct seen *s, const char *id)
{
	struct seen_id *i = id_new(id);

	if (RB_INSERT(seen_tree, &s->tree, i) != NULL) {
		free(i);
		return 1;
	}
	TAILQ_INSERT_TAIL(&s->ages, i, age);
	if (++s->n > SEEN_MAX)
		seen_drop(s, TAILQ_FIRST(&s->ages));
	return 0;
}

void
seen_forget(struct seen *s, const char *id)
{
	struct seen_id *key = id_new(id), *i;

	if ((i = RB_FIND(seen_tree, &s->tree, key)) != NULL)
		seen_drop(s, i);
	free(key);
}
