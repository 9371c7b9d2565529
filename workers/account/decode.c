#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/decode.h"
#include "workers/account/decode_impl.h"

#define SEQ_MAX 999999999999999999 /* what nobody ever counts to; has a next */

/* A member that is JSON in a string, or an object already. Owned. */
static struct json_object *
nested(struct json_object *data, const char *key)
{
	struct json_object *v = NULL, *o;

	if (!json_object_is_type(data, json_type_object) ||
	    !json_object_object_get_ex(data, key, &v))
		return NULL;
	if (json_object_is_type(v, json_type_object))
		return json_object_get(v);
	if (!json_object_is_type(v, json_type_string))
		return NULL;
	o = decode_json(json_object_get_string(v),
	    (size_t)json_object_get_string_len(v));
	if (o != NULL && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static void
mentions(struct inbound *in, struct json_object *data)
{
	struct json_object *v = NULL, *a, *e;
	size_t i, n;

	if (!json_object_object_get_ex(data, "mentions", &v) ||
	    !json_object_is_type(v, json_type_string))
		return;
	a = decode_json(json_object_get_string(v),
	    (size_t)json_object_get_string_len(v));
	n = json_object_is_type(a, json_type_array) ?
	    json_object_array_length(a) : 0;
	if (n > MENTIONS_MAX)
		n = MENTIONS_MAX;
	if (n > 0 && (in->mentions = calloc(n, MM_ID_SIZE)) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++) {
		e = json_object_array_get_idx(a, i);
		if (!json_object_is_type(e, json_type_string) ||
		    !mm_id_valid(json_object_get_string(e)))
			continue;
		memcpy(in->mentions[in->n_mentions++],
		    json_object_get_string(e), MM_ID_SIZE);
	}
	json_object_put(a);
}

static enum event_type
bad(struct event *ev, enum reason why)
{
	ev->type = EVENT_BAD;
	ev->reason = why;
	return EVENT_BAD;
}

/* What a posted event says beyond the post: names, team, channel type. */
static void
surroundings(struct inbound *in, struct json_object *data)
{
	const char *name = decode_text(data, "sender_name");
	const char *type = decode_text(data, "channel_type");

	decode_short(&in->actor_name, *name == '@' ? name + 1 : name, MM_NAME_MAX);
	decode_short(&in->channel_name, decode_text(data, "channel_name"), MM_NAME_MAX);
	decode_short(&in->channel_display, decode_text(data, "channel_display_name"),
	    1024);
	if (strlen(type) == 1)
		in->channel_type = *type;
	mentions(in, data);
}

static enum event_type
take_post(struct event *ev, struct json_object *data, const char *account,
    enum inbound_kind kind)
{
	enum reason why;

	if ((ev->post = nested(data, "post")) == NULL)
		return bad(ev, REASON_MALFORMED);
	decode_post_ids(ev->post, ev->post_id, ev->channel_id);
	ev->in = decode_post(ev->post, kind, account, &why);
	if (ev->in == NULL)
		return bad(ev, why);
	memcpy(ev->channel_id, ev->in->channel_id, MM_ID_SIZE);
	memcpy(ev->user_id, ev->in->actor_id, MM_ID_SIZE);
	if (decode_id(data, "team_id", ev->in->team_id) != 0)
		return bad(ev, REASON_MALFORMED);
	surroundings(ev->in, data);
	return ev->type;
}

struct inbound *
decode_reaction(struct json_object *r, const char *account,
    const char *channel, enum reason *why)
{
	struct inbound *in = inbound_new(INBOUND_REACTION);
	const char *emoji = decode_text(r, "emoji_name");

	(void)strlcpy(in->account, account, sizeof(in->account));
	in->create_at = decode_number(r, "create_at");
	decode_short(&in->emoji, emoji, 64);
	*why = REASON_OK;
	if (*emoji == '\0' || strlen(emoji) > 64)
		*why = REASON_MALFORMED;
	else if (decode_id(r, "post_id", in->post_id) != 0 ||
	    in->post_id[0] == '\0')
		*why = REASON_NO_POST_ID;
	else if (decode_id(r, "user_id", in->actor_id) != 0 ||
	    in->actor_id[0] == '\0')
		*why = REASON_NO_ACTOR;
	else if (!mm_id_valid(channel))
		*why = REASON_NO_CHANNEL;
	(void)strlcpy(in->channel_id, channel, sizeof(in->channel_id));
	return in;
}

static enum event_type
take_reaction(struct event *ev, struct json_object *data, const char *account)
{
	struct json_object *r = nested(data, "reaction");
	struct inbound *in;
	enum reason why;

	if (r == NULL)
		return bad(ev, REASON_MALFORMED);
	in = ev->in = decode_reaction(r, account, ev->channel_id, &why);
	json_object_put(r);
	in->removed = ev->type == EVENT_REACTION_REMOVED;
	if (why != REASON_OK)
		(void)bad(ev, why);
	memcpy(ev->user_id, in->actor_id, MM_ID_SIZE);
	memcpy(ev->post_id, in->post_id, MM_ID_SIZE);
	inbound_make_event_id(in);
	return ev->type;
}

static enum event_type
take_user(struct event *ev, struct json_object *data)
{
	struct json_object *user = nested(data, "user"), *v = NULL;

	if (user == NULL || decode_id(user, "id", ev->user_id) != 0 ||
	    ev->user_id[0] == '\0') {
		json_object_put(user);
		return bad(ev, REASON_MALFORMED);
	}
	(void)strlcpy(ev->username, decode_text(user, "username"),
	    sizeof(ev->username));
	/* is_bot is absent for people. */
	v = decode_member(user, "is_bot", json_type_boolean);
	ev->is_bot = v != NULL && json_object_get_boolean(v) ? TRI_YES : TRI_NO;
	ev->update_at = decode_number(user, "update_at");
	json_object_put(user);
	return ev->type;
}

static enum event_type
take_channel(struct event *ev, struct json_object *data)
{
	struct json_object *c = nested(data, "channel");
	int rc = 0;

	if (c != NULL && ev->channel_id[0] == '\0')
		rc = decode_id(c, "id", ev->channel_id);
	json_object_put(c);
	return rc != 0 || ev->channel_id[0] == '\0' ?
	    bad(ev, REASON_NO_CHANNEL) : ev->type;
}

static enum event_type
take_hello(struct event *ev, struct json_object *data)
{
	if (decode_id(data, "connection_id", ev->connection_id) != 0)
		return bad(ev, REASON_MALFORMED);
	(void)strlcpy(ev->server_version, decode_text(data, "server_version"),
	    sizeof(ev->server_version));
	return ev->type;
}

static const struct {
	const char *name;
	enum event_type type;
} events[] = {
    {"posted", EVENT_POSTED},
    {"post_edited", EVENT_EDITED},
    {"post_deleted", EVENT_DELETED},
    {"reaction_added", EVENT_REACTION_ADDED},
    {"reaction_removed", EVENT_REACTION_REMOVED},
    {"typing", EVENT_TYPING},
    {"status_change", EVENT_STATUS},
    {"hello", EVENT_HELLO},
    {"direct_added", EVENT_DIRECT_ADDED},
    {"group_added", EVENT_GROUP_ADDED},
    {"channel_created", EVENT_CHANNEL_CREATED},
    {"channel_updated", EVENT_CHANNEL_UPDATED},
    {"channel_converted", EVENT_CHANNEL_UPDATED},
    {"channel_restored", EVENT_CHANNEL_UPDATED},
    {"channel_deleted", EVENT_CHANNEL_DELETED},
    {"user_added", EVENT_USER_ADDED},
    {"user_removed", EVENT_USER_REMOVED},
    {"added_to_team", EVENT_ADDED_TO_TEAM},
    {"leave_team", EVENT_LEAVE_TEAM},
    {"memberrole_updated", EVENT_TEAM_ROLE},
    {"user_updated", EVENT_USER_UPDATED},
};

static enum event_type
type_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(events[i].name, name) == 0)
			return events[i].type;
	return EVENT_OTHER;
}

