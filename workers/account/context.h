/*
 * What an agent is told about a message besides its text: a block of JSON,
 * labelled as data, every string quoted and cut to a length. Names, channel
 * titles and old messages are written by strangers; nothing in them can end
 * the block, so it may stand in front of the text, never in the system role.
 */
#ifndef ACCOUNT_CONTEXT_H
#define ACCOUNT_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/inbound.h"

#define CONTEXT_MARK "\xe2\x9f\xa6postern:ctx\xe2\x9f\xa7"
#define CONTEXT_HISTORY_MAX 20   /* newest entries shown */
#define CONTEXT_HISTORY_TEXT 2000 /* bytes of each, head and tail */

struct history_entry {
	const char *post_id;
	const char *sender;
	const char *text;
	int64_t at; /* ms since the epoch */
};

/*
 * "Conversation info" for an inbound whose surface is known. root: the
 * effective root or "". mentioned: TRI_UNKNOWN in direct messages. A new
 * string that ends with a newline, 8 KiB at most.
 */
char *context_build(
    const struct inbound *, const char *root, enum tri mentioned);
/*
 * "Chat history since the last reply", oldest first; the newest
 * CONTEXT_HISTORY_MAX of n. NULL when n is 0.
 */
char *context_history(const struct history_entry *, size_t n);

#define CONTEXT_TIME_SIZE 48
/* "2026-11-22T09:52:40.956Z"; "" when ms is no date. */
void context_time(int64_t ms, char out[CONTEXT_TIME_SIZE]);

#endif
