/*
 * The pairing store of an OpenClaw installation, as files of JSON:
 *
 *  mattermost-pairing.json               {"requests": [{id, code, createdAt,
 *                                        lastSeenAt, meta: {accountId, name}}]}
 *  mattermost-allowFrom.json             {"allowFrom": [id]} of "default"
 *  mattermost-ACCOUNT-allowFrom.json     the same of that account
 */
#ifndef CTL_PAIRING_FILE_H
#define CTL_PAIRING_FILE_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

#define PAIRING_BATCH 128 /* entries in one question to the daemon */

/* What is to be asked for one account. */
struct pairing_part {
	char account[65];
	struct json_object *grants;   /* array of user ids */
	struct json_object *requests; /* array of {user, code, name, created,
					 seen} */
};

struct pairing_parts {
	struct pairing_part *parts;
	size_t n;
	int64_t skipped; /* entries that are no user ids, or malformed */
};

/*
 * Read one file, or those of a directory, into parts, which the caller
 * began with zeros. account: of all that is found, or NULL for the one that
 * the file names. 0, or -1 and why was told on stderr.
 */
int pairing_file_read(
    const char *path, const char *account, struct pairing_parts *);
void pairing_parts_free(struct pairing_parts *);
/* The bare user id of an entry of an allowlist, or NULL. Static buffer. */
const char *pairing_user_id(const char *entry);
/* ms of an ISO time in UTC, 0 when it is none; and back (static buffer). */
int64_t pairing_time(const char *iso);
const char *pairing_iso(int64_t ms);

#endif
