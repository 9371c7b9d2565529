/*
 * Clicks. The callback worker has verified the context; what is left is the
 * post it names, the policy, and once only. In order: expiry, the post, its
 * channel, the action in it, the sender; then the inbox, then 200.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/buttons.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/callback/confirm.h"
#include "workers/account/callback/entry.h"
#include "workers/account/channels.h"
#include "workers/account/command/picker.h"
#include "workers/account/pairing_text.h"
#include "workers/account/pipeline.h"
#include "workers/account/reason.h"
#include "workers/account/users.h"

#define ACTION_MAX 128

struct click {
	struct cb_call *call;
	struct inbound *in;
	struct json_object *context; /* borrowed of the call's message */
	struct json_object *post;
	struct json_object *confirm;
	char channel[MM_ID_SIZE]; /* as the payload says */
	const char *selected;     /* of the message, or "" */
};

static void
click_free(struct click *k)
{
	inbound_free(k->in);
	json_object_put(k->post);
	json_object_put(k->confirm);
	free(k);
}

static void
answer(struct click *k, int status, const char *key, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (key != NULL)
		json_object_object_add(o, key, json_object_new_string(text));
	callback_reply(k->call, status, o, NULL);
	click_free(k);
}

static void
refuse(struct account *a, struct click *k, int status, const char *text)
{
	log_event(LOG_NOTICE, "action.refused", "account", a->id, "post",
	    k->in->post_id, "error", text, NULL);
	answer(k, status, "error", text);
}

static void
ignored(struct account *a, struct click *k)
{
	struct channel *ch = channel_get(a, k->in->channel_id);
	char text[400];

	snprintf(text, sizeof(text), "Postern ignored this action for %s%.256s.",
	    ch->type == 'D' ? "this conversation" : "#",
	    ch->type == 'D' ? "" : ch->name != NULL ? ch->name : ch->id);
	answer(k, 200, "ephemeral_text", text);
}

static void
entered(struct account *a, enum entry_end end, const struct inbound *in,
    const struct verdict *v, const char *code, void *arg)
{
	struct click *k = arg;

	k->in = NULL; /* it was the entry's */
	switch (end) {
	case ENTRY_STORED:
		confirm_start(a, k->confirm);
		answer(k, 200, NULL, NULL);
		break;
	case ENTRY_TWICE:
		answer(k, 200, "ephemeral_text",
		    "These buttons were used already.");
		break;
	case ENTRY_DENIED:
		k->in = inbound_new(INBOUND_BUTTON);
		ID_COPY(k->in->channel_id, in->channel_id);
		ignored(a, k);
		break;
	case ENTRY_FAILED:
		answer(k, 500, "error", "Interaction handler failed");
		break;
	}
}

static void
picker_denied(struct click *k, const struct inbound *in,
    const struct verdict *v, const char *code)
{
	char *pairing;

	if (v->reason == REASON_PAIRING && code != NULL) {
		pairing = pairing_text(in->actor_id, code);
		answer(k, 200, "ephemeral_text", pairing);
		free(pairing);
	} else
		answer(k, 200, "ephemeral_text",
		    reason_picker_denial(v->reason));
}

/* The picker's buttons: allowed is enough, nothing is kept. */
static void
picker_allowed(struct account *a, enum entry_end end, const struct inbound *in,
    const struct verdict *v, const char *code, void *arg)
{
	struct click *k = arg;
	struct cb_call *call = k->call;

	if (end == ENTRY_FAILED) {
		answer(k, 500, "error", "Interaction handler failed");
		return;
	}
	if (end != ENTRY_STORED) {
		picker_denied(k, in, v, code);
		return;
	}
	k->in = inbound_new(INBOUND_BUTTON);
	ID_COPY(k->in->channel_id, in->channel_id);
	(void)strlcpy(k->in->account, a->id, sizeof(k->in->account));
	ID_COPY(k->in->actor_id, in->actor_id);
	ID_COPY(k->in->post_id, in->post_id);
	ID_COPY(k->in->root_id, in->root_id);
	inbound_set(&k->in->actor_name, in->actor_name);
	picker_click(a, call, k->in, k->post);
	k->in = NULL;
	click_free(k);
}

static int
is_true(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) &&
	    json_object_get_boolean(v);
}

/* Of our own buttons the nonce, of a script's the post as it is now. */
static void
event_id(struct click *k)
{
	const char *nonce = api_str(k->context, CTX_NONCE);
	struct inbound *in = k->in;

	if (*nonce != '\0' && strlen(nonce) < NONCE_SIZE)
		(void)snprintf(
		    in->event_id, sizeof(in->event_id), "nonce:%s", nonce);
	else
		(void)snprintf(in->event_id, sizeof(in->event_id),
		    "%s:%.64s:%lld", in->post_id, in->action_id,
		    (long long)api_int(k->post, "edit_at"));
}

static void
decided(struct account *a, struct click *k)
{
	struct json_object *more;
	char line[600];

	if (is_true(k->context, CTX_PICKER)) {
		struct inbound *in = k->in;

		/* For a request to pair, which each click may make. */
		in->picker = 1;
		(void)snprintf(in->event_id, sizeof(in->event_id),
		    "picker:%s:%lld", in->post_id, (long long)in->create_at);
		k->in = NULL;
		entry_allow(a, in, picker_allowed, k);
		return;
	}
	event_id(k);
	snprintf(line, sizeof(line),
	    "\xe2\x9c\x93 **%.256s** selected by @%.128s", k->in->action_name,
	    k->in->actor_name[0] != '\0' ? k->in->actor_name :
					   k->in->actor_id);
	k->confirm = confirm_make(k->post, line);
	more = json_object_new_object();
	add_obj(more, "confirm", json_object_get(k->confirm));
	entry_start(a, k->in, more, entered, k);
}

