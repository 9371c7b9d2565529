#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/text/replytag.h"
#include "workers/account/tool/tool_args.h"

#define TEXT_MAX (20u * MM_TEXT_MAX) /* more than a turn may post */
#define TARGET_MAX 256 /* bytes */

static void __attribute__((format(printf, 2, 3)))
fail(struct tool_args *t, const char *fmt, ...)
{
	va_list ap;

	if (t->error != NULL)
		return;
	va_start(ap, fmt);
	if (vasprintf(&t->error, fmt, ap) == -1)
		fatal("vasprintf");
	va_end(ap);
}

static char *
copy(const char *s)
{
	char *new = NULL;

	if (s != NULL && (new = strdup(s)) == NULL)
		fatal("strdup");
	return new;
}

static struct json_object *
member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

/* The first of these members that has a text; NULL when none has. */
static const char *
text_of(struct json_object *o, const char *const *keys)
{
	struct json_object *v;
	const char *s;

	for (; *keys != NULL; keys++) {
		v = member(o, *keys);
		if (!json_object_is_type(v, json_type_string))
			continue;
		s = json_object_get_string(v);
		if (!utf8_is_blank(s, strlen(s)))
			return s;
	}
	return NULL;
}

#define TEXT_OF(o, ...) \
	text_of((o), (const char *const[]){__VA_ARGS__, NULL})

/* true and "true": models mix them up. Nothing else is. */
static int
flag(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	if (json_object_is_type(v, json_type_boolean))
		return json_object_get_boolean(v);
	return json_object_is_type(v, json_type_string) &&
	    strcasecmp(json_object_get_string(v), "true") == 0;
}

/* An id of a post into buf, "" when the member is absent. */
static void
id_of(struct tool_args *t, const char *value, const char *what,
    char buf[MM_ID_SIZE])
{
	char *s;

	buf[0] = '\0';
	if (value == NULL)
		return;
	s = utf8_trim(value);
	if (mm_id_valid(s))
		memcpy(buf, s, MM_ID_SIZE);
	else
		fail(t, "%s is not the id of a post", what);
	free(s);
}

/* A new string: the two characters "\n" become a line break. */
static char *
line_breaks(const char *s)
{
	struct strbuf b = STRBUF_INIT;
	const char *p;

	while ((p = strstr(s, "\\n")) != NULL) {
		strbuf_add(&b, s, (size_t)(p - s));
		strbuf_putc(&b, '\n');
		s = p + 2;
	}
	strbuf_puts(&b, s);
	return strbuf_take(&b);
}

static void
parse_action(struct tool_args *t, struct json_object *o)
{
	const char *word = TEXT_OF(o, "action");
	char *s;

	if (word == NULL) {
		fail(t, "action is required");
		return;
	}
	s = utf8_trim(word);
	if (strcasecmp(s, "send") == 0)
		t->action = TOOL_SEND;
	else if (strcasecmp(s, "react") == 0)
		t->action = TOOL_REACT;
	else if (strcasecmp(s, "read") == 0)
		t->action = TOOL_READ;
	else if (strcasecmp(s, "broadcast") == 0)
		t->action = TOOL_BROADCAST;
	else
		fail(t, "Message action %.64s not supported for channel "
			"mattermost.", s);
	free(s);
}

static void
take_target(struct tool_args *t, const char *s)
{
	free(t->target);
	t->target = utf8_trim(s);
	if (strlen(t->target) > TARGET_MAX)
		fail(t, "the target is too long");
}

/* More than one make a broadcast of a send. An empty list is as none. */
static void
parse_targets(struct tool_args *t, struct json_object *list)
{
	struct json_object *v;
	size_t i, n;

	n = json_object_is_type(list, json_type_array)
		? json_object_array_length(list) : 0;
	if (list != NULL && !json_object_is_type(list, json_type_array))
		fail(t, "targets has to be an array of targets");
	if (n > 0 && t->target != NULL)
		fail(t, "either target or targets, not both");
	if (n > TOOL_TARGETS_MAX)
		fail(t, "no more than %d targets", TOOL_TARGETS_MAX);
	for (i = 0; i < n && t->error == NULL; i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_string))
			fail(t, "targets has to be an array of targets");
		else
			take_target(t, json_object_get_string(v));
		if (t->error == NULL && *t->target == '\0')
			fail(t, "targets has an empty one");
	}
	if (t->action == TOOL_SEND && n > 1)
		t->action = TOOL_BROADCAST;
	if (t->action == TOOL_BROADCAST) {
		if (n == 0)
			fail(t, "broadcast requires targets");
		t->targets = list;
		free(t->target);
		t->target = NULL;
	} else if (n > 1)
		fail(t, "one target a call");
}

