#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workers/net/internal.h"

/*
 * libcurl copies the Authorization header into the request it builds and
 * frees that as it is. Its allocations therefore carry their size, and are
 * overwritten when they are freed.
 */
#define HEAD _Alignof(max_align_t)

static void *
mem_malloc(size_t n)
{
	unsigned char *p;

	if (n > SIZE_MAX - HEAD || (p = malloc(n + HEAD)) == NULL)
		return NULL;
	memcpy(p, &n, sizeof(n));
	return p + HEAD;
}

static void *
mem_calloc(size_t nmemb, size_t n)
{
	unsigned char *p;

	if (n != 0 && nmemb > (SIZE_MAX - HEAD) / n)
		return NULL;
	n *= nmemb;
	if ((p = calloc(1, n + HEAD)) == NULL)
		return NULL;
	memcpy(p, &n, sizeof(n));
	return p + HEAD;
}

static void
mem_free(void *ptr)
{
	unsigned char *p = ptr;
	size_t n;

	if (p == NULL)
		return;
	p -= HEAD;
	memcpy(&n, p, sizeof(n));
	explicit_bzero(p + HEAD, n);
	free(p);
}

static void *
mem_realloc(void *ptr, size_t n)
{
	unsigned char *p = ptr;
	void *q;
	size_t old;

	if ((q = mem_malloc(n)) == NULL || p == NULL)
		return q;
	memcpy(&old, p - HEAD, sizeof(old));
	memcpy(q, p, old < n ? old : n);
	mem_free(p);
	return q;
}

static char *
mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p;

	if ((p = mem_malloc(n)) != NULL)
		memcpy(p, s, n);
	return p;
}

CURLcode
net_mem_init(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_malloc, mem_free,
	    mem_realloc, mem_strdup, mem_calloc);
}
