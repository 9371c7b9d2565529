#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/grow.h"
#include "common/log.h"
#include "common/pattern.h"
#include "common/proto.h"
#include "common/utf8.h"
#include "common/zone.h"
#include "workers/account/policy.h"
#include "workers/account/policy_impl.h"
#include "workers/account/route.h"

#define HISTORY_DEFAULT 50 /* messages.groupChat.historyLimit */
#define AGE_DEFAULT 60     /* gapFill.maxAgeMinutes */

struct word {
	const char *name;
	int value;
};

static const struct word dm_words[] = {{"pairing", DM_PAIRING},
    {"allowlist", DM_ALLOWLIST}, {"open", DM_OPEN}, {NULL, DM_DISABLED}};
static const struct word group_words[] = {{"allowlist", GROUPS_ALLOWLIST},
    {"open", GROUPS_OPEN}, {NULL, GROUPS_DISABLED}};
static const struct word chat_words[] = {{"onmessage", CHATMODE_ONMESSAGE},
    {"onchar", CHATMODE_ONCHAR}, {NULL, CHATMODE_ONCALL}};
static const struct word reply_words[] = {{"first", REPLY_FIRST},
    {"all", REPLY_ALL}, {"batched", REPLY_BATCHED}, {NULL, REPLY_OFF}};
static const struct word scope_words[] = {{"per-peer", DM_PER_PEER},
    {"per-channel-peer", DM_PER_CHANNEL_PEER},
    {"per-account-channel-peer", DM_PER_ACCOUNT_CHANNEL_PEER},
    {NULL, DM_MAIN}};
static const struct word visible_words[] = {{"all", VISIBLE_ALL},
    {"allowlist_quote", VISIBLE_QUOTE}, {NULL, VISIBLE_ALLOWLIST}};

/* The last entry is for any other word; absent is for none at all. */
static int
word_of(struct fields *f, const char *key, const struct word *words, int absent)
{
	const char *s = fields_opt_str(f, key, 64);

	if (s == NULL)
		return absent;
	while (words->name != NULL && strcmp(words->name, s) != 0)
		words++;
	return words->value;
}

static enum tri
tri_of(struct fields *f, const char *key)
{
	int v = fields_opt_bool(f, key, -1);

	return v == -1 ? TRI_UNKNOWN : v ? TRI_YES : TRI_NO;
}

static void
compile_access(struct policy *p, struct fields *f)
{
	struct json_object *groups = fields_opt_obj(f, "accessGroups"), *list;

	p->dm_policy = (enum dm_policy)word_of(
	    f, "dmPolicy", dm_words, DM_PAIRING);
	p->group_policy = (enum group_policy)word_of(
	    f, "groupPolicy", group_words, GROUPS_ALLOWLIST);
	p->allow_from =
	    allow_compile(fields_opt_arr(f, "allowFrom", PROTO_LIST), groups);
	p->group_allow_from =
	    allow_compile(fields_opt_arr(f, "groupAllowFrom", PROTO_LIST), groups);
	p->paired = allow_compile(NULL, NULL);
	p->by_name = fields_opt_bool(f, "dangerouslyAllowNameMatching", 0);
	p->allow_bots = fields_opt_bool(f, "allowBots", 0);
	p->text_commands = fields_opt_bool(f, "textCommands", 1);
	if ((list = fields_opt_arr(f, "commandAllowFrom", PROTO_LIST)) != NULL)
		p->commands = allow_compile(list, groups);
}

static void
add_onchar(struct policy *p, const char *prefix)
{
	char *s = utf8_trim(prefix);

	if (*s == '\0') {
		free(s);
		return;
	}
	p->onchar = grow(p->onchar, p->n_onchar, sizeof(*p->onchar));
	p->onchar[p->n_onchar++] = s;
}

static void
compile_onchar(struct policy *p, struct fields *f)
{
	struct json_object *a = fields_opt_arr(f, "oncharPrefixes", 100), *v;
	size_t i, n = a == NULL ? 0 : json_object_array_length(a);

	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(a, i);
		if (json_object_is_type(v, json_type_string))
			add_onchar(p, json_object_get_string(v));
	}
	if (p->n_onchar == 0) {
		add_onchar(p, ">");
		add_onchar(p, "!");
	}
}

