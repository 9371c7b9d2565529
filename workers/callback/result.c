#include "config.h"

#include <json-c/json.h>
#include <stdio.h>

#include "workers/callback/result.h"

static const char *const names[RESULT_MAX] = {
    [RESULT_ACCEPTED] = "accepted",
    [RESULT_REFUSED] = "refused",
    [RESULT_HEALTH] = "health",
    [RESULT_PROBE] = "probe",
    [RESULT_BAD_REQUEST] = "bad-request",
    [RESULT_NOT_FOUND] = "not-found",
    [RESULT_METHOD] = "method",
    [RESULT_SOURCE] = "source",
    [RESULT_TOO_LARGE] = "too-large",
    [RESULT_ENCODED] = "encoded",
    [RESULT_TIMEOUT] = "timeout",
    [RESULT_MALFORMED] = "malformed",
    [RESULT_NO_CONTEXT] = "no-context",
    [RESULT_NO_TOKEN] = "no-token",
    [RESULT_BAD_TOKEN] = "bad-token",
    [RESULT_NO_ACTION] = "no-action",
    [RESULT_CHANNEL] = "channel-mismatch",
    [RESULT_EXPIRED] = "expired",
    [RESULT_CONFLICT] = "conflict",
    [RESULT_BUSY] = "busy",
    [RESULT_NO_ACCOUNT] = "no-account",
    [RESULT_NO_ANSWER] = "no-answer",
    [RESULT_GONE] = "gone",
};

static uint64_t counts[RESULT_MAX];
static uint64_t statuses[600]; /* by HTTP status */

const char *
result_name(enum result r)
{
	return names[r];
}

void
result_count(enum result r)
{
	counts[r]++;
}

struct json_object *
result_counts(void)
{
	struct json_object *o = json_object_new_object();
	int i;

	for (i = 0; i < RESULT_MAX; i++)
		if (counts[i] > 0)
			json_object_object_add(o, names[i],
			    json_object_new_int64((int64_t)counts[i]));
	return o;
}

uint64_t
result_total(void)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < RESULT_MAX; i++)
		n += counts[i];
	return n;
}

void
result_answered(int status)
{
	if (status >= 100 && status < 600)
		statuses[status]++;
}

struct json_object *
result_statuses(void)
{
	struct json_object *o = json_object_new_object();
	char key[8];
	int i;

	for (i = 100; i < 600; i++) {
		if (statuses[i] == 0)
			continue;
		snprintf(key, sizeof(key), "%d", i);
		json_object_object_add(
		    o, key, json_object_new_int64((int64_t)statuses[i]));
	}
	return o;
}
