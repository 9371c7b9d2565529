/*
 * Cold threads: the first turn in a thread of which nothing was seen asks
 * the server for what was said there before.
 *
 * At most RECOVER_MS for one turn, and so often as cold.h lets it; what cannot
 * be had is left out, and the turn goes on without it.
 */
#ifndef ACCOUNT_RECOVER_H
#define ACCOUNT_RECOVER_H

#define RECOVER_MS 5000

struct account;
struct recover;
struct row;

/*
 * Fill the window of the row's session. answered: it has words of its own.
 * NULL: nothing to be done; else fn is called once, later, unless it is
 * cancelled.
 */
struct recover *recover_start(struct account *, struct row *, int answered,
    void (*fn)(void *arg), void *arg);
void recover_cancel(struct recover *);

#endif
