#include "config.h"

#include <sys/queue.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/agents.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/turn.h"
#include "workers/worker.h"

struct agent_link {
	SLIST_ENTRY(agent_link) entry;
	struct account *a;
	struct chan *c; /* NULL: being restarted */
	char id[ACCOUNT_ID_SIZE];
};

struct agents {
	SLIST_HEAD(, agent_link) links;
};

struct agents *
agents_new(struct account *a)
{
	struct agents *as;

	if ((as = calloc(1, sizeof(*as))) == NULL)
		fatal("calloc");
	SLIST_INIT(&as->links);
	return as;
}

static struct agent_link *
link_find(const struct account *a, const char *agent)
{
	struct agent_link *l;

	SLIST_FOREACH(l, &a->agents->links, entry)
		if (strcmp(l->id, agent) == 0)
			return l;
	return NULL;
}

static void
on_frame(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct agent_link *l = arg;

	if (turn_frame(l->a, l->id, api_str(msg, "t"), msg) == -1)
		chan_violation(c, "turn frame");
}

static const struct chan_handler handlers[] = {
    {"turn.text", on_frame},
    {"turn.tool", on_frame},
    {"tool.call", on_frame},
    {"turn.thinking", on_frame},
    {"turn.final", on_frame},
    {"turn.error", on_frame},
    {NULL, NULL},
};

static void
link_closed(struct chan *c, const char *why, void *arg)
{
	struct agent_link *l = arg;

	log_event(LOG_WARNING, "agent.link", "account", l->a->id, "agent",
	    l->id, "error", why, NULL);
	worker_broken(l->a->worker, "turn", l->id, why);
	l->c = NULL;
	chan_free(c);
	lanes_agent_gone(l->a, l->id);
}

void
agents_set(struct account *a, const char *agent, int fd)
{
	struct agent_link *l = link_find(a, agent);

	if (l == NULL) {
		if ((l = calloc(1, sizeof(*l))) == NULL)
			fatal("calloc");
		l->a = a;
		ID_COPY(l->id, agent);
		SLIST_INSERT_HEAD(&a->agents->links, l, entry);
	}
	if (l->c != NULL) {
		chan_free(l->c);
		l->c = NULL;
		lanes_agent_gone(a, l->id);
	}
	l->c = chan_new(
	    a->base, fd, PROTO_TURN, SIDE_B, handlers, link_closed, l);
	lanes_run(a);
}

void
agents_remove(struct account *a, const char *agent)
{
	struct agent_link *l = link_find(a, agent);

	if (l == NULL)
		return;
	if (l->c != NULL)
		chan_free(l->c);
	l->c = NULL;
	lanes_agent_gone(a, l->id);
	SLIST_REMOVE(&a->agents->links, l, agent_link, entry);
	free(l);
	lanes_run(a);
}

int
agents_state(const struct account *a, const char *agent)
{
	struct agent_link *l = link_find(a, agent);

	return l == NULL ? -1 : l->c != NULL;
}

int
agents_send(struct account *a, const char *agent, struct json_object *msg)
{
	struct agent_link *l = link_find(a, agent);

	if (l == NULL || l->c == NULL) {
		json_object_put(msg);
		errno = EPIPE;
		return -1;
	}
	return chan_send(l->c, msg, -1);
}
