#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <stddef.h>

#include "workers/account/dm_retry.h"

static const int transient[] = {ECONNRESET, ECONNREFUSED, ETIMEDOUT,
    ECONNABORTED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, EPIPE,
    ENOTCONN, EAGAIN};

int
dm_retry_transient(const struct dm_failure *f)
{
	size_t i;

	if (f->status != 0)
		return f->status == 429 ||
		    (f->status >= 500 && f->status <= 599);
	if (f->err == 0)
		return f->network;
	for (i = 0; i < sizeof(transient) / sizeof(transient[0]); i++)
		if (transient[i] == f->err)
			return 1;
	return 0;
}

int64_t
dm_retry_delay(const struct dm_retry *r, int n, uint32_t random)
{
	int64_t ms = r->initial_ms;

	while (--n > 0 && ms < r->max_ms)
		ms *= 2;
	if (ms > r->max_ms)
		ms = r->max_ms;
	/* Rounded up: ceil(ms * (1 + random / 2^32)). */
	ms += (int64_t)(((uint64_t)ms * random + UINT32_MAX) >> 32);
	if (ms < r->initial_ms)
		ms = r->initial_ms;
	return ms > r->max_ms ? r->max_ms : ms;
}

static int64_t
member(struct json_object *o, const char *key, int64_t min, int64_t max,
    int64_t dflt)
{
	struct json_object *v = NULL;
	int64_t n;

	if (o == NULL || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_int))
		return dflt;
	n = json_object_get_int64(v);
	return n < min || n > max ? dflt : n;
}

void
dm_retry_init(struct dm_retry *r, struct json_object *account)
{
	struct json_object *o = NULL;

	json_object_object_get_ex(account, "dmChannelRetry", &o);
	if (!json_object_is_type(o, json_type_object))
		o = NULL;
	r->max_retries = (int)member(o, "maxRetries", 0, 10, 3);
	r->initial_ms = member(o, "initialDelayMs", 100, 60000, 1000);
	r->max_ms = member(o, "maxDelayMs", 1000, 60000, 10000);
	r->timeout_ms = member(o, "timeoutMs", 5000, 120000, 30000);
	if (r->initial_ms > r->max_ms)
		r->initial_ms = r->max_ms;
}
