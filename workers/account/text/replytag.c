#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/text/replytag.h"

#define TAG_MAX 128 /* bytes; ids are shorter by far */

/* What follows word, and blanks, in s; or NULL. */
static const char *
after(const char *s, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(s, word, n) != 0)
		return NULL;
	return s + n + strspn(s + n, " \t");
}

/* Bytes of the tag that s, which begins with "[[", is; or 0. */
static size_t
tag_len(const char *s)
{
	const char *p = s + 2 + strspn(s + 2, " \t"), *rest;

	if ((rest = after(p, "reply_to_current")) == NULL &&
	    (rest = after(p, "audio_as_voice")) == NULL) {
		if ((rest = after(p, "reply_to")) == NULL || *rest != ':')
			return 0;
		rest += 1 + strcspn(rest + 1, "]\n");
	}
	if (strncmp(rest, "]]", 2) != 0 || rest + 2 - s > TAG_MAX)
		return 0;
	return (size_t)(rest + 2 - s);
}

/* The blanks on both sides of it become those of one side. */
static void
close_gap(const struct strbuf *b, const char **rest)
{
	char last = b->len == 0 ? '\n' : b->s[b->len - 1];

	if (last == ' ' || last == '\t' || last == '\n')
		*rest += strspn(*rest, " \t");
}

char *
replytag_strip(const char *text)
{
	struct strbuf b = STRBUF_INIT;
	int code = 0, found = 0;
	const char *s = text;
	size_t n;

	if (strstr(text, "[[") == NULL)
		return NULL;
	while (*s != '\0') {
		if (*s == '`')
			code = !code;
		if (!code && strncmp(s, "[[", 2) == 0 &&
		    (n = tag_len(s)) > 0) {
			found = 1;
			s += n;
			close_gap(&b, &s);
			continue;
		}
		strbuf_putc(&b, *s++);
	}
	if (found)
		return strbuf_take(&b);
	strbuf_free(&b);
	return NULL;
}

int
replytag_possible(const char *text)
{
	const char *s = text + utf8_skip_blank(text, strlen(text));

	return *s == '[' && (s[1] == '\0' || s[1] == '[') &&
	    strlen(s) < TAG_MAX && strchr(s, '\n') == NULL &&
	    strstr(s, "]]") == NULL;
}
