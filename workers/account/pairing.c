#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/outbox.h"
#include "workers/account/pairing.h"
#include "workers/account/pairing_text.h"
#include "workers/account/policy.h"
#include "workers/account/storelink.h"
#include "workers/account/users.h"

#define TRIES_MAX 500 /* for a code that nobody has: the peer's */
#define NAME_SIZE 65  /* as the store keeps it */

/* A request on its way into the store. */
struct asking {
	char user[MM_ID_SIZE];
	char channel[MM_ID_SIZE];
	char name[NAME_SIZE];
	char event[EVENT_ID_SIZE];
	enum inbound_kind kind;
	int64_t at;
	int post;
	int tries;
	struct json_object *items; /* the reply; NULL when there is none */
	pairing_fn fn;
	void *arg;
};

static void ask(struct account *, struct asking *);

/* One post of ours, ready for the outbox; text is freed. */
static struct json_object *
post_of(const char *channel, char *text)
{
	struct json_object *items = json_object_new_array();
	char key[OUTBOX_KEY_SIZE];

	outbox_key(key, 0, 0);
	json_object_array_add(
	    items, outbox_item(key, "post", channel, "", "", text));
	free(text);
	return items;
}

static void
asking_end(struct account *a, struct asking *k, enum pairing_end end,
    const char *code)
{
	k->fn(a, end, code, k->arg);
	json_object_put(k->items);
	free(k);
}

static void
asked(struct account *a, struct json_object *reply, const char *err, void *arg)
{
	struct asking *k = arg;
	const char *state = api_str(reply, "state");
	const char *code = api_str(reply, "code");

	if (err != NULL) {
		log_event(LOG_ERR, "pairing.refused", "account", a->id, "user",
		    k->user, "error", err, NULL);
		asking_end(a, k, PAIRING_NO_STORE, "");
	} else if (strcmp(state, "new") == 0) {
		log_event(LOG_NOTICE, "pairing.asked", "account", a->id,
		    "user", k->user, NULL);
		if (k->items != NULL)
			outbox_add(a, k->items, "", 0, NULL, NULL);
		asking_end(a, k, PAIRING_ASKED, code);
	} else if (strcmp(state, "known") == 0)
		asking_end(a, k, PAIRING_WAITS, code);
	else if (strcmp(state, "granted") == 0) {
		policy_pair(a->policy, k->user);
		asking_end(a, k, PAIRING_LET_IN, "");
	} else if (strcmp(state, "taken") == 0 && ++k->tries < TRIES_MAX)
		ask(a, k);
	else
		asking_end(a, k, PAIRING_TOO_MANY, "");
}

static void
ask(struct account *a, struct asking *k)
{
	struct json_object *msg = chan_msg("pairing.ask");
	uint8_t random[PAIRING_CODE_LEN];
	char code[PAIRING_CODE_SIZE];

	arc4random_buf(random, sizeof(random));
	pairing_code(random, code);
	json_object_put(k->items);
	k->items = NULL;
	if (k->post)
		k->items = post_of(k->channel, pairing_text(k->user, code));
	add_str(msg, "user", k->user);
	add_str(msg, "code", code);
	add_str(msg, "name", k->name);
	add_str(msg, "channel", k->channel);
	add_str(msg, "kind", inbound_kind_name(k->kind));
	add_str(msg, "event", k->event);
	add_int(msg, "at", k->at);
	if (k->items != NULL)
		add_obj(msg, "outbox", json_object_get(k->items));
	storelink_request(a, msg, asked, k);
}

void
pairing_start(struct account *a, const struct inbound *in, int post,
    pairing_fn fn, void *arg)
{
	const char *name = in->actor_name;
	struct asking *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		fatal("calloc");
	ID_COPY(k->user, in->actor_id);
	ID_COPY(k->channel, in->channel_id);
	ID_COPY(k->event, in->event_id);
	k->kind = in->kind;
	k->at = in->create_at;
	if (*name == '\0' && users_name(a, in->actor_id) != NULL)
		name = users_name(a, in->actor_id);
	/* One that is too long for a name of this server is none. */
	if (strlcpy(k->name, name, sizeof(k->name)) >= sizeof(k->name))
		k->name[0] = '\0';
	k->post = post;
	k->fn = fn;
	k->arg = arg;
	ask(a, k);
}

/* Grants */

static void
told(struct account *a, struct json_object *reply, const char *err, void *arg)
{
	struct json_object *items = arg, *dup = NULL;

	json_object_object_get_ex(reply, "dup", &dup);
	if (err != NULL)
		log_event(LOG_WARNING, "pairing.notify", "account", a->id,
		    "error", err, NULL); /* again with the next link */
	else if (!json_object_get_boolean(dup))
		outbox_add(a, items, "", 0, NULL, NULL);
	json_object_put(items);
}

static void
tell(struct account *a, const char *user, const char *channel)
{
	struct json_object *msg = chan_msg("pairing.notified");
	struct json_object *items = post_of(channel, pairing_approved_text());

	add_str(msg, "user", user);
	add_obj(msg, "outbox", json_object_get(items));
	storelink_request(a, msg, told, items);
}

static void
grant(struct account *a, const char *user, const char *notify)
{
	policy_pair(a->policy, user);
	if (mm_id_valid(notify))
		tell(a, user, notify);
}

void
pairing_replace(struct account *a, struct json_object *grants)
{
	size_t i, n = json_object_array_length(grants);
	struct json_object *o;

	policy_unpair_all(a->policy);
	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(grants, i);
		if (mm_id_valid(api_str(o, "user")))
			grant(a, api_str(o, "user"), api_str(o, "notify"));
	}
}

int
pairing_row(struct account *a, struct json_object *row)
{
	const char *user, *notify;
	struct fields f;
	int on;

	fields_open(&f, row);
	user = fields_str(&f, "user", MM_ID_LEN);
	on = fields_bool(&f, "on");
	notify = fields_str(&f, "notify", MM_ID_LEN);
	if (fields_end(&f) == -1 || !mm_id_valid(user))
		return -1;
	log_event(LOG_NOTICE, on ? "pairing.granted" : "pairing.revoked",
	    "account", a->id, "user", user, NULL);
	if (on)
		grant(a, user, notify);
	else
		policy_unpair(a->policy, user);
	return 0;
}
