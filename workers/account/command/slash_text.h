/*
 * The built-in slash commands, and the line that one of them stands for.
 */
#ifndef ACCOUNT_SLASH_TEXT_H
#define ACCOUNT_SLASH_TEXT_H

#include <stddef.h>

#define SLASH_TRIGGER_MAX 128 /* bytes: Mattermost 5.37 */
#define SLASH_DESC_MAX 128    /* bytes of a description */
#define SLASH_PREFIX "oc_"

struct slash_builtin {
	const char *name; /* of the text command */
	const char *desc;
	const char *hint;
};

/* Ends with a NULL name; the trigger is SLASH_PREFIX and the name. */
extern const struct slash_builtin slash_builtins[];

/* The trigger of a skill's or custom command's name, "" when it has none. */
void slash_trigger(const char *name, char *out, size_t size);

/*
 * "/name text", a new string. name NULL: what the trigger says, without the
 * prefix. White space around text goes.
 */
char *slash_line(const char *trigger, const char *name, const char *text);

/* desc cut to SLASH_DESC_MAX bytes at a character. */
void slash_desc(const char *desc, char out[SLASH_DESC_MAX + 1]);

#endif
