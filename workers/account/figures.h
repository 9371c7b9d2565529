/*
 * Counters of one account for the metrics: what came, by kind and by what
 * became of it, and how long turns took. They begin at 0 with the process.
 */
#ifndef ACCOUNT_FIGURES_H
#define ACCOUNT_FIGURES_H

#include <stdint.h>

#include "workers/account/inbound.h"
#include "workers/account/reason.h"

struct account;
struct figures;
struct json_object;

/* All 0; lives as long as the account. */
struct figures *figures_new(void);
/* One more event of the kind. */
void figures_accepted(struct account *, enum inbound_kind);
void figures_dropped(struct account *, enum inbound_kind, enum reason);
/* From the start of a turn to its commit; answered: not given up. */
void figures_turn(struct account *, int64_t ms, int answered);
/* Members "handled" and "turns" of a status frame. */
void figures_add(const struct account *, struct json_object *status);

#endif
