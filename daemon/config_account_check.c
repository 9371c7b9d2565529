#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_private.h"

static int
includes(const struct cval *list, const char *what)
{
	const struct cval *m;
	const char *s;

	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next) {
		s = cval_string(m, "");
		s += strspn(s, " \t");
		if (strncmp(s, what, strlen(what)) == 0 &&
		    s[strlen(what) + strspn(s + strlen(what), " \t")] == '\0')
			return 1;
	}
	return 0;
}

static int
is_empty(const struct cval *list)
{
	return list == NULL || list->count == 0;
}

/* The path of the scope that a value came from. */
static const char *
where(const struct config_scope *s, const char *key)
{
	return cval_get(s->own, key) != NULL ? s->path : "channels.mattermost";
}

/* Where the file says it, for the position of a message. */
static const struct cval *
at(const struct config_scope *s, const char *key)
{
	const struct cval *v = cval_get(s->own, key);

	if (v == NULL)
		v = cval_get(s->top, key);
	return v != NULL ? v : s->top;
}

/* An account that inherits "*" may be meant to be the one that is careful. */
static void
check_everybody(struct config_ctx *ctx, const struct config_scope *s,
    const char *key, const char *policy, const char *list)
{
	if (includes(cval_get(s->account, list), "*"))
		config_say(ctx, CONFIG_WARNING, at(s, key),
		    "%s.%s: \"%s\" lets everybody in, for %s.%s has \"*\"",
		    where(s, key), key, policy, where(s, list), list);
}

static void
check_dm(struct config_ctx *ctx, const struct config_scope *s)
{
	const char *policy =
	    cval_string(cval_get(s->account, "dmPolicy"), "pairing");
	const struct cval *from = cval_get(s->account, "allowFrom");
	const char *path = where(s, "dmPolicy");

	if (strcmp(policy, "open") == 0 && !includes(from, "*"))
		config_say(ctx, CONFIG_ERROR, at(s, "dmPolicy"),
		    "%s.dmPolicy=\"open\" requires %s.allowFrom to include "
		    "\"*\"", path, path);
	if (strcmp(policy, "allowlist") == 0 && is_empty(from))
		config_say(ctx, CONFIG_WARNING, at(s, "dmPolicy"),
		    "%s.dmPolicy: \"allowlist\" with an empty allowFrom drops "
		    "every direct message", path);
	if (cval_get(s->account, "dmPolicy") != NULL &&
	    (strcmp(policy, "allowlist") == 0 ||
		strcmp(policy, "pairing") == 0))
		check_everybody(ctx, s, "dmPolicy", policy, "allowFrom");
}

static void
check_group(struct config_ctx *ctx, const struct config_scope *s)
{
	const struct cval *v = cval_get(s->account, "groupPolicy");
	const struct cval *dflt =
	    cval_path(ctx->root, "channels.defaults.groupPolicy");
	const char *policy = cval_string(v != NULL ? v : dflt, "allowlist");

	if (s->top == NULL)
		return; /* said for the section */
	if (v != NULL && strcmp(policy, "allowlist") == 0)
		check_everybody(ctx, s, "groupPolicy", policy,
		    is_empty(cval_get(s->account, "groupAllowFrom")) ?
			"allowFrom" : "groupAllowFrom");
	if (strcmp(policy, "allowlist") != 0 ||
	    !is_empty(cval_get(s->account, "groupAllowFrom")) ||
	    !is_empty(cval_get(s->account, "allowFrom")))
		return;
	/* Nobody asked for the default: then it is only worth a remark. */
	config_say(ctx, v != NULL ? CONFIG_WARNING : CONFIG_INFO,
	    at(s, "groupPolicy"),
	    "%s.groupPolicy: \"allowlist\" with neither groupAllowFrom nor "
	    "allowFrom drops every message in channels: name people there, or "
	    "say \"open\"",
	    where(s, "groupPolicy"));
}

static int
is_id(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (!isalnum((unsigned char)s[n]))
			return 0;
	return n == 26;
}

/* What a Mattermost user name is made of. */
static int
is_name(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (!isalnum((unsigned char)s[n]) && s[n] != '.' &&
		    s[n] != '_' && s[n] != '-')
			return s[n + strspn(s + n, " \t")] == '\0' && n > 0;
	return n > 0;
}

/* What is left of an entry of an allowlist once its decoration is off. */
static const char *
bare_entry(const char *s)
{
	s += strspn(s, " \t");
	if (strncasecmp(s, "mattermost:", 11) == 0)
		s += 11;
	else if (strncasecmp(s, "user:", 5) == 0)
		s += 5;
	return *s == '@' ? s + 1 : s;
}

