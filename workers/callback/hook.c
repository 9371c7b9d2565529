#include "config.h"

#include <sys/queue.h>

#include <ctype.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "common/text.h"
#include "workers/callback/callback.h"

/* POST /hooks/agent and /hooks/wake, as OpenClaw takes them. */

#define TEXT_MAX 65535 /* bytes of a message */
#define KEY_MAX 128    /* bytes of an idempotency key */
#define WINDOW_MS 60000
#define FAILURES 256   /* addresses that are remembered */

#define ERROR(text) "{\"ok\":false,\"error\":\"" text "\"}"

static const struct fixed method = {405, type_json,
    ERROR("method not allowed"), "Allow: POST\r\n"};
static const struct fixed unauthorised = {401, type_json,
    ERROR("unauthorized"), "WWW-Authenticate: Bearer\r\n"};
static const struct fixed busy = {429, type_json,
    ERROR("too many wrong tokens"), "Retry-After: 60\r\n"};

const struct fixed *
hook_error(int status)
{
	static const struct fixed list[] = {
	    {503, type_json, ERROR("service unavailable"),
		"Retry-After: 5\r\n"},
	    {413, type_json, ERROR("payload too large"), NULL},
	    {408, type_json, ERROR("request body timeout"), NULL},
	    {411, type_json, ERROR("length required"), NULL},
	    {400, type_json, ERROR("invalid request body"), NULL},
	};
	size_t i;

	for (i = 1; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].status == status)
			return &list[i];
	return &list[0];
}

/* Wrong tokens by address: a small table, the oldest gives way. */
static struct failure {
	struct addr addr;
	struct monotime since;
	unsigned n;
} failures[FAILURES];

static struct failure *
failure_of(const struct addr *a)
{
	struct failure *f, *old = &failures[0];
	size_t i;

	for (i = 0; i < FAILURES; i++) {
		f = &failures[i];
		if (f->n > 0 && memcmp(&f->addr, a, sizeof(*a)) == 0) {
			if (monotime_since(f->since) > WINDOW_MS)
				f->n = 0;
			return f;
		}
		if (f->n == 0 || f->since.ms < old->since.ms)
			old = f;
	}
	memset(old, 0, sizeof(*old));
	old->addr = *a;
	return old;
}

static void
failed(struct failure *f)
{
	if (f->n++ == 0)
		f->since = monotime_now();
}

static int
has_token(const struct callback *cb, const struct head *h)
{
	const char *s = h->token;
	struct proof shown;

	if (strncasecmp(h->authorization, "Bearer ", 7) == 0)
		s = h->authorization + 7;
	s += strspn(s, " ");
	proof_make(&shown, s, strlen(s));
	return proof_equal(&shown, &cb->hook_token);
}

int
hook_head(struct conn *c)
{
	const struct head *h = conn_head(c);
	struct addr a = {{0}};
	struct failure *f;

	if (h->method != METHOD_POST) {
		conn_answer(c, RESULT_METHOD, &method, 0);
		return 1;
	}
	(void)conn_client(c, &a);
	f = failure_of(&a);
	if (f->n >= CB_HOOK_FAILURES) {
		conn_answer(c, RESULT_BUSY, &busy, 1);
		return 1;
	}
	if (!has_token(conn_owner(c), h)) {
		failed(f);
		conn_answer(c, RESULT_BAD_TOKEN, &unauthorised, 0);
		return 1;
	}
	return 0;
}

static void
wrong(struct conn *c, const char *text)
{
	struct json_object *o = json_object_new_object();
	const char *s;
	size_t len;

	add_bool(o, "ok", 0);
	add_str(o, "error", text);
	s = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN, &len);
	conn_answer_body(c, RESULT_MALFORMED, 400, type_json, s, len);
	json_object_put(o);
}

/*
 * The id of a run: of the sender's key, so that who asks twice hears of the
 * same one; else a random one.
 */
static void
run_id(char out[33], const char *account, const char *key)
{
	unsigned char b[EVP_MAX_MD_SIZE];
	char text[256];
	int i, n;

	arc4random_buf(b, sizeof(b));
	if (key != NULL) {
		n = snprintf(text, sizeof(text), "%s\n%s", account, key);
		if (EVP_Digest(text, (size_t)n, b, NULL, EVP_sha256(),
			NULL) != 1)
			fatalx("SHA-256");
	}
	for (i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", b[i]);
}

static void
add(struct json_object *msg, const char *key, const char *s)
{
	if (s != NULL && *s != '\0')
		json_object_object_add(msg, key, json_object_new_string(s));
}

struct hook {
	const char *text, *name, *agent, *session, *channel, *to, *account;
	const char *key, *model, *thinking;
	int64_t timeout; /* s; 0: the agent's own */
	int deliver;
};

/* A key becomes part of an identity in the store. */
static int
is_key(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f)
			return 0;
	return i > 0;
}

