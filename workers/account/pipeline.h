/*
 * From an inbound to a verdict, in one pure step: the stages of the design
 * in their order, composed. No I/O, no clock of its own, no memory of
 * earlier calls; what it needs to know of the world comes in struct facts.
 *
 *	decode_message() -> decide() -> record the drop, or inbox.put and run
 *
 * The caller finds out first, when they are not known: the channel's type
 * (struct channel_info, from REST) and, for everything but a fresh post,
 * whether the actor is a bot (in->actor_is_bot, from REST): left unknown,
 * both are reasons to drop.
 */
#ifndef ACCOUNT_PIPELINE_H
#define ACCOUNT_PIPELINE_H

#include <stdint.h>

#include "workers/account/command/command.h"
#include "workers/account/command/directive.h"
#include "workers/account/inbound.h"
#include "workers/account/lane.h"
#include "workers/account/policy.h"
#include "workers/account/reason.h"
#include "workers/account/session_key.h"
#include "workers/account/surface.h"

#define BOT_TURNS_MAX 10 /* then a person has to speak */

#define RULE_SIZE 320

struct bot_identity {
	char user_id[MM_ID_SIZE];
	char username[MM_NAME_MAX + 1]; /* without the '@' */
};

struct facts {
	int64_t now;   /* ms since the epoch, for the age of missed posts */
	int missed;    /* found by gap fill: its age counts */
	int resumed;   /* accepted before a restart: age and mention gate are
			  not asked again, the policy is */
	/*
	 * 1 when the bot has taken part in that thread lately; NULL: never.
	 * Asked only for a message in a thread that nothing else lets pass.
	 */
	int (*participates)(
	    void *arg, const char *channel_id, const char *root_id);
	/*
	 * How many turns in a row only bots have had in that thread ("" the
	 * channel itself); NULL: none. Asked only for a bot's message that
	 * would be accepted.
	 */
	int (*bot_turns)(
	    void *arg, const char *channel_id, const char *root_id);
	void *arg;
	/*
	 * What people have set for this conversation with /activation:
	 * TRI_YES a mention is required, TRI_NO none is, else as configured.
	 */
	enum tri mention;
};

enum verdict_kind { VERDICT_DROP = 0, VERDICT_ACCEPT, VERDICT_PAIR };

struct verdict {
	enum verdict_kind kind;
	enum reason reason;
	enum stage stage;
	char rule[RULE_SIZE]; /* what decided, in words */
	enum surface surface;
	/*
	 * drop: may still be shown as history; agent, session, root and text
	 * are then filled.
	 */
	int history;

	/* Accepted only. */
	int runs;           /* starts a turn; 0: a note for the next one */
	char agent[ACCOUNT_ID_SIZE];
	struct session_keys session;
	char lane[LANE_KEY_SIZE];
	char root[MM_ID_SIZE]; /* effective root of the answer, or "" */
	char *text;         /* for the agent; may be "" when files came */
	char *raw;          /* mentions stripped: what commands are read from */
	char *context;      /* context_build() */
	int was_mentioned;  /* by name or pattern */
	int addressed;      /* meant for the bot in some way */
	/*
	 * Within raw. To be obeyed when command_authorised; a message that
	 * is nothing but directives is the command of its first.
	 */
	struct command command;
	struct directives directives; /* taken out of text; authorised only */
	int command_authorised;
};

/*
 * Fills *v and in->surface, in->control_command and what of the channel the
 * inbound did not know. channel and facts may be NULL: nothing known. The
 * verdict is emptied by verdict_clear(); it borrows nothing of in.
 */
void decide(const struct policy *, const struct bot_identity *,
    const struct channel_info *, const struct facts *, struct inbound *in,
    struct verdict *v);
void verdict_clear(struct verdict *);

/* 1 unless it is known to be a person. */
int inbound_of_bot(const struct inbound *);
/* The root that decide() gives a message; for one it has dropped. */
void inbound_root(
    const struct policy *, const struct inbound *, char out[MM_ID_SIZE]);

#endif
