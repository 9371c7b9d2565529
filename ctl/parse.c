#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/parse.h"

#define NEAR 2        /* edits between a typing error and what was meant */
#define WORD_MAX_LEN 32

static const struct keyword dead_letters[] = {
    {"list", "what could not be delivered or answered", NULL, cmd_dead_list,
	NULL, 0, OPT_JSON | OPT_ACCOUNT | OPT_LIMIT | OPT_CHANNEL, 0},
    {"resubmit", "try one of them again", NULL, cmd_dead_retry, "ID", 1,
	OPT_ACCOUNT | OPT_CHANNEL, 0},
    {0},
};

static const struct keyword sessions[] = {
    {"list", "conversations of the agents, the latest first", NULL,
	cmd_session_list, NULL, 0, OPT_JSON | OPT_AGENT | OPT_LIMIT, 0},
    {"reset", "let it begin anew", NULL, cmd_session_reset, "SESSION", 1, 0,
	0},
    {"show", "what was said", NULL, cmd_session_show, "SESSION", 1, OPT_JSON,
	0},
    {0},
};

static const struct keyword channels[] = {
    {"status", "state of each account", NULL, cmd_channels_status, NULL, 0,
	OPT_JSON | OPT_CHANNEL, 0},
    {"list", "the accounts and their servers", NULL, cmd_channels_list, NULL,
	0, OPT_JSON | OPT_CHANNEL, 0},
    {"dead-letters", "messages that were given up", dead_letters, NULL, NULL,
	0, 0, 0},
    {0},
};

static const struct keyword completion[] = {
    {"bash", "for eval in ~/.bashrc", NULL, cmd_completion_bash, NULL, 0, 0,
	0},
    {"zsh", "for eval in ~/.zshrc", NULL, cmd_completion_zsh, NULL, 0, 0, 0},
    {0},
};

static const struct keyword config[] = {
    {"check", "read the configuration file and say what is wrong", NULL,
	cmd_config_check, NULL, 0, OPT_FILE, 0},
    {"explain", "type, default and meaning of a key", NULL,
	cmd_config_explain, "KEY", 1, 0, 0},
    {0},
};

static const struct keyword levels[] = {
    {"debug", "log all that happens", NULL, cmd_log_debug, NULL, 0, 0, 0},
    {"info", "log what an operator wants to know", NULL, cmd_log_info, NULL,
	0, 0, 0},
    {0},
};

static const struct keyword logs[] = {
    {"level", "change it until the next restart", levels, NULL, NULL, 0, 0,
	0},
    {0},
};

static const struct keyword messages[] = {
    {"send", "post a message as an account", NULL, cmd_message_send, NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_TARGET | OPT_MESSAGE | OPT_REPLY_TO |
	    OPT_MEDIA | OPT_DRY_RUN | OPT_CHANNEL | OPT_BUTTONS |
	    OPT_PRESENTATION,
	OPT_TARGET},
    {"sign", "sign the context of a script's button, from standard input",
	NULL, cmd_message_sign, NULL, 0, OPT_ACCOUNT, 0},
    {0},
};

static const struct keyword pairing[] = {
    {"approve", "let the sender of a request in", NULL, cmd_pairing_approve,
	"CODE", 1,
	OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL | OPT_NOTIFY | OPT_NO_NOTIFY, 0},
    {"import", "take over the pairing store of the peer", NULL,
	cmd_pairing_import, "FILE", 1, OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL,
	0},
    {"list", "who has asked for access, and who has it", NULL,
	cmd_pairing_list, NULL, 0, OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL, 0},
    {"revoke", "take access back, or refuse a request", NULL,
	cmd_pairing_revoke, "USER", 1, OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL,
	0},
    {0},
};

