/*
 * Cold threads: the first turn in a thread of which nothing was seen asks
 * the server for what was said there before (spec channel 3.10).
 *
 * At most RECOVER_MS for one turn, RECOVER_FLIGHT at a time, RECOVER_TRIES
 * for one thread with RECOVER_COOL_MS between them; what cannot be had is
 * left out, and the turn goes on without it.
 */
#ifndef ACCOUNT_RECOVER_H
#define ACCOUNT_RECOVER_H

#define RECOVER_MS 5000
#define RECOVER_TRIES 3
#define RECOVER_COOL_MS 60000
#define RECOVER_FLIGHT 8
#define RECOVER_THREADS 1000 /* remembered */

struct account;
struct recover;
struct recovery;
struct row;

struct recovery *recovery_new(void);

/*
 * Fill the window of the row's session. answered: it has words of its own.
 * NULL: nothing to be done; else fn is called once, later, unless it is
 * cancelled.
 */
struct recover *recover_start(struct account *, struct row *, int answered,
    void (*fn)(void *arg), void *arg);
void recover_cancel(struct recover *);

#endif
