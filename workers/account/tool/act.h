/*
 * What the bot does besides answering: reactions, pins, reading a channel.
 *
 * For agents through the message tool and for operators alike. An agent's
 * call is delegated: it names the channel in which it may act, and what is
 * outside of it is refused. An operator may do what the bot may.
 */
#ifndef ACCOUNT_ACT_H
#define ACCOUNT_ACT_H

#include "workers/account/inbound.h"

struct account;

/* text: the result, or why it failed (ok is 0), for people or the model. */
typedef void (*act_fn)(
    struct account *, int ok, const char *text, void *arg);

/*
 * Add or take back a reaction of the bot. channel: where the post has to
 * be, proved by asking the server; NULL: an operator's, no proof. One
 * callback, which may come inside the call. Strings are copied.
 */
void act_react(struct account *, const char *channel, const char *post,
    const char *emoji, int remove, act_fn, void *arg);

/* Pin a post in its channel. text: NULL, or why not. One callback, as above. */
void act_pin(struct account *, const char *post, act_fn, void *arg);

struct act_read {
	const char *channel;
	int limit; /* 1..200 */
	const char *before, *after; /* post ids, "" none */
	size_t max; /* bytes of the text: older posts are left out for it */
};

/* text: JSON {"ok", "channelId", "messages" [posts], "hasMore"}. */
void act_read(struct account *, const struct act_read *, act_fn, void *arg);
/*
 * May an agent whose conversation is in the channel here read this channel
 * of the given type (0: not known)? NULL, or the refusal.
 */
const char *act_may_read(const struct account *, const char *here,
    const char *channel, char type);

#endif