/* A group without members lets nobody in. */
static void
check_members(struct config_ctx *ctx, const char *name, const struct cval *m)
{
	const struct cval *members = cval_get(
	    cval_get(cval_get(ctx->root, "accessGroups"), name), "members");

	if (members != NULL && is_empty(cval_get(members, "*")) &&
	    is_empty(cval_get(members, "mattermost")))
		config_say(ctx, CONFIG_WARNING, m,
		    "accessGroups.%s.members: has neither \"*\" nor "
		    "\"mattermost\": the group lets nobody in", name);
}

static void
check_entry(struct config_ctx *ctx, const struct config_scope *s,
    const char *key, const struct cval *m)
{
	static const char group[] = "accessGroup:";
	const size_t n = sizeof(group) - 1;
	const char *text = cval_string(m, NULL);

	if (text == NULL || m->bad)
		return;
	text += strspn(text, " \t");
	if (strcmp(text, "*") == 0)
		return;
	if (strncmp(text, group, n) == 0) {
		text += n;
		text += strspn(text, " \t");
		if (cval_get(cval_get(ctx->root, "accessGroups"), text) == NULL)
			config_say(ctx, CONFIG_WARNING, m,
			    "%s.%s: there is no accessGroups.%s: it lets "
			    "nobody in", where(s, key), key, text);
		else
			check_members(ctx, text, m);
		return;
	}
	if (is_id(bare_entry(text)))
		return;
	if (!cval_bool(cval_get(s->account, "dangerouslyAllowNameMatching"), 0))
		config_say(ctx, CONFIG_WARNING, m,
		    "%s.%s: \"%s\" is not a user id (26 letters and digits) "
		    "and will match nobody: posternctl channels resolve tells "
		    "the id", where(s, key), key, text);
	else if (!is_name(bare_entry(text)))
		config_say(ctx, CONFIG_WARNING, m,
		    "%s.%s: \"%s\" is neither a user id nor a user name and "
		    "will match nobody", where(s, key), key, text);
}

/* Prefixes are looked at in one mode only. */
static void
check_mode(struct config_ctx *ctx, const struct config_scope *s)
{
	const struct cval *mode = cval_get(s->account, "chatmode");

	if (!is_empty(cval_get(s->account, "oncharPrefixes")) &&
	    strcmp(cval_string(mode, ""), "onchar") != 0)
		config_say(ctx, CONFIG_WARNING, at(s, "oncharPrefixes"),
		    "%s.oncharPrefixes: is of no use without "
		    "chatmode: \"onchar\"", where(s, "oncharPrefixes"));
	if (mode != NULL && cval_get(s->account, "requireMention") != NULL)
		config_say(ctx, CONFIG_WARNING, at(s, "requireMention"),
		    "%s.requireMention: is of no use beside chatmode",
		    where(s, "requireMention"));
}

static void
check_entries(
    struct config_ctx *ctx, const struct config_scope *s, const char *key)
{
	const struct cval *list = cval_get(s->own, key), *m;

	if (list == NULL)
		list = cval_get(s->top, key);
	for (m = list == NULL ? NULL : list->first; m != NULL; m = m->next)
		check_entry(ctx, s, key, m);
}

static void
check_channels(struct config_ctx *ctx, const struct config_scope *s)
{
	const struct cval *map = cval_get(s->own, "groups"), *m;

	if (map == NULL)
		map = cval_get(s->top, "groups");
	for (m = map == NULL ? NULL : map->first; m != NULL; m = m->next)
		if (strcmp(m->key, "*") != 0 && !is_id(m->key))
			config_say_key(ctx, CONFIG_WARNING, m,
			    "%s.groups: \"%s\" is not a channel id (26 letters "
			    "and digits) and will match none: posternctl "
			    "channels resolve tells the id",
			    where(s, "groups"), m->key);
}

static void
check_retry(struct config_ctx *ctx, const struct config_scope *s)
{
	const struct cval *retry = cval_get(s->account, "dmChannelRetry");
	const struct cval *first = cval_get(retry, "initialDelayMs");
	const struct cval *most = cval_get(retry, "maxDelayMs");

	if (first != NULL && most != NULL && first->i > most->i)
		config_say(ctx, CONFIG_ERROR, first,
		    "%s.dmChannelRetry.initialDelayMs: initialDelayMs must be "
		    "less than or equal to maxDelayMs",
		    where(s, "dmChannelRetry"));
}

static void
check_callback(struct config_ctx *ctx, const struct config_scope *s,
    const char *path, const char *key)
{
	const struct cval *v = cval_path(s->account, path);
	const char *text = cval_string(v, "");

	text += strspn(text, " \t");
	if (*text == '\0' || strncasecmp(text, "http://", 7) == 0 ||
	    strncasecmp(text, "https://", 8) == 0)
		return;
	config_say(ctx, CONFIG_ERROR, v,
	    "%s.%s: must begin with http:// or https://", where(s, key), path);
}

