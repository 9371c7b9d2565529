#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

const char *
surface_name(enum surface surface)
{
	return surface < SURFACE_MAX ? surface_names[surface] :
				       surface_names[0];
}

enum surface
surface_from(const char *name)
{
	int s;

	for (s = SURFACE_DIRECT; s < SURFACE_MAX; s++)
		if (strcmp(surface_names[s], name) == 0)
			return (enum surface)s;
	return SURFACE_UNKNOWN;
}

/* The owned strings, in one place. */
static const size_t strings[] = {
    offsetof(struct inbound, actor_name),
    offsetof(struct inbound, channel_name),
    offsetof(struct inbound, channel_display),
    offsetof(struct inbound, text),
    offsetof(struct inbound, type),
    offsetof(struct inbound, pending_post_id),
    offsetof(struct inbound, emoji),
    offsetof(struct inbound, action_id),
    offsetof(struct inbound, action_name),
    offsetof(struct inbound, action_value),
    offsetof(struct inbound, agent),
    offsetof(struct inbound, session),
};
#define NSTRINGS (sizeof(strings) / sizeof(strings[0]))

static char **
string_at(const struct inbound *in, size_t at)
{
	return (char **)(void *)((const char *)in + at);
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
		inbound_set(string_at(in, strings[i]), "");
	return in;
}

void
inbound_free(struct inbound *in)
{
	size_t i;

	if (in == NULL)
		return;
	for (i = 0; i < NSTRINGS; i++)
		free(*string_at(in, strings[i]));
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
