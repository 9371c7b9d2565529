/*
 * From a target that a person wrote to the id of a channel.
 *
 * channel:ID, channel:NAME and #NAME (exact, in the bot's teams), user:ID,
 * mattermost:ID and @NAME (the direct channel, made when it is not there),
 * and a bare id: a user's when there is such a user, else a channel's.
 */
#ifndef ACCOUNT_RESOLVE_H
#define ACCOUNT_RESOLVE_H

struct account;

/* channel: its id, or NULL with a text for people in failed. */
typedef void (*resolve_fn)(struct account *, const char *channel,
    const char *failed, void *arg);

/* One callback; it may come inside this call. target is copied. */
void resolve_start(
    struct account *, const char *target, resolve_fn, void *arg);

#endif
