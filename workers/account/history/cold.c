#include "config.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/history/cold.h"
#include "workers/account/inbound.h"

/* A thread that could not be had, and how often. */
struct failed {
	TAILQ_ENTRY(failed) entry;
	char root[MM_ID_SIZE];
	int tries;
	struct monotime last;
};

struct cold {
	TAILQ_HEAD(, failed) failed; /* the first to fail first */
	int n, flight;
};

struct cold *
cold_new(void)
{
	struct cold *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	TAILQ_INIT(&c->failed);
	return c;
}

static void
drop(struct cold *c, struct failed *f)
{
	TAILQ_REMOVE(&c->failed, f, entry);
	c->n--;
	free(f);
}

void
cold_free(struct cold *c)
{
	struct failed *f;

	while ((f = TAILQ_FIRST(&c->failed)) != NULL)
		drop(c, f);
	free(c);
}

static struct failed *
find(const struct cold *c, const char *root)
{
	struct failed *f;

	TAILQ_FOREACH(f, &c->failed, entry)
		if (strcmp(f->root, root) == 0)
			return f;
	return NULL;
}

int
cold_may(const struct cold *c, const char *root, struct monotime now)
{
	const struct failed *f;

	if (c->flight >= COLD_FLIGHT)
		return 0;
	f = find(c, root);
	return f == NULL || (f->tries < COLD_TRIES &&
	    monotime_diff(f->last, now) >= COLD_COOL_MS);
}

void
cold_begin(struct cold *c)
{
	c->flight++;
}

void
cold_end(struct cold *c)
{
	c->flight--;
}

void
cold_failed(struct cold *c, const char *root, struct monotime now)
{
	struct failed *f = find(c, root);

	if (f == NULL) {
		if (c->n >= COLD_THREADS)
			drop(c, TAILQ_FIRST(&c->failed));
		if ((f = calloc(1, sizeof(*f))) == NULL)
			fatal("calloc");
		(void)strlcpy(f->root, root, sizeof(f->root));
		TAILQ_INSERT_TAIL(&c->failed, f, entry);
		c->n++;
	}
	f->tries++;
	f->last = now;
}

void
cold_read(struct cold *c, const char *root)
{
	struct failed *f = find(c, root);

	if (f != NULL)
		drop(c, f);
}
