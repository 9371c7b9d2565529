#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/account/inbound.h"

static const char *const kind_names[INBOUND_KIND_MAX] = {
    [INBOUND_NONE] = "none",
    [INBOUND_POST] = "post",
    [INBOUND_EDIT] = "edit",
    [INBOUND_REACTION] = "reaction",
    [INBOUND_BUTTON] = "button",
    [INBOUND_SLASH] = "slash",
    [INBOUND_HOOK] = "hook",
    [INBOUND_CRON] = "cron",
};

static const char *const surface_names[SURFACE_MAX] = {
    [SURFACE_UNKNOWN] = "unknown",
    [SURFACE_DIRECT] = "direct",
    [SURFACE_GROUP] = "group",
    [SURFACE_CHANNEL] = "channel",
};

int
mm_id_valid(const char *s)
{
	size_t i;

	if (s == NULL)
		return 0;
	for (i = 0; i < MM_ID_LEN; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(s[i] >= '0' && s[i] <= '9')))
			return 0;
	return s[i] == '\0';
}

const char *
inbound_kind_name(enum inbound_kind kind)
{
	return kind < INBOUND_KIND_MAX ? kind_names[kind] : kind_names[0];
}

enum inbound_kind
inbound_kind_from(const char *name)
{
	int i;

	for (i = INBOUND_NONE + 1; i < INBOUND_KIND_MAX; i++)
		if (strcmp(kind_names[i], name) == 0)
			return (enum inbound_kind)i;
	return INBOUND_NONE;
}

const char *
surface_name(enum surface surface)
{
	return surface < SURFACE_MAX ? surface_names[surface] :
				       surface_names[0];
}

/* The owned strings with their JSON names and limits, in one place. */
static const struct {
	const char *key;
	size_t at;
	size_t max;
} strings[] = {
    {"actorName", offsetof(struct inbound, actor_name), MM_NAME_MAX},
    {"channelName", offsetof(struct inbound, channel_name), MM_NAME_MAX},
    {"channelDisplay", offsetof(struct inbound, channel_display), 1024},
    {"text", offsetof(struct inbound, text), 2 * MM_TEXT_MAX},
    {"type", offsetof(struct inbound, type), 64},
    {"pendingPostId", offsetof(struct inbound, pending_post_id), 512},
    {"emoji", offsetof(struct inbound, emoji), 64},
    {"actionId", offsetof(struct inbound, action_id), 256},
    {"actionName", offsetof(struct inbound, action_name), 256},
    {"actionValue", offsetof(struct inbound, action_value), 4096},
    {"agent", offsetof(struct inbound, agent), ACCOUNT_ID_SIZE - 1},
    {"session", offsetof(struct inbound, session), 512},
};
#define NSTRINGS (sizeof(strings) / sizeof(strings[0]))

static const struct {
	const char *key;
	size_t at;
} ids[] = {
    {"actorId", offsetof(struct inbound, actor_id)},
    {"channelId", offsetof(struct inbound, channel_id)},
    {"teamId", offsetof(struct inbound, team_id)},
    {"postId", offsetof(struct inbound, post_id)},
    {"rootId", offsetof(struct inbound, root_id)},
};
#define NIDS (sizeof(ids) / sizeof(ids[0]))

static char **
string_at(const struct inbound *in, size_t at)
{
	return (char **)(void *)((const char *)in + at);
}

static char *
id_at(const struct inbound *in, size_t at)
{
	return (char *)(void *)((const char *)in + at);
}

void
inbound_set(char **member, const char *value)
{
	char *copy = strdup(value == NULL ? "" : value);

	if (copy == NULL)
		fatal("strdup");
	free(*member);
	*member = copy;
}

struct inbound *
inbound_new(enum inbound_kind kind)
{
	struct inbound *in = calloc(1, sizeof(*in));
	size_t i;

	if (in == NULL)
		fatal("calloc");
	in->kind = kind;
	for (i = 0; i < NSTRINGS; i++)
		inbound_set(string_at(in, strings[i].at), "");
	return in;
}

