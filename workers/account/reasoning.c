#include "config.h"

#include <string.h>
#include <strings.h>

#include "workers/account/reasoning.h"
#include "workers/account/utf8.h"

static const char *
skip_blank(const char *s)
{
	return s + utf8_skip_blank(s, strlen(s));
}

int
reasoning_suppressed(const char *text, int flagged)
{
	const char *s = skip_blank(text);
	int dots;

	if (flagged)
		return 1;
	while (*s == '>')
		s = skip_blank(s + 1);
	if (strncasecmp(s, "reasoning:", 10) == 0)
		return 1;
	if (strncasecmp(s, "thinking", 8) != 0)
		return 0;
	s += 8;
	for (dots = 0; dots < 3 && *s == '.'; dots++)
		s++;
	s = skip_blank(s);
	if (*s == '>')
		s = skip_blank(s + 1);
	return *s == '_';
}