static void
compile_groups(struct policy *p, struct fields *f)
{
	struct json_object *groups = fields_opt_obj(f, "groups");
	struct fields g;
	struct group_rule *r;

	if (groups == NULL)
		return;
	json_object_object_foreach(groups, key, val)
	{
		if (strcmp(key, "*") != 0 && !mm_id_valid(key))
			continue; /* matches no channel */
		p->groups = grow(p->groups, p->n_groups, sizeof(*p->groups));
		r = &p->groups[p->n_groups++];
		(void)strlcpy(r->channel_id, key, sizeof(r->channel_id));
		fields_open(&g, val);
		r->require_mention = tri_of(&g, "requireMention");
		if (fields_ok(&g) != 0)
			r->require_mention = TRI_YES;
	}
}

/* Everywhere but in denyIn, or nowhere but in allowIn. */
static void
compile_pattern_scope(struct policy *p, struct fields *f)
{
	struct json_object *o = fields_opt_obj(f, "mentionPatterns"), *list, *v;
	struct fields g;
	const char *mode;
	size_t i, n;

	if (o == NULL)
		return;
	fields_open(&g, o);
	mode = fields_opt_str(&g, "mode", 16);
	p->patterns_off = mode != NULL && strcmp(mode, "allow") != 0;
	list = fields_opt_arr(
	    &g, p->patterns_off ? "allowIn" : "denyIn", PROTO_LIST);
	n = list == NULL ? 0 : json_object_array_length(list);
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_string) ||
		    !mm_id_valid(json_object_get_string(v)))
			continue;
		p->patterns_in =
		    grow(p->patterns_in, p->n_patterns_in, MM_ID_SIZE);
		memcpy(p->patterns_in[p->n_patterns_in++],
		    json_object_get_string(v), MM_ID_SIZE);
	}
}

static void
compile_gate(struct policy *p, struct fields *f)
{
	struct json_object *o = fields_opt_obj(f, "implicitMentions");
	struct fields g;

	p->chatmode = (enum chat_mode)word_of(
	    f, "chatmode", chat_words, CHATMODE_UNSET);
	p->require_mention = tri_of(f, "requireMention");
	p->thread_participation = 1;
	if (o != NULL) {
		fields_open(&g, o);
		p->thread_participation =
		    fields_opt_bool(&g, "threadParticipation", 1);
	}
	compile_onchar(p, f);
	compile_groups(p, f);
	compile_pattern_scope(p, f);
}

static void
compile_threads(struct policy *p, struct fields *f)
{
	struct json_object *o = fields_opt_obj(f, "replyToModeByChatType");
	struct fields g;
	int i;

	p->reply_mode = (enum reply_mode)word_of(
	    f, "replyToMode", reply_words, REPLY_OFF);
	for (i = 0; i < SURFACE_MAX; i++)
		p->reply_mode_by[i] = -1;
	if (o == NULL)
		return;
	fields_open(&g, o);
	for (i = SURFACE_DIRECT; i < SURFACE_MAX; i++)
		p->reply_mode_by[i] = word_of(
		    &g, surface_name((enum surface)i), reply_words, -1);
}

static void
compile_context(struct policy *p, struct fields *f)
{
	struct json_object *o = fields_opt_obj(f, "gapFill");
	struct fields g;
	int64_t minutes = AGE_DEFAULT;
	const char *zone, *why;

	p->visibility = (enum visibility)word_of(
	    f, "contextVisibility", visible_words, VISIBLE_ALL);
	p->history_limit = (int)fields_opt_int(
	    f, "historyLimit", 0, 1000000, HISTORY_DEFAULT);
	if ((zone = fields_opt_str(f, "zone", ZONE_TEXT_MAX)) != NULL)
		p->zone = zone_parse(zone, &why);
	if (o != NULL) {
		fields_open(&g, o);
		minutes = fields_opt_int(
		    &g, "maxAgeMinutes", 0, 10000000, AGE_DEFAULT);
	}
	p->max_age_ms = minutes * 60 * 1000;
}

static void
add_link(struct policy *p, const char *canonical, struct json_object *v)
{
	struct identity_link *l;
	char *name;

	if (!json_object_is_type(v, json_type_string))
		return;
	name = utf8_trim(canonical);
	p->links = grow(p->links, p->n_links, sizeof(*p->links));
	l = &p->links[p->n_links++];
	l->canonical = utf8_lower(name);
	free(name);
	name = utf8_trim(json_object_get_string(v));
	l->id = utf8_lower(name);
	free(name);
}

