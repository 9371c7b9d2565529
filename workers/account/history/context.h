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

struct zone;

struct history_entry {
	const char *post_id;
	const char *sender;
	const char *text;
	int64_t at; /* ms since the epoch */
};

/*
 * "Conversation info" for an inbound whose surface is known. root: the
 * effective root or "". mentioned: TRI_UNKNOWN in direct messages. A new
 * string that ends with a newline, 8 KiB at most. Here and below a zone is
 * that of the times that are told; NULL is UTC.
 */
char *context_build(const struct inbound *, const char *root,
    enum tri mentioned, const struct zone *);
/*
 * "Chat history since the last reply", oldest first; the newest
 * CONTEXT_HISTORY_MAX of n. NULL when n is 0.
 */
char *context_history(
    const struct history_entry *, size_t n, const struct zone *);

/* A line about what happened since: a reaction. */
struct context_note {
	const char *text;
	int64_t at;
};

/*
 * The context of a turn that starts: base, as context_build() made it, with
 * what is only known by now. total: entries there were, of which at most
 * CONTEXT_HISTORY_MAX are given. elapsed: ms since the session was last
 * used, -1 unknown. ids: of merged messages, oldest first, or NULL.
 */
struct context_more {
	const struct history_entry *history;
	size_t n_history, total;
	const struct context_note *notes;
	size_t n_notes;
	int64_t elapsed;
	const char *const *ids;
	size_t n_ids;
	const struct zone *zone;
};
char *context_complete(const char *base, const struct context_more *);

/* A text as history keeps it: head and tail of what is too long. A new
 * string of at most CONTEXT_HISTORY_TEXT + 8 bytes. */
char *context_cut(const char *text);
/* "42s", "3m", "5h", "2d". */
#define CONTEXT_ELAPSED_SIZE 24
void context_elapsed(int64_t ms, char out[CONTEXT_ELAPSED_SIZE]);

#define CONTEXT_TIME_SIZE 48
/* "2026-11-22T09:52:40.956Z"; "" when ms is no date. */
void context_time(int64_t ms, char out[CONTEXT_TIME_SIZE]);
/* "Sun 2026-11-22 10:52:40 +01:00"; as context_time() without a zone. */
void context_time_in(
    const struct zone *, int64_t ms, char out[CONTEXT_TIME_SIZE]);

#endif
