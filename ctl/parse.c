#include "config.h"

#include <stddef.h>

#include "ctl/commands.h"
#include "ctl/parse.h"

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
    {"add", "put an account into the configuration file", NULL,
	cmd_channels_add, NULL, 0,
	OPT_ACCOUNT | OPT_BOT_TOKEN | OPT_CHANNEL | OPT_DRY_RUN | OPT_FILE |
	    OPT_HTTP_URL | OPT_NAME | OPT_USE_ENV, 0},
    {"capabilities", "what an account can do", NULL,
	cmd_channels_capabilities, NULL, 0,
	OPT_ACCOUNT | OPT_CHANNEL | OPT_FILE | OPT_JSON, 0},
    {"dead-letters", "messages that were given up", dead_letters, NULL, NULL,
	0, 0, 0},
    {"list", "the accounts and their servers", NULL, cmd_channels_list, NULL,
	0, OPT_ALL | OPT_FILE | OPT_JSON | OPT_CHANNEL, 0},
    {"logs", "the newest lines of the log about accounts", NULL,
	cmd_channels_logs, NULL, 0,
	OPT_ACCOUNT | OPT_CHANNEL | OPT_FILE | OPT_JSON | OPT_LINES, 0},
    {"remove", "switch an account off in the configuration file", NULL,
	cmd_channels_remove, NULL, 0,
	OPT_ACCOUNT | OPT_CHANNEL | OPT_DELETE | OPT_DRY_RUN | OPT_FILE, 0},
    {"resolve", "the id that a name stands for", NULL,
	cmd_channels_resolve, "NAME", 1,
	OPT_ACCOUNT | OPT_CHANNEL | OPT_JSON | OPT_KIND, 0},
    {"status", "state of each account", NULL, cmd_channels_status, NULL, 0,
	OPT_FILE | OPT_JSON | OPT_CHANNEL | OPT_PROBE | OPT_TIMEOUT, 0},
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

#define OPT_JOB (OPT_JSON | OPT_ACCOUNT)

