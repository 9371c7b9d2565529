/*
 * The policy of one account, compiled from its configuration, and the one
 * decision: may this actor do this here?
 *
 * authorise() is pure: no I/O, no clock, no state. Every inbound of every
 * kind passes it. Its result has no implicit truth: only DECISION_ALLOW
 * allows, and it names the rule that did. What is unknown, missing or
 * misspelled denies.
 *
 * Configuration: the peer's keys (camelCase), defaults filled in by the
 * supervisor or, when absent, here:
 *   account name baseUrl dmPolicy allowFrom groupPolicy groupAllowFrom
 *   groups chatmode oncharPrefixes requireMention implicitMentions
 *   dangerouslyAllowNameMatching allowBots replyToMode
 *   replyToModeByChatType accessGroups contextVisibility historyLimit
 *   session {dmScope mainKey groupScope identityLinks} bindings
 *   defaultAgent agents [{id name emoji mentionPatterns choice {provider
 *   model models}}] textCommands
 *   commandAllowFrom mentionPatterns {mode allowIn denyIn}
 *   gapFill {maxAgeMinutes} zone (zone.h)
 */
#ifndef ACCOUNT_POLICY_H
#define ACCOUNT_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/allow.h"
#include "workers/account/inbound.h"
#include "workers/account/reason.h"
#include "workers/account/surface.h"

struct json_object;
struct pattern;
struct zone;

/* Zero denies in each. */
enum dm_policy { DM_DISABLED = 0, DM_PAIRING, DM_ALLOWLIST, DM_OPEN };
enum group_policy { GROUPS_DISABLED = 0, GROUPS_ALLOWLIST, GROUPS_OPEN };
enum chat_mode { CHATMODE_UNSET = 0, CHATMODE_ONCALL, CHATMODE_ONMESSAGE,
	CHATMODE_ONCHAR };
enum reply_mode { REPLY_OFF = 0, REPLY_FIRST, REPLY_ALL, REPLY_BATCHED };
enum visibility { VISIBLE_ALL = 0, VISIBLE_ALLOWLIST, VISIBLE_QUOTE };
enum dm_scope { DM_MAIN = 0, DM_PER_PEER, DM_PER_CHANNEL_PEER,
	DM_PER_ACCOUNT_CHANNEL_PEER };

struct group_rule {
	char channel_id[MM_ID_SIZE]; /* or "*" */
	enum tri require_mention;
};

struct binding {
	char agent[ACCOUNT_ID_SIZE]; /* "" when the agent is not known */
	char account[ACCOUNT_ID_SIZE]; /* "*": any; "" in the file: default */
	char team_id[MM_ID_SIZE];
	enum surface peer_kind;      /* UNKNOWN: no peer given */
	char peer_id[MM_NAME_MAX + 1]; /* "*": any of that kind */
};

struct identity_link {
	char *canonical;
	char *id; /* user id, or "mattermost:" and a user id */
};

/* Of a turn: agents.defaults.timeoutSeconds, its default and its limit. */
#define TURN_DEADLINE_MS 600000
#define TURN_DEADLINE_MAX_MS 86400000

struct agent {
	char id[ACCOUNT_ID_SIZE];
	struct pattern **patterns; /* compiled mention patterns */
	size_t n_patterns;
	char *provider; /* of its model; "" when it has none */
	char *model;    /* "": it echoes */
	char **models;  /* what its provider lists */
	size_t n_models;
	int64_t deadline_ms; /* of a turn */
};

struct policy {
	char account[ACCOUNT_ID_SIZE];
	enum dm_policy dm_policy;
	enum group_policy group_policy;
	struct allow_list *allow_from;
	struct allow_list *group_allow_from;
	struct allow_list *paired;   /* policy_pair() and policy_unpair() */
	struct allow_list *commands; /* commandAllowFrom; NULL: not set */
	int by_name;                 /* dangerouslyAllowNameMatching */
	int allow_bots;
	int text_commands;
	enum chat_mode chatmode;
	char **onchar;
	size_t n_onchar;
	enum tri require_mention;
	struct group_rule *groups;
	size_t n_groups;
	int patterns_off;            /* mentionPatterns.mode "deny" */
	char (*patterns_in)[MM_ID_SIZE]; /* channels where it is otherwise */
	size_t n_patterns_in;
	int thread_participation;    /* implicitMentions.threadParticipation */
	enum reply_mode reply_mode;
	int reply_mode_by[SURFACE_MAX]; /* enum reply_mode, -1: not set */
	enum visibility visibility;
	int history_limit;
	struct zone *zone;           /* of times told to agents; NULL: UTC */
	int64_t max_age_ms;          /* of gap-filled posts; 0: none is answered */
	enum dm_scope dm_scope;
	int group_main;              /* session.groupScope "main" */
	char main_key[ACCOUNT_ID_SIZE];
	struct identity_link *links;
	size_t n_links;
	struct binding *bindings;
	size_t n_bindings;
	struct agent *agents;
	size_t n_agents;
	char default_agent[ACCOUNT_ID_SIZE]; /* "": none can be told */
};

/*
 * NULL, and *why set to a static text, when a member has the wrong type. An
 * enumeration with a value that is not known becomes its denying one.
 * config is not kept.
 */
struct policy *policy_compile(struct json_object *config, const char **why);
void policy_free(struct policy *);

/* The ids that this account's pairing store has approved. */
void policy_pair(struct policy *, const char *user_id);
void policy_unpair(struct policy *, const char *user_id);
void policy_unpair_all(struct policy *);

/*
 * The names in the allowlists, which match nobody by themselves while
 * by_name is 0; then what each stands for. fn may be called several times
 * for one name.
 */
void policy_names(const struct policy *, void (*fn)(const char *, void *),
    void *arg);
void policy_resolve(struct policy *, const char *name, const char *user_id);

enum decision_kind { DECISION_DROP = 0, DECISION_ALLOW, DECISION_PAIR };

struct decision {
	enum decision_kind kind;
	enum reason reason;
	const char *rule; /* what decided, as in: dmPolicy="allowlist" */
	/*
	 * May give control commands here. In a direct message a command of
	 * somebody who may not is allowed as ordinary text: look here before
	 * obeying it.
	 */
	int command_authorised;
};

/*
 * in->surface, in->actor_is_bot and in->control_command must have been set
 * (decide() does): UNKNOWN denies.
 */
struct decision authorise(const struct policy *, const struct inbound *);

#endif
