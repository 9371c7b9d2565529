/*
 * A turn: one event goes to its agent, what comes back becomes a preview,
 * then an answer in the outbox.
 *
 * The turn is over when the store has committed its end: answered, silent,
 * dead, or to be tried again. Only the final text can be posted; previews
 * are made by draft.c and never stay without an answer.
 */
#ifndef ACCOUNT_TURN_H
#define ACCOUNT_TURN_H

#include <stdint.h>

struct account;
struct json_object;
struct row;
struct turn;

#define TURN_POSTS_MAX 20    /* posts of one turn */
#define TURN_CRASHES_MAX 12  /* workers that died over one event */
#define TURN_CRASHES_SOME 3  /* it runs alone, to see whether it is the one */

/*
 * Start the turn of a row. NULL: it cannot run now (the agent is away) or
 * never (the row has been ended); the row is looked at again by itself.
 */
struct turn *turn_start(struct account *, struct row *);
/* Its session is known now: ask the agent. */
void turn_prepared(struct turn *);
/* Somebody has said stop. 0: it has its end already. */
int turn_cancel(struct turn *);
/* The store was restarted: the claim must be told again. */
void turn_claim(struct account *, struct row *);
/* The agent's link is gone: give the turn up if it was with that one. */
void turn_agent_gone(struct account *, struct row *, const char *agent);

/*
 * A frame of an agent's link. kind: its type. -1: not of its shape. An
 * unknown turn is late and fine.
 */
int turn_frame(struct account *, const char *agent, const char *type,
    struct json_object *msg);

#endif
