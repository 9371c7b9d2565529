/*
 * The name under which an agent remembers a conversation.
 */
#ifndef ACCOUNT_SESSION_KEY_H
#define ACCOUNT_SESSION_KEY_H

#include "workers/account/policy.h"

#define SESSION_KEY_SIZE 384

struct session_keys {
	char base[SESSION_KEY_SIZE];   /* the conversation */
	char key[SESSION_KEY_SIZE];    /* this turn: base, or its thread */
	char parent[SESSION_KEY_SIZE]; /* of a thread in a channel, or "" */
	char main[SESSION_KEY_SIZE];   /* the agent's main session */
};

/* What the keys of a channel have of it: ":mattermost:group:ID". */
#define SESSION_PART_SIZE 64
void session_part(
    enum surface, const char *channel_id, char out[SESSION_PART_SIZE]);

/*
 * actor_id matters in direct messages (dmScope, identityLinks), channel_id
 * elsewhere. root: the effective root of lane.h, "" for none.
 */
void session_keys(const struct policy *, const char *agent, enum surface,
    const char *actor_id, const char *channel_id, const char *root,
    struct session_keys *out);

#endif
