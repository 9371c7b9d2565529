/*
 * The body of one chat completion, as it comes in: an event stream, or one
 * JSON object from servers that do not stream.
 *
 * Pure: no I/O. It knows when the answer is complete, when it broke off,
 * and when what comes is no completion at all.
 */
#ifndef WORKERS_AGENT_STREAM_H
#define WORKERS_AGENT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"
#include "workers/agent/answer.h"
#include "workers/agent/classify.h"
#include "workers/agent/sse.h"
#include "workers/agent/toolcalls.h"

#define STREAM_EVENT_MAX (2u * 1024 * 1024) /* one event, or one whole JSON */
#define STREAM_GARBAGE_MAX 32 /* lines and events that mean nothing */

#define STREAM_TEXT 0x1u     /* the answer has grown */
#define STREAM_THINKING 0x2u /* a phase of reasoning has begun */
#define STREAM_FINISH 0x4u   /* the model has finished; more may follow */
#define STREAM_DONE 0x8u     /* all that counts has come */
#define STREAM_FAILED 0x10u  /* verdict says why */

enum stream_kind { STREAM_UNKNOWN, STREAM_SSE, STREAM_JSON };

struct stream {
	enum stream_kind kind;
	struct sse sse;
	struct strbuf json;
	struct answer answer;
	struct verdict verdict;
	unsigned flags;  /* brought about by the bytes of this call */
	unsigned chunks; /* good ones */
	unsigned garbage;
	int thinking;
	int finished; /* the model gave a reason to finish */
	int done;
	int failed;
	int64_t prompt_tokens; /* -1: not told */
	int64_t completion_tokens;
	char model[128]; /* "" when not told */
	int offered;	 /* tools were: calls of them are an answer */
	struct toolcalls tools;
};

/* answer_max: see answer_init(). */
void stream_init(struct stream *, size_t answer_max);
void stream_free(struct stream *);
/*
 * After stream_close(): calls of tools to run before the model answers. Not
 * when the text was cut at its bound.
 */
int stream_wants_tools(const struct stream *);
/* What these bytes brought about. Nothing after DONE or FAILED counts. */
unsigned stream_feed(struct stream *, const char *p, size_t len);
/*
 * The body has ended; why: the network's words when not as it should, else
 * NULL. 0: the answer is complete, -1: verdict says why it is not.
 */
int stream_end(struct stream *, const char *why);
/* As stream_end() for a body that is complete by itself (FINISH, DONE). */
int stream_close(struct stream *);

#endif
