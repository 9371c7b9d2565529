#include "config.h"

#include <string.h>

#include "workers/account/policy.h"

static struct decision
drop(enum reason reason, const char *rule)
{
	return (struct decision){DECISION_DROP, reason, rule, 0};
}

static struct decision
allow(const char *rule, int commands)
{
	return (struct decision){DECISION_ALLOW, REASON_OK, rule, commands};
}

static enum allow_match
find(const struct policy *p, const struct allow_list *list,
    const struct inbound *in)
{
	return allow_find(list, in->actor_id, in->actor_name, p->by_name);
}

static const char *
dm_rule(enum allow_match m)
{
	switch (m) {
	case ALLOW_WILDCARD:
		return "allowFrom has \"*\"";
	case ALLOW_NAME:
		return "allowFrom has the name";
	case ALLOW_ACCESS_GROUP:
		return "allowFrom has an access group with the id";
	default:
		return "allowFrom has the id";
	}
}

static const char *
group_rule(enum allow_match m, int fallback)
{
	switch (m) {
	case ALLOW_WILDCARD:
		return fallback ? "allowFrom (for groups) has \"*\"" :
				  "groupAllowFrom has \"*\"";
	case ALLOW_NAME:
		return fallback ? "allowFrom (for groups) has the name" :
				  "groupAllowFrom has the name";
	case ALLOW_ACCESS_GROUP:
		return fallback ?
		    "allowFrom (for groups) has an access group with the id" :
		    "groupAllowFrom has an access group with the id";
	default:
		return fallback ? "allowFrom (for groups) has the id" :
				  "groupAllowFrom has the id";
	}
}

/* Nobody matched: the most telling reason for it. */
static struct decision
not_listed(const struct allow_list *list, const char *rule)
{
	if (allow_missing_group(list))
		return drop(REASON_ACCESS_GROUP_MISSING, rule);
	if (allow_unsupported_group(list))
		return drop(REASON_ACCESS_GROUP_UNSUPPORTED, rule);
	return drop(REASON_NOT_IN_ALLOWLIST, rule);
}

/* commandAllowFrom, where it is set, is the only list for commands. */
static int
may_command(const struct policy *p, const struct inbound *in, int listed)
{
	if (p->commands == NULL)
		return listed;
	return find(p, p->commands, in) != ALLOW_NONE;
}

/* Messages, slash commands and the model picker may ask for a code. */
static struct decision
pairing(const struct policy *p, const struct inbound *in)
{
	if (allow_find(p->paired, in->actor_id, NULL, 0) != ALLOW_NONE)
		return allow(
		    "pairing store has the id", may_command(p, in, 1));
	if (in->kind == INBOUND_POST || in->kind == INBOUND_SLASH ||
	    (in->kind == INBOUND_BUTTON && in->picker))
		return (struct decision){DECISION_PAIR, REASON_PAIRING,
		    "dmPolicy=\"pairing\"", 0};
	return drop(REASON_NOT_PAIRED, "dmPolicy=\"pairing\"");
}

static struct decision
authorise_direct(const struct policy *p, const struct inbound *in)
{
	enum allow_match m;

	if (p->dm_policy == DM_DISABLED)
		return drop(REASON_DM_DISABLED, "dmPolicy=\"disabled\"");
	if ((m = find(p, p->allow_from, in)) != ALLOW_NONE)
		return allow(dm_rule(m), may_command(p, in, 1));
	switch (p->dm_policy) {
	case DM_OPEN:
		return drop(
		    REASON_OPEN_WITHOUT_WILDCARD, "dmPolicy=\"open\"");
	case DM_ALLOWLIST:
		return not_listed(
		    p->allow_from, "dmPolicy=\"allowlist\", allowFrom");
	case DM_PAIRING:
		return pairing(p, in);
	default:
		return drop(REASON_DM_DISABLED, "dmPolicy is not known");
	}
}

/*
 * A control command needs someone who is in a configured list, even where
 * everybody may talk; the pairing store never counts outside of DMs.
 */
static struct decision
with_commands(const struct inbound *in, const char *rule, int commands)
{
	if (in->control_command && !commands)
		return drop(REASON_COMMAND_NOT_AUTHORISED,
		    "control commands need a list with the id");
	return allow(rule, commands);
}

static struct decision
authorise_group(const struct policy *p, const struct inbound *in)
{
	int fallback = allow_empty(p->group_allow_from), commands;
	const struct allow_list *list =
	    fallback ? p->allow_from : p->group_allow_from;
	enum allow_match m = find(p, list, in);

	commands = may_command(p, in,
	    m != ALLOW_NONE || find(p, p->allow_from, in) != ALLOW_NONE);
	switch (p->group_policy) {
	case GROUPS_OPEN:
		return with_commands(in, "groupPolicy=\"open\"", commands);
	case GROUPS_ALLOWLIST:
		if (allow_empty(list))
			return drop(REASON_EMPTY_ALLOWLIST,
			    "groupPolicy=\"allowlist\"");
		if (m == ALLOW_NONE)
			return not_listed(list, fallback ?
				"groupPolicy=\"allowlist\", allowFrom" :
				"groupPolicy=\"allowlist\", groupAllowFrom");
		return with_commands(in, group_rule(m, fallback), commands);
	default:
		return drop(REASON_GROUP_DISABLED, "groupPolicy=\"disabled\"");
	}
}

/* A person, or a bot where bots are welcome; else why not. */
static enum reason
check_actor(const struct policy *p, const struct inbound *in)
{
	if (!mm_id_valid(in->actor_id))
		return REASON_NO_ACTOR;
	if (p->allow_bots)
		return REASON_OK;
	if (in->from_webhook)
		return REASON_WEBHOOK_AUTHOR;
	if (in->from_bot || in->actor_is_bot == TRI_YES)
		return REASON_BOT_AUTHOR;
	return in->actor_is_bot == TRI_NO ? REASON_OK : REASON_ACTOR_UNKNOWN;
}

struct decision
authorise(const struct policy *p, const struct inbound *in)
{
	enum reason r;

	if (in->account[0] == '\0' || strcmp(in->account, p->account) != 0)
		return drop(REASON_WRONG_ACCOUNT, "account");
	switch (in->kind) {
	case INBOUND_HOOK: /* its token was checked, it has no user */
		return allow("hooks.token", 0);
	case INBOUND_CRON:
		return allow("cron", 0);
	case INBOUND_POST:
	case INBOUND_EDIT:
	case INBOUND_REACTION:
	case INBOUND_BUTTON:
	case INBOUND_SLASH:
		break;
	default:
		return drop(REASON_UNKNOWN_KIND, "kind");
	}
	if (!mm_id_valid(in->channel_id))
		return drop(REASON_NO_CHANNEL, "channel");
	if ((r = check_actor(p, in)) != REASON_OK)
		return drop(r,
		    r == REASON_NO_ACTOR ? "actor" : "allowBots=false");
	switch (in->surface) {
	case SURFACE_DIRECT:
		return authorise_direct(p, in);
	case SURFACE_GROUP:
	case SURFACE_CHANNEL:
		return authorise_group(p, in);
	default:
		return drop(REASON_UNKNOWN_SURFACE, "channel type");
	}
}
