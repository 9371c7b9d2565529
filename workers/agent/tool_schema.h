/*
 * What the model is told about its tools.
 *
 * Pure: no I/O. The account says in "turn.start" what it allows; the model
 * is offered nothing else.
 */
#ifndef WORKERS_AGENT_TOOL_SCHEMA_H
#define WORKERS_AGENT_TOOL_SCHEMA_H

struct json_object;

#define TOOL_NAME "message"

struct tool_offer {
	int send, react, read, broadcast;
	int buttons; /* of send */
	int media;   /* of send */
};

/*
 * From options.tools of "turn.start": {"actions" [words], "buttons"?,
 * "media"? bools}. -1 when it is not of that shape; words that are not
 * known offer nothing.
 */
int tool_offer_read(struct tool_offer *, struct json_object *);
/* The "tools" array of a request; NULL when nothing is offered. */
struct json_object *tool_schema(const struct tool_offer *);

#endif
