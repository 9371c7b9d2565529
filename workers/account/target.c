#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/utf8.h"
#include "workers/account/inbound.h"
#include "workers/account/target.h"

/* What follows a prefix, whatever its case, or NULL. */
static const char *
after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncasecmp(s, prefix, n) == 0 ? s + n : NULL;
}

static void
set(struct target *t, enum target_kind kind, const char *value,
    const char *missing)
{
	t->value = utf8_trim(value);
	t->kind = kind;
	if (*t->value != '\0')
		return;
	target_clear(t);
	t->error = missing;
}

static void
set_channel_name(struct target *t, const char *name)
{
	set(t, TARGET_CHANNEL_NAME, name,
	    "Channel name is required for Mattermost sends");
}

static void
set_channel(struct target *t, const char *rest)
{
	char *s = utf8_trim(rest);

	if (*s == '#')
		set_channel_name(t, s + 1);
	else
		set(t, mm_id_valid(s) ? TARGET_CHANNEL_ID : TARGET_CHANNEL_NAME,
		    s, "Channel id is required for Mattermost sends");
	free(s);
}

static void
parse(const char *s, struct target *t)
{
	const char *rest;

	if (*s == '\0')
		t->error = "Recipient is required for Mattermost sends";
	else if ((rest = after(s, "channel:")) != NULL)
		set_channel(t, rest);
	else if ((rest = after(s, "user:")) != NULL ||
	    (rest = after(s, "mattermost:")) != NULL)
		set(t, TARGET_USER_ID, rest,
		    "User id is required for Mattermost sends");
	else if (*s == '@')
		set(t, TARGET_USER_NAME, s + 1,
		    "Username is required for Mattermost sends");
	else if (*s == '#')
		set_channel_name(t, s + 1);
	else if (mm_id_valid(s)) {
		set(t, TARGET_CHANNEL_ID, s, "");
		t->bare_id = 1;
	} else
		set_channel_name(t, s);
}

void
target_parse(const char *text, struct target *t)
{
	char *s = utf8_trim(text);

	memset(t, 0, sizeof(*t));
	parse(s, t);
	free(s);
}

void
target_clear(struct target *t)
{
	free(t->value);
	memset(t, 0, sizeof(*t));
}

static char *
prefixed(const char *prefix, const char *rest)
{
	char *value = utf8_trim(rest), *out = NULL;

	if (*value != '\0' && asprintf(&out, "%s%s", prefix, value) == -1)
		fatal("asprintf");
	free(value);
	return out;
}

char *
target_normalise(const char *text)
{
	char *s = utf8_trim(text), *out = NULL;
	const char *rest;

	if ((rest = after(s, "channel:")) != NULL ||
	    (rest = after(s, "group:")) != NULL)
		out = prefixed("channel:", rest);
	else if ((rest = after(s, "user:")) != NULL ||
	    (rest = after(s, "mattermost:")) != NULL)
		out = prefixed("user:", rest);
	else if (*s == '@')
		out = prefixed("@", s + 1);
	free(s);
	return out;
}

int
target_is_user(const char *text)
{
	struct target t;
	int users;

	target_parse(text, &t);
	users = t.kind == TARGET_USER_ID || t.kind == TARGET_USER_NAME;
	target_clear(&t);
	return users;
}
