/*
 * What was dropped and why: counted, and told to the store in batches.
 * Nobody waits for that.
 */
#ifndef ACCOUNT_DROPS_H
#define ACCOUNT_DROPS_H

struct account;
struct drops;
struct inbound;
struct json_object;
struct verdict;

struct drops *drops_new(struct account *);
void drops_add(
    struct account *, const struct inbound *, const struct verdict *);
void drops_flush(struct account *);
/* {"no-mention": 12, ...} since the start. The caller owns it. */
struct json_object *drops_counts(const struct account *);

#endif