/* NULL when the target is whole or none is given. */
static const char *
target_check(struct hook *h)
{
	size_t n = strlen("mattermost:");

	if (h->to != NULL && strncmp(h->to, "mattermost:", n) == 0) {
		/* The target names the service itself. */
		if (h->channel != NULL &&
		    strcmp(h->channel, "mattermost") != 0)
			return "to: a target of another channel";
		h->channel = "mattermost";
	}
	if (h->channel != NULL && strcmp(h->channel, "last") == 0)
		return "channel: \"last\" needs a conversation; name one";
	if (h->channel != NULL && strcmp(h->channel, "mattermost") != 0)
		return "channel: only \"mattermost\" is here";
	if ((h->channel == NULL) != (h->to == NULL))
		return "delivery needs both channel and to";
	return NULL;
}

static const char *
agent_read(
    const struct callback *cb, struct json_object *body, struct hook *h)
{
	struct fields f;

	fields_open(&f, body);
	h->text = fields_str(&f, "message", TEXT_MAX);
	h->name = fields_opt_str(&f, "name", 256);
	h->agent = fields_opt_str(&f, "agentId", 64);
	h->session = fields_opt_str(&f, "sessionKey", 256);
	h->key = fields_opt_str(&f, "idempotencyKey", KEY_MAX);
	h->channel = fields_opt_str(&f, "channel", 64);
	h->to = fields_opt_str(&f, "to", 512);
	h->account = fields_opt_str(&f, "accountId", 64);
	h->deliver = fields_opt_bool(&f, "deliver", 1);
	fields_opt_str(&f, "wakeMode", 32);
	fields_opt_str(&f, "sessionMode", 32);
	h->model = fields_opt_str(&f, "model", 256);
	h->thinking = fields_opt_str(&f, "thinking", 32);
	h->timeout = fields_opt_int(&f, "timeoutSeconds", 0, INT32_MAX, 0);
	if (fields_opt_bool(&f, "waitForCompletion", 0))
		return "waitForCompletion: not here; the answer is posted";
	if (fields_ok(&f) == -1)
		return fields_error(&f);
	if (h->text[strspn(h->text, " \t\r\n")] == '\0')
		return "message: is empty";
	if (h->session != NULL && !cb->hook_sessions)
		return "sessionKey: hooks.allowRequestSessionKey is off";
	if (h->key != NULL && !is_key(h->key))
		return "idempotencyKey: letters without spaces only";
	if (h->name == NULL)
		h->name = "Hook";
	return target_check(h);
}

static const char *
wake_read(struct json_object *body, struct hook *h)
{
	struct fields f;

	fields_open(&f, body);
	h->text = fields_str(&f, "text", TEXT_MAX);
	h->account = fields_opt_str(&f, "accountId", 64);
	fields_opt_str(&f, "mode", 32);
	if (fields_ok(&f) == -1)
		return fields_error(&f);
	if (h->text[strspn(h->text, " \t\r\n")] == '\0')
		return "text: is empty";
	h->name = "Hook";
	return NULL;
}

static void
hand_over(struct conn *c, struct peer *p, const struct hook *h)
{
	int wake = conn_route(c) == ROUTE_HOOK_WAKE;
	struct json_object *msg = chan_msg("cb.hook");
	char run[33];

	run_id(run, p->id, h->key);
	add(msg, "kind", wake ? "wake" : "agent");
	add(msg, "text", h->text);
	add(msg, "run", run);
	add(msg, "name", h->name);
	add(msg, "agent", h->agent);
	add(msg, "session", h->session);
	if (h->deliver)
		add(msg, "to", h->to);
	add(msg, "key", h->key);
	add(msg, "model", h->model);
	add(msg, "think", h->thinking);
	if (h->timeout > 0)
		add_int(msg, "timeout", h->timeout);
	peers_call(c, p, msg, type_json, hook_error);
}

void
hook_body(struct conn *c, const char *text, size_t len)
{
	struct callback *cb = conn_owner(c);
	struct json_object *body = proof_body(text, len);
	char account[TEXT_ID_SIZE], agent[TEXT_ID_SIZE];
	struct hook h = {0};
	struct peer *p;
	const char *why;

	if (body == NULL) {
		conn_answer(c, RESULT_MALFORMED, hook_error(400), 0);
		return;
	}
	why = conn_route(c) == ROUTE_HOOK_AGENT ? agent_read(cb, body, &h) :
						  wake_read(body, &h);
	if (h.account != NULL)
		text_id(h.account, account);
	if (h.agent != NULL) {
		text_id(h.agent, agent);
		h.agent = agent[0] != '\0' ? agent : h.agent;
	}
	p = peers_find(
	    cb, h.account != NULL ? account : cb->default_account);
	if (why != NULL)
		wrong(c, why);
	else if (p == NULL)
		wrong(c, "accountId: there is no such account");
	else
		hand_over(c, p, &h);
	json_object_put(body);
}
