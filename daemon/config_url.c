#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define HOST_MAX 253 /* RFC 1035 2.3.4, without the final dot */

int
config_base_url(const char *in, char *out, size_t len)
{
	static const char api[] = "/api/v4";
	size_t n = strlen(in), k = sizeof(api) - 1;

	while (n > 0 && isspace((unsigned char)in[n - 1]))
		n--;
	while (n > 0 && isspace((unsigned char)*in)) {
		in++;
		n--;
	}
	while (n > 0 && in[n - 1] == '/')
		n--;
	if (n >= k && strncasecmp(in + n - k, api, k) == 0)
		n -= k;
	if (n == 0 || n >= len)
		return -1;
	memcpy(out, in, n);
	out[n] = '\0';
	return 0;
}

static int
valid_host(const char *h)
{
	size_t len = strlen(h), label = 0;

	if (len == 0 || len > HOST_MAX)
		return 0;
	for (; *h != '\0'; h++) {
		if (*h == '.') {
			if (label == 0)
				return 0;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*h) && *h != '-' && *h != '_')
			return 0;
		if (++label > 63)
			return 0;
	}
	return 1;
}

static int
parse_port(const char *s, size_t len, uint16_t *port)
{
	unsigned long n = 0;
	size_t i;

	if (len == 0 || len > 5)
		return -1;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -1;
		n = n * 10 + (unsigned long)(s[i] - '0');
	}
	if (n == 0 || n > 65535)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

int
config_host_port(
    const char *text, size_t len, uint16_t def, char **host, uint16_t *port)
{
	struct in6_addr a6;
	const char *end;
	size_t hlen, i;
	char *h;

	if (len > 0 && *text == '[') {
		if ((end = memchr(text, ']', len)) == NULL)
			return -1;
		h = strndup(text + 1, (size_t)(end - text) - 1);
		hlen = (size_t)(end - text) + 1;
	} else {
		end = memchr(text, ':', len);
		hlen = end == NULL ? len : (size_t)(end - text);
		h = strndup(text, hlen);
	}
	if (h == NULL)
		fatal("strndup");
	*port = def;
	if ((*text == '[' ? inet_pton(AF_INET6, h, &a6) != 1
			  : !valid_host(h)) ||
	    (hlen < len &&
		(text[hlen] != ':' ||
		    parse_port(text + hlen + 1, len - hlen - 1, port) == -1)) ||
	    *port == 0) {
		free(h);
		return -1;
	}
	for (i = 0; h[i] != '\0'; i++)
		h[i] = (char)tolower((unsigned char)h[i]);
	*host = h;
	return 0;
}

/* RFC 3986 3.3, and no segment that leads out of the path. */
static int
valid_path(const char *p)
{
	size_t n;

	while (*p != '\0') {
		if (*p != '/')
			return 0;
		n = strcspn(++p, "/");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' &&
		    p[1] == '.'))
			return 0;
		for (; n > 0; n--, p++)
			if ((unsigned char)*p <= ' ' ||
			    (unsigned char)*p >= 0x7f ||
			    strchr("\"<>\\^`{|}?#%", *p) != NULL)
				return 0;
	}
	return 1;
}

const char *
config_url_parse(const char *text, struct config_url *u)
{
	const char *rest, *auth_end, *p;
	char *shown;
	size_t len;
	int v6, standard;

	memset(u, 0, sizeof(*u));
	if (strncasecmp(text, "https://", 8) == 0)
		u->tls = 1;
	else if (strncasecmp(text, "http://", 7) != 0)
		return "must begin with http:// or https://";
	rest = text + (u->tls ? 8 : 7);
	auth_end = rest + strcspn(rest, "/?#");
	for (p = rest; p < auth_end; p++) {
		if (*p == '@')
			return "must not hold a user name or password";
		if ((unsigned char)*p >= 0x80)
			return "write the host name in ASCII (xn--...)";
	}
	if (strpbrk(auth_end, "?#") != NULL)
		return "must not have a query or a fragment";
	if (!valid_path(auth_end))
		return "has a path that is not safe";
	if (config_host_port(rest, (size_t)(auth_end - rest),
		u->tls ? 443 : 80, &u->host, &u->port) == -1)
		return "has no valid host and port";
	u->path = text_dup(auth_end);
	for (len = strlen(u->path); len > 0 && u->path[len - 1] == '/'; len--)
		u->path[len - 1] = '\0';
	v6 = strchr(u->host, ':') != NULL;
	standard = u->port == (u->tls ? 443 : 80);
	shown = config_printf("%s://%s%s%s", u->tls ? "https" : "http",
	    v6 ? "[" : "", u->host, v6 ? "]" : "");
	u->text = standard
	    ? config_printf("%s%s", shown, u->path)
	    : config_printf("%s:%u%s", shown, u->port, u->path);
	free(shown);
	return NULL;
}

