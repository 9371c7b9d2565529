#include "config.h"

#include <string.h>

#include "workers/callback/callback.h"

/*
 * Paths are compared as they are written: nothing is decoded, and "//",
 * "/./" or "%2f" are other paths, which nobody has.
 */
static int
is(const char *path, const char *known)
{
	return known != NULL && strcmp(path, known) == 0;
}

enum route_kind
route_find(const struct callback *cb, const char *path, struct peer **peer)
{
	struct peer *p;

	*peer = NULL;
	if (is(path, "/healthz"))
		return ROUTE_HEALTH;
	if (cb->hooks && is(path, cb->hook_path[0]))
		return ROUTE_HOOK_AGENT;
	if (cb->hooks && is(path, cb->hook_path[1]))
		return ROUTE_HOOK_WAKE;
	TAILQ_FOREACH(p, &cb->peers, entry) {
		if (p->buttons && is(path, p->action_path)) {
			*peer = p;
			return ROUTE_ACTION;
		}
		if (p->commands && (is(path, p->command_path[0]) ||
			is(path, p->command_path[1])))
			return ROUTE_COMMAND;
	}
	return ROUTE_NONE;
}
