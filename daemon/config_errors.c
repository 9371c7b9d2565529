#include "config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define ERRORS_MAX 1000 /* then it says no more */

char *
config_printf(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	if (vasprintf(&p, fmt, ap) == -1)
		fatal("vasprintf");
	va_end(ap);
	return p;
}

void
config_errors_init(struct config_errors *e)
{
	memset(e, 0, sizeof(*e));
}

void
config_errors_free(struct config_errors *e)
{
	size_t i;

	for (i = 0; i < e->len; i++) {
		free(e->msgs[i].file);
		free(e->msgs[i].text);
	}
	free(e->msgs);
	memset(e, 0, sizeof(*e));
}

/* The same thing at the same place, said for another account. */
static int
said_before(const struct config_errors *e, int line, int column,
    const char *text)
{
	size_t i;

	for (i = 0; i < e->len; i++)
		if (e->msgs[i].line == line && e->msgs[i].column == column &&
		    strcmp(e->msgs[i].text, text) == 0)
			return 1;
	return 0;
}

/* A name in the file can hold anything; a terminal need not. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static void say(struct config_ctx *, enum config_severity, int, int,
    const char *, va_list) __attribute__((format(printf, 5, 0)));

static void
say(struct config_ctx *ctx, enum config_severity severity, int line,
    int column, const char *fmt, va_list ap)
{
	struct config_errors *e = ctx->errs;
	struct config_message *m;
	char *text;

	if (severity == CONFIG_ERROR && ctx->lenient)
		severity = CONFIG_PARKED;
	if (e->len >= ERRORS_MAX) {
		e->errors += severity == CONFIG_ERROR;
		return;
	}
	if (vasprintf(&text, fmt, ap) == -1)
		fatal("vasprintf");
	clean(text);
	if (said_before(e, line, column, text)) {
		free(text);
		return;
	}
	e->msgs = grow(e->msgs, e->len, sizeof(*m));
	m = &e->msgs[e->len++];
	m->severity = severity;
	m->file = text_dup(ctx->file);
	m->line = line;
	m->column = column;
	m->text = text;
	e->errors += severity == CONFIG_ERROR;
	e->parked += severity == CONFIG_PARKED;
	e->warnings += severity == CONFIG_WARNING;
}

void
config_say_at(struct config_ctx *ctx, enum config_severity severity, int line,
    int column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctx, severity, line, column, fmt, ap);
	va_end(ap);
}

void
config_say(struct config_ctx *ctx, enum config_severity severity,
    const struct cval *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctx, severity, at == NULL ? 0 : at->line,
	    at == NULL ? 0 : at->column, fmt, ap);
	va_end(ap);
}

void
config_say_key(struct config_ctx *ctx, enum config_severity severity,
    const struct cval *member, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctx, severity, member->key_line, member->key_column, fmt, ap);
	va_end(ap);
}

static int
compare(const void *a, const void *b)
{
	const struct config_message *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

void
config_errors_sort(struct config_errors *e)
{
	if (e->len > 1)
		qsort(e->msgs, e->len, sizeof(*e->msgs), compare);
}

void
config_message_text(const struct config_message *m, char *buf, size_t len)
{
	if (m->line == 0)
		snprintf(buf, len, "%s: %s", m->file, m->text);
	else
		snprintf(buf, len, "%s:%d:%d: %s", m->file, m->line,
		    m->column, m->text);
}

void
config_errors_print(
    const struct config_errors *e, FILE *f, enum config_severity least)
{
	static const char *const label[] = {
	    [CONFIG_INFO] = "note: ",
	    [CONFIG_WARNING] = "warning: ",
	    [CONFIG_PARKED] = "",
	    [CONFIG_ERROR] = "",
	};
	const struct config_message *m;
	size_t i;

	for (i = 0; i < e->len; i++) {
		m = &e->msgs[i];
		if (m->severity < least)
			continue;
		fprintf(f, "%s:", m->file);
		if (m->line != 0)
			fprintf(f, "%d:%d:", m->line, m->column);
		fprintf(f, " %s%s\n", label[m->severity], m->text);
	}
}