const struct keyword ctl_keywords[] = {
    {"channels", "accounts, and what became of their messages", channels,
	NULL, NULL, 0, 0, 0},
    {"completion", "a script that completes these words", completion, NULL,
	NULL, 0, 0, 0},
    {"config", "check the configuration, explain its keys", config, NULL,
	NULL, 0, 0, 0},
    {"explain", "why a post was or was not answered", NULL, cmd_explain,
	"POST", 1, OPT_JSON | OPT_ACCOUNT, 0},
    {"help", "this list", NULL, cmd_help, NULL, 0, 0, 0},
    {"log", "how much is logged", logs, NULL, NULL, 0, 0, 0},
    {"message", "send a message", messages, NULL, NULL, 0, 0, 0},
    {"pairing", "who may write to the bot", pairing, NULL, NULL, 0, 0, 0},
    {"reload", "read the configuration again", NULL, cmd_reload, NULL, 0, 0,
	0},
    {"sessions", "what the agents remember", sessions, NULL, NULL, 0, 0, 0},
    {"status", "state of the daemon, its accounts and processes", NULL,
	cmd_status, NULL, 0, OPT_JSON, 0},
    {"stop", "end the daemon in good order", NULL, cmd_stop, NULL, 0, 0, 0},
    {"upgrade", "go over to the program that is installed now", NULL,
	cmd_upgrade, NULL, 0, 0, 0},
    {0},
};

const struct option_def ctl_options[] = {
    {OPT_ACCOUNT, "account", 'a', "ID", "the account, where there are several"},
    {OPT_AGENT, "agent", '\0', "ID", "only this agent's"},
    {OPT_BUTTONS, "buttons", '\0', "JSON", "rows of buttons below the text"},
    {OPT_CHANNEL, "channel", '\0', "NAME", "only \"mattermost\""},
    {OPT_DRY_RUN, "dry-run", '\0', NULL, "show what would be sent"},
    {OPT_FILE, "file", 'f', "FILE", "the configuration file"},
    {OPT_HELP, "help", 'h', NULL, "what may stand here"},
    {OPT_JSON, "json", 'j', NULL, "print JSON"},
    {OPT_LIMIT, "limit", 'l', "N", "at most so many"},
    {OPT_MEDIA, "media", '\0', "FILE", "send it along; up to ten times"},
    {OPT_MESSAGE, "message", 'm', "TEXT", "the text; - reads standard input"},
    {OPT_NO_NOTIFY, "no-notify", '\0', NULL, "do not tell the sender"},
    {OPT_NOTIFY, "notify", '\0', NULL, "tell the sender, as is usual"},
    {OPT_PRESENTATION, "presentation", '\0', "JSON",
	"blocks of text, buttons and menus"},
    {OPT_REPLY_TO, "reply-to", 'r', "POST", "answer in that thread"},
    {OPT_SOCKET, "socket", 's', "PATH", "control socket of the daemon"},
    {OPT_TARGET, "target", 't', "TO",
	"channel:ID, #name, user:ID or @name"},
    {0},
};

static const struct {
	unsigned bit;
	size_t offset;
} values[] = {
    {OPT_ACCOUNT, offsetof(struct invocation, account)},
    {OPT_AGENT, offsetof(struct invocation, agent)},
    {OPT_BUTTONS, offsetof(struct invocation, buttons)},
    {OPT_CHANNEL, offsetof(struct invocation, channel)},
    {OPT_FILE, offsetof(struct invocation, file)},
    {OPT_LIMIT, offsetof(struct invocation, limit)},
    {OPT_MESSAGE, offsetof(struct invocation, message)},
    {OPT_PRESENTATION, offsetof(struct invocation, presentation)},
    {OPT_REPLY_TO, offsetof(struct invocation, reply_to)},
    {OPT_SOCKET, offsetof(struct invocation, socket)},
    {OPT_TARGET, offsetof(struct invocation, target)},
};

