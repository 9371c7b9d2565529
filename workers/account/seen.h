/*
 * The ids that came lately, so that what the server repeats costs nothing.
 * Only a shortcut: the inbox knows every id for good.
 */
#ifndef ACCOUNT_SEEN_H
#define ACCOUNT_SEEN_H

struct seen;

/* Empty; lives as long as the account. */
struct seen *seen_new(void);
/* 1: it was there; 0: it is now. */
int seen_add(struct seen *, const char *id);
/* As if it had never come. */
void seen_forget(struct seen *, const char *id);

#endif
