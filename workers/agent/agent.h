/*
 * The agent role: what its files share.
 *
 * main.c owns the process and its links, turns.c the table of running
 * turns, history.c the questions to the store; a runtime (echo.c, model.c)
 * turns one message into one answer.
 */
#ifndef WORKERS_AGENT_AGENT_H
#define WORKERS_AGENT_AGENT_H

#include <sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "common/chan.h"
#include "common/monotime.h"
#include "workers/agent/prompt.h"
#include "workers/agent/tool_schema.h"

struct agent;
struct event;
struct event_base;
struct model;
struct net;
struct runtime;
struct secret;
struct verdict;
struct worker;

/*
 * An answer as JSON text: it goes twice into one "turn.final", beside the
 * user's message, and a frame has 1 MiB.
 */
#define AGENT_ANSWER_MAX (384u * 1024)
#define AGENT_DEADLINE_MS 600000 /* of a turn, when not configured */

/* A link to an account. */
struct link {
	TAILQ_ENTRY(link) entry;
	struct agent *agent;
	struct chan *chan; /* NULL: ended, the account will be restarted */
	char *peer;
	int nturns;
};

/* One message on its way to an answer. */
struct turn {
	TAILQ_ENTRY(turn) entry;
	struct link *link;
	int64_t id;
	struct json_object *msg; /* "turn.start": the strings below are its */
	const char *session;
	struct prompt_turn ask;
	const char *thinking; /* option, or NULL */
	const char *model;    /* option, or NULL */
	const char *parent;   /* option, or NULL */
	int fresh;
	struct tool_offer offer; /* tools, as the account allows */
	struct json_object *added; /* calls and results so far, or NULL */
	struct json_object *media; /* array of attachments, or NULL */
	char *note;		   /* ask.note */
	struct event *deadline;
	struct monotime began;
	void *run; /* the runtime's own */
};

/*
 * A runtime ends each turn that it started by turn_final() or turn_fail(),
 * also from inside start(), unless abort() took the turn from it.
 */
struct runtime {
	const char *name;
	void (*start)(struct turn *);
	void (*abort)(struct turn *);
	void (*drain)(struct turn *); /* its link takes frames again */
};

extern const struct runtime echo_runtime;
extern const struct runtime model_runtime;

TAILQ_HEAD(links, link);
TAILQ_HEAD(turns, turn);
TAILQ_HEAD(history_loads, history_load);

struct agent_counts {
	uint64_t started, finals, errors, cancelled;
};

struct agent {
	struct worker *worker;
	struct event_base *base;
	const struct runtime *runtime;
	struct json_object *config; /* the strings below are its */
	const char *id;
	const char *name;
	const char *model_name; /* NULL: echo */
	struct prompt_cfg prompt;
	int64_t deadline_ms;
	struct secret *key;	    /* NULL: the server wants none */
	struct secret *proxy_auth; /* "user:password", or NULL */
	struct net *net;
	struct model *model;
	struct links links;
	struct turns turns;
	unsigned nturns;
	struct chan *store; /* NULL while the store is away */
	struct history_loads loads;
	struct chan *control;
	struct agent_counts counts;
	struct event *idle; /* to give memory back */
	struct event *stop; /* running: the process is ending */
	const char *health; /* as reported last */
};

/* turns.c: each may free the turn, and says so. */

/* The handlers of an account's link; their arg is a struct link. */
extern const struct chan_handler turn_handlers[];
/* Give up all turns of a link, or of every link when it is NULL. */
void turns_abort(struct agent *, struct link *, const char *code,
    const char *detail);
/* The link's queue has drained. */
void turns_drained(struct link *);

/* Frames to the account: what there is so far, that it thinks. text: copied. */
void turn_text(struct turn *, const char *text, size_t len);
void turn_thinking(struct turn *);

struct turn_usage {
	int64_t prompt; /* tokens; -1: not told */
	int64_t completion;
};

/* Both free the turn. usage and model may be NULL. */
void turn_final(struct turn *, const char *text, size_t len,
    const struct turn_usage *, const char *model);
void turn_fail(struct turn *, const struct verdict *);

/* main.c: health as posternctl shows it; reason may be NULL. */
void agent_health(struct agent *, const char *state, const char *reason);
/* The last turn has ended. */
void agent_idle(struct agent *);

/* model.c */

/*
 * The model part of the configuration; fatal when it is not usable.
 * Before the network is used: model_start(), when key and links are here.
 */
void model_init(struct agent *, struct json_object *cfg);
void model_start(struct agent *);
/* Turns that wait for a free connection. */
unsigned model_queued(const struct agent *);

#endif
