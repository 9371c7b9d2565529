/*
 * The account's end of the link to the store.
 *
 * Requests outlive a restart of the store: what was not answered when the
 * link broke is sent again on the next one, in order. Every operation of
 * the store is a no-op the second time, so this is safe.
 */
#ifndef ACCOUNT_STORELINK_H
#define ACCOUNT_STORELINK_H

#include <stdint.h>

struct account;
struct json_object;

/* 1: what failed for this code may go another time: full, quota, io, busy. */
int store_err_passes(const char *err);
/* For people, of a put that failed. */
const char *store_err_words(const char *err);

/* err: NULL when it worked; else the store's code ("full", "io", ...). */
typedef void (*store_fn)(struct account *, struct json_object *reply,
    const char *err, void *arg);

/* Without a link; lives as long as the account. */
struct storelink *storelink_new(struct account *);
/* A (new) link; owns fd. Loads the account's state when it is the first. */
void storelink_set(struct account *, int fd);
/* The account has been started: load what is in the store. */
void storelink_start(struct account *);
/* Links are up, the state is loaded. */
int storelink_ready(const struct account *);

/*
 * A request; msg is consumed. fn is called once, also when the store is
 * gone for long: then it just waits.
 */
void storelink_request(
    struct account *, struct json_object *msg, store_fn, void *arg);
/* In a store_fn: the descriptor that came with the reply, now ours; or -1. */
int storelink_take_fd(struct account *);
/* A message without an answer; lost with the link, by design. */
void storelink_tell(struct account *, struct json_object *msg);
/* Too much is queued: stop reading the server. */
int storelink_full(const struct account *);

#endif
