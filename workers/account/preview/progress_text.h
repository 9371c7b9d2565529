/*
 * The lines of a preview about work under way: tools, and that the model
 * thinks. Pure: no I/O.
 */
#ifndef ACCOUNT_PROGRESS_TEXT_H
#define ACCOUNT_PROGRESS_TEXT_H

#include <stddef.h>

#define TOOL_CALL_MAX 64 /* bytes of an id or a name in a turn.tool */

enum tool_phase { TOOL_START, TOOL_UPDATE, TOOL_END };

struct tool_event {
	const char *call; /* its id: one line each */
	const char *name;
	const char *detail; /* for people, or NULL */
	enum tool_phase phase;
	int ok; /* TOOL_END: 0 when it failed */
};

struct progress_line {
	char call[TOOL_CALL_MAX + 1];
	char name[TOOL_CALL_MAX + 1];
	char *detail; /* or NULL */
	int failed;
};

struct progress {
	size_t max_lines;
	unsigned max_chars; /* UTF-16 units of a line */
	int raw;            /* show the text of commands */
	struct progress_line *lines; /* oldest first, at most max_lines */
	size_t n;
};

/* No lines. max_chars: UTF-16 units of one; raw: commands with their text. */
void progress_init(
    struct progress *, size_t max_lines, unsigned max_chars, int raw);
/* No lines any more; nothing is left to free. */
void progress_clear(struct progress *);

/* 0: a tool that speaks for itself (message, react, ...) makes no line. */
int progress_is_work(const char *tool);
/* 1 when the text has changed. */
int progress_tool(struct progress *, const struct tool_event *);
/* The model thinks: a line of its own, once. 1 when the text has changed. */
int progress_thinking(struct progress *);
/*
 * A new string: the label (may be "") and the lines under it. NULL when
 * there is neither.
 */
char *progress_text(const struct progress *, const char *label);

#endif
