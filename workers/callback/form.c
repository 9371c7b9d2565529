#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/callback/form.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of the decoded text; moves *p on. */
static char
next(const char **p, const char *end)
{
	char c = *(*p)++;

	if (c == '+')
		return ' ';
	if (c == '%' && end - *p >= 2 && hex((*p)[0]) != -1 &&
	    hex((*p)[1]) != -1) {
		c = (char)(hex((*p)[0]) * 16 + hex((*p)[1]));
		*p += 2;
	}
	return c;
}

static int
is_name(const char *p, const char *end, const char *name)
{
	for (; p < end && *name != '\0'; name++)
		if (next(&p, end) != *name)
			return 0;
	return p == end && *name == '\0';
}

static char *
decode(const char *p, const char *end, size_t *len)
{
	char *out, *d;

	if ((out = malloc((size_t)(end - p) + 1)) == NULL)
		fatal("malloc");
	for (d = out; p < end;)
		*d++ = next(&p, end);
	*d = '\0';
	*len = (size_t)(d - out);
	return out;
}

char *
form_get(const char *body, size_t body_len, const char *name, size_t *len)
{
	const char *p = body, *stop = body + body_len, *end, *eq;

	for (; p < stop; p = end + 1) {
		if ((end = memchr(p, '&', (size_t)(stop - p))) == NULL)
			end = stop;
		if ((eq = memchr(p, '=', (size_t)(end - p))) == NULL)
			eq = end;
		if (is_name(p, eq, name))
			return decode(eq < end ? eq + 1 : end, end, len);
		if (end == stop)
			break;
	}
	return NULL;
}
