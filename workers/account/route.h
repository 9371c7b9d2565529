/*
 * Which agent answers: bindings in order of how exactly they name the
 * conversation, the first in the file within each; then the default agent.
 */
#ifndef ACCOUNT_ROUTE_H
#define ACCOUNT_ROUTE_H

#include <stddef.h>

#include "workers/account/policy.h"

/*
 * Ids of agents and accounts in normal form: lower case, what is not
 * [a-z0-9_-] becomes '-', none at the ends, 64 at most. out holds
 * ACCOUNT_ID_SIZE bytes and may become "".
 */
void route_normal_id(const char *id, char *out);

/* The configured agent with this id, or NULL. */
const struct agent *route_find_agent(const struct policy *, const char *id);

/*
 * The agent for a conversation, NULL when none can be told. peer is the
 * user id in a DM, else the channel id; team_id may be "".
 */
const struct agent *route_agent(const struct policy *, enum surface,
    const char *peer, const char *team_id);

#endif