/* The provider, and the account: never another one. */
static void
parse_where(struct tool_args *t, struct json_object *o, const char *account)
{
	const char *s;

	if ((s = TEXT_OF(o, "channel")) != NULL &&
	    strcasecmp(s, "mattermost") != 0 &&
	    (t->action != TOOL_BROADCAST || strcasecmp(s, "all") != 0))
		fail(t, "channel has to be mattermost; say where with target");
	if ((s = TEXT_OF(o, "accountId")) != NULL && strcmp(s, account) != 0) {
		if (t->action == TOOL_READ)
			fail(t, "Mattermost delegated reads require the "
				"current Mattermost account.");
		else
			fail(t, "another account cannot be used");
	}
	if ((s = TEXT_OF(o, "target", "to", "channelId")) != NULL)
		take_target(t, s);
	parse_targets(t, member(o, "targets"));
	t->dry_run = flag(o, "dryRun");
}

static void
take_media(struct tool_args *t, const char *url)
{
	if (t->media == NULL)
		t->media = copy(url);
	else if (strcmp(t->media, url) != 0)
		fail(t, "Mattermost send supports one attachment per message; "
			"split multiple mediaUrls or attachments[] entries "
			"into separate sends.");
}

static void
media_list(struct tool_args *t, struct json_object *list)
{
	struct json_object *v;
	const char *s;
	size_t i, n;

	n = json_object_is_type(list, json_type_array)
		? json_object_array_length(list) : 0;
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (json_object_is_type(v, json_type_string))
			take_media(t, json_object_get_string(v));
		else if (!json_object_is_type(v, json_type_object))
			continue;
		else if ((s = TEXT_OF(v, "media", "url", "mediaUrl")) != NULL)
			take_media(t, s);
		else
			fail(t, "attachments are taken by URL only");
	}
}

static void
parse_media(struct tool_args *t, struct json_object *o)
{
	static const char *const keys[] = {"media", "mediaUrl", "fileUrl",
	    "image", "path", "filePath", NULL};
	static const char *const raw[] = {"buffer", "base64", "data", NULL};
	const char *s;
	size_t i;

	for (i = 0; keys[i] != NULL; i++)
		if ((s = TEXT_OF(o, keys[i])) != NULL)
			take_media(t, s);
	for (i = 0; raw[i] != NULL; i++)
		if (TEXT_OF(o, raw[i]) != NULL)
			fail(t, "attachments are taken by URL only");
	media_list(t, member(o, "mediaUrls"));
	media_list(t, member(o, "attachments"));
	t->filename = copy(TEXT_OF(o, "filename"));
	if (t->media != NULL && strncasecmp(t->media, "https://", 8) != 0 &&
	    strncasecmp(t->media, "http://", 7) != 0)
		fail(t, "attachments are taken by http or https URL only");
}

/* pin: true, or an object with what is asked for. */
static void
take_pin(struct tool_args *t, struct json_object *o)
{
	struct json_object *v = member(o, "pin");

	t->pin |= flag(o, "pin");
	if (json_object_is_type(v, json_type_object)) {
		t->pin_required |= flag(v, "required");
		t->pin |= flag(v, "required") ||
		    member(v, "enabled") == NULL || flag(v, "enabled");
	} else if (v != NULL && !json_object_is_type(v, json_type_boolean) &&
	    !json_object_is_type(v, json_type_string))
		fail(t, "pin is true, false or an object");
}

/* How it is to be delivered. */
static void
parse_delivery(struct tool_args *t, struct json_object *o)
{
	struct json_object *d = member(o, "delivery");

	t->silent = flag(o, "silent");
	t->best_effort = flag(o, "bestEffort");
	take_pin(t, o);
	if (d == NULL)
		return;
	if (!json_object_is_type(d, json_type_object)) {
		fail(t, "delivery has to be an object");
		return;
	}
	take_pin(t, d);
	json_object_object_foreach(d, key, v) {
		(void)v;
		if (strcmp(key, "pin") != 0)
			fail(t, "delivery: %.64s is not supported for channel "
				"mattermost", key);
	}
}

