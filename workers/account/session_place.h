/*
 * Where the conversation of a session is, as far as its key says: where the
 * answer of a turn goes that began without a message.
 */
#ifndef ACCOUNT_SESSION_PLACE_H
#define ACCOUNT_SESSION_PLACE_H

#include "workers/account/inbound.h"

struct session_place {
	char target[MM_ID_SIZE + 8]; /* "channel:ID", "user:ID" */
	char channel[MM_ID_SIZE];    /* "" in a direct conversation */
	char root[MM_ID_SIZE];	     /* of the thread, or "" */
};

/* -1: the key does not say; *p is then empty. */
int session_place(const char *key, struct session_place *p);

#endif
