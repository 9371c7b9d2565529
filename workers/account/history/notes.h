/*
 * What happens without starting a turn, kept for the next one: a reaction
 * becomes a note of its conversation's session in the store; a message that
 * is not answered becomes part of what was said since.
 */
#ifndef ACCOUNT_NOTES_H
#define ACCOUNT_NOTES_H

struct account;
struct inbound;
struct verdict;

/* Accepted, but nothing runs. */
void notes_put(
    struct account *, const struct inbound *, const struct verdict *);
/* Dropped, with v->history. */
void notes_history(
    struct account *, const struct inbound *, const struct verdict *);
/* The id by which the opposite of a reaction was seen: it may come again. */
void notes_opposite(const struct inbound *, char *buf, unsigned long size);

#endif
