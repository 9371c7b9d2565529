#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/parse.h"

#define NEAR 2        /* edits between a typing error and what was meant */
#define WORD_MAX_LEN 32

static const struct {
	uint64_t bit;
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
    {OPT_AFTER, offsetof(struct invocation, after)},
    {OPT_BEFORE, offsetof(struct invocation, before)},
    {OPT_BOT_TOKEN, offsetof(struct invocation, bot_token)},
    {OPT_EMOJI, offsetof(struct invocation, emoji)},
    {OPT_HTTP_URL, offsetof(struct invocation, http_url)},
    {OPT_MESSAGE_ID, offsetof(struct invocation, message_id)},
    {OPT_NAME, offsetof(struct invocation, name)},
    {OPT_GROUP_ID, offsetof(struct invocation, group_id)},
    {OPT_LINES, offsetof(struct invocation, lines)},
    {OPT_DELIVERY, offsetof(struct invocation, delivery)},
    {OPT_KIND, offsetof(struct invocation, kind)},
    {OPT_QUERY, offsetof(struct invocation, query)},
    {OPT_THREAD_ID, offsetof(struct invocation, thread_id)},
    {OPT_TIMEOUT, offsetof(struct invocation, timeout)},
    {OPT_CRON, offsetof(struct invocation, cron)},
    {OPT_TZ, offsetof(struct invocation, tz)},
    {OPT_EVERY, offsetof(struct invocation, every)},
    {OPT_AT, offsetof(struct invocation, at)},
    {OPT_SESSION, offsetof(struct invocation, session)},
    {OPT_CATCH_UP, offsetof(struct invocation, catch_up)},
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

/* The word that word was most likely meant to be, or NULL. */
static const char *
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
	const struct option_def *o, *found = NULL;
	const char *eq;
	int several = 0;
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
	*value = eq == NULL ? NULL : eq + 1;
	for (o = ctl_options; o->name != NULL; o++) {
		if (len == 0 || strncmp(o->name, arg + 2, len) != 0)
			continue;
		if (o->name[len] == '\0')
			return o;
		several |= found != NULL;
		found = o;
	}
	return several ? NULL : found;
}

/*
 * Options that may be given more than once. The peer's --targets takes all
 * words up to the next option. How many of more it took, -1 on an error.
 */
static int
take_list(uint64_t bit, const char *value, char *const more[],
    struct invocation *inv, char *error, size_t len)
{
	int n = 0;

	if (bit == OPT_MEDIA) {
		if (inv->n_media == MEDIA_MAX) {
			snprintf(error, len, "more than %d files",
			    MEDIA_MAX);
			return -1;
		}
		inv->media[inv->n_media++] = value;
		return 0;
	}
	if (bit != OPT_TARGETS)
		return 0;
	for (;;) {
		if (inv->n_targets == TARGETS_MAX) {
			snprintf(error, len, "more than %d targets",
			    TARGETS_MAX);
			return -1;
		}
		inv->targets[inv->n_targets++] = value;
		if ((value = more[n]) == NULL || value[0] == '-')
			return n;
		n++;
	}
}

/* Returns how many of argv it took, 0 on an error. */
static int
take_option(char *const argv[], struct invocation *inv, char *error,
    size_t len)
{
	const struct option_def *o;
	const char *value;
	size_t i;
	int n = 1, more;

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
	more = take_list(o->bit, value, argv + n, inv, error, len);
	if (more == -1)
		return 0;
	inv->given |= o->bit;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].bit == o->bit)
			*(const char **)((char *)inv + values[i].offset) =
			    value;
	return n + more;
}

static void
say_several(const struct keyword *table, const char *word, char *error,
    size_t len)
{
	const struct keyword *k;
	const char *gap = ": ";
	size_t n;

	n = (size_t)snprintf(error, len, "ambiguous verb \"%s\"", word);
	for (k = table; k->word != NULL && n < len; k++)
		if (strncmp(k->word, word, strlen(word)) == 0) {
			n += (size_t)snprintf(error + n, len - n, "%s%s", gap,
			    k->word);
			gap = ", ";
		}
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
		if (several)
			say_several(*at, word, error, len);
		else
			snprintf(error, len, "unknown verb \"%s\"%s%s%s",
			    word, near != NULL ? "; did you mean \"" : "",
			    near != NULL ? near : "",
			    near != NULL ? "\"?" : "");
		/* All is said: a list would push it off the screen. */
		if (several || near != NULL)
			*at = NULL;
		return -1;
	}
	inv->cmd = k;
	*at = k->sub;
	return 0;
}

static const char *
option_name(uint64_t bit)
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
	uint64_t extra, missing;

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
	if (missing & OPT_TARGET && inv->cmd->options & OPT_REPLY_TO) {
		snprintf(error, len, "Delivering to Mattermost requires --to "
		    "<channelId|@username|user:ID|channel:ID>");
		return PARSE_ERROR;
	}
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
	if (inv->channel != NULL && strcmp(inv->channel, "mattermost") != 0 &&
	    !(inv->cmd->options & OPT_TARGETS &&
		strcmp(inv->channel, "all") == 0)) {
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
		if (*at == ctl_keywords && inv->cmd == NULL &&
		    strcmp(argv[i], "help") == 0 && argv[i + 1] != NULL)
			inv->given |= OPT_HELP; /* "help status" */
		else if (!words_only && strcmp(argv[i], "--") == 0)
			words_only = 1;
		else if (!words_only && argv[i][0] == '-' &&
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

#define HELP_WIDTH 24

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

static void
options_help(uint64_t bits, const char *indent, FILE *f)
{
	const struct option_def *o;

	for (o = ctl_options; o->name != NULL; o++)
		if (bits & o->bit && o->help != NULL)
			help_line(f, indent, o->name, o->value, o->help);
}

void
keyword_help(const struct keyword *table, FILE *f)
{
	const struct keyword *k;

	for (k = table == NULL ? ctl_keywords : table; k->word != NULL; k++) {
		help_line(f, "  ", k->word, k->operand, k->help);
		options_help(k->options, "    --", f);
	}
}

void
verb_help(const struct keyword *k, FILE *f)
{
	const struct option_def *o;

	fprintf(f, "%s: %s\n", k->word, k->help);
	if (k->operand != NULL)
		fprintf(f, k->operand_needed ? "  %s\n" : "  [%s]\n",
		    k->operand);
	options_help(k->options | OPT_SOCKET | OPT_HELP, "  --", f);
	for (o = ctl_options; k->needed != 0 && o->name != NULL; o++)
		if (k->needed & o->bit && o->help != NULL)
			fprintf(f, "--%s must be given\n", o->name);
}