const struct keyword *
keyword_find(const struct keyword *table, const char *word, int *several)
{
	const struct keyword *k, *found = NULL;
	size_t len = strlen(word);

	*several = 0;
	for (k = table; k->word != NULL; k++) {
		if (strcmp(k->word, word) == 0) {
			*several = 0;
			return k;
		}
		if (len > 0 && strncmp(k->word, word, len) == 0) {
			*several = found != NULL;
			if (found == NULL)
				found = k;
		}
	}
	return *several ? NULL : found;
}

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX_LEN + 1], i, j, diag, up;
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX_LEN || lb > WORD_MAX_LEN)
		return WORD_MAX_LEN;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			up = row[j];
			row[j] = least(up + 1, row[j - 1] + 1,
			    diag + (a[i - 1] != b[j - 1]));
			diag = up;
		}
	}
	return row[lb];
}

const char *
keyword_nearest(const struct keyword *table, const char *word)
{
	const struct keyword *k;
	const char *best = NULL;
	size_t d, min = NEAR + 1;

	for (k = table; k->word != NULL; k++) {
		d = distance(k->word, word);
		if (d < min && d < strlen(k->word)) {
			min = d;
			best = k->word;
		}
	}
	return best;
}

static const struct option_def *
option_find(const char *arg, const char **value)
{
	const struct option_def *o;
	const char *eq;
	size_t len;

	*value = NULL;
	if (arg[1] != '-') {
		for (o = ctl_options; o->name != NULL; o++)
			if (o->letter == arg[1])
				break;
		if (o->name == NULL)
			return NULL;
		if (arg[2] != '\0')
			*value = arg + 2;
		return o;
	}
	eq = strchr(arg, '=');
	len = eq == NULL ? strlen(arg) - 2 : (size_t)(eq - arg) - 2;
	for (o = ctl_options; o->name != NULL; o++)
		if (strlen(o->name) == len &&
		    strncmp(o->name, arg + 2, len) == 0) {
			*value = eq == NULL ? NULL : eq + 1;
			return o;
		}
	return NULL;
}

/* Returns how many of argv it took, 0 on an error. */
static int
take_option(char *const argv[], struct invocation *inv, char *error,
    size_t len)
{
	const struct option_def *o;
	const char *value;
	size_t i;
	int n = 1;

	if ((o = option_find(argv[0], &value)) == NULL) {
		snprintf(error, len, "unknown option %s", argv[0]);
		return 0;
	}
	if (o->value == NULL && value != NULL) {
		snprintf(error, len, "--%s takes no value", o->name);
		return 0;
	}
	if (o->value != NULL && value == NULL) {
		if ((value = argv[1]) == NULL) {
			snprintf(error, len, "--%s needs a value: %s",
			    o->name, o->value);
			return 0;
		}
		n = 2;
	}
	if (o->bit == OPT_MEDIA) {
		if (inv->n_media == MEDIA_MAX) {
			snprintf(error, len, "more than %d files",
			    MEDIA_MAX);
			return 0;
		}
		inv->media[inv->n_media++] = value;
	}
	inv->given |= o->bit;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].bit == o->bit)
			*(const char **)((char *)inv + values[i].offset) =
			    value;
	return n;
}

static int
take_word(const char *word, struct invocation *inv,
    const struct keyword **at, char *error, size_t len)
{
	const struct keyword *k;
	const char *near;
	int several;

	if (*at == NULL) {
		/* "pairing approve mattermost CODE": it comes first. */
		if (strcmp(word, "mattermost") == 0 &&
		    (inv->cmd->options & OPT_CHANNEL) && inv->operand == NULL)
			return 0;
		if (inv->cmd->operand != NULL && inv->operand == NULL) {
			inv->operand = word;
			return 0;
		}
		/* "status mattermost": the peer's verbs name the channel. */
		if (strcmp(word, "mattermost") == 0)
			return 0;
		snprintf(error, len, "%s: nothing more is taken after \"%s\"",
		    word, inv->cmd->word);
		return -1;
	}
	k = keyword_find(*at, word, &several);
	if (k == NULL) {
		near = several ? NULL : keyword_nearest(*at, word);
		snprintf(error, len, "%s verb \"%s\"%s%s%s",
		    several ? "ambiguous" : "unknown", word,
		    near != NULL ? "; did you mean \"" : "",
		    near != NULL ? near : "", near != NULL ? "\"?" : "");
		return -1;
	}
	inv->cmd = k;
	*at = k->sub;
	return 0;
}