void
config_url_free(struct config_url *u)
{
	free(u->text);
	free(u->host);
	free(u->path);
	memset(u, 0, sizeof(*u));
}

int
config_proxy_get(struct config_ctx *ctx, const struct cval *v,
    const char *path, struct config_proxy *proxy)
{
	const char *s = cval_string(v, ""), *at, *end;

	memset(proxy, 0, sizeof(*proxy));
	if (v == NULL || *s == '\0')
		return 0;
	if (strncasecmp(s, "http://", 7) != 0) {
		config_say(ctx, CONFIG_ERROR, v,
		    "%s: must be http://[user:password@]host:port", path);
		return -1;
	}
	s += 7;
	end = s + strlen(s);
	if (end > s && end[-1] == '/')
		end--;
	for (at = end; at > s && at[-1] != '@'; at--)
		;
	if (at > s) {
		config_secret_literal(ctx, v, path);
		proxy->auth = secret_new(s, (size_t)(at - 1 - s));
	}
	if ((at > s && (proxy->auth == NULL ||
	    strchr(secret_bytes(proxy->auth), ':') == NULL)) ||
	    config_host_port(at, (size_t)(end - at), 0, &proxy->host,
		&proxy->port) == -1) {
		config_say(ctx, CONFIG_ERROR, v,
		    "%s: must be http://[user:password@]host:port", path);
		config_proxy_free(proxy);
		return -1;
	}
	return 0;
}

void
config_proxy_free(struct config_proxy *proxy)
{
	free(proxy->host);
	secret_free(proxy->auth);
	memset(proxy, 0, sizeof(*proxy));
}

/* 1 when the words stand anywhere in the file, which may be a key. */
static int
holds(const char *file, const char *words)
{
	char buf[8192];
	size_t n = strlen(words), kept = 0, len;
	ssize_t got = -1;
	int fd = open(file, O_RDONLY | O_CLOEXEC), found = 0;

	while (fd != -1 && !found &&
	    (got = read(fd, buf + kept, sizeof(buf) - kept)) > 0) {
		len = kept + (size_t)got;
		found = memmem(buf, len, words, n) != NULL;
		kept = len < n ? len : n - 1;
		memmove(buf, buf + len - kept, kept);
	}
	if (fd != -1)
		close(fd);
	explicit_bzero(buf, sizeof(buf));
	return found || got == -1; /* who reads it will say why */
}

void
config_pem_get(struct config_ctx *ctx, const struct cval *v, const char *path,
    enum config_pem kind, char **file, char **stamp)
{
	const char *s = cval_string(v, "");
	struct stat st;

	if (*s == '\0')
		return;
	if (*s != '/') {
		config_say(ctx, CONFIG_ERROR, v,
		    "%s: must be an absolute path", path);
		return;
	}
	if (stat(s, &st) == -1 || access(s, R_OK) == -1) {
		config_say(ctx, CONFIG_ERROR, v, "%s: %s: %s", path, s,
		    strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		config_say(
		    ctx, CONFIG_ERROR, v, "%s: %s: not a file", path, s);
		return;
	}
	if (!holds(s, kind == CONFIG_PEM_KEY ? "PRIVATE KEY-----" :
					       "CERTIFICATE-----")) {
		config_say(ctx, CONFIG_ERROR, v, "%s: %s: holds no %s in PEM "
		    "form", path, s, kind == CONFIG_PEM_KEY ? "private key" :
							      "certificate");
		return;
	}
	*file = text_dup(s);
	*stamp = config_printf("%llu/%llu/%lld.%09ld/%lld",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (long long)st.st_size);
}

/* sha256// and 44 characters of base64, several with ';' between them. */
static int
valid_pin(const char *s)
{
	size_t n;

	for (;;) {
		if (strncmp(s, "sha256//", 8) != 0)
			return 0;
		s += 8;
		n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			      "wxyz0123456789+/");
		if (n != 43 || s[43] != '=')
			return 0;
		s += 44;
		if (*s == '\0')
			return 1;
		if (*s++ != ';')
			return 0;
	}
}

const char *
config_pin_get(struct config_ctx *ctx, const struct cval *v, const char *path)
{
	const char *s = cval_string(v, NULL);

	if (s == NULL || *s == '\0' || valid_pin(s))
		return s;
	config_say(ctx, CONFIG_ERROR, v,
	    "%s: must be sha256// and the base64 of the key's SHA-256", path);
	return NULL;
}
