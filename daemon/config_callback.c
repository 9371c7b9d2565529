#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define PORT_DEFAULT 18789
#define COMMAND_PATH "/api/channels/mattermost/command"

/* FNV-1a, 32 bits: what a named profile of the peer gets its port from. */
static uint32_t
fnv1a(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* "19001" or "host:19001"; 0 when it is neither. */
static int
env_port(const char *s)
{
	const char *colon;
	unsigned long n;
	char *end;

	if (s == NULL)
		return 0;
	colon = strrchr(s, ':');
	s = colon == NULL ? s : colon + 1;
	if (!isdigit((unsigned char)*s))
		return 0;
	n = strtoul(s, &end, 10);
	return *end == '\0' && n > 0 && n <= 65535 ? (int)n : 0;
}

int
config_gateway_port(const struct cval *root)
{
	int port = env_port(getenv("OPENCLAW_GATEWAY_PORT"));
	const char *profile = getenv("OPENCLAW_PROFILE");

	if (port != 0)
		return port;
	port = (int)cval_int(cval_path(root, "gateway.port"), 0);
	if (port > 0)
		return port;
	if (profile != NULL && *profile != '\0' &&
	    strcmp(profile, "default") != 0)
		return 20000 + (int)(fnv1a(profile) % 40000);
	return PORT_DEFAULT;
}

/* A copy of s without the white space around it. */
static char *
trimmed(const char *s)
{
	size_t n;
	char *p;

	s += strspn(s, " \t\r\n");
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		;
	if ((p = strndup(s, n)) == NULL)
		fatal("strndup");
	return p;
}

static int
is_wildcard(const char *host)
{
	static const char *const any[] = {"", "0.0.0.0", "::", "[::]", "::0",
	    "[::0]", "0:0:0:0:0:0:0:0", "[0:0:0:0:0:0:0:0]"};
	size_t i;

	for (i = 0; i < sizeof(any) / sizeof(*any); i++)
		if (strcmp(host, any[i]) == 0)
			return 1;
	return 0;
}

/* scheme://host:port of our own listener, as the server may reach it. */
static char *
own_origin(const struct cval *root)
{
	char *host, *origin;
	int tls = cval_bool(cval_path(root, "gateway.tls.enabled"), 0);
	int bracket;

	host = trimmed(
	    cval_string(cval_path(root, "gateway.customBindHost"), ""));
	if (is_wildcard(host)) {
		free(host);
		host = text_dup("localhost");
	}
	bracket = strchr(host, ':') != NULL && *host != '[';
	origin = config_printf("%s://%s%s%s:%d", tls ? "https" : "http",
	    bracket ? "[" : "", host, bracket ? "]" : "",
	    config_gateway_port(root));
	free(host);
	return origin;
}

char *
config_interaction_url(
    const struct cval *root, const struct cval *account, const char *id)
{
	const char *s = cval_string(
	    cval_path(account, "interactions.callbackBaseUrl"), "");
	char *base = trimmed(s), *url;
	size_t n;

	if (*base == '\0') {
		free(base);
		base = own_origin(root);
	}
	for (n = strlen(base); n > 0 && base[n - 1] == '/'; n--)
		base[n - 1] = '\0';
	url = config_printf("%s/mattermost/interactions/%s", base, id);
	free(base);
	return url;
}

/* The path below which slash commands of an account come in. */
static char *
command_path(const struct cval *account)
{
	char *path = trimmed(cval_string(
	    cval_path(account, "commands.callbackPath"), "")), *fixed;

	if (*path == '\0')
		fixed = text_dup(COMMAND_PATH);
	else
		fixed = config_printf("%s%s", *path == '/' ? "" : "/", path);
	free(path);
	return fixed;
}

char *
config_command_url(const struct cval *root, const struct cval *account)
{
	char *url = trimmed(cval_string(
	    cval_path(account, "commands.callbackUrl"), ""));
	char *origin, *path;

	if (*url != '\0')
		return url;
	free(url);
	origin = own_origin(root);
	path = command_path(account);
	url = config_printf("%s%s", origin, path);
	free(origin);
	free(path);
	return url;
}