static void
parse_send(struct tool_args *t, struct json_object *o)
{
	static const char *const polls[] = {"poll", "pollQuestion",
	    "pollOption", NULL};
	struct json_object *v;
	const char *s;
	char *plain;
	size_t i;

	s = TEXT_OF(o, "message", "SendMessage", "content", "text");
	if (s == NULL)
		s = TEXT_OF(o, "caption");
	if (s != NULL && strlen(s) > TEXT_MAX)
		fail(t, "the message is too long");
	free(t->text);
	t->text = line_breaks(s == NULL ? "" : s);
	if ((plain = replytag_strip(t->text)) != NULL) {
		free(t->text);
		t->text = plain;
	}
	parse_media(t, o);
	parse_delivery(t, o);
	for (i = 0; polls[i] != NULL; i++)
		if (member(o, polls[i]) != NULL)
			fail(t, "polls are not supported for channel "
				"mattermost");
	s = TEXT_OF(o, "replyTo", "replyToId", "threadId");
	id_of(t, s, TEXT_OF(o, "replyTo", "replyToId") == NULL
		? "threadId" : "replyTo", t->post);
	/* threadId null, said and not left out, is the top level too. */
	t->top_level = flag(o, "topLevel") ||
	    (json_object_object_get_ex(o, "threadId", &v) && v == NULL);
	if ((v = member(o, "buttons")) != NULL) {
		if (json_object_is_type(v, json_type_array))
			t->buttons = v;
		else
			fail(t, "buttons has to be an array of rows");
	}
	t->attachment = TEXT_OF(o, "attachmentText");
	if ((v = member(o, "presentation")) != NULL ||
	    (v = member(o, "interactive")) != NULL) {
		if (json_object_is_type(v, json_type_object))
			t->presentation = v;
		else
			fail(t, "presentation has to be an object");
	}
	if (*t->text == '\0' && t->media == NULL && t->buttons == NULL &&
	    t->presentation == NULL)
		fail(t, "send requires text or media or location");
}

static void
parse_react(struct tool_args *t, struct json_object *o)
{
	const char *s = TEXT_OF(o, "messageId", "message_id", "postId");

	if (s == NULL)
		fail(t, "Mattermost react requires messageId (post id)");
	id_of(t, s, "messageId", t->post);
	if ((s = TEXT_OF(o, "emoji")) == NULL)
		fail(t, "Mattermost react requires emoji");
	else if (strlen(s) > 256)
		fail(t, "the emoji's name is too long");
	else
		t->emoji = copy(s);
	t->remove = flag(o, "remove");
}

static void
parse_read(struct tool_args *t, struct json_object *o)
{
	struct json_object *v = member(o, "limit");
	int64_t n = READ_LIMIT;

	if (json_object_is_type(v, json_type_int))
		n = json_object_get_int64(v);
	else if (v != NULL)
		n = 0;
	if (n < 1)
		fail(t, "Mattermost read limit must be a positive integer.");
	t->limit = n > READ_LIMIT_MAX ? READ_LIMIT_MAX : (int)n;
	id_of(t, TEXT_OF(o, "before"), "before", t->before);
	id_of(t, TEXT_OF(o, "after"), "after", t->after);
	if (t->before[0] != '\0' && t->after[0] != '\0')
		fail(t, "Mattermost read accepts either before or after, not "
			"both.");
}

void
tool_args_parse(
    struct json_object *args, const char *account, struct tool_args *t)
{
	memset(t, 0, sizeof(*t));
	if ((t->text = strdup("")) == NULL)
		fatal("strdup");
	parse_action(t, args);
	parse_where(t, args, account);
	if (t->action == TOOL_SEND || t->action == TOOL_BROADCAST)
		parse_send(t, args);
	else if (t->action == TOOL_REACT)
		parse_react(t, args);
	else if (t->action == TOOL_READ)
		parse_read(t, args);
	if (t->error != NULL)
		t->action = TOOL_BAD;
}

void
tool_args_one(
    const struct tool_args *all, const char *target, struct tool_args *t)
{
	*t = *all;
	t->action = TOOL_SEND;
	t->targets = NULL;
	t->error = NULL;
	t->target = utf8_trim(target);
	t->text = copy(all->text);
	t->media = copy(all->media);
	t->filename = copy(all->filename);
	t->emoji = NULL;
}

void
tool_args_clear(struct tool_args *t)
{
	free(t->error);
	free(t->target);
	free(t->text);
	free(t->media);
	free(t->filename);
	free(t->emoji);
	memset(t, 0, sizeof(*t));
}
