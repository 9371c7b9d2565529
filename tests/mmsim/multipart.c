#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/mmsim/buf.h"
#include "tests/mmsim/multipart.h"

#define BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */

static int
boundary_of(const char *type, char *out, size_t size)
{
	const char *p = strcasestr(type, "boundary=");
	size_t n;

	if (p == NULL)
		return -1;
	p += 9;
	if (*p == '"')
		n = strcspn(++p, "\"");
	else
		n = strcspn(p, "; \t");
	if (n == 0 || n > BOUNDARY_MAX)
		return -1;
	snprintf(out, size, "\r\n--%.*s", (int)n, p);
	return 0;
}

/* The quoted parameter of a header line, with \" undone; or NULL. */
static char *
param(const char *head, size_t len, const char *name)
{
	struct buf b = {0}, key = {0};
	char *copy = xmalloc(len + 1);
	const char *p;

	memcpy(copy, head, len);
	copy[len] = '\0';
	buf_fmt(&key, " %s=\"", name);
	p = strcasestr(copy, key.p);
	if (p == NULL) {
		free(copy);
		buf_free(&key);
		return NULL;
	}
	for (p += key.len; *p && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		buf_add(&b, p, 1);
	}
	free(copy);
	buf_free(&key);
	return buf_steal(&b);
}

/* One part from p to end (without the delimiter). */
static int
part_parse(struct part *part, const char *p, const char *end)
{
	const char *body = memmem(p, (size_t)(end - p), "\r\n\r\n", 4);
	size_t head;

	if (body == NULL)
		return -1;
	head = (size_t)(body - p);
	part->name = param(p, head, "name");
	part->filename = param(p, head, "filename");
	part->data = body + 4;
	part->len = (size_t)(end - part->data);
	return part->name == NULL ? -1 : 0;
}

struct part *
multipart_parse(const char *type, const char *body, size_t len, size_t *n)
{
	char delim[BOUNDARY_MAX + 8];
	const char *p = body, *end = body + len, *next;
	struct part *parts = xcalloc(1, sizeof(*parts));
	size_t dlen, cap = 1;

	*n = 0;
	if (boundary_of(type, delim, sizeof(delim)) == -1)
		goto bad;
	dlen = strlen(delim);
	/* The first delimiter has no line end before it. */
	if (len < dlen - 2 || memcmp(p, delim + 2, dlen - 2) != 0)
		goto bad;
	p += dlen - 2;
	while (end - p >= 2 && memcmp(p, "--", 2) != 0) {
		if (memcmp(p, "\r\n", 2) != 0)
			goto bad;
		next = memmem(p, (size_t)(end - p), delim, dlen);
		if (next == NULL)
			goto bad;
		parts = xgrow(parts, &cap, *n + 1, sizeof(*parts));
		memset(&parts[*n], 0, sizeof(*parts));
		if (part_parse(&parts[(*n)++], p, next) == -1)
			goto bad;
		p = next + dlen;
	}
	return parts;
bad:
	multipart_free(parts, *n);
	return NULL;
}

void
multipart_free(struct part *parts, size_t n)
{
	size_t i;

	for (i = 0; parts != NULL && i < n; i++) {
		free(parts[i].name);
		free(parts[i].filename);
	}
	free(parts);
}
