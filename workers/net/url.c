#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workers/net/url.h"

/* Copy n bytes; -1 when they do not fit or are none. */
static int
take(char *dst, size_t size, const char *src, size_t n)
{
	if (n == 0 || n >= size)
		return -1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return 0;
}

static int
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isgraph((unsigned char)*s) || strchr("@?#\\\"<>", *s))
			return 0;
	return 1;
}

static int
take_port(struct base_url *u, const char *p, size_t n)
{
	const char *err;
	char text[8];

	u->port = u->https ? 443 : 80;
	if (n == 0)
		return 0;
	if (p[0] != ':' || take(text, sizeof(text), p + 1, n - 1) == -1)
		return -1;
	u->port = (uint16_t)strtonum(text, 1, 65535, &err);
	return err == NULL ? 0 : -1;
}

static int
take_authority(struct base_url *u, const char *p, size_t n)
{
	const char *end;
	size_t len;

	if (n > 0 && p[0] == '[') {
		if ((end = memchr(p, ']', n)) == NULL)
			return -1;
		len = (size_t)(end - p);
		if (take(u->host, sizeof(u->host), p + 1, len - 1) == -1)
			return -1;
		return take_port(u, end + 1, n - len - 1);
	}
	end = memchr(p, ':', n);
	len = end == NULL ? n : (size_t)(end - p);
	if (take(u->host, sizeof(u->host), p, len) == -1)
		return -1;
	return take_port(u, p + len, n - len);
}

int
base_url_parse(struct base_url *u, const char *text)
{
	size_t n;

	memset(u, 0, sizeof(*u));
	if (!is_plain(text))
		return -1;
	if (strncasecmp(text, "https://", 8) == 0) {
		u->https = 1;
		text += 8;
	} else if (strncasecmp(text, "http://", 7) == 0)
		text += 7;
	else
		return -1;
	n = strcspn(text, "/");
	if (take_authority(u, text, n) == -1)
		return -1;
	text += n;
	n = strlen(text);
	while (n > 0 && text[n - 1] == '/')
		n--;
	return n == 0 ? 0 : take(u->base, sizeof(u->base), text, n);
}
