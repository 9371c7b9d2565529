#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/callback/entry.h"
#include "workers/account/command/picker.h"
#include "workers/account/command/slash_int.h"
#include "workers/account/pairing_text.h"
#include "workers/account/pipeline.h"
#include "workers/account/users.h"

#define REFUSED "Unauthorized: invalid command token."
#define BUSY "Temporary error. Please try again."
#define TEXT_MAX 16384 /* bytes of what follows the trigger */

struct slash_call {
	struct cb_call *call;
	struct inbound *in;
	struct json_object *more;
};

/* What the person sees who gave the command, and nobody else. */
static void
reply(struct cb_call *call, int status, const char *text)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "response_type", "ephemeral");
	add_str(o, "text", text);
	callback_reply(call, status, o, NULL);
}

static void
denied(struct slash_call *k, const struct inbound *in,
    const struct verdict *v, const char *code)
{
	const char *text = reason_denial(v->reason);
	char *pairing;

	if (v->reason == REASON_PAIRING && code != NULL) {
		pairing = pairing_text(in->actor_id, code);
		reply(k->call, 200, pairing);
		free(pairing);
	} else
		reply(k->call, 200, text != NULL ? text : "Unauthorized.");
}

static void
entered(struct account *a, enum entry_end end, const struct inbound *in,
    const struct verdict *v, const char *code, void *arg)
{
	struct slash_call *k = arg;

	switch (end) {
	case ENTRY_STORED:
	case ENTRY_TWICE:
		reply(k->call, 200, "Processing...");
		break;
	case ENTRY_DENIED:
		denied(k, in, v, code);
		break;
	case ENTRY_FAILED:
		reply(k->call, 503, BUSY);
		break;
	}
	free(k);
}

static void
checked(struct account *a, int ok, void *arg)
{
	struct slash_call *k = arg;

	if (ok) {
		entry_start(a, k->in, k->more, entered, k);
		return;
	}
	reply(k->call, 401, REFUSED);
	inbound_free(k->in);
	json_object_put(k->more);
	free(k);
}

/*
 * One trigger id is one call, however often it comes; without one every
 * call is another.
 */
static void
event_id(struct inbound *in, const char *trigger_id)
{
	unsigned char md[EVP_MAX_MD_SIZE], nonce[16];
	unsigned i, n = 0;

	if (trigger_id == NULL || *trigger_id == '\0') {
		arc4random_buf(nonce, sizeof(nonce));
		memcpy(md, nonce, sizeof(nonce));
	} else if (EVP_Digest(trigger_id, strlen(trigger_id), md, &n,
		       EVP_sha256(), NULL) != 1)
		fatalx("EVP_Digest");
	for (i = 0; i < 16; i++)
		(void)snprintf(in->event_id + 2 * i, 3, "%02x", md[i]);
}

/* "/name args", or what its prompt says. */
static void
line(struct inbound *in, const struct slash_spec *sp, const char *trigger,
    const char *text)
{
	char *args = slash_line(trigger, sp->name, text), *all = NULL;
	const char *rest;

	if (sp->prompt == NULL)
		inbound_set(&in->text, args);
	else {
		rest = strchr(args, ' ');
		if (asprintf(&all, "%s%s%s", sp->prompt,
			rest != NULL ? "\n\n" : "",
			rest != NULL ? rest + 1 : "") == -1)
			fatal("asprintf");
		inbound_set(&in->text, all);
	}
	free(all);
	free(args);
}

static void
start(struct account *a, struct cb_call *call, struct fields *f,
    struct slash_cmd *c, const char *user, const char *channel,
    const char *text)
{
	struct slash_call *k;
	struct inbound *in = inbound_new(INBOUND_SLASH);
	const char *s;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		fatal("calloc");
	(void)strlcpy(in->account, a->id, sizeof(in->account));
	ID_COPY(in->actor_id, user);
	ID_COPY(in->channel_id, channel);
	in->create_at = walltime_ms();
	s = fields_opt_str(f, "user_name", MM_NAME_MAX);
	inbound_set(&in->actor_name,
	    users_name(a, user) != NULL ? users_name(a, user) : s);
	event_id(in, fields_opt_str(f, "trigger_id", 1024));
	line(in, c->spec, c->spec->trigger, text);
	k->call = call;
	k->in = in;
	k->more = picker_more(a, c->spec->name, text, user);
	slash_check(a, c, checked, k);
}

void
slash_in(struct account *a, struct cb_call *call)
{
	const char *team, *id, *trigger, *channel, *user, *text;
	struct slash_cmd *c;
	struct fields f;

	fields_open(&f, callback_msg(call));
	team = fields_str(&f, "team", MM_ID_LEN);
	id = fields_str(&f, "command", MM_ID_LEN);
	trigger = fields_str(&f, "trigger", SLASH_TRIGGER_MAX);
	channel = fields_str(&f, "channel", MM_ID_LEN);
	user = fields_str(&f, "user", MM_ID_LEN);
	text = fields_str(&f, "text", TEXT_MAX);
	if (fields_ok(&f) == -1 || !mm_id_valid(channel) ||
	    !mm_id_valid(user)) {
		reply(call, 400, "Invalid slash command payload.");
		return;
	}
	c = slash_find(a, team, trigger);
	if (c == NULL || strcmp(c->id, id) != 0) {
		reply(call, 401, REFUSED);
		return;
	}
	start(a, call, &f, c, user, channel, text);
}
