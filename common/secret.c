#include "config.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"

#define REGION_SIZE 16384u

/*
 * Secrets are cut from regions that are locked and left out of cores. A
 * region goes back to the system when its last secret is freed.
 */
struct region {
	struct region *next;
	size_t used;
	unsigned live;
};

struct secret {
	struct region *region;
	size_t len;
	char bytes[];
};

static struct region *regions;

static struct region *
region_new(void)
{
	struct region *r;

	r = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (r == MAP_FAILED)
		fatal("mmap");
	/* Beyond the limit on locked memory it still works, only unlocked. */
	if (mlock(r, REGION_SIZE) == -1)
		log_debug("mlock: secrets may be paged out");
#ifdef MADV_DONTDUMP
	madvise(r, REGION_SIZE, MADV_DONTDUMP);
#endif
	r->next = regions;
	r->used = sizeof(*r);
	regions = r;
	return r;
}

struct secret *
secret_new(const char *bytes, size_t len)
{
	struct region *r;
	struct secret *s;
	size_t need;

	if (len == 0 || len > SECRET_MAX)
		return NULL;
	need = (sizeof(*s) + len + 1 + 15) & ~(size_t)15;
	for (r = regions; r != NULL; r = r->next)
		if (REGION_SIZE - r->used >= need)
			break;
	if (r == NULL)
		r = region_new();
	s = (struct secret *)((char *)r + r->used);
	r->used += need;
	r->live++;
	s->region = r;
	s->len = len;
	memcpy(s->bytes, bytes, len);
	s->bytes[len] = '\0';
	return s;
}

void
secret_free(struct secret *s)
{
	struct region *r, **p;

	if (s == NULL)
		return;
	r = s->region;
	explicit_bzero(s->bytes, s->len);
	if (--r->live > 0)
		return;
	for (p = &regions; *p != r; p = &(*p)->next)
		continue;
	*p = r->next;
	munmap(r, REGION_SIZE);
}

const char *
secret_bytes(const struct secret *s)
{
	return s->bytes;
}

size_t
secret_len(const struct secret *s)
{
	return s->len;
}

int
secret_equal(const struct secret *a, const struct secret *b)
{
	unsigned char diff = 0;
	size_t i;

	if (a == NULL || b == NULL || a->len != b->len)
		return 0;
	for (i = 0; i < a->len; i++)
		diff |= (unsigned char)(a->bytes[i] ^ b->bytes[i]);
	return diff == 0;
}
