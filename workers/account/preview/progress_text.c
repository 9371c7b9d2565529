#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/preview/draft_text.h"
#include "workers/account/preview/progress_text.h"

#define THINKING "\xf0\x9f\xa7\xa0 Thinking\xe2\x80\xa6"
#define FAILED " \xe2\x80\x93 failed"
#define OTHER "\xf0\x9f\xa7\xa9" /* a tool that the table does not know */

static const struct {
	const char *name;
	const char *emoji;
	const char *label;
	int command; /* its detail is a command */
} tools[] = {
    {"exec", "\xf0\x9f\x9b\xa0\xef\xb8\x8f", "Exec", 1},
    {"bash", "\xf0\x9f\x9b\xa0\xef\xb8\x8f", "Bash", 1},
    {"shell", "\xf0\x9f\x9b\xa0\xef\xb8\x8f", "Shell", 1},
    {"process", "\xf0\x9f\xa7\xb0", "Process", 1},
    {"read", "\xf0\x9f\x93\x96", "Read", 0},
    {"write", "\xe2\x9c\x8d\xef\xb8\x8f", "Write", 0},
    {"edit", "\xf0\x9f\x93\x9d", "Edit", 0},
    {"apply_patch", "\xf0\x9f\x93\x9d", "Apply Patch", 0},
    {"web_search", "\xf0\x9f\x94\x8e", "Web Search", 0},
    {"web_fetch", "\xf0\x9f\x93\x84", "Web Fetch", 0},
    {"browser", "\xf0\x9f\x8c\x90", "Browser", 0},
    {"image", "\xf0\x9f\x96\xbc\xef\xb8\x8f", "Image", 0},
    {"cron", "\xe2\x8f\xb0", "Cron", 0},
};
#define NTOOLS (sizeof(tools) / sizeof(tools[0]))

static const char *const not_work[] = {
    "message", "reply", "react", "reaction", "typing", "update_plan"};

/* Names compare in lower case, with "_" between words. */
static int
same_name(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++) {
		char c = (char)tolower((unsigned char)*a);

		if (c == '-' || c == '.' || c == ' ')
			c = '_';
		if (c != *b)
			return 0;
	}
	return *a == *b;
}

void
progress_init(
    struct progress *p, size_t max_lines, unsigned max_chars, int raw)
{
	memset(p, 0, sizeof(*p));
	p->max_lines = max_lines;
	p->max_chars = max_chars;
	p->raw = raw;
}

void
progress_clear(struct progress *p)
{
	while (p->n > 0)
		free(p->lines[--p->n].detail);
	free(p->lines);
	p->lines = NULL;
}

int
progress_is_work(const char *tool)
{
	size_t i;

	for (i = 0; i < sizeof(not_work) / sizeof(not_work[0]); i++)
		if (same_name(tool, not_work[i]))
			return 0;
	return 1;
}

static struct progress_line *
line_find(struct progress *p, const char *call)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->lines[i].call, call) == 0)
			return &p->lines[i];
	return NULL;
}

/* The oldest line makes room. */
static struct progress_line *
line_add(struct progress *p, const char *call, const char *name)
{
	struct progress_line *l;

	if (p->lines == NULL &&
	    (p->lines = calloc(p->max_lines, sizeof(*p->lines))) == NULL)
		fatal("calloc");
	if (p->n == p->max_lines) {
		free(p->lines[0].detail);
		memmove(p->lines, p->lines + 1,
		    --p->n * sizeof(p->lines[0]));
	}
	l = &p->lines[p->n++];
	memset(l, 0, sizeof(*l));
	strlcpy(l->call, call, sizeof(l->call));
	strlcpy(l->name, name, sizeof(l->name));
	return l;
}

int
progress_tool(struct progress *p, const struct tool_event *ev)
{
	struct progress_line *l = line_find(p, ev->call);
	int changed = l == NULL;

	if (l == NULL)
		l = line_add(p, ev->call, ev->name);
	if (ev->detail != NULL &&
	    !utf8_is_blank(ev->detail, strlen(ev->detail)) &&
	    (l->detail == NULL || strcmp(l->detail, ev->detail) != 0)) {
		free(l->detail);
		if ((l->detail = strdup(ev->detail)) == NULL)
			fatal("strdup");
		changed = 1;
	}
	if (ev->phase == TOOL_END && !ev->ok && !l->failed)
		changed = l->failed = 1;
	return changed;
}

int
progress_thinking(struct progress *p)
{
	if (p->n > 0 && p->lines[p->n - 1].name[0] == '\0')
		return 0;
	line_add(p, "", "");
	return 1;
}

/* "my-tool" is "My Tool". */
static void
put_label(struct strbuf *b, const char *name)
{
	int start = 1;
	unsigned char c;

	for (; (c = (unsigned char)*name) != '\0'; name++) {
		if (c == '_' || c == '-' || c == '.' || c == ' ') {
			start = 1;
			continue;
		}
		if (start && b->len > 0)
			strbuf_putc(b, ' ');
		strbuf_putc(b, (char)(start ? toupper(c) : c));
		start = 0;
	}
}

static char *
line_text(const struct progress *p, const struct progress_line *l)
{
	struct strbuf b = STRBUF_INIT, line = STRBUF_INIT;
	int command = 0;
	size_t i;
	char *s, *cut;

	if (l->name[0] == '\0')
		return draft_text_line(THINKING, p->max_chars);
	for (i = 0; i < NTOOLS && !same_name(l->name, tools[i].name); i++)
		continue;
	if (i < NTOOLS) {
		command = tools[i].command;
		strbuf_puts(&b, tools[i].label);
	} else
		put_label(&b, l->name);
	strbuf_puts(&line, i < NTOOLS ? tools[i].emoji : OTHER);
	strbuf_putc(&line, ' ');
	strbuf_puts(&line, b.s == NULL ? "" : b.s);
	strbuf_free(&b);
	if (l->failed)
		strbuf_puts(&line, FAILED);
	if (l->detail != NULL && (p->raw || !command)) {
		strbuf_puts(&line, ": ");
		strbuf_puts(&line, l->detail);
	}
	s = strbuf_take(&line);
	cut = draft_text_line(s, p->max_chars);
	free(s);
	return cut;
}

char *
progress_text(const struct progress *p, const char *label)
{
	struct strbuf b = STRBUF_INIT;
	char *s;
	size_t i;

	if (p->n == 0 && *label == '\0')
		return NULL;
	strbuf_puts(&b, label);
	for (i = 0; i < p->n; i++) {
		if (b.len > 0)
			strbuf_putc(&b, '\n');
		s = line_text(p, &p->lines[i]);
		strbuf_puts(&b, s);
		free(s);
	}
	return strbuf_take(&b);
}
