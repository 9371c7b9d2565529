#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/secret.h"
#include "daemon/config_private.h"

/* Tokens of slash commands that an administrator made, and the models. */

#define TRIGGER_MAX 128 /* Mattermost 5.37 */
#define TEAM_LEN 26

/* "trigger" or "team id/trigger". */
static int
is_trigger(const char *s)
{
	const char *slash = strchr(s, '/');

	if (slash != NULL) {
		if (slash - s != TEAM_LEN ||
		    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789") !=
			TEAM_LEN)
			return 0;
		s = slash + 1;
	}
	return *s != '\0' && strlen(s) <= TRIGGER_MAX &&
	    s[strcspn(s, "/ \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

void
config_commands_get(struct config_ctx *ctx, struct config_account *a,
    const struct cval *eff, const char *path)
{
	const struct cval *map = cval_path(eff, "commands.tokens"), *m;
	struct config_command_token *t;
	char where[CONFIG_PATH_MAX], full[CONFIG_PATH_MAX];
	struct secret *s;

	(void)snprintf(where, sizeof(where), "%s.commands.tokens", path);
	for (m = map == NULL ? NULL : map->first; m != NULL; m = m->next) {
		if (m->bad)
			continue;
		if (!is_trigger(m->key)) {
			config_say_key(ctx, CONFIG_ERROR, m,
			    "%s: a trigger in lower case, or a team's id, a "
			    "slash and a trigger", where);
			continue;
		}
		config_path_join(full, sizeof(full), where, m);
		s = NULL;
		if (config_secret_get(ctx, m, full, &s) != CONFIG_GOT)
			continue;
		a->tokens = grow(a->tokens, a->ntokens, sizeof(*t));
		t = &a->tokens[a->ntokens++];
		t->trigger = config_printf("command:%s", m->key);
		t->token = s;
	}
}

void
config_commands_clear(struct config_account *a)
{
	size_t i;

	for (i = 0; i < a->ntokens; i++) {
		free(a->tokens[i].trigger);
		secret_free(a->tokens[i].token);
	}
	free(a->tokens);
}

int
config_commands_same(
    const struct config_account *a, const struct config_account *b)
{
	size_t i;

	if (a->ntokens != b->ntokens)
		return 0;
	for (i = 0; i < a->ntokens; i++)
		if (strcmp(a->tokens[i].trigger, b->tokens[i].trigger) != 0 ||
		    !secret_equal(a->tokens[i].token, b->tokens[i].token))
			return 0;
	return 1;
}

/* Every model that the file tells of: what /oc_model offers. */
struct json_object *
config_models_json(struct config_ctx *ctx)
{
	const struct cval *all = cval_path(ctx->root, "models.providers"), *p;
	struct json_object *list = json_object_new_array(), *o;
	const struct cval *models, *m;
	const char *id;

	for (p = all == NULL ? NULL : all->first; p != NULL; p = p->next) {
		models = cval_get(p, "models");
		for (m = models == NULL || p->bad ? NULL : models->first;
		     m != NULL; m = m->next) {
			id = cval_string(cval_get(m, "id"), "");
			if (m->bad || *id == '\0')
				continue;
			o = json_object_new_object();
			config_json_str(o, "provider", p->key);
			config_json_str(o, "id", id);
			config_json_str(o, "name",
			    cval_string(cval_get(m, "name"), id));
			json_object_array_add(list, o);
		}
	}
	return list;
}