/* The label of a menu's choice; the choice itself when it has none. */
static const char *
option_name(struct json_object *action, const char *value)
{
	struct json_object *list = NULL, *o;
	size_t i;

	json_object_object_get_ex(action, "options", &list);
	for (i = 0; json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(api_str(o, "value"), value) == 0)
			return api_str(o, "text");
	}
	return value;
}

static struct json_object *
find_action(struct json_object *post, const char *id)
{
	struct json_object *props = NULL, *atts = NULL, *acts, *o;
	size_t i, j;

	json_object_object_get_ex(post, "props", &props);
	if (!json_object_is_type(props, json_type_object) ||
	    !json_object_object_get_ex(props, "attachments", &atts) ||
	    !json_object_is_type(atts, json_type_array))
		return NULL;
	for (i = 0; i < json_object_array_length(atts); i++) {
		o = json_object_array_get_idx(atts, i);
		if (!json_object_is_type(o, json_type_object) ||
		    !json_object_object_get_ex(o, "actions", &acts) ||
		    !json_object_is_type(acts, json_type_array))
			continue;
		for (j = 0; j < json_object_array_length(acts); j++) {
			o = json_object_array_get_idx(acts, j);
			if (strcmp(api_str(o, "id"), id) == 0 &&
			    *api_str(o, "name") != '\0')
				return o;
		}
	}
	return NULL;
}

/* What the button stands for, in the words of whoever made it. */
static const char *
value_of(const struct click *k)
{
	static const char *const keys[] = {CTX_VALUE, "value", "action", NULL};
	int i;

	if (*k->selected != '\0')
		return k->selected;
	for (i = 0; keys[i] != NULL; i++)
		if (*api_str(k->context, keys[i]) != '\0')
			return api_str(k->context, keys[i]);
	return k->in->action_id;
}

static void
post_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct click *k = arg;
	struct json_object *action;

	if (!api_ok(r, body, 200)) {
		refuse(a, k, 500, "Failed to validate interaction");
		return;
	}
	k->post = json_object_get(body);
	if (strcmp(api_str(body, "channel_id"), k->channel) != 0) {
		refuse(a, k, 403, "Post/channel mismatch");
		return;
	}
	if ((action = find_action(body, k->in->action_id)) == NULL) {
		refuse(a, k, 403, "Unknown action");
		return;
	}
	inbound_set(&k->in->action_name,
	    *k->selected != '\0' ? option_name(action, k->selected) :
				   api_str(action, "name"));
	inbound_set(&k->in->action_value, value_of(k));
	if (mm_id_valid(api_str(body, "root_id")))
		ID_COPY(k->in->root_id, api_str(body, "root_id"));
	decided(a, k);
}

static int
is_expired(struct json_object *context)
{
	struct json_object *v;

	return json_object_object_get_ex(context, CTX_EXPIRES, &v) &&
	    json_object_get_int64(v) < walltime_ms() / 1000;
}

/* -1: not of its shape. */
static int
click_read(struct account *a, struct click *k)
{
	const char *user, *channel, *post, *action, *name;
	struct inbound *in = k->in;
	struct fields f;

	fields_open(&f, callback_msg(k->call));
	user = fields_str(&f, "user", MM_ID_LEN);
	channel = fields_str(&f, "channel", MM_ID_LEN);
	post = fields_str(&f, "post", MM_ID_LEN);
	action = fields_str(&f, "action", ACTION_MAX);
	name = fields_opt_str(&f, "user_name", MM_NAME_MAX);
	k->selected = fields_opt_str(&f, "selected", BUTTON_VALUE_MAX);
	k->context = fields_obj(&f, "context");
	if (k->selected == NULL)
		k->selected = "";
	if (fields_ok(&f) == -1 || !mm_id_valid(user) ||
	    !mm_id_valid(channel) || !mm_id_valid(post))
		return -1;
	(void)strlcpy(in->account, a->id, sizeof(in->account));
	ID_COPY(in->actor_id, user);
	ID_COPY(in->channel_id, channel);
	ID_COPY(in->post_id, post);
	ID_COPY(k->channel, channel);
	/* For people; who decides by names asks the server. */
	inbound_set(&in->actor_name,
	    users_name(a, user) != NULL ? users_name(a, user) : name);
	inbound_set(&in->action_id, action);
	in->create_at = walltime_ms();
	return 0;
}

void
action_in(struct account *a, struct cb_call *call)
{
	struct click *k;
	char path[64];

	if ((k = calloc(1, sizeof(*k))) == NULL)
		fatal("calloc");
	k->call = call;
	k->in = inbound_new(INBOUND_BUTTON);
	if (click_read(a, k) == -1) {
		refuse(a, k, 400, "Invalid request body");
		return;
	}
	if (is_expired(k->context)) {
		refuse(a, k, 403, "Action expired");
		return;
	}
	snprintf(path, sizeof(path), "/posts/%s", k->in->post_id);
	if (api_get(a, path, post_done, k) == NULL)
		refuse(a, k, 500, "Failed to validate interaction");
}
