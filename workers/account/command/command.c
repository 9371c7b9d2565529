#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "common/utf8.h"
#include "workers/account/command/command.h"

#define ARGS 0x1u  /* takes an argument */
#define LINES 0x2u /* its argument may have several lines */

static const struct {
	const char *name; /* the first of an id is its name */
	enum command_id id;
	unsigned flags;
} names[] = {
    {"activation", COMMAND_ACTIVATION, ARGS},
    {"allowlist", COMMAND_ALLOWLIST, ARGS},
    {"approve", COMMAND_APPROVE, ARGS},
    {"bash", COMMAND_BASH, ARGS | LINES},
    {"btw", COMMAND_BTW, ARGS | LINES},
    {"side", COMMAND_BTW, ARGS | LINES},
    {"commands", COMMAND_COMMANDS, 0},
    {"compact", COMMAND_COMPACT, ARGS | LINES},
    {"config", COMMAND_CONFIG, ARGS},
    {"context", COMMAND_CONTEXT, ARGS},
    {"debug", COMMAND_DEBUG, ARGS},
    {"elevated", COMMAND_ELEVATED, ARGS},
    {"elev", COMMAND_ELEVATED, ARGS},
    {"exec", COMMAND_EXEC, ARGS},
    {"export-session", COMMAND_EXPORT, ARGS},
    {"export", COMMAND_EXPORT, ARGS},
    {"fast", COMMAND_FAST, ARGS},
    {"help", COMMAND_HELP, 0},
    {"mcp", COMMAND_MCP, ARGS},
    {"model", COMMAND_MODEL, ARGS},
    {"models", COMMAND_MODELS, ARGS},
    {"new", COMMAND_NEW, ARGS},
    {"plugins", COMMAND_PLUGINS, ARGS},
    {"plugin", COMMAND_PLUGINS, ARGS},
    {"queue", COMMAND_QUEUE, ARGS},
    {"reasoning", COMMAND_REASONING, ARGS},
    {"reason", COMMAND_REASONING, ARGS},
    {"reset", COMMAND_RESET, ARGS},
    {"restart", COMMAND_RESTART, 0},
    {"send", COMMAND_SEND, ARGS},
    {"skill", COMMAND_SKILL, ARGS | LINES},
    {"status", COMMAND_STATUS, 0},
    {"steer", COMMAND_STEER, ARGS | LINES},
    {"tell", COMMAND_STEER, ARGS | LINES},
    {"stop", COMMAND_STOP, 0},
    {"think", COMMAND_THINK, ARGS},
    {"thinking", COMMAND_THINK, ARGS},
    {"t", COMMAND_THINK, ARGS},
    {"trace", COMMAND_TRACE, ARGS},
    {"tts", COMMAND_TTS, ARGS},
    {"update", COMMAND_UPDATE, 0},
    {"usage", COMMAND_USAGE, ARGS},
    {"verbose", COMMAND_VERBOSE, ARGS},
    {"v", COMMAND_VERBOSE, ARGS},
    {"whoami", COMMAND_WHOAMI, 0},
    {"id", COMMAND_WHOAMI, 0},
};
#define NNAMES (sizeof(names) / sizeof(names[0]))

/* In lower case, without punctuation at the end. */
static const char *const aborts[] = {
    "stop", "esc", "abort", "exit", "interrupt", "halt", "please stop",
    "stop please", "stop openclaw", "stop postern", "stop agent",
    "stop now", "stop it",
    /* German, French, Spanish, Portuguese, Italian */
    "anhalten", "stopp", "aufhören", "abbrechen", "arrête", "arrete",
    "arrêter", "detén", "deten", "detente", "para", "pare", "ferma",
    /* Russian, Ukrainian */
    "стоп", "остановись", "остановить", "прекрати", "зупинись",
    /* Japanese, Chinese, Korean, Hindi, Arabic */
    "やめて", "止めて", "停止", "停下", "中止", "멈춰", "중지", "रुको",
    "توقف",
};
#define NABORTS (sizeof(aborts) / sizeof(aborts[0]))

const char *
command_name(enum command_id id)
{
	size_t i;

	for (i = 0; i < NNAMES; i++)
		if (names[i].id == id)
			return names[i].name;
	return "";
}

static int
is_end_mark(uint32_t cp)
{
	return cp == '.' || cp == '!' || cp == '?' || cp == ',' || cp == ';' ||
	    cp == ':' || cp == 0x2026 || cp == 0x3002 || cp == 0xff01 ||
	    cp == 0xff1f || cp == 0xff0c || cp == 0x3001 || cp == 0x964 ||
	    cp == 0x61f || cp == 0x60c;
}

/* 1 when text is nothing but a word or phrase that means stop. */
static int
command_is_abort(const char *text)
{
	char *trimmed, *word, tmp[4];
	size_t len, i;
	int found = 0;

	if (strlen(text) > 64)
		return 0;
	trimmed = utf8_trim(text);
	word = utf8_lower(trimmed);
	len = strlen(word);
	while (len > 0 && is_end_mark(utf8_before(word, len)))
		len -= text_put(utf8_before(word, len), tmp);
	word[utf8_rtrim(word, len)] = '\0';
	for (i = 0; i < NABORTS && !found; i++)
		found = strcmp(word, aborts[i]) == 0;
	free(word);
	free(trimmed);
	return found;
}

static int
find_name(const char *s, size_t len, size_t *at)
{
	size_t i;

	for (i = 0; i < NNAMES; i++) {
		if (strlen(names[i].name) != len ||
		    strncasecmp(names[i].name, s, len) != 0)
			continue;
		*at = i;
		return 1;
	}
	return 0;
}

static size_t
line_len(const char *s, size_t len)
{
	const char *nl = memchr(s, '\n', len);

	return nl == NULL ? len : (size_t)(nl - s);
}

int
command_parse(const char *text, struct command *out)
{
	size_t len = strlen(text), skip = utf8_skip_blank(text, len), n, i;
	const char *s = text + skip;

	memset(out, 0, sizeof(*out));
	len -= skip;
	if (len == 0 || *s != '/') {
		if (!command_is_abort(text))
			return 0;
		*out = (struct command){COMMAND_STOP, "", 0, 1};
		return 1;
	}
	s++;
	len--;
	for (n = 0; n < len && s[n] != ':' && !utf8_is_blank(s + n, 1); n++)
		;
	if (!find_name(s, n, &i))
		return 0;
	s += n;
	len -= n;
	if (len > 0 && *s == ':') {
		s++;
		len--;
	}
	if (!(names[i].flags & LINES))
		len = line_len(s, len);
	skip = utf8_skip_blank(s, len);
	out->args = s + skip;
	out->args_len = utf8_rtrim(out->args, len - skip);
	if (out->args_len > 0 && !(names[i].flags & ARGS))
		return 0;
	out->id = names[i].id;
	return 1;
}
