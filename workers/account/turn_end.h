/*
 * How a turn ends: what the agent said becomes outbox rows and a commit.
 */
#ifndef ACCOUNT_TURN_END_H
#define ACCOUNT_TURN_END_H

#include <stdint.h>

#include "common/monotime.h"
#include "workers/account/inbound.h"

struct account;
struct event;
struct json_object;
struct prepared;
struct row;
struct turn_tools;
struct typing;

struct turn {
	struct account *a;
	struct row *row;
	struct typing *typing;
	struct event *guard;
	struct event *again; /* offer the commit to the store once more */
	struct media_in *media; /* attachments on their way, or NULL */
	struct monotime began;
	int64_t id; /* on the agent's link */
	char agent[ACCOUNT_ID_SIZE];
	struct turn_tools *tools; /* or NULL: it has called none */
	int ending; /* the agent has had its say */
	int stopped; /* by somebody, before that */
	int denied;  /* so it was stopped */
	struct prepared *prep;
	/* What it said, while the preview comes to rest. */
	char *text;
	struct json_object *transcript;
	struct json_object *props; /* of the first post, or NULL */
	int command; /* no part of the session */
	int told; /* its tool has answered where it was to */
	char *error; /* NULL: an answer */
	char code[33];
	int transient;
	int refused; /* the store would not take the answer */
	int64_t retry_ms;
	/* What the store is asked to write. */
	struct json_object *commit;
	struct json_object *items;
	int64_t not_before; /* a retry: when; else 0 */
};

/* The answer; takes over transcript. */
void turn_answer(
    struct turn *, const char *text, struct json_object *transcript);
/* text: for people. retry_ms: what the model's server asked for. */
void turn_fail(struct turn *, int transient, const char *code,
    const char *text, int64_t retry_ms);

/* Nothing is answered, and nothing of it stays. */
void turn_stop(struct turn *);
/* The same: who asked may not any more. */
void turn_deny(struct turn *);

/* Timer callback of turn.again. */
void turn_commit_again(int, short, void *turn);

/* turn.c: its place is known, ask the agent. */
void turn_go(struct turn *);
/* turn.c: the turn is over, its memory goes. */
void turn_over(struct turn *);

#endif
