/*
 * Where the answer of a turn goes when its event did not come from there: a
 * hook names a target, which is looked up when its turn begins. The event
 * is in the store before that, whatever the server does.
 */
#ifndef ACCOUNT_TURN_PLACE_H
#define ACCOUNT_TURN_PLACE_H

struct row;
struct turn;

/* 1 when the row has a target and no channel yet. */
int turn_needs_place(const struct row *);
/* 0: it has one, or needs none. 1: turn_go() or turn_fail() follows. */
int turn_place(struct turn *);

#endif
