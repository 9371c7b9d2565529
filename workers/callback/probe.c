#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/signed_context.h"
#include "workers/callback/callback.h"

/*
 * The test of our own public address: an account sends a request there, by
 * way of whatever stands in between, with a number that it has signed. Who
 * signs an answer to it is this worker. It has no other effect, so it may
 * come from any address and to any path; what it is told is the path's kind.
 */

#define NONCE_LEN 32

static const char *const kinds[] = {
    [ROUTE_NONE] = "none",
    [ROUTE_HEALTH] = "health",
    [ROUTE_COMMAND] = "command",
    [ROUTE_ACTION] = "action",
    [ROUTE_HOOK_AGENT] = "hook",
    [ROUTE_HOOK_WAKE] = "hook",
};

static struct json_object *
statement(const char *key, const char *nonce)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, key, json_object_new_string(nonce));
	return o;
}

static struct peer *
signer(const struct callback *cb, const char *nonce, const char *token)
{
	struct json_object *o = statement("postern_probe", nonce);
	struct peer *p, *found = NULL;

	TAILQ_FOREACH(p, &cb->peers, entry)
		if (p->key[0] != '\0' &&
		    signed_context_verify(p->key, o, token))
			found = p;
	json_object_put(o);
	return found;
}

int
probe_head(struct conn *c)
{
	const char *s = conn_head(c)->probe;
	char nonce[NONCE_LEN + 1], token[SIGNED_HEX_SIZE];
	struct json_object *o;
	const char *text;
	struct peer *p;
	size_t len;

	if (strlen(s) <= NONCE_LEN || s[NONCE_LEN] != ' ')
		return 0;
	memcpy(nonce, s, NONCE_LEN);
	nonce[NONCE_LEN] = '\0';
	if ((p = signer(conn_owner(c), nonce, s + NONCE_LEN + 1)) == NULL)
		return 0;
	o = statement("postern_answer", nonce);
	if (signed_context_sign(p->key, o, token) == -1)
		fatalx("signed_context_sign");
	add_str(o, "token", token);
	add_str(o, "route", kinds[conn_route(c)]);
	text = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN, &len);
	conn_answer_body(c, RESULT_PROBE, 200, type_json, text, len);
	json_object_put(o);
	return 1;
}