static void
check_blocks(struct config_ctx *ctx, const struct config_scope *s)
{
	const struct cval *limit = cval_get(s->account, "textChunkLimit");
	const struct cval *c = cval_path(s->account, "streaming.block.coalesce");
	const struct cval *least = cval_get(c, "minChars");
	const struct cval *most = cval_get(c, "maxChars");

	if (limit != NULL && limit->i > CONFIG_POST_MAX)
		config_say(ctx, CONFIG_WARNING, limit,
		    "%s.textChunkLimit: Mattermost takes no post longer than "
		    "%d", where(s, "textChunkLimit"), CONFIG_POST_MAX);
	if (least != NULL && most != NULL && least->i > most->i)
		config_say(ctx, CONFIG_ERROR, least,
		    "%s.streaming.block.coalesce.minChars: must not be larger "
		    "than maxChars", where(s, "streaming"));
}

/* The peer knows others; one that is nearly ours is a slip of the pen. */
static void
check_capabilities(struct config_ctx *ctx, const struct config_scope *s)
{
	const struct cval *m = cval_get(s->account, "capabilities");
	char near[CONFIG_WORD_MAX];

	for (m = m == NULL ? NULL : m->first; m != NULL; m = m->next)
		if (!m->bad && strcmp(m->str, CONFIG_BUTTONS) != 0 &&
		    config_word_nearest(CONFIG_BUTTONS, m->str, near,
			sizeof(near)) != NULL)
			config_say(ctx, CONFIG_WARNING, m,
			    "%s.capabilities: \"%s\" is not known (did you "
			    "mean \"%s\"?)", where(s, "capabilities"), m->str,
			    near);
}

void
config_account_check(struct config_ctx *ctx, const struct config_scope *s)
{
	check_dm(ctx, s);
	check_group(ctx, s);
	check_mode(ctx, s);
	check_entries(ctx, s, "allowFrom");
	check_entries(ctx, s, "groupAllowFrom");
	check_channels(ctx, s);
	check_retry(ctx, s);
	check_blocks(ctx, s);
	check_capabilities(ctx, s);
	check_callback(ctx, s, "commands.callbackUrl", "commands");
	check_callback(
	    ctx, s, "interactions.callbackBaseUrl", "interactions");
}

static int
is_loopback(const char *host)
{
	const char end[] = ".localhost";
	size_t n = strlen(host), len = sizeof(end) - 1;

	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	    strncmp(host, "127.", 4) == 0 ||
	    (n > len && strcmp(host + n - len, end) == 0);
}

int
config_is_given(const struct cval *account, const char *path)
{
	const char *s = cval_string(cval_path(account, path), "");

	return s[strspn(s, " \t\r\n")] != '\0';
}

/* Nobody wrote an address, so it is this host's: one elsewhere calls itself. */
static void
check_reach(struct config_ctx *ctx, const struct config_scope *s,
    const struct config_account *a, const char *host, const char *section,
    const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.%s", section, key);
	if (!config_is_given(s->account, path) && is_loopback(host) &&
	    !is_loopback(a->url.host))
		config_say(ctx, CONFIG_WARNING, at(s, section),
		    "%s.%s: absent, so %s is told to call %s: good only when "
		    "it runs on this host", where(s, section), path,
		    a->url.text, host);
}

static void
check_commands(struct config_ctx *ctx, const struct config_scope *s,
    const struct config_account *a)
{
	char *url = config_command_url(ctx->root, s->account);
	struct config_url u = {0};

	if (config_url_parse(url, &u) == NULL)
		check_reach(ctx, s, a, u.host, "commands", "callbackUrl");
	config_url_free(&u);
	free(url);
}

static void
check_buttons(struct config_ctx *ctx, const struct config_scope *s,
    const struct config_account *a)
{
	char *url = config_interaction_url(ctx->root, s->account, a->id);
	struct config_url u = {0};

	if (config_url_parse(url, &u) == NULL) {
		check_reach(
		    ctx, s, a, u.host, "interactions", "callbackBaseUrl");
		if (!is_loopback(u.host) && cval_path(s->account,
			"interactions.allowedSourceIps") == NULL)
			config_say(ctx, CONFIG_WARNING, at(s, "interactions"),
			    "%s.interactions.allowedSourceIps: absent, so "
			    "clicks are taken from this host alone, and they "
			    "are to come by %s", where(s, "interactions"),
			    u.host);
	}
	config_url_free(&u);
	free(url);
}

void
config_account_check_callbacks(struct config_ctx *ctx,
    const struct config_scope *s, const struct config_account *a)
{
	if (a->enabled && a->commands)
		check_commands(ctx, s, a);
	if (a->enabled && a->buttons)
		check_buttons(ctx, s, a);
}
