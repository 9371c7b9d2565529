#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "daemon/config_private.h"
#include "daemon/json5.h"

/* The whole file, JSON5_SIZE + 1 bytes of room; NULL has been said. */
static char *
read_all(struct config_ctx *ctx, int fd, size_t *len)
{
	char *buf = malloc(JSON5_SIZE + 1);
	ssize_t n = 1;

	if (buf == NULL)
		fatal("malloc");
	*len = 0;
	while (n != 0 && *len <= JSON5_SIZE) {
		n = read(fd, buf + *len, JSON5_SIZE + 1 - *len);
		if (n == -1 && errno != EINTR)
			break;
		if (n > 0)
			*len += (size_t)n;
	}
	if (n != -1)
		return buf;
	config_say(ctx, CONFIG_ERROR, NULL, "%s", strerror(errno));
	freezero(buf, *len);
	return NULL;
}

/* The supervisor does as the file says: who can change it is root. */
static int
check_mode(struct config_ctx *ctx, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return 0;
	ctx->mode = st->st_mode;
	if (st->st_mode & S_IWOTH) {
		config_say(ctx, CONFIG_ERROR, NULL,
		    "everybody can write to this file: chmod 600 it");
		return -1;
	}
	if (geteuid() == 0 && st->st_mode & S_IWGRP)
		config_say(ctx, CONFIG_WARNING, NULL,
		    "its group can write to this file");
	return 0;
}

static struct cval *
read_tree(struct config_ctx *ctx)
{
	struct json5_error err;
	struct cval *root = NULL;
	struct stat st;
	size_t len;
	char *buf;
	int fd;

	fd = open(ctx->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1) {
		config_say(ctx, CONFIG_ERROR, NULL, "%s%s", strerror(errno),
		    errno != ENOENT ? "" : ": name another with -f, or begin "
		    "with postern.json5.example");
	} else if (check_mode(ctx, &st) == 0 &&
	    (buf = read_all(ctx, fd, &len)) != NULL) {
		root = json5_parse(buf, len, &err);
		if (root == NULL)
			config_say_at(ctx, CONFIG_ERROR, err.line, err.column,
			    "%s%s", err.text, err.top ? ": the file is one "
			    "object, { channels: { ... } }" : "");
		freezero(buf, len);
	}
	if (fd != -1)
		close(fd);
	if (root == NULL || root->type == CVAL_OBJ)
		return root;
	config_say(ctx, CONFIG_ERROR, root, "the file must be an object, not %s",
	    cval_type_name(root));
	cval_free(root);
	return NULL;
}

static void
add_endpoint(struct json_object *list, unsigned id, const char *host,
    uint16_t port, const struct config_proxy *proxy)
{
	struct json_object *o = json_object_new_object(), *p = NULL;

	config_json_int(o, "id", id);
	config_json_str(o, "host", host);
	config_json_int(o, "port", port);
	if (proxy->host != NULL) {
		p = json_object_new_object();
		config_json_str(p, "host", proxy->host);
		config_json_int(p, "port", proxy->port);
	}
	config_json_add(o, "proxy", p);
	json_object_array_add(list, o);
}

static void
dialer_json(struct config *cfg)
{
	struct json_object *list = json_object_new_array();
	const struct config_account *a;
	const struct config_agent *g;
	/* Our own address is asked for without a proxy. */
	const struct config_proxy direct = {NULL, 0, NULL};
	size_t i, k;

	for (i = 0; i < cfg->naccounts; i++) {
		a = &cfg->accounts[i];
		if (a->endpoint == 0)
			continue;
		add_endpoint(
		    list, a->endpoint, a->url.host, a->url.port, &a->proxy);
		for (k = 0; k < a->nmedia; k++)
			add_endpoint(list, a->media[k].endpoint,
			    a->media[k].host, a->media[k].port, &a->proxy);
		for (k = 0; k < a->nprobes; k++)
			add_endpoint(list, a->probes[k].endpoint,
			    a->probes[k].url.host, a->probes[k].url.port,
			    &direct);
	}
	for (i = 0; i < cfg->nagents; i++) {
		g = &cfg->agents[i];
		if (g->endpoint != 0)
			add_endpoint(list, g->endpoint, g->url.host,
			    g->url.port, &g->proxy);
	}
	cfg->dialer_json = json_object_new_object();
	config_json_add(cfg->dialer_json, "endpoints", list);
}

static void
build(struct config_ctx *ctx)
{
	config_check(ctx);
	config_legacy(ctx);
	config_shared(ctx);
	config_system(ctx);
	config_agents(ctx);
	config_accounts(ctx);
	config_bindings(ctx);
	config_gateway(ctx);
	dialer_json(ctx->cfg);
	config_limits(ctx);
}

struct config *
config_load(const char *path, struct config_errors *errs)
{
	struct config_ctx ctx = {.file = path,
	    .errs = errs,
	    .programs_end =
		monotime_add(monotime_now(), CONFIG_EXEC_ALL_MS)};

	if ((ctx.cfg = calloc(1, sizeof(*ctx.cfg))) == NULL)
		fatal("calloc");
	ctx.cfg->path = text_dup(path);
	if ((ctx.root = read_tree(&ctx)) != NULL)
		build(&ctx);
	config_secret_forget(&ctx);
	json_object_put(ctx.shared);
	free(ctx.ignored);
	cval_free(ctx.root);
	config_errors_sort(errs);
	if (errs->errors == 0)
		return ctx.cfg;
	config_free(ctx.cfg);
	return NULL;
}

void
config_free(struct config *cfg)
{
	size_t i;

	if (cfg == NULL)
		return;
	for (i = 0; i < cfg->naccounts; i++)
		config_account_clear(&cfg->accounts[i]);
	for (i = 0; i < cfg->nagents; i++)
		config_agent_clear(&cfg->agents[i]);
	for (i = 0; i < cfg->gateway.nlisten; i++)
		free(cfg->gateway.listen[i].host);
	free(cfg->accounts);
	free(cfg->agents);
	free(cfg->gateway.listen);
	free(cfg->gateway.cert_file);
	free(cfg->gateway.key_file);
	free(cfg->gateway.cert_stamp);
	free(cfg->gateway.key_stamp);
	free(cfg->gateway.socket);
	free(cfg->gateway.socket_group);
	secret_free(cfg->gateway.hook_token);
	free(cfg->path);
	free(cfg->log.destination);
	free(cfg->store_path);
	free(cfg->user);
	free(cfg->store_user);
	free(cfg->group);
	free(cfg->run_dir);
	free(cfg->control_socket);
	free(cfg->metrics.host);
	free(cfg->metrics_path);
	json_object_put(cfg->dialer_json);
	json_object_put(cfg->callback_json);
	free(cfg);
}
