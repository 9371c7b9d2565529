/*
 * What was dropped and why: counted, and told to the store in batches.
 * Nobody waits for that.
 */
#ifndef ACCOUNT_DROPS_H
#define ACCOUNT_DROPS_H

#include "workers/account/inbound.h"
#include "workers/account/reason.h"

struct account;
struct drops;
struct json_object;

/* Nothing recorded; lives as long as the account. */
struct drops *drops_new(struct account *);
/* Counted, and recorded for explain unless it is our own post. rule: copied. */
void drops_add(struct account *, const struct inbound *, enum reason,
    const char *rule);
/*
 * Of what could not be read: its ids as far as they are known, or ""; name
 * is the server's for the event, NULL for a post of a list. INBOUND_NONE is
 * counted and not recorded: it was about nothing that anybody wrote.
 */
void drops_bad(struct account *, enum inbound_kind, const char *name,
    const char *post, const char *channel, enum reason);
/* Counted alone: what it repeats is told of by what it repeats. */
void drops_count(struct account *, enum inbound_kind, enum reason);
/* Not a drop: accepted, without a row in the inbox that could tell of it. */
void drops_noted(struct account *, const struct inbound *, const char *rule);
void drops_flush(struct account *);
/* {"no-mention": 12, ...} since the start. The caller owns it. */
struct json_object *drops_counts(const struct account *);

#endif
