#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "workers/control/control.h"
#include "workers/worker.h"

/* All of them answer us; only an account says more. */
static const struct chan_handler no_requests[] = {{NULL, NULL}};
static void on_progress(struct chan *, struct json_object *, int, void *);
static const struct chan_handler account_handlers[] = {
    {"send.progress", on_progress}, {NULL, NULL}};

static const struct {
	const char *name;
	enum proto_kind proto;
	const struct chan_handler *handlers;
} kinds[] = {
    {"account", PROTO_CONTROL_ACCOUNT, account_handlers},
    {"agent", PROTO_CONTROL_AGENT, no_requests},
    {"callback", PROTO_CONTROL_CALLBACK, no_requests},
    {"store", PROTO_STORE_CONTROL, no_requests},
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static int
peer_cmp(struct peer *a, struct peer *b)
{
	int d = strcmp(a->kind, b->kind);

	return d != 0 ? d : strcmp(a->name, b->name);
}

RB_GENERATE(peer_tree, peer, node, peer_cmp)

static struct peer *
find(struct control *co, const char *kind, const char *name)
{
	struct peer key;

	key.kind = kind;
	key.name = (char *)(uintptr_t)name;
	return RB_FIND(peer_tree, &co->peers, &key);
}

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct peer *p = arg;

	if (strcmp(why, "hangup") != 0)
		log_event(LOG_WARNING, "control.peer_broken", "kind", p->kind,
		    "name", p->name, "why", why, NULL);
	worker_broken(p->control->worker, p->kind, p->name, why);
	p->chan = NULL;
	chan_free(c);
}

static void
on_progress(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct peer *p = arg;

	files_progress(p->control, p->name, msg, c);
}

int
peers_link(struct control *co, const char *kind, const char *name, int fd)
{
	struct peer *p = find(co, kind, name);
	struct chan *old;
	size_t i;

	for (i = 0; i < NKINDS; i++)
		if (strcmp(kinds[i].name, kind) == 0)
			break;
	if (i == NKINDS) {
		close(fd);
		return -1;
	}
	if (p == NULL) {
		if ((p = calloc(1, sizeof(*p))) == NULL ||
		    (p->name = strdup(name)) == NULL)
			fatal("calloc");
		p->control = co;
		p->kind = kinds[i].name;
		RB_INSERT(peer_tree, &co->peers, p);
	}
	old = p->chan;
	p->chan = NULL;
	chan_free(old);
	p->chan = chan_new(co->base, fd, kinds[i].proto, SIDE_B,
	    kinds[i].handlers, on_close, p);
	return 0;
}

void
peers_unlink(struct control *co, const char *kind, const char *name)
{
	struct peer *p = find(co, kind, name);
	struct chan *c;

	if (p == NULL)
		return;
	RB_REMOVE(peer_tree, &co->peers, p);
	c = p->chan;
	p->chan = NULL;
	chan_free(c);
	free(p->name);
	free(p);
}

struct chan *
peers_chan(struct control *co, const char *kind, const char *name)
{
	struct peer *p = find(co, kind, name);

	return p == NULL ? NULL : p->chan;
}

int
peers_know(struct control *co, const char *kind, const char *name)
{
	return find(co, kind, name) != NULL;
}