void
inbound_free(struct inbound *in)
{
	size_t i;

	if (in == NULL)
		return;
	for (i = 0; i < NSTRINGS; i++)
		free(*string_at(in, strings[i].at));
	free(in->mentions);
	free(in);
}

void
inbound_make_event_id(struct inbound *in)
{
	char *id = in->event_id;

	switch (in->kind) {
	case INBOUND_POST:
	case INBOUND_EDIT: /* once per post: only its first mention counts */
		snprintf(id, sizeof(in->event_id), "%s", in->post_id);
		break;
	case INBOUND_REACTION:
		snprintf(id, sizeof(in->event_id), "%s:%.64s:%s:%s",
		    in->post_id, in->emoji, in->actor_id,
		    in->removed ? "removed" : "added");
		break;
	case INBOUND_BUTTON:
		snprintf(id, sizeof(in->event_id), "%s:%.100s", in->post_id,
		    in->action_id);
		break;
	default: /* the callback worker and the schedule name their own */
		break;
	}
}

void
inbound_seen_key(const struct inbound *in, char out[EVENT_ID_SIZE])
{
	if (in->kind == INBOUND_EDIT)
		(void)snprintf(out, EVENT_ID_SIZE, "%s:edit:%lld", in->post_id,
		    (long long)in->edit_at);
	else
		(void)strlcpy(out, in->event_id, EVENT_ID_SIZE);
}

static void
put(struct json_object *o, const char *key, struct json_object *v)
{
	if (v == NULL || json_object_object_add(o, key, v) != 0)
		fatalx("json: out of memory");
}

static void
put_str(struct json_object *o, const char *key, const char *s)
{
	if (*s != '\0')
		put(o, key, json_object_new_string(s));
}

static void
put_num(struct json_object *o, const char *key, int64_t n)
{
	if (n != 0)
		put(o, key, json_object_new_int64(n));
}

static void
put_flag(struct json_object *o, const char *key, int on)
{
	if (on)
		put(o, key, json_object_new_boolean(1));
}

static void
put_ids(struct json_object *o, const char *key,
    const char (*list)[MM_ID_SIZE], size_t n)
{
	struct json_object *a;
	size_t i;

	if (n == 0)
		return;
	if ((a = json_object_new_array()) == NULL)
		fatalx("json: out of memory");
	for (i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_string(list[i]));
	put(o, key, a);
}

struct json_object *
inbound_to_json(const struct inbound *in)
{
	struct json_object *o = json_object_new_object();
	char type[2] = {in->channel_type, '\0'};
	size_t i;

	if (o == NULL)
		fatalx("json: out of memory");
	put_str(o, "kind", inbound_kind_name(in->kind));
	put_str(o, "account", in->account);
	put_str(o, "eventId", in->event_id);
	put_str(o, "channelType", type);
	for (i = 0; i < NIDS; i++)
		put_str(o, ids[i].key, id_at(in, ids[i].at));
	for (i = 0; i < NSTRINGS; i++)
		put_str(o, strings[i].key, *string_at(in, strings[i].at));
	if (in->actor_is_bot != TRI_UNKNOWN)
		put(o, "actorIsBot",
		    json_object_new_boolean(in->actor_is_bot == TRI_YES));
	put_num(o, "createAt", in->create_at);
	put_num(o, "editAt", in->edit_at);
	put_num(o, "deleteAt", in->delete_at);
	put_flag(o, "fromBot", in->from_bot);
	put_flag(o, "fromWebhook", in->from_webhook);
	put_flag(o, "removed", in->removed);
	put_ids(o, "fileIds", (const char(*)[MM_ID_SIZE])in->file_ids,
	    in->n_files);
	put_ids(o, "mentions", (const char(*)[MM_ID_SIZE])in->mentions,
	    in->n_mentions);
	return o;
}

