#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/monotime.h"
#include "common/secret.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/buttons.h"
#include "workers/account/callback/interact.h"

static char *url;

void
interact_config(struct account *a, struct json_object *config)
{
	if ((url = strdup(api_str(config, "interactionUrl"))) == NULL)
		fatal("strdup");
}

const char *
interact_url(const struct account *a)
{
	return url;
}

int
interact_secret(const struct account *a, char secret[SIGNED_HEX_SIZE])
{
	secret[0] = '\0';
	if (a->token == NULL)
		return -1;
	signed_context_secret(
	    secret_bytes(a->token), secret_len(a->token), secret);
	return 0;
}

struct json_object *
interact_props(const struct account *a, const char *channel,
    struct json_object *buttons, struct json_object *presentation,
    const char *text, const char **why)
{
	char secret[SIGNED_HEX_SIZE], nonce[NONCE_SIZE];
	struct buttons_opts o = {.secret = secret, .url = url,
	    .channel = channel, .nonce = nonce, .text = text,
	    .expires = walltime_ms() / 1000 + BUTTONS_LIFE_S};
	struct json_object *props;

	*why = "there is no bot token to sign with";
	if (interact_secret(a, secret) == -1)
		return NULL;
	buttons_nonce(nonce);
	props = buttons_props(&o, buttons, presentation, why);
	explicit_bzero(secret, sizeof(secret));
	if (props != NULL && *url == '\0') {
		json_object_put(props);
		*why = "nobody would hear of a click: buttons need "
		       "capabilities: [\"inlineButtons\"] or interactions in "
		       "the configuration";
		return NULL;
	}
	return props;
}

struct json_object *
interact_sign(
    const struct account *a, struct json_object *context, const char **why)
{
	char secret[SIGNED_HEX_SIZE], token[SIGNED_HEX_SIZE];
	int rc;

	*why = "there is no bot token to sign with";
	if (interact_secret(a, secret) == -1) {
		json_object_put(context);
		return NULL;
	}
	rc = signed_context_sign(secret, context, token);
	explicit_bzero(secret, sizeof(secret));
	if (rc == -1) {
		*why = "the context is nested too deeply";
		json_object_put(context);
		return NULL;
	}
	json_object_object_del(context, CTX_TOKEN);
	json_object_object_add(
	    context, CTX_TOKEN, json_object_new_string(token));
	return context;
}
