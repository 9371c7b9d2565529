/*
 * Numbers for places in channels, a place being a channel and the root of a
 * thread in it ("" for the channel itself). At most PLACES_MAX of them: the
 * longest unused goes. Pure memory.
 */
#ifndef ACCOUNT_PLACES_H
#define ACCOUNT_PLACES_H

#include <stdint.h>

struct places;

#define PLACES_MAX 1000 /* as many as the store keeps for an account */

/* Empty, the caller's; how many it has. */
struct places *places_new(void);
void places_free(struct places *);
int places_count(const struct places *);

/* The value there, 0 when there is none. */
int64_t places_get(
    const struct places *, const char *channel, const char *root);
/* The same, and 0 when it was set life ms or longer before now. */
int64_t places_fresh(const struct places *, const char *channel,
    const char *root, int64_t now, int64_t life);
/*
 * Set it, at that time in ms, which makes it the latest used. What is
 * longer than an id is no place and is left out.
 */
void places_set(struct places *, const char *channel, const char *root,
    int64_t value, int64_t at);
void places_forget(struct places *, const char *channel, const char *root);
void places_clear(struct places *);

#endif
