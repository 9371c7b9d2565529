#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/command/directive.h"

static const char *const switches[] = {
    "on", "off", "full", "stream", "ask", "true", "false", NULL};
static const char *const queues[] = {"steer", "followup", "collect",
    "interrupt", "default", "reset", NULL};
static const char *const execs[] = {"auto", "sandbox", "gateway", "deny",
    "allowlist", "full", NULL};

static const struct {
	const char *name;
	enum command_id id;
	const char *const *words; /* NULL: a level, or a model */
} table[] = {
    {"think", COMMAND_THINK, NULL},
    {"thinking", COMMAND_THINK, NULL},
    {"t", COMMAND_THINK, NULL},
    {"model", COMMAND_MODEL, NULL},
    {"verbose", COMMAND_VERBOSE, switches},
    {"v", COMMAND_VERBOSE, switches},
    {"reasoning", COMMAND_REASONING, switches},
    {"reason", COMMAND_REASONING, switches},
    {"elevated", COMMAND_ELEVATED, switches},
    {"elev", COMMAND_ELEVATED, switches},
    {"fast", COMMAND_FAST, switches},
    {"trace", COMMAND_TRACE, switches},
    {"exec", COMMAND_EXEC, execs},
    {"queue", COMMAND_QUEUE, queues},
};

static const struct {
	const char *name;
	unsigned flag;
} shortcuts[] = {
    {"help", SHORTCUT_HELP},
    {"commands", SHORTCUT_COMMANDS},
    {"status", SHORTCUT_STATUS},
    {"whoami", SHORTCUT_WHOAMI},
};

static const struct {
	const char *word, *level;
} levels[] = {
    {"off", "off"}, {"none", "off"}, {"disable", "off"},
    {"minimal", "minimal"}, {"min", "minimal"},
    {"low", "low"}, {"on", "low"}, {"enable", "low"},
    {"medium", "medium"}, {"med", "medium"}, {"mid", "medium"},
    {"high", "high"}, {"max", "high"}, {"highest", "high"},
    {"default", ""}, {"inherit", ""},
};

const char *
directive_thinking(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcasecmp(levels[i].word, word) == 0)
			return levels[i].level;
	return NULL;
}

const char *
directives_get(const struct directives *d, enum command_id id)
{
	size_t i = d->n;

	while (i-- > 0)
		if (d->v[i].id == id)
			return d->v[i].arg;
	return NULL;
}

static int
named(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && strncasecmp(name, s, len) == 0;
}

/* The first word of s, up to a blank; its length. */
static size_t
word_len(const char *s)
{
	size_t n = 0, len = strnlen(s, DIRECTIVE_ARG + 4);

	while (n < len && utf8_skip_blank(s + n, len - n) == 0)
		n++;
	return n;
}

static int
is_listed(const char *const *words, const char *word)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return 1;
	return 0;
}

static int
takes(size_t i, char *arg)
{
	const char *level;
	char *p;

	if (table[i].id == COMMAND_MODEL)
		return *arg != '/';
	for (p = arg; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	if (table[i].words != NULL)
		return is_listed(table[i].words, arg);
	if ((level = directive_thinking(arg)) == NULL)
		return 0;
	(void)strlcpy(arg, *level == '\0' ? "default" : level, DIRECTIVE_ARG);
	return 1;
}

/* Bytes of the directive that s, which begins with a slash, is; or 0. */
static size_t
one_directive(const char *s, struct directives *out)
{
	size_t n = 1 + strcspn(s + 1, ": \t\r\n"), at, len, i;
	struct directive *d = &out->v[out->n];

	at = n + (s[n] == ':');
	at += strspn(s + at, " \t");
	len = word_len(s + at);
	if (out->n == DIRECTIVES_MAX || len == 0 || len >= DIRECTIVE_ARG ||
	    at == n)
		return 0;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!named(table[i].name, s + 1, n - 1))
			continue;
		memcpy(d->arg, s + at, len);
		d->arg[len] = '\0';
		if (!takes(i, d->arg))
			return 0;
		d->id = table[i].id;
		out->n++;
		return at + len;
	}
	return 0;
}

static size_t
one_shortcut(const char *s, struct directives *out)
{
	size_t n = 1 + word_len(s + 1), i;

	for (i = 0; i < sizeof(shortcuts) / sizeof(shortcuts[0]); i++)
		if (named(shortcuts[i].name, s + 1, n - 1)) {
			out->shortcuts |= shortcuts[i].flag;
			return n;
		}
	return 0;
}

/* The blanks around what was taken become one. */
static void
close_gap(struct strbuf *b, const char **rest)
{
	if (b->len > 0 && b->s[b->len - 1] != '\n' &&
	    (**rest == ' ' || **rest == '\t'))
		*rest += strspn(*rest, " \t");
	else if (b->len == 0 || b->s[b->len - 1] == '\n')
		*rest += strspn(*rest, b->len == 0 ? " \t\r\n" : " \t");
}

char *
directives_take(const char *text, struct directives *out)
{
	struct strbuf b = STRBUF_INIT;
	const char *s = text;
	int code = 0, begins = 1;
	size_t n;

	memset(out, 0, sizeof(*out));
	while (*s != '\0') {
		if (*s == '`')
			code = !code;
		if (*s == '/' && begins && !code &&
		    ((n = one_directive(s, out)) > 0 ||
			(n = one_shortcut(s, out)) > 0)) {
			s += n;
			close_gap(&b, &s);
			begins = 1;
			continue;
		}
		begins = *s == ' ' || *s == '\t' || *s == '\n' || *s == '\r';
		strbuf_putc(&b, *s++);
	}
	if (out->n > 0 || out->shortcuts != 0)
		strbuf_truncate(&b, b.len == 0 ? 0 : utf8_rtrim(b.s, b.len));
	return strbuf_take(&b);
}
