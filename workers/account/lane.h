/*
 * Which conversation, which thread: the root that answers go under, and the
 * lane in which turns wait for each other.
 */
#ifndef ACCOUNT_LANE_H
#define ACCOUNT_LANE_H

#include <stddef.h>

#include "common/proto.h"
#include "workers/account/policy.h"

#define LANE_KEY_SIZE (PROTO_EVENT + 1)

/*
 * The reply mode in force: replyToModeByChatType, else off in direct
 * messages, else replyToMode.
 */
enum reply_mode lane_reply_mode(const struct policy *, enum surface);

/*
 * The effective root: none for direct messages with mode off (even when the
 * person wrote in a thread); else the root of the post; else, unless the
 * mode is off, the post itself. Blanks around root_id do not count. out is
 * "" for none.
 */
void lane_root(enum reply_mode, enum surface, const char *post_id,
    const char *root_id, char out[MM_ID_SIZE]);

/* account, channel and effective root ("" for none) as one string. */
void lane_key(const char *account, const char *channel_id, const char *root,
    char out[LANE_KEY_SIZE]);

#endif
