/*
 * Names of users, as far as they were seen: at most USERS_MAX, the oldest
 * goes first. Only for people to read; decisions are made by id.
 */
#ifndef ACCOUNT_USERS_H
#define ACCOUNT_USERS_H

#include "workers/account/inbound.h"

#define USERS_MAX 1000 /* the oldest goes */

struct account;
struct json_object;
struct users;

/* Knows nobody; lives as long as the account. */
struct users *users_new(void);
/* Borrowed until the next users_learn(); NULL when not known. */
const char *users_name(struct account *, const char *id);
void users_learn(struct account *, const char *id, const char *name);
/* TRI_UNKNOWN until a REST user object has told. */
enum tri users_is_bot(struct account *, const char *id);
/* From a REST user object. */
void users_learn_one(struct account *, struct json_object *);
/* From an array of REST user objects. */
void users_learn_all(struct account *, struct json_object *);

#endif
