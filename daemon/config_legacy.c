#include "config.h"

#include <stddef.h>
#include <string.h>

#include "daemon/config_private.h"

/*
 * An object member of obj to put things into: made when it is not there.
 * One that did not fit the table stays as it is: NULL.
 */
static struct cval *
object_at(struct cval *obj, const char *key, const struct cval *near)
{
	struct cval *v = cval_find(obj, key);

	if (v == NULL) {
		v = cval_new(CVAL_OBJ, near->line, near->column);
		cval_put(obj, key, v);
	}
	return v->bad || v->type != CVAL_OBJ ? NULL : v;
}

/* Move old to new inside to; when to has it, the old one wins or goes. */
static void
move(struct config_ctx *ctx, struct cval *from, const char *old,
    struct cval *to, const char *new, int old_wins)
{
	struct cval *v = cval_take(from, old);

	if (v == NULL)
		return;
	if (v->bad || to == NULL || (cval_find(to, new) != NULL && !old_wins)) {
		if (!v->bad)
			config_say_key(ctx, CONFIG_INFO, v,
			    "%s: old spelling, the new one is used", old);
		cval_free(v);
		return;
	}
	cval_put(to, new, v);
}

/* The mode that streaming as a word or as true and false means. */
static struct cval *
streaming_mode(const struct cval *v)
{
	const char *mode = v->b ? "partial" : "off";

	if (v->type == CVAL_STR)
		return cval_clone(v);
	return cval_str(mode, strlen(mode), v->line, v->column);
}

static int
has_flat_streaming(const struct cval *scope)
{
	return cval_find(scope, "streamMode") != NULL ||
	    cval_find(scope, "chunkMode") != NULL ||
	    cval_find(scope, "blockStreaming") != NULL ||
	    cval_find(scope, "blockStreamingCoalesce") != NULL;
}

/*
 * A word for streaming goes before streamMode, that before true and false,
 * a member of a streaming object before all of them. An account that says
 * things the old way keeps what it does not say from the top.
 */
static void
legacy_streaming(
    struct config_ctx *ctx, struct cval *scope, const struct cval *top)
{
	struct cval *s = cval_find(scope, "streaming"), *scalar = NULL;
	int nested = s != NULL && s->type == CVAL_OBJ, mode;

	if ((s != NULL && s->bad) || (s == NULL && !has_flat_streaming(scope)))
		return;
	if (!nested) {
		scalar = cval_take(scope, "streaming");
		s = cval_get(top, "streaming");
		s = s != NULL ? cval_clone(s)
			      : cval_new(CVAL_OBJ, scope->line, scope->column);
		cval_put(scope, "streaming", s);
	}
	mode = cval_get(scope, "streamMode") != NULL;
	move(ctx, scope, "streamMode", s, "mode", !nested);
	move(ctx, scope, "chunkMode", s, "chunkMode", !nested);
	if (cval_find(scope, "blockStreaming") != NULL)
		move(ctx, scope, "blockStreaming", object_at(s, "block", scope),
		    "enabled", !nested);
	if (cval_find(scope, "blockStreamingCoalesce") != NULL)
		move(ctx, scope, "blockStreamingCoalesce",
		    object_at(s, "block", scope), "coalesce", !nested);
	if (scalar != NULL && (scalar->type == CVAL_STR || !mode))
		cval_put(s, "mode", streaming_mode(scalar));
	cval_free(scalar);
}

static void
legacy_scope(
    struct config_ctx *ctx, struct cval *scope, const struct cval *top)
{
	struct cval *v;

	if (scope == NULL || scope->type != CVAL_OBJ)
		return;
	legacy_streaming(ctx, scope, top);
	if (cval_find(scope, "allowPrivateNetwork") != NULL)
		move(ctx, scope, "allowPrivateNetwork",
		    object_at(scope, "network", scope),
		    "dangerouslyAllowPrivateNetwork", 0);
	v = cval_take(cval_get(scope, "commands"), "useAccessGroups");
	if (v != NULL && !v->bad)
		config_say_key(ctx, CONFIG_INFO, v,
		    "useAccessGroups: no longer a choice: commands always need "
		    "an allowed sender");
	cval_free(v);
}

static void
legacy_agents(struct config_ctx *ctx, struct cval *agents)
{
	struct cval *v, *m;

	if ((v = cval_get(agents, "defaults")) != NULL)
		move(ctx, v, "systemPrompt", v, "prompt", 0);
	if ((v = cval_get(agents, "list")) != NULL)
		for (m = v->first; m != NULL; m = m->next)
			move(ctx, m, "systemPrompt", m, "prompt", 0);
	if ((v = cval_get(agents, "entries")) != NULL)
		for (m = v->first; m != NULL; m = m->next)
			move(ctx, m, "systemPrompt", m, "prompt", 0);
}

void
config_legacy(struct config_ctx *ctx)
{
	struct cval *top = cval_path(ctx->root, "channels.mattermost");
	struct cval *accounts = cval_get(top, "accounts"), *m;

	legacy_scope(ctx, top, NULL);
	if (accounts != NULL)
		for (m = accounts->first; m != NULL; m = m->next)
			if (!m->bad)
				legacy_scope(ctx, m, top);
	legacy_agents(ctx, cval_get(ctx->root, "agents"));
}
