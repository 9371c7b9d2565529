#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/utf8.h"
#include "workers/account/text/reasoning.h"

#define REASONING "reasoning:"
#define THINKING "thinking"

static const char *
skip_blank(const char *s)
{
	return s + utf8_skip_blank(s, strlen(s));
}

static const char *
skip_quotes(const char *text)
{
	const char *s = skip_blank(text);

	while (*s == '>')
		s = skip_blank(s + 1);
	return s;
}

/* What follows "thinking", dots and a quote mark; NULL without that word. */
static const char *
after_thinking(const char *s)
{
	int dots;

	if (strncasecmp(s, THINKING, strlen(THINKING)) != 0)
		return NULL;
	s += strlen(THINKING);
	for (dots = 0; dots < 3 && *s == '.'; dots++)
		s++;
	s = skip_blank(s);
	if (*s == '>')
		s = skip_blank(s + 1);
	return s;
}

int
reasoning_suppressed(const char *text, int flagged)
{
	const char *s = skip_quotes(text), *after;

	if (flagged || strncasecmp(s, REASONING, strlen(REASONING)) == 0)
		return 1;
	after = after_thinking(s);
	return after != NULL && *after == '_';
}

int
reasoning_possible(const char *text)
{
	const char *s = skip_quotes(text), *after;
	size_t len = strlen(s);

	if (len < strlen(REASONING) && strncasecmp(s, REASONING, len) == 0)
		return 1;
	if (len < strlen(THINKING) && strncasecmp(s, THINKING, len) == 0)
		return 1;
	after = after_thinking(s);
	return after != NULL && *after == '\0';
}
