#include "config.h"

#include <json-c/json.h>

#include "common/proto.h"
#include "daemon/config_private.h"

#define ENVELOPE 1024	    /* bytes of an init frame besides its "config" */
#define ENDPOINTS_MAX 4096u /* what the dialer takes */

static void
check_frame(struct config_ctx *ctx, const char *what, const char *id,
    struct json_object *json)
{
	size_t len = 0;

	json_object_to_json_string_length(json, JSON_C_TO_STRING_PLAIN, &len);
	if (len > PROTO_TEXT - ENVELOPE)
		config_say(ctx, CONFIG_ERROR, NULL,
		    "%s %s: is told %zu bytes, and %u are the most: shorten "
		    "its lists", what, id, len, PROTO_TEXT - ENVELOPE);
}

void
config_limits(struct config_ctx *ctx)
{
	const struct config *cfg = ctx->cfg;
	struct json_object *list = NULL;
	size_t i;

	for (i = 0; i < cfg->naccounts; i++)
		check_frame(ctx, "account", cfg->accounts[i].id,
		    cfg->accounts[i].json);
	for (i = 0; i < cfg->nagents; i++)
		check_frame(
		    ctx, "agent", cfg->agents[i].id, cfg->agents[i].json);
	check_frame(ctx, "the", "dialer", cfg->dialer_json);
	check_frame(ctx, "the", "gateway", cfg->callback_json);
	if (json_object_object_get_ex(cfg->dialer_json, "endpoints", &list) &&
	    json_object_array_length(list) > ENDPOINTS_MAX)
		config_say(ctx, CONFIG_ERROR, NULL,
		    "more than %u servers to connect to", ENDPOINTS_MAX);
}
