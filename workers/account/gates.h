/*
 * The mention gate as people have set it with /activation: for a channel,
 * instead of what the configuration says. The store keeps them.
 */
#ifndef ACCOUNT_GATES_H
#define ACCOUNT_GATES_H

#include "workers/account/inbound.h"

struct account;
struct json_object;

/*
 * TRI_YES: a mention is required, TRI_NO: none is, else as configured. What
 * an accepted command has yet to set counts already.
 */
enum tri gates_get(const struct account *, const char *channel);
/* It is in the store. */
void gates_set(struct account *, const char *channel, enum tri);

/*
 * A row with this data was accepted, or found again: what comes behind an
 * /activation is judged by it, however long that waits for its turn. Others
 * are not looked at.
 */
void gates_expect(const char *channel, const char *event,
    struct json_object *data);
/* That row has ended, or will not be: carried out or not. */
void gates_settled(const char *event);

/* "mention", "always" or "". */
const char *gates_mode(enum tri);
/* What a person calls it, also "default" or "reset". -1: nothing. */
int gates_word(const char *word, enum tri *);

/* All of them, from the store's "access". -1: not of its shape. */
int gates_load(struct account *, struct json_object *access);

#endif
