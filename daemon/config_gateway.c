#include "config.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/un.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/secret.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define HOOK_TOKEN_MIN 16

static void
add_listen(struct config *cfg, const char *host, uint16_t port)
{
	struct config_listen *more;

	cfg->gateway.listen = grow(
	    cfg->gateway.listen, cfg->gateway.nlisten, sizeof(*more));
	more = &cfg->gateway.listen[cfg->gateway.nlisten++];
	more->host = text_dup(host);
	more->port = port;
}

static int
is_numeric(const char *host)
{
	unsigned char addr[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, addr) == 1 ||
	    inet_pton(AF_INET6, host, addr) == 1;
}

static void
listen_custom(struct config_ctx *ctx, uint16_t port)
{
	const struct cval *v = cval_path(ctx->root, "gateway.customBindHost");
	char host[64];
	const char *s = cval_string(v, "");

	s += *s == '[';
	if (strlcpy(host, s, sizeof(host)) >= sizeof(host))
		host[0] = '\0';
	host[strcspn(host, "]")] = '\0';
	if (strcmp(host, "localhost") == 0)
		strlcpy(host, "127.0.0.1", sizeof(host));
	if (is_numeric(host))
		add_listen(ctx->cfg, host, port);
	else
		config_say(ctx, CONFIG_ERROR,
		    v != NULL ? v : cval_path(ctx->root, "gateway.bind"),
		    "gateway.customBindHost: bind \"custom\" needs a numeric "
		    "address here");
}

static void
gateway_listen(struct config_ctx *ctx)
{
	const struct cval *v = cval_path(ctx->root, "gateway.bind");
	const char *bind = cval_string(v, "loopback");
	uint16_t port = (uint16_t)config_gateway_port(ctx->root);

	if (strcmp(bind, "custom") == 0) {
		listen_custom(ctx, port);
		return;
	}
	if (strcmp(bind, "lan") == 0) {
		add_listen(ctx->cfg, "0.0.0.0", port);
		add_listen(ctx->cfg, "::", port);
		return;
	}
	if (strcmp(bind, "tailnet") == 0)
		config_say(ctx, CONFIG_ERROR, v,
		    "gateway.bind: for a tailnet use \"custom\" and its "
		    "address in gateway.customBindHost");
	add_listen(ctx->cfg, "127.0.0.1", port);
	add_listen(ctx->cfg, "::1", port);
}

static char *
tls_file(struct config_ctx *ctx, const char *path, enum config_pem kind,
    char **stamp)
{
	const struct cval *v = cval_path(ctx->root, path);
	char *file = NULL;

	if (v == NULL || v->str_len == 0)
		config_say(ctx, CONFIG_ERROR,
		    cval_path(ctx->root, "gateway.tls"),
		    "%s: TLS is on and this is missing", path);
	else
		config_pem_get(ctx, v, path, kind, &file, stamp);
	return file;
}

/* A front end on this host may come by a UNIX socket, too. */
static void
gateway_socket(struct config_ctx *ctx)
{
	const struct cval *v = cval_path(ctx->root, "gateway.socket");
	const char *s = cval_string(v, "");

	if (*s == '\0')
		return;
	if (*s != '/') {
		config_say(ctx, CONFIG_ERROR, v,
		    "gateway.socket: must be an absolute path");
		return;
	}
	if (strlen(s) >= sizeof(((struct sockaddr_un *)NULL)->sun_path) - 4)
		config_say(ctx, CONFIG_ERROR, v,
		    "gateway.socket: too long for a socket");
	ctx->cfg->gateway.socket = text_dup(s);
	ctx->cfg->gateway.socket_group = text_dup(
	    cval_string(cval_path(ctx->root, "gateway.socketGroup"), ""));
}

/* "address" or "address/bits". */
static int
is_network(const char *s)
{
	char host[64];
	size_t n = strcspn(s, "/");
	const char *why = NULL;
	int max;

	if (n >= sizeof(host))
		return 0;
	memcpy(host, s, n);
	host[n] = '\0';
	if (!is_numeric(host))
		return 0;
	if (s[n] == '\0')
		return 1;
	max = strchr(host, ':') != NULL ? 128 : 32;
	(void)strtonum(s + n + 1, 0, max, &why);
	return why == NULL;
}

static void
check_networks(struct config_ctx *ctx, const struct cval *list,
    const char *path)
{
	const struct cval *m;
	char *s;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next) {
		if (m->bad || m->type != CVAL_STR)
			continue;
		s = m->str + strspn(m->str, " \t");
		if (!is_network(s))
			config_say(ctx, CONFIG_ERROR, m,
			    "%s: \"%s\" is not an address or a network "
			    "(10.0.0.0/8)", path, m->str);
	}
}

