/*
 * What became of a request: counted, and shown by status and metrics. The
 * names never change their meaning.
 */
#ifndef CALLBACK_RESULT_H
#define CALLBACK_RESULT_H

#include <stdint.h>

struct json_object;

enum result {
	RESULT_ACCEPTED,       /* an account answered 200 */
	RESULT_REFUSED,        /* an account answered otherwise */
	RESULT_HEALTH,
	RESULT_PROBE,          /* our own test of the address */
	RESULT_BAD_REQUEST,    /* not HTTP as we take it */
	RESULT_NOT_FOUND,
	RESULT_METHOD,
	RESULT_SOURCE,         /* an address that may not call */
	RESULT_TOO_LARGE,
	RESULT_ENCODED,        /* chunked */
	RESULT_TIMEOUT,
	RESULT_MALFORMED,      /* a body that is not what it should be */
	RESULT_NO_CONTEXT,
	RESULT_NO_TOKEN,
	RESULT_BAD_TOKEN,
	RESULT_NO_ACTION,
	RESULT_CHANNEL,        /* another channel than the signed one */
	RESULT_EXPIRED,
	RESULT_CONFLICT,       /* a token of two accounts */
	RESULT_BUSY,           /* too many at once */
	RESULT_NO_ACCOUNT,     /* none is there to take it */
	RESULT_NO_ANSWER,      /* none came in time */
	RESULT_GONE,           /* the caller hung up */
	RESULT_MAX
};

/* Never NULL. */
const char *result_name(enum result);
/* One more with this end. */
void result_count(enum result);
/* Counts by name, those that are not 0. */
struct json_object *result_counts(void);
uint64_t result_total(void);
/* A request was answered; counts by HTTP status. */
void result_answered(int status);
struct json_object *result_statuses(void);

#endif
