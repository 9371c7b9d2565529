/*
 * High-water marks: the last post of a channel that an account has seen,
 * from which a gap is filled after a reconnect. A mark never moves back.
 * Also the accounts themselves, with the time of their first load.
 */
#ifndef WORKERS_STORE_MARK_H
#define WORKERS_STORE_MARK_H

#include "workers/store/db.h"

/* An at lower than the stored one changes nothing. at: ms. */
enum store_rc mark_set(struct db *, const char *account, const char *channel,
    const char *post, int64_t at);

/*
 * *first_at: ms of the first load of the account; 0 when that is this one,
 * and then now is kept.
 */
enum store_rc mark_first(
    struct db *, const char *account, int64_t now, int64_t *first_at);

#endif
