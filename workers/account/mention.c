#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/pattern.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/mention.h"
#include "workers/account/policy.h"

/* A character that names are made of, as the server sees it. */
static int
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

static int
is_joiner(char c)
{
	return c == '.' || c == ':' || c == '-';
}

static int
is_tab_or_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Bytes of the mention that starts at s[at], 0 when there is none. */
static size_t
mention_at(const char *name, const char *s, size_t len, size_t at)
{
	size_t n = strlen(name), end = at + 1 + n, i;

	if (n == 0 || end > len || s[at] != '@' ||
	    strncasecmp(s + at + 1, name, n) != 0)
		return 0;
	if (at > 0 && is_name_char(s[at - 1]))
		return 0;
	if (end < len && is_name_char(s[end]))
		return 0;
	for (i = end; i < len && is_joiner(s[i]); i++)
		;
	if (i > end && i < len && is_name_char(s[i]))
		return 0;
	return 1 + n;
}

/* The first mention from at on; its length, 0 when there is none. */
static size_t
mention_next(const char *name, const char *s, size_t len, size_t *at)
{
	const char *p;
	size_t n;

	while (*at < len && (p = memchr(s + *at, '@', len - *at)) != NULL) {
		*at = (size_t)(p - s);
		if ((n = mention_at(name, s, len, *at)) != 0)
			return n;
		(*at)++;
	}
	*at = len;
	return 0;
}

int
mention_find(const char *username, const char *text)
{
	size_t at = 0;

	return mention_next(username, text, strlen(text), &at) != 0;
}

int
mention_by_pattern(const struct agent *agent, const char *text)
{
	size_t i, len = strlen(text);

	for (i = 0; i < agent->n_patterns; i++)
		if (pattern_search(agent->patterns[i], text, len))
			return 1;
	return 0;
}

int
mention_is_bare(const char *username, const char *text)
{
	size_t start = 0, end = strlen(text);

	while (start < end && is_tab_or_space(text[start]))
		start++;
	while (end > start && is_tab_or_space(text[end - 1]))
		end--;
	return end > start &&
	    mention_at(username, text + start, end - start, 0) == end - start;
}

/* "   @bot   text" -> "   text" */
static void
strip_leading(const char *name, struct strbuf *line)
{
	size_t indent = 0, end;

	while (indent < line->len && is_tab_or_space(line->s[indent]))
		indent++;
	end = mention_at(name, line->s, line->len, indent);
	if (end == 0)
		return;
	end += indent;
	while (end < line->len && is_tab_or_space(line->s[end]))
		end++;
	memmove(line->s + indent, line->s + end, line->len - end);
	strbuf_truncate(line, line->len - (end - indent));
}

/* "text   @bot  " -> "text" */
static void
strip_trailing(const char *name, struct strbuf *line)
{
	size_t end = line->len, n = strlen(name) + 1, start;

	while (end > 0 && is_tab_or_space(line->s[end - 1]))
		end--;
	if (end < n || mention_at(name, line->s, line->len, end - n) == 0)
		return;
	start = end - n;
	while (start > 0 && is_tab_or_space(line->s[start - 1]))
		start--;
	strbuf_truncate(line, start);
}

static void
strip_inner(const char *name, struct strbuf *line)
{
	size_t from = 0, to = 0, at = 0, n;

	while ((n = mention_next(name, line->s, line->len, &at)) != 0) {
		memmove(line->s + to, line->s + from, at - from);
		to += at - from;
		from = at = at + n;
	}
	memmove(line->s + to, line->s + from, line->len - from);
	strbuf_truncate(line, to + line->len - from);
}

/* Two or more blanks after a character that is none become one space. */
static void
collapse(struct strbuf *line)
{
	size_t i = 0, o = 0, run;
	char *s = line->s;

	while (i < line->len) {
		for (run = i; run < line->len && is_tab_or_space(s[run]); run++)
			;
		if (run - i >= 2 && o > 0 &&
		    !utf8_is_blank(s + i - 1, 1)) {
			s[o++] = ' ';
			i = run;
		} else if (run > i) {
			memmove(s + o, s + i, run - i);
			o += run - i;
			i = run;
		} else
			s[o++] = s[i++];
	}
	strbuf_truncate(line, o);
}

/* 1 when the line had a mention and nothing is left of it. */
static int
strip_line(const char *name, struct strbuf *line)
{
	size_t at = 0;

	if (line->len == 0 || mention_next(name, line->s, line->len, &at) == 0)
		return 0;
	strip_leading(name, line);
	strip_trailing(name, line);
	strip_inner(name, line);
	collapse(line);
	return utf8_is_blank(line->s, line->len);
}

/* Take off whole lines at the end that are blank. */
static void
drop_blank_end(struct strbuf *out)
{
	size_t start;

	while (out->len > 0) {
		start = out->len;
		while (start > 0 && out->s[start - 1] != '\n')
			start--;
		if (!utf8_is_blank(out->s + start, out->len - start))
			return;
		strbuf_truncate(out, start > 0 ? start - 1 : 0);
	}
}

char *
mention_strip(const char *username, const char *text)
{
	struct strbuf out = STRBUF_INIT, line = STRBUF_INIT;
	const char *p = text, *nl;
	int first = 1, gone;

	if (!mention_find(username, text))
		return utf8_trim(text);
	for (; p != NULL; p = nl == NULL ? NULL : nl + 1) {
		nl = strchr(p, '\n');
		strbuf_truncate(&line, 0);
		strbuf_add(&line, p, nl == NULL ? strlen(p) : (size_t)(nl - p));
		gone = strip_line(username, &line);
		if (first && gone)
			continue;
		if (!first)
			strbuf_putc(&out, '\n');
		strbuf_add(&out, line.s, line.len);
		first = 0;
	}
	strbuf_free(&line);
	drop_blank_end(&out);
	return strbuf_take(&out);
}
