#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "workers/account/gate.h"

static enum tri
group_says(const struct policy *p, const char *channel_id)
{
	size_t i;

	for (i = 0; i < p->n_groups; i++)
		if (strcmp(p->groups[i].channel_id, channel_id) == 0)
			return p->groups[i].require_mention;
	return TRI_UNKNOWN;
}

enum source { SRC_DIRECT, SRC_CHANNEL, SRC_ANY, SRC_CHATMODE, SRC_REQUIRE,
	SRC_DEFAULT };

/* The first that says something about it, and what it says. */
static enum source
find_source(const struct policy *p, enum surface surface,
    const char *channel_id, int *required)
{
	enum tri t;

	*required = 0;
	if (surface == SURFACE_DIRECT)
		return SRC_DIRECT;
	if ((t = group_says(p, channel_id)) != TRI_UNKNOWN) {
		*required = t == TRI_YES;
		return SRC_CHANNEL;
	}
	if ((t = group_says(p, "*")) != TRI_UNKNOWN) {
		*required = t == TRI_YES;
		return SRC_ANY;
	}
	if (p->chatmode != CHATMODE_UNSET) {
		*required = p->chatmode != CHATMODE_ONMESSAGE;
		return SRC_CHATMODE;
	}
	*required = p->require_mention != TRI_NO;
	return p->require_mention == TRI_UNKNOWN ? SRC_DEFAULT : SRC_REQUIRE;
}

int
gate_required(
    const struct policy *p, enum surface surface, const char *channel_id)
{
	int required;

	(void)find_source(p, surface, channel_id, &required);
	return required;
}

static const char *
chatmode_name(enum chat_mode m)
{
	switch (m) {
	case CHATMODE_ONMESSAGE:
		return "onmessage";
	case CHATMODE_ONCHAR:
		return "onchar";
	default:
		return "oncall";
	}
}

void
gate_source(const struct policy *p, enum surface surface,
    const char *channel_id, char *out, size_t size)
{
	int required;
	enum source src = find_source(p, surface, channel_id, &required);
	const char *yes = required ? "true" : "false";

	/* Prefixes are asked for whatever an entry says. */
	if (src != SRC_DIRECT && p->chatmode == CHATMODE_ONCHAR && !required)
		src = SRC_CHATMODE;
	switch (src) {
	case SRC_DIRECT:
		(void)strlcpy(out, "a direct message", size);
		break;
	case SRC_CHANNEL:
		(void)snprintf(out, size, "groups[\"%s\"].requireMention=%s",
		    channel_id, yes);
		break;
	case SRC_ANY:
		(void)snprintf(
		    out, size, "groups[\"*\"].requireMention=%s", yes);
		break;
	case SRC_CHATMODE:
		(void)snprintf(out, size, "chatmode=\"%s\"",
		    chatmode_name(p->chatmode));
		break;
	case SRC_REQUIRE:
		(void)snprintf(out, size, "requireMention=%s", yes);
		break;
	case SRC_DEFAULT:
		(void)strlcpy(out, "requireMention=true (default)", size);
		break;
	}
}

int
gate_applied(
    const struct policy *p, enum surface surface, const char *channel_id)
{
	if (surface == SURFACE_DIRECT)
		return 0;
	return p->chatmode == CHATMODE_ONCHAR ||
	    gate_required(p, surface, channel_id);
}

/* The prefix test alone, whatever the chatmode. */
static int
gate_prefix(const struct policy *p, const char *text, const char **rest)
{
	const char *s = text + utf8_skip_blank(text, strlen(text));
	size_t i, n;

	for (i = 0; i < p->n_onchar; i++) {
		n = strlen(p->onchar[i]);
		if (strncmp(s, p->onchar[i], n) != 0)
			continue;
		s += n;
		*rest = s + utf8_skip_blank(s, strlen(s));
		return 1;
	}
	*rest = text;
	return 0;
}

int
gate_onchar(const struct policy *p, const char *text, const char **rest)
{
	if (p->chatmode == CHATMODE_ONCHAR)
		return gate_prefix(p, text, rest);
	*rest = text;
	return 0;
}

int
gate_patterns(const struct policy *p, const char *channel_id)
{
	size_t i;

	for (i = 0; i < p->n_patterns_in; i++)
		if (strcmp(p->patterns_in[i], channel_id) == 0)
			return p->patterns_off;
	return !p->patterns_off;
}

enum reason
gate_check(int applied, const struct gate *g)
{
	if (!applied || g->mentioned || g->onchar || g->implicit || g->command)
		return REASON_OK;
	return REASON_NO_MENTION;
}
