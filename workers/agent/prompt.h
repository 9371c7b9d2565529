/*
 * What the model is asked: the messages of one request.
 *
 * Pure: no I/O. The system role holds the operator's prompt and fixed facts
 * about the channel, the same bytes for every turn of an agent. What people
 * and the server say about the conversation goes before the user's text as
 * a data block: delimited, every line quoted, cut to a bound, and with the
 * delimiters made harmless wherever somebody typed them.
 */
#ifndef WORKERS_AGENT_PROMPT_H
#define WORKERS_AGENT_PROMPT_H

#include <stddef.h>

struct json_object;

#define PROMPT_BYTES_PER_TOKEN 4
/* Bytes of context in the block; at most half of what the window holds. */
#define PROMPT_CONTEXT_MAX (64u * 1024)
#define PROMPT_RECORD_MAX (64u * 1024)  /* bytes of text kept as history */

struct prompt_cfg {
	const char *agent;  /* name shown to the model */
	const char *prompt; /* the operator's, or NULL */
	size_t window;      /* the model's, in tokens; 0: not known */
	size_t answer;      /* tokens of it kept for the answer; 0: not set */
};

struct prompt_turn {
	const char *text;
	const char *context; /* sections of JSON, or "" */
	const char *sender;  /* "" when unknown */
	int addressed;
	const char *note;  /* one line about attachments, NULL or "": none */
	const char *files; /* what the model is told of them, or NULL */
	struct json_object *images; /* array of data URLs, or NULL */
};

/* The system message's text. To be freed by the caller. */
char *prompt_system(const struct prompt_cfg *);
/* The user message's text. To be freed by the caller. */
char *prompt_user(const struct prompt_cfg *, const struct prompt_turn *);
/*
 * Bytes of history that fit beside the rest of the request; at most what a
 * frame from the store carries.
 */
size_t prompt_budget(const struct prompt_cfg *, const struct prompt_turn *);
/* The whole "messages" array, of which past is borrowed. */
struct json_object *prompt_messages(const struct prompt_cfg *,
    struct json_object *past, const struct prompt_turn *);
/*
 * The turn's user message as the history keeps it: the text without its
 * block, and in conversations of many with the speaker's name before it.
 * To be freed by the caller.
 */
char *prompt_record(const struct prompt_turn *);

#endif
