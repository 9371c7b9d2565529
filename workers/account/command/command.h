/*
 * Control commands in text: which one is it, and with what argument? Only
 * recognition: whether it may run, and what it does, is decided elsewhere.
 *
 * "/name", "/name args" and "/name: args" are equal; names and aliases do
 * not care about case. A command that takes no argument is one only when it
 * stands alone. The first line counts, save for the few whose argument is
 * free text. Words like "stop" alone mean /stop.
 */
#ifndef ACCOUNT_COMMAND_H
#define ACCOUNT_COMMAND_H

#include <stddef.h>

enum command_id {
	COMMAND_NONE = 0,
	COMMAND_ACTIVATION,
	COMMAND_ALLOWLIST,
	COMMAND_APPROVE,
	COMMAND_BASH,
	COMMAND_BTW,
	COMMAND_COMMANDS,
	COMMAND_COMPACT,
	COMMAND_CONFIG,
	COMMAND_CONTEXT,
	COMMAND_DEBUG,
	COMMAND_ELEVATED,
	COMMAND_EXEC,
	COMMAND_EXPORT,
	COMMAND_FAST,
	COMMAND_HELP,
	COMMAND_MCP,
	COMMAND_MODEL,
	COMMAND_MODELS,
	COMMAND_NEW,
	COMMAND_PLUGINS,
	COMMAND_QUEUE,
	COMMAND_REASONING,
	COMMAND_RESET,
	COMMAND_RESTART,
	COMMAND_SEND,
	COMMAND_SKILL,
	COMMAND_STATUS,
	COMMAND_STEER,
	COMMAND_STOP,
	COMMAND_THINK,
	COMMAND_TRACE,
	COMMAND_TTS,
	COMMAND_UPDATE,
	COMMAND_USAGE,
	COMMAND_VERBOSE,
	COMMAND_WHOAMI,
	COMMAND_MAX
};

struct command {
	enum command_id id;
	const char *args; /* within the parsed text, not terminated */
	size_t args_len;  /* blanks at both ends left out */
	int spoken;       /* a word like "stop", not "/stop" */
};

/* text: mentions stripped. 1 and *out filled when it is a control command. */
int command_parse(const char *text, struct command *out);
/* The name without the slash; "" for COMMAND_NONE. */
const char *command_name(enum command_id);

#endif
