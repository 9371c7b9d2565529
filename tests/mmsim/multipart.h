/*
 * multipart/form-data (RFC 7578), as far as browsers and curl use it.
 */
#ifndef MMSIM_MULTIPART_H
#define MMSIM_MULTIPART_H

#include <stddef.h>

struct part {
	char *name;
	char *filename;   /* NULL: a plain field */
	const char *data; /* into the body */
	size_t len;
};

/*
 * type: the Content-Type header. NULL when there is no boundary, the body
 * does not end with one, or a part has no name. *n may be 0.
 */
struct part *multipart_parse(const char *type, const char *body, size_t len,
    size_t *n);
void multipart_free(struct part *, size_t n);

#endif
