#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define ACCOUNTS_MAX 1000

/* An account that the file lists, or the implied one (own is NULL). */
struct listed {
	char id[65];
	const struct cval *own;
};

struct list {
	struct listed *v;
	size_t n;
};

static void
add(struct list *l, const char *id, const struct cval *own)
{
	l->v = grow(l->v, l->n, sizeof(*l->v));
	strlcpy(l->v[l->n].id, id, sizeof(l->v[l->n].id));
	l->v[l->n++].own = own;
}

static const struct listed *
listed(const struct list *l, const char *id)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return &l->v[i];
	return NULL;
}

static void
list_named(struct config_ctx *ctx, const struct cval *accounts, struct list *l)
{
	const struct listed *same;
	const struct cval *m;
	char id[65];

	for (m = accounts == NULL ? NULL : accounts->first; m != NULL;
	     m = m->next) {
		if (m->bad)
			continue;
		if (config_id_normalise(m->key, id, sizeof(id)) == -1) {
			config_say_key(ctx, CONFIG_ERROR, m,
			    "channels.mattermost.accounts.%s: not a name for "
			    "an account", m->key);
			continue;
		}
		if ((same = listed(l, id)) != NULL) {
			if (strcmp(same->own->key, m->key) != 0)
				config_say_key(ctx, CONFIG_ERROR, m,
				    "channels.mattermost.accounts.%s: the same "
				    "account as \"%s\"", m->key,
				    same->own->key);
			continue;
		}
		if (l->n == ACCOUNTS_MAX) {
			config_say_key(ctx, CONFIG_ERROR, m,
			    "channels.mattermost.accounts: more than %d",
			    ACCOUNTS_MAX);
			return;
		}
		add(l, id, m);
	}
}

static int
is_blank(const char *s)
{
	return s == NULL || s[strspn(s, " \t\r\n")] == '\0';
}

/* The top itself is an account when it is complete. */
static int
implies_default(const struct cval *top)
{
	const struct cval *token = cval_get(top, "botToken");

	if (is_blank(cval_string(cval_get(top, "baseUrl"), NULL)))
		return 0;
	if (token != NULL)
		return token->type == CVAL_OBJ || !is_blank(token->str);
	return !is_blank(getenv("MATTERMOST_BOT_TOKEN"));
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->id,
	    ((const struct listed *)b)->id);
}

static void
choose_default(struct config_ctx *ctx, const struct cval *top)
{
	const struct cval *v = cval_get(top, "defaultAccount");
	const struct config_account *a = NULL;
	char id[65];

	if (v != NULL && v->str_len > 0) {
		if (config_id_normalise(v->str, id, sizeof(id)) == 0)
			a = config_account_find(ctx->cfg, id);
		if (a == NULL)
			config_say(ctx, CONFIG_WARNING, v,
			    "channels.mattermost.defaultAccount: there is no "
			    "account \"%s\"", v->str);
	}
	if (a == NULL)
		a = config_account_find(ctx->cfg, "default");
	ctx->cfg->default_account =
	    a == NULL ? 0 : (size_t)(a - ctx->cfg->accounts);
}

/* Two workers with one bot would answer everything twice. */
static void
check_twins(struct config_ctx *ctx, const struct list *l)
{
	struct config_account *a, *b;
	size_t i, k;

	for (i = 0; i < ctx->cfg->naccounts; i++)
		for (k = 0; k < i; k++) {
			a = &ctx->cfg->accounts[k];
			b = &ctx->cfg->accounts[i];
			if (a->enabled && b->enabled &&
			    secret_equal(a->token, b->token) &&
			    strcmp(a->url.text, b->url.text) == 0)
				config_say(ctx, CONFIG_WARNING, l->v[i].own !=
				    NULL ? l->v[i].own : l->v[k].own,
				    "accounts %s and %s are the same bot on "
				    "the same server: it will answer twice",
				    a->id, b->id);
		}
}

/*
 * The whole section is missing. The environment alone may make an account:
 * then 1, and in channels it is for nobody, whatever channels.defaults says.
 */
static int
section_missing(struct config_ctx *ctx)
{
	if (cval_find(cval_find(ctx->root, "channels"), "mattermost") != NULL)
		return 0; /* it is there and no object, which was said */
	if (is_blank(getenv("MATTERMOST_BOT_TOKEN")) ||
	    is_blank(getenv("MATTERMOST_URL"))) {
		config_say(ctx, CONFIG_WARNING, NULL,
		    "channels.mattermost is missing: there is no account");
		return 0;
	}
	config_say(ctx, CONFIG_WARNING, NULL,
	    "channels.mattermost is missing: groupPolicy falls back to "
	    "\"allowlist\", messages in channels are dropped");
	return 1;
}

void
config_accounts(struct config_ctx *ctx)
{
	const struct cval *top = cval_path(ctx->root, "channels.mattermost");
	struct config *cfg = ctx->cfg;
	struct list l = {NULL, 0};
	size_t i;

	if (top == NULL && !section_missing(ctx))
		return;
	list_named(ctx, cval_get(top, "accounts"), &l);
	if (listed(&l, "default") == NULL &&
	    (l.n == 0 || implies_default(top)))
		add(&l, "default", NULL);
	qsort(l.v, l.n, sizeof(*l.v), compare);
	cfg->accounts = calloc(l.n, sizeof(*cfg->accounts));
	if (cfg->accounts == NULL)
		fatal("calloc");
	cfg->naccounts = l.n;
	for (i = 0; i < l.n; i++) {
		cfg->accounts[i].id = text_dup(l.v[i].id);
		config_account_build(ctx, &cfg->accounts[i], top, l.v[i].own);
	}
	choose_default(ctx, top);
	check_twins(ctx, &l);
	free(l.v);
}
