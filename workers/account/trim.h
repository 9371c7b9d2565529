/*
 * Memory that a burst has left unused goes back to the system some seconds
 * after the last event; between events there is no timer at all.
 */
#ifndef ACCOUNT_TRIM_H
#define ACCOUNT_TRIM_H

struct account;

/* a->trim lives as long as the account. */
void trim_init(struct account *);
/* One more event has come in: counts it, too. */
void trim_event(struct account *);

#endif
