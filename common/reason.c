#include "config.h"

#include <stddef.h>
#include <string.h>

#include "common/reason.h"

struct entry {
	const char *name;
	enum stage stage;
	const char *text;
};

static const struct entry entries[REASON_MAX] = {
    [REASON_NONE] = {"none", STAGE_DECODE, "Nothing was decided."},
    [REASON_OK] = {"ok", STAGE_TURN, "It was accepted."},
    [REASON_MALFORMED] = {"malformed", STAGE_DECODE,
	"The server sent something that is not a well-formed event."},
    [REASON_TOO_LARGE] = {"too-large", STAGE_DECODE,
	"The text is longer than any post of this server may be."},
    [REASON_NO_CHANNEL] = {"no-channel", STAGE_DECODE,
	"The event names no channel, or not with a valid id."},
    [REASON_NO_POST_ID] = {"no-post-id", STAGE_DECODE,
	"The event names no post, or not with a valid id."},
    [REASON_NO_ACTOR] = {"no-actor", STAGE_DECODE,
	"The event does not say who did it, or not with a valid id."},
    [REASON_WRONG_ACCOUNT] = {"wrong-account", STAGE_DECODE,
	"It was meant for another account."},
    [REASON_UNKNOWN_KIND] = {"unknown-kind", STAGE_DECODE,
	"It is of a kind that this version does not know."},
    [REASON_OWN_POST] = {"own-post", STAGE_DECODE,
	"The bot itself wrote it."},
    [REASON_OWN_REACTION] = {"own-reaction", STAGE_DECODE,
	"The bot itself reacted."},
    [REASON_SYSTEM_POST] = {"system-post", STAGE_DECODE,
	"It is a message of the server itself, such as a join notice."},
    [REASON_TYPED_POST] = {"typed-post", STAGE_DECODE,
	"It has a post type (/me, an integration); only plain posts count."},
    [REASON_DELETED] = {"deleted", STAGE_DECODE,
	"The post was deleted."},
    [REASON_DUPLICATE] = {"duplicate", STAGE_DEDUPE,
	"The same event was taken before."},
    [REASON_TOO_OLD] = {"too-old", STAGE_DEDUPE,
	"It was missed longer ago than gapFill.maxAgeMinutes allows."},
    [REASON_NOT_AN_EDIT] = {"not-an-edit", STAGE_DEDUPE,
	"The text did not change (a pin, a reaction, a button update)."},
    [REASON_EDIT_ANSWERED] = {"edit-answered", STAGE_DEDUPE,
	"The post was accepted before it was edited; an edit is answered "
	"only when it adds the mention."},
    [REASON_UNKNOWN_SURFACE] = {"unknown-surface", STAGE_SURFACE,
	"The kind of the channel is not known, so no policy allows it."},
    [REASON_BOT_AUTHOR] = {"bot-author", STAGE_AUTHORISE,
	"The author is a bot and allowBots is off."},
    [REASON_WEBHOOK_AUTHOR] = {"webhook-author", STAGE_AUTHORISE,
	"A webhook wrote it and allowBots is off."},
    [REASON_ACTOR_UNKNOWN] = {"actor-unknown", STAGE_AUTHORISE,
	"It could not be told whether a person or a bot did it."},
    [REASON_BOT_LOOP] = {"bot-loop", STAGE_AUTHORISE,
	"Only bots have spoken in this thread for too many turns."},
    [REASON_DM_DISABLED] = {"dm-disabled", STAGE_AUTHORISE,
	"Direct messages are switched off by dmPolicy."},
    [REASON_GROUP_DISABLED] = {"group-disabled", STAGE_AUTHORISE,
	"Channels are switched off by groupPolicy."},
    [REASON_NOT_IN_ALLOWLIST] = {"not-in-allowlist", STAGE_AUTHORISE,
	"The sender's user id is not in the allowlist that applies here."},
    [REASON_OPEN_WITHOUT_WILDCARD] = {"open-without-wildcard",
	STAGE_AUTHORISE,
	"dmPolicy is \"open\" but allowFrom has no \"*\" and does not name "
	"the sender."},
    [REASON_EMPTY_ALLOWLIST] = {"empty-allowlist", STAGE_AUTHORISE,
	"groupPolicy is \"allowlist\" and both groupAllowFrom and allowFrom "
	"are empty."},
    [REASON_ACCESS_GROUP_MISSING] = {"access-group-missing",
	STAGE_AUTHORISE,
	"The allowlist names an access group that is not configured."},
    [REASON_ACCESS_GROUP_UNSUPPORTED] = {"access-group-unsupported",
	STAGE_AUTHORISE,
	"The allowlist names an access group of a type that is not "
	"message.senders."},
    [REASON_PAIRING] = {"pairing", STAGE_AUTHORISE,
	"The sender is unknown and is given a pairing code."},
    [REASON_NOT_PAIRED] = {"not-paired", STAGE_AUTHORISE,
	"The sender is not paired, and this kind of event gives no code."},
    [REASON_PAIRING_FULL] = {"pairing-full", STAGE_AUTHORISE,
	"Too many pairing requests of this account are waiting."},
    [REASON_COMMAND_NOT_AUTHORISED] = {"command-not-authorised",
	STAGE_AUTHORISE,
	"It is a control command, and the sender is in no list that may give "
	"one in a channel."},
    [REASON_NO_MENTION] = {"no-mention", STAGE_GATE,
	"The channel requires a mention and the bot was not addressed."},
    [REASON_EDIT_NO_MENTION] = {"edit-no-mention", STAGE_GATE,
	"The edit did not add a mention where one is required."},
    [REASON_EMPTY_TEXT] = {"empty-text", STAGE_NORMALISE,
	"Nothing visible is left of the text, and no file is attached."},
    [REASON_NO_AGENT] = {"no-agent", STAGE_ROUTE,
	"No binding fits and there is no default agent."},
};

static const char *const stages[STAGE_MAX] = {
    [STAGE_DECODE] = "decode",
    [STAGE_DEDUPE] = "dedupe",
    [STAGE_SURFACE] = "surface",
    [STAGE_AUTHORISE] = "authorise",
    [STAGE_GATE] = "gate",
    [STAGE_NORMALISE] = "normalise",
    [STAGE_ROUTE] = "route",
    [STAGE_TURN] = "turn",
};

static const struct entry *
entry(enum reason r)
{
	return &entries[r < REASON_MAX ? r : REASON_NONE];
}

const char *
reason_name(enum reason r)
{
	return entry(r)->name;
}

enum reason
reason_from(const char *name)
{
	int i;

	for (i = REASON_NONE + 1; i < REASON_MAX; i++)
		if (strcmp(entries[i].name, name) == 0)
			return (enum reason)i;
	return REASON_NONE;
}

enum stage
reason_stage(enum reason r)
{
	return entry(r)->stage;
}

const char *
stage_name(enum stage s)
{
	return stages[s < STAGE_MAX ? s : STAGE_DECODE];
}

const char *
reason_explain(enum reason r)
{
	return entry(r)->text;
}
