/*
 * The tool calls of one answer, put together from the pieces of a stream.
 *
 * Pure: no I/O. Servers number and name the pieces in several ways; what
 * comes out are calls in order, each with an id, and never more of them or
 * longer ones than the bounds say.
 */
#ifndef WORKERS_AGENT_TOOLCALLS_H
#define WORKERS_AGENT_TOOLCALLS_H

#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"

struct delta_tool;
struct json_object;

#define TOOLCALLS_MAX 32		/* of one answer; more are dropped */
#define TOOLCALL_ARGS_MAX (128u * 1024) /* bytes of one call's arguments */
#define TOOLCALLS_BYTES (256u * 1024)	/* of all calls together */
#define TOOLCALL_DEPTH 10		/* nesting of arguments */
#define TOOLCALL_ID_MAX 4096 /* bytes; some servers keep state in them */
#define TOOLCALL_NAME 65

struct toolcall {
	int64_t index; /* as the server numbers it, -1: it does not */
	char *id; /* printable ASCII; NULL before the server has said it */
	char name[TOOLCALL_NAME]; /* printable ASCII, "" when it had none */
	struct strbuf args;
	int cut; /* its arguments were too long and are gone */
};

struct toolcalls {
	struct toolcall *v;
	size_t n;
	size_t bytes; /* of all arguments */
	unsigned lost; /* pieces of calls beyond the bound */
	int dropping;  /* the last piece was one of them */
};

/* All zero is an empty one. */
void toolcalls_add(struct toolcalls *, const struct delta_tool *);
/* Nothing more comes: every call gets an id of its own. */
void toolcalls_end(struct toolcalls *);
void toolcalls_free(struct toolcalls *);

/*
 * The arguments as an object, the caller's. NULL when they are none, with a
 * static text for the model in *why.
 */
struct json_object *toolcall_args(const struct toolcall *, const char **why);

#endif
