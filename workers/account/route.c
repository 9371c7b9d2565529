#include "config.h"

#include <string.h>

#include "workers/account/route.h"

/* How exactly a binding fits: lower is more exact. */
enum tier {
	TIER_PEER = 0,
	TIER_PEER_KIND,
	TIER_TEAM,
	TIER_ACCOUNT,
	TIER_CHANNEL,
	TIER_NONE
};

void
route_normal_id(const char *id, char *out)
{
	size_t n = 0;
	char c;

	for (; *id != '\0' && n < ACCOUNT_ID_SIZE - 1; id++) {
		c = *id;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '_' || c == '-'))
			c = '-';
		if (c == '-' && n == 0)
			continue;
		out[n++] = c;
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	out[n] = '\0';
}

const struct agent *
route_find_agent(const struct policy *p, const char *id)
{
	size_t i;

	for (i = 0; i < p->n_agents; i++)
		if (strcmp(p->agents[i].id, id) == 0)
			return &p->agents[i];
	return NULL;
}

static int
same_kind(enum surface bound, enum surface surface)
{
	if (bound == SURFACE_DIRECT || surface == SURFACE_DIRECT)
		return bound == surface;
	return bound != SURFACE_UNKNOWN; /* group and channel are one */
}

static enum tier
fits(const struct policy *p, const struct binding *b, enum surface surface,
    const char *peer, const char *team_id)
{
	int any = strcmp(b->account, "*") == 0;

	if (!any && strcmp(b->account, p->account) != 0)
		return TIER_NONE;
	if (b->team_id[0] != '\0' && strcmp(b->team_id, team_id) != 0)
		return TIER_NONE;
	if (b->peer_id[0] != '\0') {
		if (!same_kind(b->peer_kind, surface))
			return TIER_NONE;
		if (strcmp(b->peer_id, "*") == 0)
			return TIER_PEER_KIND;
		return strcmp(b->peer_id, peer) == 0 ? TIER_PEER : TIER_NONE;
	}
	if (b->team_id[0] != '\0')
		return TIER_TEAM;
	return any ? TIER_CHANNEL : TIER_ACCOUNT;
}

const struct agent *
route_agent(const struct policy *p, enum surface surface, const char *peer,
    const char *team_id)
{
	enum tier best = TIER_NONE, t;
	const char *id = p->default_agent;
	size_t i;

	for (i = 0; i < p->n_bindings; i++) {
		t = fits(p, &p->bindings[i], surface, peer, team_id);
		if (t >= best)
			continue;
		best = t;
		id = p->bindings[i].agent;
	}
	return route_find_agent(p, id);
}
