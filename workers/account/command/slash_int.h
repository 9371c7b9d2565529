/*
 * What the files of the slash commands share.
 */
#ifndef ACCOUNT_SLASH_INT_H
#define ACCOUNT_SLASH_INT_H

#include <sys/queue.h>

#include <stdint.h>

#include "common/monotime.h"
#include "workers/account/command/slash.h"
#include "workers/account/command/slash_text.h"
#include "workers/account/inbound.h"

#define SLASH_SYNC_MS 600000 /* compared again that often */
#define SLASH_AGAIN_MS 30000 /* after a failure */
#define CHECK_MS 1000        /* one look at the server */
#define CHECK_FAILED_MS 5000 /* a failure counts that long */
#define CHECK_BURST 20       /* looks at one command in a row */
#define CHECK_EVERY_MS 500   /* then one per */
#define SLASH_TOKEN_MAX 256  /* bytes that the callback worker takes */

struct event;
struct secret;

/* A trigger that there shall be. */
struct slash_spec {
	TAILQ_ENTRY(slash_spec) entry;
	char trigger[SLASH_TRIGGER_MAX + 1];
	char *name; /* of the text command */
	char *desc;
	char *hint;
	char *prompt; /* said to the agent in the place of the line, or NULL */
	int manual; /* an administrator made it */
};

/* A trigger of one team as the server knows it. */
struct slash_cmd {
	TAILQ_ENTRY(slash_cmd) entry;
	const struct slash_spec *spec;
	struct secret *token;
	char team[MM_ID_SIZE]; /* "": a manual one of every team */
	char id[MM_ID_SIZE];   /* "" of a manual one */
	int ours;       /* we made it: goes when we go */
	int seen;       /* by the round under way */
	/* The proof; see slash_check.c. */
	struct monotime failed, refilled;
	int tokens;     /* looks left; -1: never looked */
	int told;       /* that there are none */
	TAILQ_HEAD(, slash_check) checks;
};

struct slash {
	struct account *a;
	TAILQ_HEAD(, slash_spec) specs;
	TAILQ_HEAD(, slash_cmd) cmds;
	struct json_object *record; /* [{team, trigger, id}] of the store */
	struct slash_sync *sync;    /* a round under way */
	struct event *timer;
	char *url;
	const char *problem; /* static, or NULL */
	int on;      /* commands.native is true */
	int again;   /* another round after this one */
	int stopped;
};

/* Tell the callback worker all that there are. */
void slash_tell(struct account *);
/* The command of that team and trigger, or NULL. */
struct slash_cmd *slash_find(struct account *, const char *team,
    const char *trigger);
/* A new one, or the one that there is. */
struct slash_cmd *slash_put(struct account *, const struct slash_spec *,
    const char *team, const char *id, const char *token, int ours);
void slash_drop(struct account *, struct slash_cmd *);
/* The recorded id of what we made, or "". */
const char *slash_recorded(
    struct account *, const char *team, const char *trigger);
/* Record it, here and in the store; id "" forgets it. */
void slash_record(struct account *, const char *team, const char *trigger,
    const char *id);

/* 1: the server says that this call is one. One callback. */
typedef void (*slash_check_fn)(struct account *, int ok, void *arg);
void slash_check(
    struct account *, struct slash_cmd *, slash_check_fn, void *arg);
/* The command goes: whoever waits is refused. */
void slash_check_drop(struct account *, struct slash_cmd *);

#endif