static const struct keyword cron[] = {
    {"add", "a message to an agent at certain times", NULL, cmd_cron_add,
	NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL | OPT_CRON | OPT_TZ | OPT_EVERY |
	    OPT_AT | OPT_MESSAGE | OPT_TARGET | OPT_THREAD_ID | OPT_SESSION |
	    OPT_AGENT | OPT_NAME | OPT_CATCH_UP, OPT_MESSAGE},
    {"disable", "do not run it any more", NULL, cmd_cron_disable, "JOB", 1,
	OPT_JOB, 0},
    {"enable", "run it again, from now on", NULL, cmd_cron_enable, "JOB", 1,
	OPT_JOB, 0},
    {"list", "the jobs, their next and their last run", NULL, cmd_cron_list,
	NULL, 0, OPT_JOB, 0},
    {"rm", "forget it", NULL, cmd_cron_rm, "JOB", 1, OPT_JOB, 0},
    {"run", "run it now", NULL, cmd_cron_run, "JOB", 1, OPT_JOB, 0},
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

#define DIRECTORY_OPTIONS                                                      \
	(OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL | OPT_LIMIT | OPT_QUERY)

static const struct keyword groups[] = {
    {"list", "channels that the bot is in", NULL, cmd_directory_groups, NULL,
	0, DIRECTORY_OPTIONS, 0},
    {"members", "people in a channel", NULL, cmd_directory_members, NULL, 0,
	DIRECTORY_OPTIONS | OPT_GROUP_ID, OPT_GROUP_ID},
    {0},
};

static const struct keyword peers[] = {
    {"list", "people who can be written to", NULL, cmd_directory_peers, NULL,
	0, DIRECTORY_OPTIONS, 0},
    {0},
};

static const struct keyword directory[] = {
    {"groups", "channels", groups, NULL, NULL, 0, 0, 0},
    {"peers", "people", peers, NULL, NULL, 0, 0, 0},
    {"self", "who the bot is", NULL, cmd_directory_self, NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_CHANNEL, 0},
    {0},
};

static const struct keyword messages[] = {
    {"broadcast", "post the same to several", NULL, cmd_message_broadcast,
	NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_TARGETS | OPT_MESSAGE | OPT_DRY_RUN |
	    OPT_CHANNEL | OPT_SILENT | OPT_VERBOSE,
	OPT_TARGETS | OPT_MESSAGE},
    {"react", "add or take back a reaction of the bot", NULL,
	cmd_message_react, NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_TARGET | OPT_MESSAGE_ID | OPT_EMOJI |
	    OPT_REMOVE | OPT_DRY_RUN | OPT_CHANNEL | OPT_VERBOSE,
	OPT_MESSAGE_ID | OPT_EMOJI},
    {"read", "posts of a channel, the newest first", NULL, cmd_message_read,
	NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_TARGET | OPT_LIMIT | OPT_BEFORE |
	    OPT_AFTER | OPT_DRY_RUN | OPT_CHANNEL | OPT_VERBOSE,
	OPT_TARGET},
    {"send", "post a message as an account", NULL, cmd_message_send, NULL, 0,
	OPT_JSON | OPT_ACCOUNT | OPT_TARGET | OPT_MESSAGE | OPT_REPLY_TO |
	    OPT_MEDIA | OPT_DRY_RUN | OPT_CHANNEL | OPT_BUTTONS |
	    OPT_PRESENTATION | OPT_THREAD_ID | OPT_SILENT | OPT_VERBOSE |
	    OPT_PIN | OPT_DELIVERY,
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

static const struct keyword plugins[] = {
    {"install", "nothing to do: Mattermost is built in", NULL,
	cmd_plugins_install, "PLUGIN", 0, 0, 0},
    {0},
};

const struct keyword ctl_keywords[] = {
    {"channels", "accounts, and what became of their messages", channels,
	NULL, NULL, 0, 0, 0},
    {"completion", "a script that completes these words", completion, NULL,
	NULL, 0, 0, 0},
    {"config", "check the configuration, explain its keys", config, NULL,
	NULL, 0, 0, 0},
    {"cron", "messages to agents at certain times", cron, NULL, NULL, 0, 0,
	0},
    {"directory", "people and channels", directory, NULL, NULL, 0, 0, 0},
    {"doctor", "what is wrong, or will be", NULL, cmd_doctor, NULL, 0,
	OPT_FILE | OPT_FIX | OPT_JSON, 0},
    {"explain", "why a post was or was not answered", NULL, cmd_explain,
	"POST", 1, OPT_JSON | OPT_ACCOUNT, 0},
    {"help", "this list", NULL, cmd_help, NULL, 0, 0, 0},
    {"log", "how much is logged", logs, NULL, NULL, 0, 0, 0},
    {"message", "send, react, read", messages, NULL, NULL, 0, 0, 0},
    {"pairing", "who may write to the bot", pairing, NULL, NULL, 0, 0, 0},
    {"plugins", "for scripts of the peer", plugins, NULL, NULL, 0, 0, 0},
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
    {OPT_AGENT, "agent", '\0', "ID", "this agent; lists show only its own"},
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
    {OPT_AFTER, "after", '\0', "POST", "what came after that post"},
    {OPT_AT, "at", '\0', "TIME",
	"once: \"2027-03-01 09:00\", 09:00 or +20m"},
    {OPT_ALL, "all", '\0', NULL, "those that are switched off, too"},
    {OPT_BEFORE, "before", '\0', "POST", "what came before that post"},
    {OPT_BOT_TOKEN, "bot-token", '\0', "TOKEN",
	"its token; - reads standard input"},
    {OPT_BOT_TOKEN, "token", '\0', "TOKEN", NULL},
    {OPT_CATCH_UP, "catch-up", '\0', "HOW",
	"times that were missed: once, or skip"},
    {OPT_CRON, "cron", '\0', "EXPR",
	"minute, hour, day, month and day of the week"},
    {OPT_DELIVERY, "delivery", '\0', "JSON",
	"{\"pin\": true}, as --pin"},
    {OPT_DELETE, "delete", '\0', NULL, "take it out of the file"},
    {OPT_EMOJI, "emoji", '\0', "NAME", "thumbsup, :+1: or the sign itself"},
    {OPT_EVERY, "every", '\0', "TIME", "again and again: 10m, 1h30m, 2d"},
    {OPT_FIX, "fix", '\0', NULL, "mend modes and a socket of nobody"},
    {OPT_GROUP_ID, "group-id", '\0', "CHANNEL", "the channel's id"},
    {OPT_HTTP_URL, "http-url", '\0', "URL", "address of the server"},
    {OPT_KIND, "kind", '\0', "KIND", "user, group or auto"},
    {OPT_LINES, "lines", '\0', "N", "so many, 200 when not said"},
    {OPT_MESSAGE_ID, "message-id", '\0', "POST", "the post"},
    {OPT_NAME, "name", '\0', "TEXT", "label for people"},
    {OPT_PIN, "pin", '\0', NULL, "pin it in its channel"},
    {OPT_PROBE, "probe", '\0', NULL, "ask the servers now"},
    {OPT_QUERY, "query", '\0', "TEXT", "only names with this text"},
    {OPT_REMOVE, "remove", '\0', NULL, "take it back"},
    {OPT_SESSION, "session", '\0', "KEY", "the session to go on with"},
    {OPT_SILENT, "silent", '\0', NULL, "taken; Mattermost has no such posts"},
    {OPT_TARGET, "to", '\0', "TO", NULL},
    {OPT_TARGETS, "targets", '\0', "TO ...", "as --target, several"},
    {OPT_THREAD_ID, "thread-id", '\0', "POST", "as --reply-to"},
    {OPT_TIMEOUT, "timeout", '\0', "MS", "how long to wait for a server"},
    {OPT_TZ, "tz", '\0', "ZONE", "Europe/Berlin; else that of this host"},
    {OPT_USE_ENV, "use-env", '\0', NULL,
	"MATTERMOST_BOT_TOKEN and MATTERMOST_URL of the daemon"},
    {OPT_VERBOSE, "verbose", '\0', NULL, "say more"},
    {0},
};
