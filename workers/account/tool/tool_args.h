/*
 * The arguments of the message tool: what a model wrote, checked.
 *
 * Pure: no I/O. Models write members in several spellings and types; what
 * cannot be understood is an error in words for the model, never a guess.
 */
#ifndef ACCOUNT_TOOL_ARGS_H
#define ACCOUNT_TOOL_ARGS_H

#include <stdint.h>

#include "workers/account/inbound.h"

struct json_object;

enum tool_action {
	TOOL_BAD = 0,
	TOOL_SEND,
	TOOL_REACT,
	TOOL_READ,
	TOOL_BROADCAST /* a send to each of targets */
};

#define READ_LIMIT 60      /* OpenClaw's */
#define READ_LIMIT_MAX 200
#define TOOL_TARGETS_MAX 20 /* a turn posts no more */

struct tool_args {
	enum tool_action action;
	char *error;  /* TOOL_BAD: why, for the model */
	char *target; /* as written; NULL: the conversation */
	/* broadcast: 1 to TOOL_TARGETS_MAX texts; borrowed. Otherwise NULL. */
	struct json_object *targets;
	int dry_run;
	/* send */
	char *text;   /* "" when there is none */
	char *media;  /* URL, or NULL */
	char *filename; /* what the file is called, or NULL: as its URL */
	char post[MM_ID_SIZE]; /* to answer under, or ""; react: the post */
	int top_level; /* not into the current thread */
	int best_effort; /* posted in part is sent */
	int pin, pin_required;
	int silent; /* asked for: Mattermost has no such posts */
	struct json_object *buttons;      /* borrowed, or NULL */
	struct json_object *presentation; /* borrowed, or NULL */
	const char *attachment; /* text above buttons; borrowed, or NULL */
	/* react */
	char *emoji;
	int remove;
	/* read */
	int limit;
	char before[MM_ID_SIZE], after[MM_ID_SIZE];
};

/* args is borrowed and must outlive the result; account: the caller's. */
void tool_args_parse(
    struct json_object *args, const char *account, struct tool_args *);
/*
 * The send to one of the targets of a broadcast, whose members the result
 * borrows; its own strings are copied.
 */
void tool_args_one(
    const struct tool_args *, const char *target, struct tool_args *);
void tool_args_clear(struct tool_args *);

#endif
