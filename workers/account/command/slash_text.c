#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/utf8.h"
#include "workers/account/command/slash_text.h"

const struct slash_builtin slash_builtins[] = {
    {"status", "Show what the bot is doing", ""},
    {"model", "Show or change the model of this conversation",
	"[model-name]"},
    {"models", "List the models to choose from", "[provider]"},
    {"new", "Start the conversation anew", ""},
    {"help", "List what can be asked for", ""},
    {"think", "Set how long the model thinks", "[off|low|medium|high]"},
    {"reasoning", "Show or hide the model's reasoning", "[on|off]"},
    {"verbose", "Show or hide what tools are doing", "[on|off]"},
    {"queue", "Set what happens to messages during a turn",
	"[steer|followup|collect|interrupt] [debounce:2s] [cap:N] "
	"[drop:old|new|summarize]"},
    {NULL, NULL, NULL},
};

/* Lower case, no space and no slash: what a server takes as a trigger. */
void
slash_trigger(const char *name, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	if (strncmp(name, SLASH_PREFIX, strlen(SLASH_PREFIX)) != 0)
		n = strlcpy(out, SLASH_PREFIX, size);
	for (; *name != '\0' && n + 1 < size; name++) {
		if (isspace((unsigned char)*name) || *name == '/' ||
		    iscntrl((unsigned char)*name)) {
			out[0] = '\0';
			return;
		}
		out[n++] = (char)tolower((unsigned char)*name);
	}
	out[n] = '\0';
	if (*name != '\0' || n <= strlen(SLASH_PREFIX))
		out[0] = '\0';
}

char *
slash_line(const char *trigger, const char *name, const char *text)
{
	char *trimmed = utf8_trim(text), *line;

	if (*trigger == '/')
		trigger++;
	if (name == NULL)
		name = strncmp(trigger, SLASH_PREFIX,
			   strlen(SLASH_PREFIX)) == 0 ?
		    trigger + strlen(SLASH_PREFIX) : trigger;
	if (asprintf(&line, "/%s%s%s", name, *trimmed != '\0' ? " " : "",
		trimmed) == -1)
		fatal("asprintf");
	free(trimmed);
	return line;
}

void
slash_desc(const char *desc, char out[SLASH_DESC_MAX + 1])
{
	size_t n = strlcpy(out, desc, SLASH_DESC_MAX + 1);

	if (n <= SLASH_DESC_MAX)
		return;
	for (n = SLASH_DESC_MAX;
	     n > 0 && ((unsigned char)desc[n] & 0xc0) == 0x80; n--)
		;
	out[n] = '\0';
}
