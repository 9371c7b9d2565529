/*
 * The mention gate as people have set it with /activation: for a channel,
 * instead of what the configuration says. The store keeps them.
 */
#ifndef ACCOUNT_GATES_H
#define ACCOUNT_GATES_H

#include "workers/account/inbound.h"

struct account;
struct json_object;

/* TRI_YES: a mention is required, TRI_NO: none is, else as configured. */
enum tri gates_get(const struct account *, const char *channel);
/* It is in the store. */
void gates_set(struct account *, const char *channel, enum tri);

/* "mention", "always" or "". */
const char *gates_mode(enum tri);

/* All of them, from the store's "access". -1: not of its shape. */
int gates_load(struct account *, struct json_object *access);

#endif
