#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "common/unicode.h"
#include "common/utf8.h"
#include "workers/account/preview/draft_text.h"

#define DOTS "..."
#define ELLIPSIS "\xe2\x80\xa6"
#define BULLET "\xe2\x80\xa2 "

char *
draft_truncate(const char *text, size_t max)
{
	struct strbuf b = STRBUF_INIT;
	size_t len = strlen(text), skip = utf8_skip_blank(text, len);

	text += skip;
	len = utf8_rtrim(text, len - skip);
	if (len == 0)
		return NULL;
	if (utf8_units_bytes(text, len, max) == len) {
		strbuf_add(&b, text, len);
		return strbuf_take(&b);
	}
	len = utf8_units_bytes(text, len, max - strlen(DOTS));
	strbuf_add(&b, text, utf8_rtrim(text, len));
	strbuf_puts(&b, DOTS);
	return strbuf_take(&b);
}

int
draft_text_grows(const char *shown, const char *next)
{
	return strncmp(shown, next, strlen(next)) != 0;
}

/* A symbol of some kind, not a letter and not punctuation of ASCII. */
static int
starts_with_mark(const char *s)
{
	uint32_t cp = 0;

	if (*s == '\0')
		return 0;
	utf8_next(s, strlen(s), &cp);
	return cp >= 0x80 && !unicode_is_word(cp);
}

char *
draft_text_line(const char *line, unsigned max)
{
	struct strbuf b = STRBUF_INIT;
	char *s = utf8_trim(line);
	size_t len, cut;

	if (*s != '\0' && !starts_with_mark(s))
		strbuf_puts(&b, BULLET);
	strbuf_puts(&b, s);
	free(s);
	s = strbuf_take(&b);
	for (len = 0; s[len] != '\0'; len++)
		if (s[len] == '\n' || s[len] == '\r')
			s[len] = ' ';
	if (max == 0 || utf8_units_bytes(s, len, max) == len)
		return s;
	cut = utf8_units_bytes(s, len, max - 1);
	strbuf_add(&b, s, utf8_rtrim(s, cut));
	strbuf_puts(&b, ELLIPSIS);
	free(s);
	return strbuf_take(&b);
}
