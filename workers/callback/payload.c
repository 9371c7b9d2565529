#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "workers/callback/form.h"
#include "workers/callback/payload.h"
#include "workers/callback/proof.h"

static const char *const names[PAYLOAD_MAX] = {
    [PAYLOAD_TOKEN] = "token",
    [PAYLOAD_TEAM] = "team_id",
    [PAYLOAD_CHANNEL] = "channel_id",
    [PAYLOAD_USER] = "user_id",
    [PAYLOAD_COMMAND] = "command",
    [PAYLOAD_TEXT] = "text",
    [PAYLOAD_TEAM_DOMAIN] = "team_domain",
    [PAYLOAD_CHANNEL_NAME] = "channel_name",
    [PAYLOAD_USER_NAME] = "user_name",
    [PAYLOAD_TRIGGER_ID] = "trigger_id",
    [PAYLOAD_RESPONSE_URL] = "response_url",
};

const char *
payload_name(enum payload_field f)
{
	return names[f];
}

static void
parse_form(const char *body, size_t len, struct payload *p)
{
	size_t n;
	char *s;
	int i;

	for (i = 0; i < PAYLOAD_MAX; i++) {
		if ((s = form_get(body, len, names[i], &n)) == NULL)
			continue;
		p->v[i] = text_mend(s, n);
		freezero(s, n);
	}
}

static void
parse_json(const char *body, size_t len, struct payload *p)
{
	struct json_object *o = proof_body(body, len), *v;
	int i;

	if (o == NULL)
		return;
	for (i = 0; i < PAYLOAD_MAX; i++)
		if (json_object_object_get_ex(o, names[i], &v) &&
		    json_object_is_type(v, json_type_string))
			p->v[i] = text_mend(json_object_get_string(v),
			    (size_t)json_object_get_string_len(v));
	json_object_put(o);
}

int
payload_parse(const char *body, size_t len, const char *content_type,
    struct payload *p)
{
	int i;

	memset(p, 0, sizeof(*p));
	/* The peer looks for the exact letters, anywhere in the header. */
	if (strstr(content_type, "application/json") != NULL)
		parse_json(body, len, p);
	else
		parse_form(body, len, p);
	for (i = 0; i < PAYLOAD_NEEDED; i++)
		if (p->v[i] == NULL || p->v[i][0] == '\0')
			return -1;
	if (p->v[PAYLOAD_TEXT] == NULL &&
	    (p->v[PAYLOAD_TEXT] = strdup("")) == NULL)
		fatal("strdup");
	return 0;
}

void
payload_free(struct payload *p)
{
	int i;

	if (p->v[PAYLOAD_TOKEN] != NULL)
		explicit_bzero(
		    p->v[PAYLOAD_TOKEN], strlen(p->v[PAYLOAD_TOKEN]));
	for (i = 0; i < PAYLOAD_MAX; i++)
		free(p->v[i]);
	memset(p, 0, sizeof(*p));
}

const char *
payload_trigger(const struct payload *p)
{
	const char *s = p->v[PAYLOAD_COMMAND];

	return *s == '/' ? s + 1 : s;
}
