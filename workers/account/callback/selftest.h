/*
 * Can the server's callbacks reach us? Where the operator has named the
 * public address of slash commands or buttons, the account sends itself a
 * signed request there, by way of whatever stands in between; the callback
 * worker signs the answer. Tried again while it does not work; what was
 * found is part of status.
 */
#ifndef ACCOUNT_SELFTEST_H
#define ACCOUNT_SELFTEST_H

struct account;
struct json_object;

/* The "probeEndpoints" of the account's configuration; kept. */
void selftest_init(struct account *, struct json_object *list);
/* Its token works: begin, if that has not been done. */
void selftest_start(struct account *);
/* An array of {what, url, state, error?, at?}; the caller owns it. */
struct json_object *selftest_status(struct account *);

#endif
