/*
 * The model runtime: its two halves. model.c has the endpoint, the queue
 * and the runtime's entry points; call.c is one request with its answer.
 */
#ifndef WORKERS_AGENT_MODEL_H
#define WORKERS_AGENT_MODEL_H

#include <sys/queue.h>
#include <stdint.h>

#include "common/monotime.h"
#include "workers/agent/stream.h"
#include "workers/agent/tools.h"
#include "workers/net/url.h"

struct agent;
struct event;
struct history_load;
struct json_object;
struct media_load;
struct net_endpoint;
struct net_request;
struct turn;

#define MODEL_PARALLEL 16	 /* requests of one agent at once */
#define MODEL_IDLE_MS 120000	 /* silence of the server that ends a request */
#define MODEL_TEXT_MS 50	 /* between two "turn.text" */
#define MODEL_GRACE_MS 1000	 /* after the finish, for [DONE] and usage */
#define MODEL_BODY_MAX (32u * 1024 * 1024) /* a stream, reasoning included */

struct call {
	TAILQ_ENTRY(call) entry;
	struct model *model;
	struct turn *turn; /* NULL: answered, the request's rest comes in */
	int waiting;	   /* in the queue, not running */
	int64_t rank;	   /* its place in there */
	struct history_load *load;
	struct media_load *media;
	char *files; /* ask.files */
	struct json_object *images;
	struct json_object *past; /* history that was sent */
	int shorter;		  /* times that it was too long */
	struct net_request *req;
	struct stream stream;
	struct event *text; /* running: the next "turn.text" waits */
	struct event *grace;
	struct monotime text_at;
	size_t text_len; /* bytes of the answer that the account has */
	int blocked;	 /* the account's link is full */
	struct tools tools;
	int64_t tokens[2]; /* of rounds before: prompt, completion */
};

TAILQ_HEAD(calls, call);

struct model {
	struct agent *agent;
	/* What model_init() read for model_start(). */
	struct base_url url;
	int endpoint_id;
	const char *proxy_host; /* NULL: none */
	uint16_t proxy_port;
	const char *tls_pin;

	struct net_endpoint *endpoint;
	const char *name;
	int64_t max_tokens; /* 0: the server's own */
	int no_tools; /* its server refused them */
	const char *max_name; /* of that member: servers differ */
	int images; /* it takes them */
	int parallel;
	int running;
	unsigned nwaiting;
	struct calls waiting; /* by rank */
	struct calls active;  /* those that hold a place of running */
	int64_t rank;	      /* the highest that was ever started */
	struct event *kick; /* a slot is free */
	struct event *warm;
	struct monotime used; /* last time that a turn came */
};

/* call.c */

/* Waits for a slot; the turn's run. The model and the turn outlive it. */
struct call *call_new(struct model *, struct turn *);
/* It has a slot: load the history, then ask. May free the call. */
void call_begin(struct call *);
/* Its turn is gone: so is the call. */
void call_abort(struct call *);
void call_drain(struct call *);
/* The tools that the last answer asked for have run: ask again. */
void call_next(struct call *);

/* model.c: a call that waited or was running has ended. */
void model_release(struct model *, struct call *);

#endif
