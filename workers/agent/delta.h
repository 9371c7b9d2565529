/*
 * One answer object of an OpenAI-compatible server, read defensively: a
 * chat.completion.chunk of a stream, a whole chat.completion, or an error
 * object in any of the spellings that servers use.
 *
 * Pure: no I/O. Members that are missing, null or of another type read as
 * absent; only what is no JSON object at all is refused.
 */
#ifndef WORKERS_AGENT_DELTA_H
#define WORKERS_AGENT_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"

struct json_object;

struct delta {
	struct json_object *root;
	/* Answer text and reasoning text; NULL when there is none. */
	const char *content;
	size_t content_len;
	const char *reasoning;
	size_t reasoning_len;
	const char *finish; /* "stop", "length", …; NULL: not yet */
	const char *model;  /* as the server names it, or NULL */
	int64_t prompt_tokens; /* -1: not told */
	int64_t completion_tokens;
	struct json_object *tools; /* array of tool calls, or NULL */
	/* The server reports a failure. */
	int is_error;
	int64_t err_status;      /* an HTTP status inside, 0 when none */
	const char *err_message; /* "" when it gave none */
	const char *err_code;    /* its code or type as text, "" when none */
	struct strbuf joined[2]; /* content that came in parts */
};

struct delta_tool {
	int64_t index; /* -1: not numbered */
	const char *id; /* NULL in all but the first piece of a call */
	const char *name;
	const char *args; /* this piece of the arguments; "" when none */
};

/*
 * 0, or -1 when the text is no JSON object (the delta is then empty). All
 * pointers live until delta_free(), which must follow in both cases.
 */
int delta_parse(struct delta *, const char *json, size_t len);
void delta_free(struct delta *);
/* Pieces of tool calls in this delta, and the i-th of them. */
size_t delta_ntools(const struct delta *);
void delta_tool(const struct delta *, size_t i, struct delta_tool *);

#endif
