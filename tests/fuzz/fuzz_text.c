#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"
#include "common/utf8.h"
#include "workers/account/command/command.h"
#include "workers/account/mention.h"
#include "workers/account/normalise.h"
#include "workers/account/preview/draft_text.h"
#include "workers/account/target.h"
#include "workers/account/text/chunk.h"
#include "workers/account/text/emoji.h"
#include "workers/account/text/reasoning.h"
#include "workers/account/text/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define TEXT_MAX 20000

static void
check_chunks(const char *text, size_t limit, int newline)
{
	size_t n, i, units;
	char **v = newline ? chunk_newline(text, limit, &n) :
			     chunk_length(text, limit, &n);

	for (i = 0; i < n; i++) {
		units = utf8_units(v[i], strlen(v[i]));
		if (*v[i] == '\0' || (limit > 1 && units > limit))
			abort();
	}
	chunk_free(v, n);
}

static void
check_table(const char *text, enum table_mode mode)
{
	char *out = tables_convert(text, mode);

	if (mode == TABLES_OFF && strcmp(out, text) != 0)
		abort();
	free(out);
}

static void
check_mentions(const char *text)
{
	struct normal_text t;
	struct command cmd;

	normalise_text("bot", text, text, &t);
	if (t.agent == NULL || t.command == NULL ||
	    strlen(t.agent) > strlen(text))
		abort();
	if (command_parse(t.command, &cmd) &&
	    (cmd.id == COMMAND_NONE || cmd.args_len > strlen(t.command)))
		abort();
	normal_text_free(&t);
}

/* Up to the first newline a pattern, then what it is searched in. */
static void
check_pattern(char *text)
{
	char *subject = strchr(text, '\n');
	struct pattern *p;
	const char *why = NULL;

	if (subject == NULL)
		return;
	*subject++ = '\0';
	p = pattern_compile(text, &why);
	if ((p == NULL) != (why != NULL))
		abort();
	if (p != NULL)
		(void)pattern_search(p, subject, strlen(subject));
	pattern_free(p);
}

static void
check_small(const char *text)
{
	struct target t;
	char *s;

	target_parse(text, &t);
	if ((t.kind == TARGET_BAD) != (t.value == NULL))
		abort();
	target_clear(&t);
	free(target_normalise(text));
	free(emoji_name(text));
	if ((s = draft_truncate(text, 40)) != NULL &&
	    utf8_units(s, strlen(s)) > 40)
		abort();
	free(s);
	s = draft_text_line(text, 40);
	if (utf8_units(s, strlen(s)) > 40)
		abort();
	free(s);
	(void)reasoning_suppressed(text, 0);
}

/* The first byte chooses what is done, the second a limit. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 2 || size > TEXT_MAX ||
	    (text = malloc(size - 1)) == NULL)
		return 0;
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	switch (data[0] % 6) {
	case 0:
	case 1:
		check_chunks(text, data[1], data[0] % 6);
		break;
	case 2:
		check_table(text, (enum table_mode)(data[1] % 3));
		break;
	case 3:
		check_mentions(text);
		break;
	case 4:
		check_pattern(text);
		break;
	default:
		check_small(text);
	}
	free(text);
	return 0;
}
