/*
 * The verbs of posternctl: tables of keywords, from which parsing, help and
 * the complaint about an unknown word are all driven.
 *
 * Words may be abbreviated as long as they stay unambiguous. Options may
 * stand anywhere after the verb.
 */
#ifndef CTL_PARSE_H
#define CTL_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPT_JSON 0x001u
#define OPT_ACCOUNT 0x002u
#define OPT_TARGET 0x004u
#define OPT_MESSAGE 0x008u
#define OPT_REPLY_TO 0x010u
#define OPT_DRY_RUN 0x020u
#define OPT_FILE 0x040u
#define OPT_LIMIT 0x080u
#define OPT_CHANNEL 0x100u /* taken from scripts for the peer */
#define OPT_SOCKET 0x200u  /* everywhere */
#define OPT_HELP 0x400u    /* everywhere */
#define OPT_AGENT 0x800u
#define OPT_MEDIA 0x1000u
#define OPT_NOTIFY 0x10000u
#define OPT_NO_NOTIFY 0x20000u
#define OPT_BUTTONS 0x40000u
#define OPT_PRESENTATION 0x80000u

#define OPT_BIT(n) ((uint64_t)1 << (n))
#define OPT_THREAD_ID OPT_BIT(32)
#define OPT_SILENT OPT_BIT(33)
#define OPT_VERBOSE OPT_BIT(34)
#define OPT_TARGETS OPT_BIT(35)
#define OPT_MESSAGE_ID OPT_BIT(36)
#define OPT_EMOJI OPT_BIT(37)
#define OPT_REMOVE OPT_BIT(38)
#define OPT_BEFORE OPT_BIT(39)
#define OPT_AFTER OPT_BIT(40)
#define OPT_QUERY OPT_BIT(41)
#define OPT_PROBE OPT_BIT(42)
#define OPT_TIMEOUT OPT_BIT(43)
#define OPT_ALL OPT_BIT(44)
#define OPT_BOT_TOKEN OPT_BIT(45)
#define OPT_HTTP_URL OPT_BIT(46)
#define OPT_USE_ENV OPT_BIT(47)
#define OPT_NAME OPT_BIT(48)
#define OPT_DELETE OPT_BIT(49)
#define OPT_CRON OPT_BIT(50)
#define OPT_TZ OPT_BIT(51)
#define OPT_EVERY OPT_BIT(52)
#define OPT_AT OPT_BIT(53)
#define OPT_SESSION OPT_BIT(54)
#define OPT_CATCH_UP OPT_BIT(55)
#define OPT_GROUP_ID OPT_BIT(56)
#define OPT_LINES OPT_BIT(57)
#define OPT_PIN OPT_BIT(58)
#define OPT_DELIVERY OPT_BIT(59)
#define OPT_FIX OPT_BIT(60)
#define OPT_KIND OPT_BIT(61)

#define TARGETS_MAX 64
#define MEDIA_MAX 10 /* files of one message: Mattermost 5.37 */

struct invocation;

struct keyword {
	const char *word;
	const char *help;
	const struct keyword *sub; /* NULL at the end of a path */
	int (*run)(const struct invocation *);
	const char *operand; /* "POST", or NULL: none is taken */
	int operand_needed;
	uint64_t options;
	uint64_t needed; /* of these options, all */
};

struct option_def {
	uint64_t bit;
	const char *name;
	char letter; /* or '\0' */
	const char *value; /* "ID", or NULL: a switch */
	const char *help; /* NULL: another spelling of the one with this bit */
};

struct invocation {
	const struct keyword *cmd;
	uint64_t given; /* options */
	const char *operand;
	const char *account, *target, *message, *reply_to, *file, *limit;
	const char *channel, *socket, *agent, *buttons, *presentation;
	const char *thread_id, *message_id, *emoji, *before, *after, *query;
	const char *timeout, *bot_token, *http_url, *name;
	const char *cron, *tz, *every, *at, *session, *catch_up;
	const char *group_id, *lines, *delivery, *kind;
	const char *targets[TARGETS_MAX];
	size_t n_targets;
	const char *media[MEDIA_MAX];
	size_t n_media;
};

enum parse_result { PARSE_OK, PARSE_HELP, PARSE_ERROR };

extern const struct keyword ctl_keywords[];
extern const struct option_def ctl_options[];

/*
 * argv without the program's name, ended by NULL. On PARSE_HELP at is the
 * table to show help for, NULL when it is the verb's own; on PARSE_ERROR error
 * has a line for people.
 */
enum parse_result parse(char *const argv[], struct invocation *,
    const struct keyword **at, char *error, size_t len);

/*
 * The entry that word is or abbreviates. NULL: none or several; then
 * *several says which of the two.
 */
const struct keyword *keyword_find(
    const struct keyword *, const char *word, int *several);
/* What can follow, one a line; a NULL table is the top. */
void keyword_help(const struct keyword *, FILE *);
/* One verb: how it is called, and its options. */
void verb_help(const struct keyword *, FILE *);

#endif
