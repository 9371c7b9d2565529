#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/log.h"
#include "workers/callback/callback.h"

/* Whoever reaches the port decides how often. */
#define LINES_MAX 10
#define LINES_MS 60000

static const char *
what_of(enum route_kind route)
{
	switch (route) {
	case ROUTE_COMMAND:
		return "command";
	case ROUTE_ACTION:
		return "button";
	case ROUTE_HOOK_AGENT:
	case ROUTE_HOOK_WAKE:
		return "hook";
	default:
		return NULL;
	}
}

/* The address, or NULL for a UNIX socket. */
static const char *
from_of(const struct conn *c, char *buf, size_t len)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct addr a;

	if (conn_client(c, &a) == -1)
		return NULL;
	if (memcmp(a.b, mapped, sizeof(mapped)) == 0)
		return inet_ntop(AF_INET, a.b + 12, buf, (socklen_t)len);
	return inet_ntop(AF_INET6, a.b, buf, (socklen_t)len);
}

/* 1 when there is room for a line; *missed is how many there was none for. */
static int
may_log(long long *missed)
{
	static struct monotime since;
	static long long lines;

	if (lines == 0 || monotime_since(since) >= LINES_MS) {
		*missed = lines > LINES_MAX ? lines - LINES_MAX : 0;
		since = monotime_now();
		lines = 0;
	} else
		*missed = 0;
	return ++lines <= LINES_MAX;
}

void
refused_tell(const struct conn *c, enum result r, int status)
{
	const char *what = what_of(conn_route(c));
	const struct peer *p = conn_peer(c);
	char from[INET6_ADDRSTRLEN];
	long long missed;

	/* What an account has said is told of by the account. */
	if (what == NULL || r == RESULT_ACCEPTED || r == RESULT_REFUSED ||
	    r == RESULT_PROBE || !may_log(&missed))
		return;
	log_event(LOG_NOTICE, "callback.refused", "account",
	    p == NULL ? NULL : p->id, "what", what, "why", result_name(r),
	    "status", LOG_NUM(status), "post", conn_post(c), "from",
	    from_of(c, from, sizeof(from)), "not_shown",
	    missed == 0 ? NULL : LOG_NUM(missed), NULL);
}
