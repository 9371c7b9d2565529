/*
 * Who talks to whom. The list is at the head of links.c; nothing else makes
 * a link.
 */
#ifndef DAEMON_LINKS_H
#define DAEMON_LINKS_H

#include <sys/queue.h>

#include "common/proto.h"
#include "daemon/spawn.h"

struct event;
struct proc;
struct supervisor;

struct link_rule {
	enum role a, b;       /* side A and side B of the kind's table */
	enum proto_kind kind;
	const char *told_a;   /* what A is told the link is */
	const char *told_b;
};

struct link {
	TAILQ_ENTRY(link) entry[2];
	const struct link_rule *rule;
	struct proc *end[2]; /* by side */
	int waits[2];        /* that end does not start before the other */
	struct event *again; /* make it anew, after it broke */
	unsigned round;
};

/* The list, for tests; ends with a rule whose told_a is NULL. */
extern const struct link_rule link_rules[];

/*
 * Bring the links in line with the configuration: remember the new ones,
 * wire them where both ends are there, and tell the ends of those that are
 * gone. Linear in the number of links.
 */
void links_plan(struct supervisor *);
/*
 * proc has just been told its configuration: make all of its links anew
 * with every peer that has been, too, and note for whom it has to wait.
 */
void links_wire(struct proc *);
/* proc is not starting any more: those that waited for it need not. */
void links_settled(struct proc *);
/*
 * A worker says that its link of that kind to that peer ended by a broken
 * promise. If more depend on the one who says so than on the peer, the peer
 * is killed, and started again with new links. Otherwise a captured worker
 * could end whom others need, so the link alone is made anew a little later.
 */
void links_broken(struct proc *, const char *kind, const char *peer,
    const char *why);
/* Forget all links of a worker that is being removed. */
void links_drop(struct proc *);

#endif
