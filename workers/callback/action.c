#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/signed_context.h"
#include "common/text.h"
#include "workers/callback/callback.h"
#include "workers/callback/payload.h"

/* Buttons and menus: OpenClaw's checks and answers, and what is our own. */

/* Members of a context. */
#define TOKEN "_token"
#define ACTION "action_id"
#define CHANNEL "__openclaw_channel_id"
#define EXPIRES "postern_expires" /* s since the epoch; ours have one */
#define SELECTED "selected_option" /* added by the server, so not signed */

#define ERROR(text) "{\"error\":\"" text "\"}"

static const struct {
	enum result result;
	struct fixed fixed;
} answers[] = {
#define A_METHOD 0
    {RESULT_METHOD, {405, type_json, ERROR("Method Not Allowed"),
	"Allow: POST\r\n"}},
#define A_SOURCE 1
    {RESULT_SOURCE, {403, type_json, ERROR("Forbidden origin"), NULL}},
#define A_BODY 2
    {RESULT_MALFORMED, {400, type_json, ERROR("Invalid request body"),
	NULL}},
#define A_CONTEXT 3
    {RESULT_NO_CONTEXT, {400, type_json, ERROR("Missing context"), NULL}},
#define A_NO_TOKEN 4
    {RESULT_NO_TOKEN, {403, type_json, ERROR("Missing token"), NULL}},
#define A_TOKEN 5
    {RESULT_BAD_TOKEN, {403, type_json, ERROR("Invalid token"), NULL}},
#define A_ACTION 6
    {RESULT_NO_ACTION, {400, type_json,
	ERROR("Missing action_id in context"), NULL}},
#define A_CHANNEL 7
    {RESULT_CHANNEL, {403, type_json, ERROR("Channel mismatch"), NULL}},
#define A_EXPIRED 8
    {RESULT_EXPIRED, {403, type_json, ERROR("Action expired"), NULL}},
};

static void
say(struct conn *c, int a)
{
	conn_answer(c, answers[a].result, &answers[a].fixed, 0);
}

const struct fixed *
action_error(int status)
{
	static const struct fixed list[] = {
	    {503, type_json, ERROR("Service unavailable"), NULL},
	    {413, type_json, ERROR("Payload too large"), NULL},
	    {408, type_json, ERROR("Request body timeout"), NULL},
	    {411, type_json, ERROR("Length required"), NULL},
	    {403, type_json, ERROR("Invalid token"), NULL},
	};
	size_t i;

	for (i = 1; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].status == status)
			return &list[i];
	return &list[0];
}

int
action_head(struct conn *c)
{
	struct addr a;

	if (conn_head(c)->method != METHOD_POST)
		say(c, A_METHOD);
	else if (conn_client(c, &a) == -1 ||
	    !nets_allow(&conn_peer(c)->allowed, &a))
		say(c, A_SOURCE);
	else
		return 0;
	return 1;
}

static const char *
text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string) ||
	    strlen(json_object_get_string(v)) !=
		(size_t)json_object_get_string_len(v))
		return NULL;
	return json_object_get_string(v);
}

/*
 * Who clicks a menu adds the choice to what was signed: such a context is
 * good with it or without it. Both are tried, always. *selected is what was
 * added, or NULL.
 */
static int
is_signed(const struct peer *p, struct json_object *context,
    const char *token, struct json_object **selected)
{
	struct json_object *v = NULL;
	int whole, less = 0;

	*selected = NULL;
	whole = signed_context_verify(p->key, context, token);
	if (json_object_object_get_ex(context, SELECTED, &v)) {
		json_object_get(v);
		json_object_object_del(context, SELECTED);
		less = signed_context_verify(p->key, context, token);
		if (whole)
			json_object_object_add(
			    context, SELECTED, json_object_get(v));
		else if (less && json_object_is_type(v, json_type_string))
			*selected = json_object_get(v);
		json_object_put(v);
	}
	return p->key[0] != '\0' && (whole | less);
}

static int
is_expired(struct json_object *context)
{
	struct json_object *v;

	if (!json_object_object_get_ex(context, EXPIRES, &v))
		return 0;
	return !json_object_is_type(v, json_type_int) ||
	    json_object_get_int64(v) < (int64_t)time(NULL);
}

static void
copy(struct json_object *msg, const char *key, struct json_object *body,
    const char *name)
{
	const char *s = text_of(body, name);
	char *fixed;

	if (s == NULL)
		return;
	fixed = text_mend(s, strlen(s));
	json_object_object_add(msg, key, json_object_new_string(fixed));
	free(fixed);
}

static void
hand_over(struct conn *c, struct json_object *body,
    struct json_object *context, struct json_object *selected)
{
	static const char *const names[][2] = {{"user", "user_id"},
	    {"channel", "channel_id"}, {"post", "post_id"},
	    {"user_name", "user_name"}, {"channel_name", "channel_name"},
	    {"team", "team_id"}, {"team_domain", "team_domain"},
	    {"trigger_id", "trigger_id"}, {"type", "type"},
	    {"data_source", "data_source"}};
	struct json_object *msg = chan_msg("cb.action");
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		copy(msg, names[i][0], body, names[i][1]);
	copy(msg, "action", context, ACTION);
	if (selected != NULL)
		add_obj(msg, "selected", json_object_get(selected));
	json_object_object_del(context, TOKEN);
	add_obj(msg, "context", json_object_get(context));
	peers_call(c, conn_peer(c), msg, type_json, action_error);
}

static void
check_signed(struct conn *c, struct json_object *body,
    struct json_object *context, const char *token)
{
	struct json_object *selected = NULL, *v;
	const char *channel = text_of(body, "channel_id"), *own;

	if (!is_signed(conn_peer(c), context, token, &selected))
		say(c, A_TOKEN);
	else if (text_of(context, ACTION) == NULL)
		say(c, A_ACTION);
	else if (json_object_object_get_ex(context, CHANNEL, &v) &&
	    ((own = text_of(context, CHANNEL)) == NULL || channel == NULL ||
		strcmp(own, channel) != 0))
		say(c, A_CHANNEL);
	else if (is_expired(context))
		say(c, A_EXPIRED);
	else if (channel == NULL || text_of(body, "post_id") == NULL ||
	    text_of(body, "user_id") == NULL)
		say(c, A_BODY);
	else
		hand_over(c, body, context, selected);
	json_object_put(selected);
}

void
action_body(struct conn *c, const char *text, size_t len)
{
	struct json_object *body = proof_body(text, len), *context = NULL;
	const char *token = NULL;

	conn_about(c, body == NULL ? NULL : text_of(body, "post_id"));
	if (body != NULL &&
	    json_object_object_get_ex(body, "context", &context) &&
	    json_object_is_type(context, json_type_object))
		token = text_of(context, TOKEN);
	if (body == NULL)
		say(c, A_BODY);
	else if (context == NULL ||
	    !json_object_is_type(context, json_type_object))
		say(c, A_CONTEXT);
	else if (token == NULL)
		say(c, A_NO_TOKEN);
	else if (conn_peer(c)->chan == NULL)
		conn_answer(c, RESULT_NO_ACCOUNT, action_error(503), 0);
	else
		check_signed(c, body, context, token);
	json_object_put(body);
}
