/*
 * Why something was decided as it was: one code, one stable name, one
 * stage, one sentence. The names are stored, counted and queried
 * (posternctl explain), so they never change their meaning.
 */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

/* In the order in which an inbound passes them. */
enum stage {
	STAGE_DECODE,
	STAGE_DEDUPE,
	STAGE_SURFACE,
	STAGE_AUTHORISE,
	STAGE_GATE,
	STAGE_NORMALISE,
	STAGE_ROUTE,
	STAGE_TURN,
	STAGE_MAX
};

enum reason {
	REASON_NONE = 0,     /* not decided: never stored */
	REASON_OK,
	/* decode */
	REASON_MALFORMED,
	REASON_TOO_LARGE,
	REASON_NO_CHANNEL,
	REASON_NO_POST_ID,
	REASON_NO_ACTOR,
	REASON_WRONG_ACCOUNT,
	REASON_UNKNOWN_KIND,
	REASON_OWN_POST,
	REASON_OWN_REACTION,
	REASON_SYSTEM_POST,
	REASON_TYPED_POST,
	REASON_DELETED,
	/* dedupe */
	REASON_DUPLICATE,
	REASON_TOO_OLD,
	REASON_NOT_AN_EDIT,
	REASON_EDIT_ANSWERED,
	/* surface */
	REASON_UNKNOWN_SURFACE,
	/* authorise */
	REASON_BOT_AUTHOR,
	REASON_WEBHOOK_AUTHOR,
	REASON_ACTOR_UNKNOWN,
	REASON_BOT_LOOP,
	REASON_DM_DISABLED,
	REASON_GROUP_DISABLED,
	REASON_NOT_IN_ALLOWLIST,
	REASON_OPEN_WITHOUT_WILDCARD,
	REASON_EMPTY_ALLOWLIST,
	REASON_ACCESS_GROUP_MISSING,
	REASON_ACCESS_GROUP_UNSUPPORTED,
	REASON_PAIRING,
	REASON_NOT_PAIRED,
	REASON_PAIRING_FULL,
	REASON_COMMAND_NOT_AUTHORISED,
	/* gate */
	REASON_NO_MENTION,
	REASON_EDIT_NO_MENTION,
	/* normalise */
	REASON_EMPTY_TEXT,
	/* route */
	REASON_NO_AGENT,
	REASON_MAX
};

/* Static text, the word of metrics and explain. */
const char *reason_name(enum reason);
/* REASON_NONE for a name that is not one. */
enum reason reason_from(const char *name);
enum stage reason_stage(enum reason);
const char *stage_name(enum stage);
/* One sentence for an operator. */
const char *reason_explain(enum reason);

#endif
