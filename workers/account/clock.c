#include "config.h"

#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/clock.h"
#include "workers/net/net.h"

void
clock_learn(struct account *a, const struct net_result *r)
{
	int64_t at = net_result_date(r);

	if (at == -1)
		return;
	a->server_at = at;
	a->server_seen = monotime_now();
}

int64_t
clock_now(const struct account *a)
{
	if (a->server_at == 0)
		return walltime_ms();
	return a->server_at + monotime_since(a->server_seen);
}

int64_t
clock_offset(const struct account *a)
{
	return clock_now(a) - walltime_ms();
}
