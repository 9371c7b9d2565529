#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/text.h"
#include "daemon/config_private.h"

static char *
string_at(struct config_ctx *ctx, const char *path, const char *dflt)
{
	const struct cval *v = cval_path(ctx->root, path);

	if (v != NULL && v->str_len > 0)
		return text_dup(v->str);
	return text_dup(dflt);
}

static char *
path_at(struct config_ctx *ctx, const char *path, const char *dflt)
{
	const struct cval *v = cval_path(ctx->root, path);

	if (v != NULL && v->str_len > 0 && *v->str != '/')
		config_say(ctx, CONFIG_ERROR, v,
		    "%s: must be an absolute path", path);
	return string_at(ctx, path, dflt);
}

static void
system_log(struct config_ctx *ctx)
{
	static const struct {
		const char *word;
		int prio, trace;
	} levels[] = {
	    {"error", LOG_ERR, 0},
	    {"warning", LOG_WARNING, 0},
	    {"info", LOG_INFO, 0},
	    {"debug", LOG_DEBUG, 1},
	    {"trace", LOG_DEBUG, 2},
	};
	const struct cval *v = cval_path(ctx->root, "log.level");
	const char *level = cval_string(v, "info");
	struct config *cfg = ctx->cfg;
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (strcmp(levels[i].word, level) == 0) {
			cfg->log.prio = levels[i].prio;
			cfg->log.trace = levels[i].trace;
		}
	v = cval_path(ctx->root, "log.format");
	cfg->log.json = strcmp(cval_string(v, "text"), "json") == 0;
	cfg->log.destination = string_at(ctx, "log.destination", "syslog");
	if (*cfg->log.destination != '/' &&
	    strcmp(cfg->log.destination, "syslog") != 0 &&
	    strcmp(cfg->log.destination, "stderr") != 0)
		config_say(ctx, CONFIG_ERROR,
		    cval_path(ctx->root, "log.destination"),
		    "log.destination: must be \"syslog\", \"stderr\" or an "
		    "absolute path");
}

static void
system_metrics(struct config_ctx *ctx)
{
	const struct cval *v = cval_path(ctx->root, "postern.metrics");
	struct config_listen *m = &ctx->cfg->metrics;

	if (v == NULL || v->str_len == 0)
		return;
	if (*v->str == '/') {
		ctx->cfg->metrics_path = text_dup(v->str);
		return;
	}
	if (config_host_port(v->str, v->str_len, 0, &m->host, &m->port) == -1)
		config_say(ctx, CONFIG_ERROR, v,
		    "postern.metrics: must be address:port or an absolute "
		    "path");
}

void
config_system(struct config_ctx *ctx)
{
	struct config *cfg = ctx->cfg;
	char *socket;

	system_log(ctx);
	system_metrics(ctx);
	cfg->store_path = path_at(ctx, "store.path", POSTERN_STATEDIR);
	cfg->retention_days =
	    (int)cval_int(cval_path(ctx->root, "store.retentionDays"), 30);
	cfg->user = string_at(ctx, "postern.user", POSTERN_USER);
	cfg->store_user =
	    string_at(ctx, "postern.storeUser", POSTERN_STORE_USER);
	cfg->group = string_at(ctx, "postern.group", POSTERN_GROUP);
	cfg->run_dir = path_at(ctx, "postern.runDir", POSTERN_RUNDIR);
	socket = config_printf("%s/control.sock", cfg->run_dir);
	cfg->control_socket = path_at(ctx, "postern.controlSocket", socket);
	free(socket);
}