static int
read_ids(struct json_object *a, char (*list)[MM_ID_SIZE], size_t max)
{
	struct json_object *v;
	size_t i, n = a == NULL ? 0 : json_object_array_length(a);
	const char *s;

	if (n > max)
		return -1;
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(a, i);
		if (!json_object_is_type(v, json_type_string))
			return -1;
		s = json_object_get_string(v);
		if (!mm_id_valid(s))
			return -1;
		memcpy(list[i], s, MM_ID_SIZE);
	}
	return 0;
}

static int
read_lists(struct inbound *in, struct fields *f)
{
	struct json_object *files, *mentions;

	files = fields_opt_arr(f, "fileIds", MM_FILES_MAX);
	mentions = fields_opt_arr(f, "mentions", MENTIONS_MAX);
	if (files != NULL) {
		in->n_files = json_object_array_length(files);
		if (read_ids(files, in->file_ids, MM_FILES_MAX) != 0)
			return -1;
	}
	if (mentions != NULL && json_object_array_length(mentions) > 0) {
		in->n_mentions = json_object_array_length(mentions);
		in->mentions = calloc(in->n_mentions, MM_ID_SIZE);
		if (in->mentions == NULL)
			fatal("calloc");
		if (read_ids(mentions, in->mentions, in->n_mentions) != 0)
			return -1;
	}
	return 0;
}

static int
read_strings(struct inbound *in, struct fields *f)
{
	const char *s;
	size_t i;

	for (i = 0; i < NIDS; i++) {
		s = fields_opt_str(f, ids[i].key, MM_ID_LEN);
		if (s == NULL)
			continue;
		if (!mm_id_valid(s))
			return -1;
		memcpy(id_at(in, ids[i].at), s, MM_ID_SIZE);
	}
	for (i = 0; i < NSTRINGS; i++)
		inbound_set(string_at(in, strings[i].at),
		    fields_opt_str(f, strings[i].key, strings[i].max));
	return 0;
}

static void
read_plain(struct inbound *in, struct fields *f)
{
	const char *s;
	int bot;

	strlcpy(in->account, fields_str(f, "account", ACCOUNT_ID_SIZE - 1),
	    sizeof(in->account));
	if ((s = fields_opt_str(f, "eventId", EVENT_ID_SIZE - 1)) != NULL)
		strlcpy(in->event_id, s, sizeof(in->event_id));
	if ((s = fields_opt_str(f, "channelType", 1)) != NULL)
		in->channel_type = *s;
	bot = fields_opt_bool(f, "actorIsBot", -1);
	in->actor_is_bot = bot == -1 ? TRI_UNKNOWN : bot ? TRI_YES : TRI_NO;
	in->create_at = fields_opt_int(f, "createAt", 0, INT64_MAX, 0);
	in->edit_at = fields_opt_int(f, "editAt", 0, INT64_MAX, 0);
	in->delete_at = fields_opt_int(f, "deleteAt", 0, INT64_MAX, 0);
	in->from_bot = fields_opt_bool(f, "fromBot", 0);
	in->from_webhook = fields_opt_bool(f, "fromWebhook", 0);
	in->removed = fields_opt_bool(f, "removed", 0);
}

struct inbound *
inbound_from_json(struct json_object *o, const char **why)
{
	struct fields f;
	struct inbound *in;
	enum inbound_kind kind;

	fields_open(&f, o);
	kind = inbound_kind_from(fields_str(&f, "kind", 16));
	if (kind == INBOUND_NONE) {
		*why = "kind: not one";
		return NULL;
	}
	in = inbound_new(kind);
	read_plain(in, &f);
	if (read_strings(in, &f) != 0 || read_lists(in, &f) != 0)
		*why = "not an id of 26 characters";
	else if (fields_ok(&f) != 0)
		*why = fields_error(&f);
	else
		return in;
	inbound_free(in);
	return NULL;
}
