/*
 * For message_tool.c (the turn's side), message_send.c (posts), message_may.c: one call of
 * the message tool on its way.
 */
#ifndef ACCOUNT_MESSAGE_TOOL_INT_H
#define ACCOUNT_MESSAGE_TOOL_INT_H

#include <stdint.h>

#include "workers/account/lane.h"
#include "workers/account/tool/tool_args.h"

struct event;

#define TOOL_SENDS_MAX 64 /* of one turn; an agent asks for fewer calls */

/* Of a turn. */
struct turn_tools {
	struct tool_op *op; /* under way, or NULL */
	size_t bytes;	    /* posted */
	int replied;	    /* into the conversation */
	/* What was sent, to tell a repetition from a second run. */
	uint64_t sent[TOOL_SENDS_MAX];
	size_t n_sent;
};

/* A post of a call. */
struct tool_post {
	struct tool_op *op;
	size_t i; /* of its items */
	int ended;
	int watched; /* the outbox will tell its end */
	char post[MM_ID_SIZE];
	char *failed;
};

struct tool_op {
	struct account *a;
	struct turn *t; /* NULL: gone */
	struct json_object *req; /* for its id and its arguments */
	struct broadcast *cast;	 /* its own, or NULL */
	struct broadcast *of;	 /* this is one of its targets, or NULL */
	struct tool_args args;
	char channel[MM_ID_SIZE];
	char root[MM_ID_SIZE];
	/* Of the turn's row, which may go before this. */
	char lane[LANE_KEY_SIZE];
	int64_t seq;
	/* send */
	struct json_object *items;
	struct tool_post *posts;
	size_t n, left;
	struct event *again;
	int waits; /* for our identity */
	char *part; /* best effort: why a part of it was not posted */
	char *pin_failed;
	struct json_object *files; /* ids of what was uploaded, or NULL */
	int media_seen;
};

/* args borrowed from req, which is kept; the turn is not told. */
struct tool_op *tool_op_new(struct turn *, struct json_object *req);
/* Answers the call, if somebody waits for it; the op is gone. */
void tool_op_end(struct tool_op *, int ok, const char *text);
/* Without an answer. */
void tool_op_free(struct tool_op *);
/* args are known, and may be done: the target, and then the action. */
void tool_op_start(struct tool_op *);
/* The target is known: channel. */
void tool_send(struct tool_op *);
/* A new array of the ids of its posts that are there. */
struct json_object *tool_posted(const struct tool_op *);
/*
 * message_may.c: the channel is known; tool_allowed() follows when whoever
 * asks could do it there, too, and otherwise the refusal.
 */
void tool_may(struct tool_op *);
void tool_allowed(struct tool_op *);
/* "send", "react": of its action. */
const char *tool_verb(const struct tool_op *);
/* message_media.c: the file first, then tool_send() again. */
void tool_media(struct tool_op *);
int tool_is_here(const struct tool_op *);

/* message_broadcast.c: a send to each of the targets of op, in order. */
void tool_broadcast(struct tool_op *);
/* One of them has ended, and is gone with this. */
void tool_broadcast_one(struct tool_op *, int ok, const char *text);
/* The turn of the op, a broadcast, is gone. */
void tool_broadcast_orphan(struct broadcast *);

#endif
