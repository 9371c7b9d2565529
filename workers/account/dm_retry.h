/*
 * When to try again to open a direct channel (dmChannelRetry).
 *
 * Pure. A failure is transient by its numbers, status or errno, and never
 * by the words of a text: those can quote anything.
 */
#ifndef ACCOUNT_DM_RETRY_H
#define ACCOUNT_DM_RETRY_H

#include <stdint.h>

struct json_object;

struct dm_retry {
	int max_retries;    /* requests are one more */
	int64_t initial_ms; /* shortest wait */
	int64_t max_ms;     /* longest wait */
	int64_t timeout_ms; /* of each request */
};

struct dm_failure {
	int status;  /* HTTP status of the answer, 0 when there was none */
	int err;     /* errno, 0 when not known */
	int network; /* no answer came, and one may the next time */
};

/*
 * From the account's configuration; what is missing or out of bounds has
 * its default.
 */
void dm_retry_init(struct dm_retry *, struct json_object *account);
int dm_retry_transient(const struct dm_failure *);
/*
 * The wait in ms before the n-th retry, from 1 on: doubled each time, up to
 * twice as long by chance (random: any 32 bits), within the two bounds.
 */
int64_t dm_retry_delay(const struct dm_retry *, int n, uint32_t random);

#endif
