#include "config.h"

#include <string.h>

#include "workers/account/gate.h"
#include "workers/account/utf8.h"

static enum tri
group_says(const struct policy *p, const char *channel_id)
{
	size_t i;

	for (i = 0; i < p->n_groups; i++)
		if (strcmp(p->groups[i].channel_id, channel_id) == 0)
			return p->groups[i].require_mention;
	return TRI_UNKNOWN;
}

int
gate_required(
    const struct policy *p, enum surface surface, const char *channel_id)
{
	enum tri t;

	if (surface == SURFACE_DIRECT)
		return 0;
	if ((t = group_says(p, channel_id)) != TRI_UNKNOWN)
		return t == TRI_YES;
	if ((t = group_says(p, "*")) != TRI_UNKNOWN)
		return t == TRI_YES;
	if (p->chatmode != CHATMODE_UNSET)
		return p->chatmode != CHATMODE_ONMESSAGE;
	return p->require_mention != TRI_NO;
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

int
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
