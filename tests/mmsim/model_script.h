/*
 * The scripts of the model endpoint and its record of requests, for model.c.
 */
#ifndef MMSIM_MODEL_SCRIPT_H
#define MMSIM_MODEL_SCRIPT_H

#include <sys/queue.h>
#include <stdint.h>

struct req;

struct script {
	TAILQ_ENTRY(script) link;
	int refs;
	char *reply;       /* NULL: echo */
	char *reasoning;   /* sent before the reply, or NULL */
	char *match;       /* only requests whose body has this */
	char *tool_calls;  /* JSON array */
	char *garbage;     /* sent in the place of a chunk */
	int chunks;
	int chunk_delay_ms;
	int first_delay_ms;
	int silent_ms;     /* pause after the first chunk */
	int status;
	int retry_after;
	int times;         /* 0: the base script */
	int64_t cut_after; /* bytes of the stream, -1: all */
	int rst;
	int no_done;       /* end without data: [DONE] */
	char *error;
};

/* The script for this request; script_unref() it after use. */
struct script *script_take(const struct req *);
void script_unref(struct script *);
/* Keep the request for GET /_sim/model/requests. */
void model_record(const struct req *);

#endif