static void
check_source_ips(struct config_ctx *ctx)
{
	const char top[] = "channels.mattermost";
	const struct cval *mm = cval_path(ctx->root, top), *m;
	char path[CONFIG_PATH_MAX];

	check_networks(ctx, cval_path(mm, "interactions.allowedSourceIps"),
	    "channels.mattermost.interactions.allowedSourceIps");
	m = cval_get(mm, "accounts");
	for (m = m == NULL ? NULL : m->first; m != NULL; m = m->next) {
		snprintf(path, sizeof(path),
		    "%s.accounts.%s.interactions.allowedSourceIps", top,
		    m->key);
		check_networks(
		    ctx, cval_path(m, "interactions.allowedSourceIps"), path);
	}
}

static void
gateway_hooks(struct config_ctx *ctx)
{
	const struct cval *hooks = cval_get(ctx->root, "hooks");
	struct config *cfg = ctx->cfg;

	if (!cval_bool(cval_get(hooks, "enabled"), 0))
		return;
	if (config_secret_get(ctx, cval_get(hooks, "token"), "hooks.token",
		&cfg->gateway.hook_token) == CONFIG_MISSING)
		config_say(ctx, CONFIG_ERROR, hooks,
		    "hooks.token: hooks are on and this is missing");
	else
		cfg->gateway.wanted = 1;
	if (cfg->gateway.hook_token != NULL &&
	    secret_len(cfg->gateway.hook_token) < HOOK_TOKEN_MIN)
		config_say(ctx, CONFIG_WARNING, cval_get(hooks, "token"),
		    "hooks.token: can be guessed: %d characters at least, as "
		    "of openssl rand -hex 16", HOOK_TOKEN_MIN);
}

/* What the callback worker must know of one account. */
static struct json_object *
callback_account(const struct config_account *a)
{
	struct json_object *o = json_object_new_object();

	config_json_str(o, "account", a->id);
	config_json_bool(o, "buttons", a->buttons);
	config_json_bool(o, "commands", a->commands);
	config_json_copy(o, "commandUrl", a->json, "commandUrl");
	config_json_copy(o, "interactionUrl", a->json, "interactionUrl");
	config_json_copy(o, "allowedSourceIps",
	    config_json_get(a->json, "interactions"), "allowedSourceIps");
	config_json_copy(o, "callbackPath",
	    config_json_get(a->json, "commands"), "callbackPath");
	return o;
}

static void
callback_json(struct config_ctx *ctx)
{
	struct json_object *json, *list = json_object_new_array();
	const struct config_key *key = config_key_find("gateway");
	struct config *cfg = ctx->cfg;
	size_t i;

	json = config_json_fill(ctx, key, cval_get(ctx->root, "gateway"));
	config_json_int(json, "port", config_gateway_port(ctx->root));
	json_object_object_del(json, "bind");
	json_object_object_del(json, "customBindHost");
	config_json_bool(json, "tls", cfg->gateway.tls);
	config_json_bool(json, "hooks", cfg->gateway.hook_token != NULL);
	config_json_bool(json, "hookSessions", cval_bool(cval_path(ctx->root,
	    "hooks.allowRequestSessionKey"), 0));
	config_json_add(json, "hooksPath",
	    config_json_fill(ctx, config_key_find("hooks.path"),
		cval_path(ctx->root, "hooks.path")));
	json_object_object_del(json, "socket");
	json_object_object_del(json, "socketGroup");
	if (cfg->default_account < cfg->naccounts)
		config_json_str(json, "defaultAccount",
		    cfg->accounts[cfg->default_account].id);
	for (i = 0; i < cfg->naccounts; i++)
		if (config_account_is_called(cfg, &cfg->accounts[i]))
			json_object_array_add(
			    list, callback_account(&cfg->accounts[i]));
	config_json_add(json, "accounts", list);
	cfg->callback_json = json;
}

void
config_gateway(struct config_ctx *ctx)
{
	const struct cval *v = cval_path(ctx->root, "gateway.port");
	struct config *cfg = ctx->cfg;
	size_t i;

	if (v != NULL && v->i <= 0)
		config_say(ctx, CONFIG_WARNING, v,
		    "gateway.port: not a port, %d is used",
		    config_gateway_port(ctx->root));
	check_networks(ctx, cval_path(ctx->root, "gateway.trustedProxies"),
	    "gateway.trustedProxies");
	check_source_ips(ctx);
	for (i = 0; i < cfg->naccounts; i++)
		if (cfg->accounts[i].enabled && cfg->accounts[i].callbacks)
			cfg->gateway.wanted = 1;
	gateway_hooks(ctx);
	gateway_listen(ctx);
	if (cval_bool(cval_path(ctx->root, "gateway.tls.enabled"), 0)) {
		cfg->gateway.tls = 1;
		cfg->gateway.cert_file = tls_file(ctx,
		    "gateway.tls.certPath", CONFIG_PEM_CERT, &cfg->gateway.cert_stamp);
		cfg->gateway.key_file = tls_file(ctx,
		    "gateway.tls.keyPath", CONFIG_PEM_KEY, &cfg->gateway.key_stamp);
	}
	gateway_socket(ctx);
	callback_json(ctx);
	config_untrusted(ctx);
}
