/*
 * A page of posts as a server gives it, for the gap fill. Arrays are new and
 * the caller's.
 */
#ifndef ACCOUNT_GAP_PAGE_H
#define ACCOUNT_GAP_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct account;
struct json_object;

/*
 * The page as an array of posts, oldest first: "order" counts, "posts" may
 * hold more than it. NULL: no list of posts; what is asked for next is made
 * of their ids.
 */
struct json_object *page_sort(struct json_object *body);
/* Of post i of a sorted page, in ms of the server's clock. */
int64_t page_at(struct json_object *page, size_t i);
/*
 * When the bot came into the channel, in ms, by the last post that tells so;
 * 0 when none does. What was said before is not for it.
 */
int64_t page_joined(struct json_object *page, const char *bot_id);
/*
 * The ids of the posts after floor, from index *from on, and as many as the
 * store is asked for at once: a server may give more than a page. *from is
 * moved behind them; an empty array: there are no more.
 */
struct json_object *page_ids(struct json_object *page, int64_t floor,
    size_t *from);
/*
 * The ids of the authors whose names we lack; NULL when none. Pages of other
 * channels may ask for the same at the same time: each needs them.
 */
struct json_object *page_strangers(struct account *, struct json_object *page);

#endif
