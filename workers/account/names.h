/*
 * Names in allowlists (dangerouslyAllowNameMatching): asked for by REST
 * before the account connects, and replaced by the ids they stand for.
 * From then on an id decides; a name that is given to somebody else later
 * lets nobody in. Names that nobody has are asked for again with the next
 * connection.
 */
#ifndef ACCOUNT_NAMES_H
#define ACCOUNT_NAMES_H

struct account;
struct json_object;
struct names;

/* failed: NULL, or a line for people; then try again later. */
typedef void (*names_fn)(struct account *, const char *failed);

/* Lives as long as the account. */
struct names *names_new(void);
/* The policy is there. */
void names_init(struct account *);
/* Calls fn once, now or later. Not while one is under way. */
void names_start(struct account *, names_fn);
/* The connection's start was given up: fn will not be called. */
void names_stop(struct account *);
/* 1: there are none to be resolved, or they have been. */
int names_known(const struct account *);
/* {"alice": "id", "bob": ""}, "" for nobody; NULL without any. */
struct json_object *names_status(const struct account *);

#endif