static enum inbound_kind
kind_of(enum event_type type)
{
	switch (type) {
	case EVENT_POSTED:
		return INBOUND_POST;
	case EVENT_EDITED:
		return INBOUND_EDIT;
	case EVENT_REACTION_ADDED:
	case EVENT_REACTION_REMOVED:
		return INBOUND_REACTION;
	default:
		return INBOUND_NONE;
	}
}

/* Ids stand in data or in broadcast, depending on the event. */
static int
take_ids(struct event *ev, struct json_object *data, struct json_object *cast)
{
	const char *whose =
	    ev->type == EVENT_DIRECT_ADDED ? "teammate_id" : "user_id";

	if (decode_id(cast, "channel_id", ev->channel_id) != 0 ||
	    (ev->channel_id[0] == '\0' &&
		decode_id(data, "channel_id", ev->channel_id) != 0) ||
	    decode_id(data, "team_id", ev->team_id) != 0 ||
	    (ev->team_id[0] == '\0' && decode_id(cast, "team_id", ev->team_id) != 0) ||
	    decode_id(data, whose, ev->user_id) != 0 ||
	    (ev->user_id[0] == '\0' && decode_id(cast, "user_id", ev->user_id) != 0))
		return -1;
	return 0;
}

static int
needs_channel(enum event_type type)
{
	return type == EVENT_DIRECT_ADDED || type == EVENT_GROUP_ADDED ||
	    type == EVENT_CHANNEL_CREATED || type == EVENT_CHANNEL_DELETED ||
	    type == EVENT_USER_ADDED || type == EVENT_USER_REMOVED;
}

