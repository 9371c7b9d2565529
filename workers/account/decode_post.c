#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "workers/account/decode.h"
#include "workers/account/decode_impl.h"
#include "workers/account/shallow.h"

#define TOKENER_KEEP 65536

struct json_object *
decode_json(const char *bytes, size_t len)
{
	static struct json_tokener *tok; /* a new one for each costs more */
	struct json_object *o = NULL;
	size_t end;

	if (len == 0 || len > DECODE_MAX || !text_valid(bytes, len))
		return NULL;
	if (tok == NULL &&
	    (tok = json_tokener_new_ex(DECODE_DEPTH)) == NULL)
		fatalx("json: out of memory");
	o = shallow_parse(tok, DECODE_DEPTH, bytes, len);
	end = json_tokener_get_parse_end(tok);
	while (o != NULL && end < len) {
		if (memchr(" \t\r\n", bytes[end], 4) == NULL) {
			json_object_put(o);
			o = NULL;
		}
		end++;
	}
	json_tokener_reset(tok);
	if (len > TOKENER_KEEP) { /* it has a buffer of that size */
		json_tokener_free(tok);
		tok = NULL;
	}
	return o;
}

/* The member when it is there and of that type, else NULL. */
struct json_object *
decode_member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

/* "" when absent, of another type, or with a NUL inside. */
const char *
decode_text(struct json_object *o, const char *key)
{
	struct json_object *v = decode_member(o, key, json_type_string);
	const char *s;

	if (v == NULL)
		return "";
	s = json_object_get_string(v);
	return strlen(s) == (size_t)json_object_get_string_len(v) ? s : "";
}

/* 1 when the member is absent, null or a string without NUL. */
static int
decode_text_ok(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, key, &v) || v == NULL)
		return 1;
	if (!json_object_is_type(v, json_type_string))
		return 0;
	return strlen(json_object_get_string(v)) ==
	    (size_t)json_object_get_string_len(v);
}

int64_t
decode_number(struct json_object *o, const char *key)
{
	struct json_object *v = decode_member(o, key, json_type_int);
	int64_t n = v == NULL ? 0 : json_object_get_int64(v);

	return n < 0 ? 0 : n;
}

/* Copies an id; 0 when the member is absent, empty or an id, else -1. */
int
decode_id(struct json_object *o, const char *key, char out[MM_ID_SIZE])
{
	const char *s = decode_text(o, key);

	if (!decode_text_ok(o, key))
		return -1;
	if (*s == '\0')
		return 0;
	if (!mm_id_valid(s))
		return -1;
	memcpy(out, s, MM_ID_SIZE);
	return 0;
}

/* At most max bytes, cut at a character. */
void
decode_short(char **to, const char *s, size_t max)
{
	char *cut;
	size_t len = strlen(s);

	if (len <= max) {
		inbound_set(to, s);
		return;
	}
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	if ((cut = strndup(s, max)) == NULL)
		fatal("strndup");
	inbound_set(to, cut);
	free(cut);
}

/* props carry booleans as "true" (Mattermost 5.37) or as true. */
static int
prop(struct json_object *props, const char *key)
{
	struct json_object *v = NULL;

	if (props == NULL || !json_object_object_get_ex(props, key, &v))
		return 0;
	if (json_object_is_type(v, json_type_boolean))
		return json_object_get_boolean(v);
	if (json_object_is_type(v, json_type_string))
		return strcmp(json_object_get_string(v), "true") == 0;
	return 0;
}

static int
files(struct inbound *in, struct json_object *post)
{
	struct json_object *a = decode_member(post, "file_ids", json_type_array), *v;
	size_t i, n = a == NULL ? 0 : json_object_array_length(a);
	const char *s;

	for (i = 0; i < n && in->n_files < MM_FILES_MAX; i++) {
		v = json_object_array_get_idx(a, i);
		if (!json_object_is_type(v, json_type_string))
			return -1;
		s = json_object_get_string(v);
		if (!mm_id_valid(s)) /* an unsafe file id is left out */
			continue;
		memcpy(in->file_ids[in->n_files++], s, MM_ID_SIZE);
	}
	return 0;
}

/*
 * A bot's post carries from_bot, and the server lets nobody else set it or
 * leave it out; but whatever changes the post later can lose it (Mattermost
 * 5.37), so its absence says something only of a post as it was created.
 */
static enum tri
author_is_bot(const struct inbound *in, int64_t update_at)
{
	if (in->from_bot)
		return TRI_YES;
	if (in->kind != INBOUND_POST || update_at != in->create_at)
		return TRI_UNKNOWN;
	return TRI_NO;
}

static enum reason
check_post(struct inbound *in, struct json_object *post)
{
	const char *message = decode_text(post, "message");

	if (!decode_text_ok(post, "message") || !decode_text_ok(post, "type"))
		return REASON_MALFORMED;
	if (decode_id(post, "channel_id", in->channel_id) != 0 ||
	    in->channel_id[0] == '\0')
		return REASON_NO_CHANNEL;
	if (decode_id(post, "user_id", in->actor_id) != 0 || in->actor_id[0] == '\0')
		return REASON_NO_ACTOR;
	if (decode_id(post, "root_id", in->root_id) != 0)
		return REASON_MALFORMED;
	if (strlen(message) > MM_TEXT_MAX)
		return REASON_TOO_LARGE;
	if (files(in, post) != 0)
		return REASON_MALFORMED;
	inbound_set(&in->text, message);
	return REASON_OK;
}

void
decode_post_ids(struct json_object *post, char id[MM_ID_SIZE],
    char channel[MM_ID_SIZE])
{
	id[0] = channel[0] = '\0';
	(void)decode_id(post, "id", id);
	(void)decode_id(post, "channel_id", channel);
}

struct inbound *
decode_post(struct json_object *post, enum inbound_kind kind,
    const char *account, enum reason *why)
{
	struct inbound *in = inbound_new(kind);
	struct json_object *props = decode_member(post, "props", json_type_object);

	*why = REASON_MALFORMED;
	if (!json_object_is_type(post, json_type_object))
		goto bad;
	*why = REASON_NO_POST_ID;
	if (decode_id(post, "id", in->post_id) != 0 || in->post_id[0] == '\0')
		goto bad;
	if ((*why = check_post(in, post)) != REASON_OK)
		goto bad;
	if (strlcpy(in->account, account, sizeof(in->account)) >=
	    sizeof(in->account))
		goto bad;
	decode_short(&in->type, decode_text(post, "type"), 63);
	decode_short(&in->pending_post_id, decode_text(post, "pending_post_id"), 512);
	in->create_at = decode_number(post, "create_at");
	in->edit_at = decode_number(post, "edit_at");
	in->delete_at = decode_number(post, "delete_at");
	in->from_bot = prop(props, "from_bot");
	in->from_webhook = prop(props, "from_webhook");
	in->actor_is_bot = author_is_bot(in, decode_number(post, "update_at"));
	inbound_make_event_id(in);
	return in;
bad:
	inbound_free(in);
	return NULL;
}
