#include "config.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/config_private.h"

/*
 * Where a server calls us: addresses that the operator has named are tested
 * by the account, and what the server must be told of private ones is said.
 */

#define NAME_MAX_BYTES 256

static void
add_probe(struct config_ctx *ctx, struct config_account *a, const char *what,
    const char *url)
{
	struct config_probe *p = &a->probes[a->nprobes];
	char *owner;

	/* What is wrong with it has been said by its own check. */
	if (config_url_parse(url, &p->url) != NULL) {
		config_url_free(&p->url);
		return;
	}
	owner = config_printf("probe/%s", a->id);
	p->what = what;
	p->endpoint = config_endpoint_id(
	    owner, p->url.host, p->url.port, p->url.tls);
	free(owner);
	a->nprobes++;
}

void
config_probes(struct config_ctx *ctx, struct config_account *a,
    const struct cval *account)
{
	char *url;

	if (!a->enabled)
		return;
	if (a->commands && config_is_given(account, "commands.callbackUrl")) {
		url = config_command_url(ctx->root, account);
		add_probe(ctx, a, "commands", url);
		free(url);
	}
	if (a->buttons &&
	    config_is_given(account, "interactions.callbackBaseUrl")) {
		url = config_interaction_url(ctx->root, account, a->id);
		add_probe(ctx, a, "buttons", url);
		free(url);
	}
}

struct json_object *
config_probes_json(const struct config_account *a)
{
	struct json_object *list = json_object_new_array(), *o;
	const struct config_probe *p;
	size_t i;

	for (i = 0; i < a->nprobes; i++) {
		p = &a->probes[i];
		o = json_object_new_object();
		config_json_str(o, "what", p->what);
		config_json_str(o, "url", p->url.text);
		config_json_str(o, "host", p->url.host);
		config_json_int(o, "port", p->url.port);
		config_json_bool(o, "tls", p->url.tls);
		config_json_str(
		    o, "path", *p->url.path == '\0' ? "/" : p->url.path);
		config_json_int(o, "endpoint", p->endpoint);
		json_object_array_add(list, o);
	}
	return list;
}

/* Ranges that a server calls only when it was told to (RFC 6890). */
static int
is_private(const char *host)
{
	static const struct {
		unsigned char net[4], bits;
	} v4[] = {{{0, 0, 0, 0}, 8}, {{10, 0, 0, 0}, 8}, {{100, 64, 0, 0}, 10},
	    {{127, 0, 0, 0}, 8}, {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},
	    {{192, 0, 0, 0}, 24}, {{192, 168, 0, 0}, 16},
	    {{198, 18, 0, 0}, 15}};
	static const char *const ends[] = {".local", ".lan", ".internal",
	    ".home.arpa", ".localhost", ".test", ".intranet"};
	unsigned char b[sizeof(struct in6_addr)];
	size_t i, n = strlen(host), len;
	uint32_t addr, net, mask;

	if (inet_pton(AF_INET6, host, b) == 1)
		return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && b[1] >= 0x80) ||
		    (b[0] == 0 && b[1] == 0); /* ::1, ::, mapped */
	if (inet_pton(AF_INET, host, b) == 1) {
		memcpy(&addr, b, 4);
		for (i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
			memcpy(&net, v4[i].net, 4);
			mask = htonl(UINT32_MAX << (32 - v4[i].bits));
			if ((addr & mask) == net)
				return 1;
		}
		return 0;
	}
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		len = strlen(ends[i]);
		if (n > len && strcmp(host + n - len, ends[i]) == 0)
			return 1;
	}
	/* A name without a dot is one of the local network. */
	return strchr(host, '.') == NULL;
}

/* Add host to the words of list, once. */
static void
add_host(char *list, size_t size, const char *host)
{
	size_t len = strlen(host);
	const char *s = list;

	while ((s = strstr(s, host)) != NULL) {
		if ((s == list || s[-1] == ' ') &&
		    (s[len] == ' ' || s[len] == '\0'))
			return;
		s += len;
	}
	if (*list != '\0')
		strlcat(list, " ", size);
	strlcat(list, host, size);
}

static void
add_private(char *list, size_t size, struct json_object *json,
    const char *key)
{
	struct json_object *v = config_json_get(json, key);
	struct config_url u = {0};

	if (v != NULL &&
	    config_url_parse(json_object_get_string(v), &u) == NULL &&
	    is_private(u.host))
		add_host(list, size, u.host);
	config_url_free(&u);
}

/* All accounts of one server in one line: it has one configuration. */
void
config_untrusted(struct config_ctx *ctx)
{
	struct config *cfg = ctx->cfg;
	const struct config_account *a, *first;
	char hosts[NAME_MAX_BYTES];
	size_t i, k;

	for (i = 0; i < cfg->naccounts; i++) {
		first = &cfg->accounts[i];
		if (!first->enabled || !first->callbacks)
			continue;
		for (k = 0; k < i; k++)
			if (cfg->accounts[k].enabled &&
			    cfg->accounts[k].callbacks &&
			    strcmp(cfg->accounts[k].url.text,
				first->url.text) == 0)
				break;
		if (k < i)
			continue;
		hosts[0] = '\0';
		for (k = i; k < cfg->naccounts; k++) {
			a = &cfg->accounts[k];
			if (!a->enabled ||
			    strcmp(a->url.text, first->url.text) != 0)
				continue;
			if (a->commands)
				add_private(hosts, sizeof(hosts), a->json,
				    "commandUrl");
			if (a->buttons)
				add_private(hosts, sizeof(hosts), a->json,
				    "interactionUrl");
		}
		if (hosts[0] != '\0')
			config_say(ctx, CONFIG_INFO, NULL,
			    "%s calls back to a private address, which needs "
			    "in ServiceSettings of its config.json: "
			    "\"AllowedUntrustedInternalConnections\": \"%s\"",
			    first->url.text, hosts);
	}
}
