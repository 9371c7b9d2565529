/*
 * From a target that a person or an agent wrote to the id of a channel.
 *
 * channel:ID, group:ID, channel:NAME and #NAME (exact, in the bot's teams;
 * in more than one of them it is an error that lists them), user:ID,
 * mattermost:ID and @NAME (the direct channel, made when it is not there),
 * and a bare id: a user's when there is such a user, else a channel's.
 *
 * What was found is kept: kinds of bare ids for 5 minutes, the rest for
 * ever, 1024 of each. Opening a direct channel is tried again as
 * dmChannelRetry says.
 */
#ifndef ACCOUNT_RESOLVE_H
#define ACCOUNT_RESOLVE_H

struct account;
struct json_object;
struct resolver;

/* channel: its id, or NULL with a text for people in failed. */
typedef void (*resolve_fn)(struct account *, const char *channel,
    const char *failed, void *arg);

/* config: of the account, borrowed for the call. Lives as long as it. */
struct resolver *resolver_new(struct json_object *config);
/* One callback; it may come inside this call. target is copied. */
void resolve_start(
    struct account *, const char *target, resolve_fn, void *arg);

/* Within a callback that failed: it may work in a while. */
int resolve_is_passing(const struct account *);

#endif
