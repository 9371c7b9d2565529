/*
 * Between the decision about an event and its turn the lists may change: a
 * row waits for an agent, for its lane, or for the next start. Whoever asked
 * must still be let in when it begins.
 */
#ifndef ACCOUNT_RECHECK_H
#define ACCOUNT_RECHECK_H

struct account;
struct row;

/* The lists are whole: grants are loaded, names are resolved. */
int recheck_ready(const struct account *);
/* Asked of the policy as it is now. What nobody has said is allowed. */
int recheck_allows(const struct account *, const struct row *);

#endif
