/*
 * An account as the peer's "channels status --json" gives it.
 */
#ifndef CTL_SNAPSHOT_H
#define CTL_SNAPSHOT_H

struct json_object;

/*
 * accounts: the array of a status, borrowed. An array of the same order, the
 * caller's to put. Times are wall clock ms, null for never; lastDisconnect is
 * null or {at, status: a close code of RFC 6455, error?}. What an account that
 * does not run has not is null, too; probe is there only when one was made.
 */
struct json_object *snapshots(struct json_object *accounts);

#endif
