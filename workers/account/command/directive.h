/*
 * Directives: settings written into a message, as in "/think high why?".
 * They are found at the start of a word, outside of code, and only with an
 * argument that makes sense; everything else is text. Whether they hold is
 * decided by who wrote them.
 */
#ifndef ACCOUNT_DIRECTIVE_H
#define ACCOUNT_DIRECTIVE_H

#include <stddef.h>

#include "workers/account/command/command.h"

#define DIRECTIVES_MAX 8 /* of one message; more stay text */
#define DIRECTIVE_ARG 257 /* a model's name and the NUL */

struct directive {
	enum command_id id;
	char arg[DIRECTIVE_ARG]; /* in lower case, but for a model's name */
};

struct directives {
	struct directive v[DIRECTIVES_MAX];
	size_t n;
	unsigned shortcuts; /* of SHORTCUT_*, in the message */
};

#define SHORTCUT_HELP 0x1u
#define SHORTCUT_COMMANDS 0x2u
#define SHORTCUT_STATUS 0x4u
#define SHORTCUT_WHOAMI 0x8u

/*
 * The text without its directives and shortcuts, a new string; what they
 * were goes to *out. Text without any comes back as it is.
 */
char *directives_take(const char *text, struct directives *out);

/* The last argument that text gives for id, or NULL. */
const char *directives_get(const struct directives *, enum command_id id);

/*
 * "off", "minimal", "low", "medium", "high" for a level of thinking however
 * it is spelt, "" for the configured one, NULL for anything else.
 */
const char *directive_thinking(const char *word);

#endif