static const char *
option_name(unsigned bit)
{
	const struct option_def *o;

	for (o = ctl_options; o->name != NULL; o++)
		if (o->bit & bit)
			return o->name;
	return "?";
}

static int
is_blank(const char *s)
{
	return s != NULL && s[strspn(s, " \t")] == '\0';
}

static enum parse_result
check(const struct invocation *inv, const struct keyword *at, char *error,
    size_t len)
{
	unsigned extra, missing;

	if (inv->cmd == NULL || at != NULL) {
		snprintf(error, len, "a verb is missing%s%s",
		    inv->cmd == NULL ? "" : " after ",
		    inv->cmd == NULL ? "" : inv->cmd->word);
		return PARSE_ERROR;
	}
	extra = inv->given & ~(inv->cmd->options | OPT_SOCKET | OPT_HELP);
	if (extra != 0) {
		snprintf(error, len, "\"%s\" has no option --%s",
		    inv->cmd->word, option_name(extra));
		return PARSE_ERROR;
	}
	missing = inv->cmd->needed & ~inv->given;
	if (missing != 0) {
		snprintf(error, len, "\"%s\" needs --%s", inv->cmd->word,
		    option_name(missing));
		return PARSE_ERROR;
	}
	if (inv->cmd->operand_needed && inv->operand == NULL) {
		snprintf(error, len, "\"%s\" needs a %s", inv->cmd->word,
		    inv->cmd->operand);
		return PARSE_ERROR;
	}
	if (is_blank(inv->account) || is_blank(inv->channel)) {
		snprintf(error, len, "--%s must not be blank",
		    is_blank(inv->account) ? "account" : "channel");
		return PARSE_ERROR;
	}
	if (inv->given & OPT_NOTIFY && inv->given & OPT_NO_NOTIFY) {
		snprintf(error, len, "either --notify or --no-notify");
		return PARSE_ERROR;
	}
	if (inv->channel != NULL && strcmp(inv->channel, "mattermost") != 0) {
		snprintf(error, len, "channel \"%s\" is not served here",
		    inv->channel);
		return PARSE_ERROR;
	}
	return PARSE_OK;
}

enum parse_result
parse(char *const argv[], struct invocation *inv, const struct keyword **at,
    char *error, size_t len)
{
	int i, n, words_only = 0;

	memset(inv, 0, sizeof(*inv));
	*at = ctl_keywords;
	for (i = 0; argv[i] != NULL; i += n) {
		n = 1;
		if (!words_only && strcmp(argv[i], "--") == 0) {
			words_only = 1;
		} else if (!words_only && argv[i][0] == '-' &&
		    argv[i][1] != '\0') {
			n = take_option(argv + i, inv, error, len);
			if (n == 0)
				return PARSE_ERROR;
		} else if (take_word(argv[i], inv, at, error, len) == -1)
			return PARSE_ERROR;
	}
	if (inv->given & OPT_HELP)
		return PARSE_HELP;
	return check(inv, *at, error, len);
}

#define HELP_WIDTH 22

/* "  left word   right" */
static void
help_line(FILE *f, const char *indent, const char *word, const char *value,
    const char *help)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s%s", indent, word,
	    value == NULL ? "" : " ", value == NULL ? "" : value);
	fprintf(f, "%-*s %s\n", HELP_WIDTH, left, help);
}

void
keyword_help(const struct keyword *table, FILE *f)
{
	const struct keyword *k;
	const struct option_def *o;

	for (k = table == NULL ? ctl_keywords : table; k->word != NULL; k++) {
		help_line(f, "  ", k->word, k->operand, k->help);
		for (o = ctl_options; o->name != NULL; o++)
			if (k->options & o->bit)
				help_line(f, "    --", o->name, o->value,
				    o->help);
	}
}
