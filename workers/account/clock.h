/*
 * The time as the server has it. Posts carry the server's time, and our own
 * clock may be wrong or be set while we run: how old a post is, and since
 * when one of ours may be in a channel, is asked here and not of the wall.
 */
#ifndef ACCOUNT_CLOCK_H
#define ACCOUNT_CLOCK_H

#include <stdint.h>

struct account;
struct net_result;

/*
 * From an answer of the server (its Date, RFC 9110 6.6.1: to the second, so
 * what is learnt is up to a second early). Without a Date nothing changes.
 */
void clock_learn(struct account *, const struct net_result *);
/* Milliseconds since the epoch; by our own clock until one was learnt. */
int64_t clock_now(const struct account *);
/* What to add to a time of our own clock, as it is now. */
int64_t clock_offset(const struct account *);

#endif
