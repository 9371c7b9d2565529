#include "config.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "common/add.h"
#include "common/chan.h"
#include "workers/callback/callback.h"
#include "workers/callback/inflight.h"
#include "workers/callback/payload.h"

/* Slash commands: what OpenClaw checks, in its order and with its answers. */

#define EPHEMERAL(text)                                                        \
	"{\"response_type\":\"ephemeral\",\"text\":\"" text "\"}"

static const struct fixed busy = {429, NULL, "Too Many Requests", NULL};
static const struct fixed inactive = {503, type_json_utf8,
    EPHEMERAL("Slash commands are not yet initialized. Please try again in a "
	      "moment."), NULL};
static const struct fixed method = {405, NULL, "Method Not Allowed",
    "Allow: POST\r\n"};
static const struct fixed malformed = {400, type_json_utf8,
    EPHEMERAL("Invalid slash command payload."), NULL};
static const struct fixed unauthorised = {401, type_json_utf8,
    EPHEMERAL("Unauthorized: invalid command token."), NULL};
static const struct fixed twice_token = {409, type_json_utf8,
    EPHEMERAL("Conflict: command token is not unique across accounts."),
    NULL};
static const struct fixed twice_command = {409, type_json_utf8,
    EPHEMERAL("Conflict: slash command is not unique across accounts."),
    NULL};

const struct fixed *
command_error(int status)
{
	static const struct fixed list[] = {
	    {413, NULL, "Payload Too Large", NULL},
	    {408, NULL, "Request body timeout", NULL},
	    {411, NULL, "Length Required", NULL},
	};
	size_t i;

	if (status == 401)
		return &unauthorised;
	for (i = 1; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].status == status)
			return &list[i];
	return status == 503 ? &inactive : &list[0];
}

/*
 * How many accounts know the token; the last of them. All are looked at,
 * whatever is found, so that the time says nothing.
 */
static unsigned
token_find(
    const struct callback *cb, const struct proof *token, struct peer **found)
{
	struct peer *p;
	unsigned n = 0;
	size_t i;
	int has;

	*found = NULL;
	TAILQ_FOREACH(p, &cb->peers, entry) {
		for (has = 0, i = 0; i < p->ncmds; i++)
			has |= proof_equal(&p->cmds[i].token, token);
		n += (unsigned)has;
		if (has)
			*found = p;
	}
	return n;
}

static int
is_command(const struct command *cmd, const struct payload *pl)
{
	return strcmp(cmd->team, pl->v[PAYLOAD_TEAM]) == 0 &&
	    strcmp(cmd->trigger, payload_trigger(pl)) == 0;
}

/* The command of this account that both name and token are of. */
static const struct command *
command_find(const struct peer *p, const struct payload *pl,
    const struct proof *token)
{
	const struct command *found = NULL;
	size_t i;

	for (i = 0; i < p->ncmds; i++)
		if (proof_equal(&p->cmds[i].token, token) &
		    is_command(&p->cmds[i], pl))
			found = &p->cmds[i];
	return found;
}

static unsigned
owners(const struct callback *cb, const struct payload *pl)
{
	struct peer *p;
	unsigned n = 0;
	size_t i;

	TAILQ_FOREACH(p, &cb->peers, entry)
		for (i = 0; i < p->ncmds; i++)
			if (is_command(&p->cmds[i], pl)) {
				n++;
				break;
			}
	return n;
}

static int
is_active(const struct callback *cb)
{
	struct peer *p;

	TAILQ_FOREACH(p, &cb->peers, entry)
		if (p->chan != NULL && p->ncmds > 0)
			return 1;
	return 0;
}

/* Of the token that the head shows, or 0 when nobody knows it. */
static uint64_t
head_key(struct conn *c)
{
	const struct head *h = conn_head(c);
	struct proof token;
	struct peer *p;

	if (strncasecmp(h->authorization, "Token ", 6) != 0)
		return 0;
	proof_make(
	    &token, h->authorization + 6, strlen(h->authorization + 6));
	return token_find(conn_owner(c), &token, &p) > 0 ?
	    proof_number(&token) : 0;
}

int
command_is_known(struct conn *c)
{
	return head_key(c) != 0;
}

int
command_head(struct conn *c)
{
	struct callback *cb = conn_owner(c);
	const struct head *h = conn_head(c);
	uint64_t key = head_key(c);

	if (inflight_begin(cb->inflight, key) == -1) {
		conn_answer(c, RESULT_BUSY, &busy, 1);
		return 1;
	}
	conn_hold(c, key);
	if (!is_active(cb))
		conn_answer(c, RESULT_NO_ACCOUNT, &inactive, 0);
	else if (h->method != METHOD_POST)
		conn_answer(c, RESULT_METHOD, &method, 0);
	else
		return 0;
	return 1;
}

static void
hand_over(struct conn *c, struct peer *p, const struct command *cmd,
    const struct payload *pl)
{
	static const struct {
		const char *key;
		enum payload_field field;
	} list[] = {{"channel", PAYLOAD_CHANNEL}, {"user", PAYLOAD_USER},
	    {"text", PAYLOAD_TEXT}, {"channel_name", PAYLOAD_CHANNEL_NAME},
	    {"user_name", PAYLOAD_USER_NAME},
	    {"team_domain", PAYLOAD_TEAM_DOMAIN},
	    {"trigger_id", PAYLOAD_TRIGGER_ID},
	    {"response_url", PAYLOAD_RESPONSE_URL}};
	struct json_object *msg = chan_msg("cb.command");
	size_t i;

	add_int(msg, "gen", p->gen);
	add_str(msg, "team", cmd->team);
	add_str(msg, "command", cmd->id);
	add_str(msg, "trigger", cmd->trigger);
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (pl->v[list[i].field] != NULL)
			json_object_object_add(msg, list[i].key,
			    json_object_new_string(pl->v[list[i].field]));
	peers_call(c, p, msg, type_json_utf8, command_error);
}

static void
check(struct conn *c, const struct payload *pl)
{
	struct callback *cb = conn_owner(c);
	const struct command *cmd;
	const char *s = pl->v[PAYLOAD_TOKEN];
	struct proof token;
	struct peer *p;
	unsigned n;

	proof_make(&token, s, strlen(s));
	n = token_find(cb, &token, &p);
	if (n > 1)
		conn_answer(c, RESULT_CONFLICT, &twice_token, 0);
	else if (n == 0 && owners(cb, pl) > 1)
		conn_answer(c, RESULT_CONFLICT, &twice_command, 0);
	else if (n == 0 || (cmd = command_find(p, pl, &token)) == NULL)
		conn_answer(c, RESULT_BAD_TOKEN, &unauthorised, 0);
	else
		hand_over(c, p, cmd, pl);
}

void
command_body(struct conn *c, const char *body, size_t len)
{
	struct payload pl;

	if (payload_parse(body, len, conn_head(c)->content_type, &pl) == -1)
		conn_answer(c, RESULT_MALFORMED, &malformed, 0);
	else
		check(c, &pl);
	payload_free(&pl);
}
