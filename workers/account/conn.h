/*
 * The connection of the bot to its server: one state machine, which is also
 * the account's health.
 *
 * idle -> identify (GET /users/me) -> dialing -> hello -> connected, and on
 * any end backoff (2 s doubling to 60 s, 20 % jitter) or, when the token is
 * refused, parked (5 minutes; for good when there is none). A connection whose end the server noticed is
 * resumed with its id and the exact next sequence number; every other start
 * is fresh and fills the gap by REST.
 *
 * Alive means: the JSON action "ping" is answered, every 30 s within 10 s.
 * Chat traffic is no sign of life or death.
 */
#ifndef ACCOUNT_CONN_H
#define ACCOUNT_CONN_H

#include <stdint.h>

struct account;
struct conn;

/* Not connected; lives as long as the account. */
struct conn *conn_new(struct account *);
/* Something that it may have waited for is there: store, dialer. */
void conn_wake(struct account *);
/*
 * End the connection now; no resume. why: for log and status. The next one
 * is fresh, after back-off.
 */
void conn_drop(struct account *, const char *why);
/* REST says that the token is refused (401). */
void conn_unauthorised(struct account *);
/* Stop for good (the worker is ending). */
void conn_stop(struct account *);
/* Stop or go on reading, by what waits behind us. */
void conn_throttle(struct account *);
int conn_live(const struct account *);
/* Tell the channel that the bot is typing. -1: it could not be said. */
int conn_typing(struct account *, const char *channel, const char *root);

/* For status. */
const char *conn_state_name(const struct account *);
const char *conn_last_error(const struct account *);
int64_t conn_since(const struct account *); /* wall ms of the last change */

#endif