static void
compile_links(struct policy *p, struct json_object *links)
{
	size_t i;

	if (links == NULL)
		return;
	json_object_object_foreach(links, key, val)
	{
		if (!json_object_is_type(val, json_type_array) ||
		    strlen(key) > 64 || utf8_is_blank(key, strlen(key)))
			continue;
		for (i = 0; i < json_object_array_length(val); i++)
			add_link(p, key, json_object_array_get_idx(val, i));
	}
}

static void
compile_session(struct policy *p, struct fields *f)
{
	struct json_object *o = fields_opt_obj(f, "session");
	struct fields g;
	const char *s;

	(void)strlcpy(p->main_key, "main", sizeof(p->main_key));
	if (o == NULL)
		return;
	fields_open(&g, o);
	p->dm_scope =
	    (enum dm_scope)word_of(&g, "dmScope", scope_words, DM_MAIN);
	s = fields_opt_str(&g, "groupScope", 64);
	p->group_main = s != NULL && strcmp(s, "main") == 0;
	if ((s = fields_opt_str(&g, "mainKey", ACCOUNT_ID_SIZE - 1)) != NULL)
		route_normal_id(s, p->main_key);
	if (p->main_key[0] == '\0')
		(void)strlcpy(p->main_key, "main", sizeof(p->main_key));
	compile_links(p, fields_opt_obj(&g, "identityLinks"));
}

struct policy *
policy_compile(struct json_object *config, const char **why)
{
	struct policy *p = calloc(1, sizeof(*p));
	struct fields f;

	if (p == NULL)
		fatal("calloc");
	fields_open(&f, config);
	(void)strlcpy(p->account, fields_str(&f, "account", ACCOUNT_ID_SIZE - 1),
	    sizeof(p->account));
	compile_access(p, &f);
	compile_gate(p, &f);
	compile_threads(p, &f);
	compile_context(p, &f);
	compile_session(p, &f);
	policy_compile_agents(p, &f);
	policy_compile_bindings(p, &f);
	if (fields_ok(&f) == 0 && p->account[0] != '\0')
		return p;
	*why = p->account[0] == '\0' ? "account: empty" : fields_error(&f);
	policy_free(p);
	return NULL;
}

void
policy_free(struct policy *p)
{
	size_t i, k;

	if (p == NULL)
		return;
	zone_free(p->zone);
	allow_free(p->allow_from);
	allow_free(p->group_allow_from);
	allow_free(p->paired);
	allow_free(p->commands);
	for (i = 0; i < p->n_onchar; i++)
		free(p->onchar[i]);
	for (i = 0; i < p->n_links; i++) {
		free(p->links[i].canonical);
		free(p->links[i].id);
	}
	for (i = 0; i < p->n_agents; i++) {
		for (k = 0; k < p->agents[i].n_patterns; k++)
			pattern_free(p->agents[i].patterns[k]);
		free(p->agents[i].patterns);
		for (k = 0; k < p->agents[i].n_models; k++)
			free(p->agents[i].models[k]);
		free(p->agents[i].models);
		free(p->agents[i].provider);
		free(p->agents[i].model);
	}
	free(p->onchar);
	free(p->groups);
	free(p->patterns_in);
	free(p->links);
	free(p->bindings);
	free(p->agents);
	free(p);
}

void
policy_pair(struct policy *p, const char *user_id)
{
	allow_add(p->paired, user_id);
}

void
policy_unpair(struct policy *p, const char *user_id)
{
	allow_remove(p->paired, user_id);
}

void
policy_unpair_all(struct policy *p)
{
	allow_free(p->paired);
	p->paired = allow_compile(NULL, NULL);
}

void
policy_names(
    const struct policy *p, void (*fn)(const char *, void *), void *arg)
{
	allow_names(p->allow_from, fn, arg);
	allow_names(p->group_allow_from, fn, arg);
	if (p->commands != NULL)
		allow_names(p->commands, fn, arg);
}

void
policy_resolve(struct policy *p, const char *name, const char *user_id)
{
	allow_resolve(p->allow_from, name, user_id);
	allow_resolve(p->group_allow_from, name, user_id);
	if (p->commands != NULL)
		allow_resolve(p->commands, name, user_id);
}