static int
needs_user(enum event_type type)
{
	return type == EVENT_USER_ADDED || type == EVENT_USER_REMOVED ||
	    type == EVENT_ADDED_TO_TEAM || type == EVENT_LEAVE_TEAM;
}

static enum event_type
take_lifecycle(struct event *ev)
{
	if (needs_channel(ev->type) && ev->channel_id[0] == '\0')
		return bad(ev, REASON_NO_CHANNEL);
	if (needs_user(ev->type) && ev->user_id[0] == '\0')
		return bad(ev, REASON_NO_ACTOR);
	return ev->type;
}

static enum event_type
take_deleted(struct event *ev, struct json_object *data)
{
	struct json_object *post = nested(data, "post");
	int rc = post == NULL || decode_id(post, "id", ev->post_id) != 0 ||
	    ev->post_id[0] == '\0';

	if (!rc && ev->channel_id[0] == '\0')
		rc = decode_id(post, "channel_id", ev->channel_id) != 0;
	json_object_put(post);
	return rc ? bad(ev, REASON_NO_POST_ID) : ev->type;
}

static enum event_type
take_reply(struct event *ev, struct json_object *frame)
{
	struct json_object *v = decode_member(frame, "seq_reply", json_type_int);
	const char *status = decode_text(frame, "status");

	if (*status == '\0')
		return bad(ev, REASON_MALFORMED);
	ev->type = EVENT_REPLY;
	ev->seq_reply = v == NULL ? 0 : json_object_get_int64(v);
	ev->ok = strcmp(status, "OK") == 0;
	(void)strlcpy(ev->error_id,
	    decode_text(decode_member(frame, "error", json_type_object), "id"),
	    sizeof(ev->error_id));
	return ev->type;
}

static enum event_type
take_event(struct event *ev, struct json_object *data,
    struct json_object *cast, const char *account)
{
	switch (ev->type) {
	case EVENT_STATUS:
	case EVENT_TYPING:
	case EVENT_OTHER:
		return ev->type;
	case EVENT_HELLO:
		return take_hello(ev, data);
	case EVENT_POSTED:
		return take_post(ev, data, account, INBOUND_POST);
	case EVENT_EDITED:
		return take_post(ev, data, account, INBOUND_EDIT);
	case EVENT_USER_UPDATED:
		return take_user(ev, data);
	default:
		break;
	}
	if (take_ids(ev, data, cast) != 0)
		return bad(ev, REASON_MALFORMED);
	switch (ev->type) {
	case EVENT_DELETED:
		return take_deleted(ev, data);
	case EVENT_REACTION_ADDED:
	case EVENT_REACTION_REMOVED:
		return take_reaction(ev, data, account);
	case EVENT_CHANNEL_UPDATED:
		return take_channel(ev, data);
	default:
		return take_lifecycle(ev);
	}
}

static enum event_type
decode_event(struct json_object *frame, const char *account, struct event *ev)
{
	struct json_object *v, *data, *cast;

	memset(ev, 0, sizeof(*ev));
	ev->seq = -1;
	if (!json_object_is_type(frame, json_type_object))
		return bad(ev, REASON_MALFORMED);
	if ((v = decode_member(frame, "event", json_type_string)) == NULL)
		return take_reply(ev, frame);
	(void)strlcpy(ev->name, json_object_get_string(v), sizeof(ev->name));
	if ((v = decode_member(frame, "seq", json_type_int)) != NULL) {
		if (json_object_get_int64(v) > SEQ_MAX)
			return bad(ev, REASON_MALFORMED);
		ev->seq = json_object_get_int64(v);
	}
	ev->type = type_of(ev->name);
	ev->kind = kind_of(ev->type);
	data = decode_member(frame, "data", json_type_object);
	cast = decode_member(frame, "broadcast", json_type_object);
	if (take_event(ev, data, cast, account) == EVENT_BAD) {
		inbound_free(ev->in);
		ev->in = NULL;
	}
	return ev->type;
}

enum event_type
decode_message(
    const char *bytes, size_t len, const char *account, struct event *ev)
{
	struct json_object *frame = decode_json(bytes, len);

	(void)decode_event(frame, account, ev);
	json_object_put(frame);
	return ev->type;
}

void
event_clear(struct event *ev)
{
	inbound_free(ev->in);
	json_object_put(ev->post);
	memset(ev, 0, sizeof(*ev));
}
