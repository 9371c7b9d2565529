/*
 * The mention gate: in a channel, is the bot meant? Direct messages pass.
 */
#ifndef ACCOUNT_GATE_H
#define ACCOUNT_GATE_H

#include <stddef.h>

#include "workers/account/policy.h"

/* What was found in a message. */
struct gate {
	int mentioned;  /* by name or by a pattern */
	int onchar;     /* starts with a prefix, chatmode onchar */
	int implicit;   /* in a thread where the bot takes part */
	int command;    /* an authorised control command */
};

/*
 * Must a message of this channel mention the bot? groups.<channelId>, then
 * groups["*"], then chatmode, or without one requireMention, then yes.
 */
int gate_required(
    const struct policy *, enum surface, const char *channel_id);
/* What says so, as in: groups["*"].requireMention=true */
void gate_source(const struct policy *, enum surface, const char *channel_id,
    char *out, size_t size);
/* As applied: chatmode onchar requires one even where a group entry does not. */
int gate_applied(const struct policy *, enum surface, const char *channel_id);

/*
 * 1 when chatmode is onchar and text starts, after blanks, with a prefix;
 * *rest is then where the text goes on, blanks skipped.
 */
int gate_onchar(const struct policy *, const char *text, const char **rest);

/* Do the agents' mention patterns hold in this channel? */
int gate_patterns(const struct policy *, const char *channel_id);

/* REASON_OK, or REASON_NO_MENTION. */
enum reason gate_check(int applied, const struct gate *);

#endif
