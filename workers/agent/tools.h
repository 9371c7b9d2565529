/*
 * The rounds of a turn with tools: the model asks for calls, each goes to
 * the account, their results go back to the model, until it answers.
 */
#ifndef WORKERS_AGENT_TOOLS_H
#define WORKERS_AGENT_TOOLS_H

#include "workers/agent/tool_schema.h"
#include "workers/agent/toolcalls.h"

struct call;
struct json_object;

#define TOOLS_ROUNDS_MAX 16		/* answers with calls, of one turn */
#define TOOLS_CALLS_MAX 32		/* calls of one turn */
#define TOOLS_SCHEMA_BYTES 3072		/* about, of a request */
#define TOOLS_RESULT_MAX (64u * 1024)	/* bytes of one result */
#define TOOLS_RESULTS_MAX (192u * 1024) /* of all results of a turn */

struct chan;
struct event;

/* A part of struct call. */
struct tools {
	struct json_object *schema; /* NULL: none are offered */
	struct toolcalls todo;	    /* of the last answer */
	size_t next;		    /* of todo */
	const struct toolcall *now; /* the one in hand */
	int running;
	int rounds, calls;
	size_t bytes; /* of results */
	struct event *step;
	struct chan *asked; /* the link that a call was sent on, or NULL */
};

/* Of the call's turn; what waits for an answer is forgotten by free(). */
void tools_init(struct call *);
void tools_free(struct call *);
/* The model's server knows no tools: offer none. */
void tools_withdraw(struct call *);
/* All rounds are used: the model must answer now. */
int tools_spent(const struct call *);
/*
 * The answer in c->stream asks for tools: run them one after the other, and
 * then call_next().
 */
void tools_begin(struct call *);

#endif
