#include "config.h"

#include <stdio.h>
#include <string.h>

#include "workers/account/session_key.h"

#define PEER_SIZE 129

/* The person behind a user id: identityLinks, else the id in lower case. */
static void
peer_of(const struct policy *p, const char *actor_id, char peer[PEER_SIZE])
{
	char full[PEER_SIZE + 16];
	size_t i;

	for (i = 0; actor_id[i] != '\0' && i < PEER_SIZE - 1; i++)
		peer[i] = actor_id[i] >= 'A' && actor_id[i] <= 'Z' ?
		    (char)(actor_id[i] + 32) : actor_id[i];
	peer[i] = '\0';
	(void)snprintf(full, sizeof(full), "mattermost:%s", peer);
	for (i = 0; i < p->n_links; i++) {
		if (strcmp(p->links[i].id, peer) != 0 &&
		    strcmp(p->links[i].id, full) != 0)
			continue;
		(void)strlcpy(peer, p->links[i].canonical, PEER_SIZE);
		return;
	}
}

static void
direct_key(const struct policy *p, const char *agent, const char *actor_id,
    struct session_keys *out)
{
	char peer[PEER_SIZE];

	peer_of(p, actor_id, peer);
	switch (p->dm_scope) {
	case DM_PER_PEER:
		(void)snprintf(out->base, sizeof(out->base),
		    "agent:%s:direct:%s", agent, peer);
		break;
	case DM_PER_CHANNEL_PEER:
		(void)snprintf(out->base, sizeof(out->base),
		    "agent:%s:mattermost:direct:%s", agent, peer);
		break;
	case DM_PER_ACCOUNT_CHANNEL_PEER:
		(void)snprintf(out->base, sizeof(out->base),
		    "agent:%s:mattermost:%s:direct:%s", agent, p->account,
		    peer);
		break;
	default:
		(void)strlcpy(out->base, out->main, sizeof(out->base));
	}
}

void
session_part(enum surface surface, const char *channel_id,
    char out[SESSION_PART_SIZE])
{
	(void)snprintf(out, SESSION_PART_SIZE, ":mattermost:%s:%s",
	    surface_name(surface), channel_id);
}

void
session_keys(const struct policy *p, const char *agent, enum surface surface,
    const char *actor_id, const char *channel_id, const char *root,
    struct session_keys *out)
{
	char part[SESSION_PART_SIZE];
	size_t n;

	memset(out, 0, sizeof(*out));
	(void)snprintf(out->main, sizeof(out->main), "agent:%s:%s", agent,
	    p->main_key);
	if (surface == SURFACE_DIRECT)
		direct_key(p, agent, actor_id, out);
	else if (p->group_main)
		(void)strlcpy(out->base, out->main, sizeof(out->base));
	else {
		session_part(surface, channel_id, part);
		(void)snprintf(
		    out->base, sizeof(out->base), "agent:%s%s", agent, part);
	}
	n = strlcpy(out->key, out->base, sizeof(out->key));
	if (root[0] == '\0')
		return;
	(void)snprintf(
	    out->key + n, sizeof(out->key) - n, ":thread:%s", root);
	if (surface != SURFACE_DIRECT)
		(void)strlcpy(out->parent, out->base, sizeof(out->parent));
}
