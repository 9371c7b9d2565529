#include "config.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "daemon/conf.h"
#include "daemon/feed.h"
#include "daemon/links.h"
#include "daemon/supervisor.h"

/*
 * Everything that may talk to anything. An agent has a link to an account
 * only when the account's bindings reach it, one to the dialer only when
 * its runtime needs a server, and the callback worker one to an account
 * only when that account has something that is called.
 */
const struct link_rule link_rules[] = {
    {ROLE_DIALER, ROLE_ACCOUNT, PROTO_DIAL, "account", "dial"},
    {ROLE_DIALER, ROLE_AGENT, PROTO_DIAL, "agent", "dial"},
    {ROLE_STORE, ROLE_ACCOUNT, PROTO_STORE_ACCOUNT, "account", "store"},
    {ROLE_STORE, ROLE_AGENT, PROTO_STORE_AGENT, "agent", "store"},
    {ROLE_STORE, ROLE_CONTROL, PROTO_STORE_CONTROL, "control", "store"},
    {ROLE_AGENT, ROLE_ACCOUNT, PROTO_TURN, "turn", "turn"},
    {ROLE_ACCOUNT, ROLE_CONTROL, PROTO_CONTROL_ACCOUNT, "control", "account"},
    {ROLE_AGENT, ROLE_CONTROL, PROTO_CONTROL_AGENT, "control", "agent"},
    {ROLE_CALLBACK, ROLE_ACCOUNT, PROTO_CALLBACK_ACCOUNT, "account",
	"callback"},
    {ROLE_CALLBACK, ROLE_CONTROL, PROTO_CONTROL_CALLBACK, "control",
	"callback"},
    {ROLE_MAX, ROLE_MAX, PROTO_MAX, NULL, NULL},
};

#define AGAIN_MS 1000 /* before a broken link is made anew */

/* How many depend on a worker of that role, roughly. */
static const int weights[ROLE_MAX] = {
    [ROLE_ACCOUNT] = 0,
    [ROLE_CALLBACK] = 0,
    [ROLE_AGENT] = 1,
    [ROLE_CONTROL] = 2,
    [ROLE_DIALER] = 3,
    [ROLE_STORE] = 3,
};

static const struct link_rule *
rule_find(enum role a, enum role b)
{
	const struct link_rule *r;

	for (r = link_rules; r->told_a != NULL; r++)
		if (r->a == a && r->b == b)
			return r;
	fatalx("no link between %s and %s", role_name(a), role_name(b));
}

static void
send_end(struct proc *to, const char *told, const struct proc *peer, int fd)
{
	struct json_object *msg = chan_msg("link"), *opts;

	add_str(msg, "kind", told);
	add_str(msg, "peer", peer->name);
	opts = feed_link_opts(to, peer);
	if (opts != NULL)
		add_obj(msg, "opts", opts);
	chan_send(to->chan, msg, fd);
}

static void
wire(struct link *l)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fd) == -1) {
		/* The daemon as a whole is out of descriptors. */
		log_warn("link between %s and %s", role_name(l->rule->a),
		    role_name(l->rule->b));
		return;
	}
	send_end(l->end[SIDE_A], l->rule->told_a, l->end[SIDE_B], fd[SIDE_A]);
	send_end(l->end[SIDE_B], l->rule->told_b, l->end[SIDE_A], fd[SIDE_B]);
}

static void
send_unlink(struct proc *to, const char *told, const struct proc *peer)
{
	struct json_object *msg;

	if (!proc_is_wired(to))
		return;
	msg = chan_msg("unlink");
	add_str(msg, "kind", told);
	add_str(msg, "peer", peer->name);
	chan_send(to->chan, msg, -1);
}

static void
settle(struct link *l, int side)
{
	if (!l->waits[side])
		return;
	l->waits[side] = 0;
	l->end[side]->waits--;
	proc_peer_settled(l->end[side]);
}

static void
link_free(struct link *l)
{
	int side;

	send_unlink(l->end[SIDE_A], l->rule->told_a, l->end[SIDE_B]);
	send_unlink(l->end[SIDE_B], l->rule->told_b, l->end[SIDE_A]);
	for (side = SIDE_A; side <= SIDE_B; side++) {
		settle(l, side);
		TAILQ_REMOVE(&l->end[side]->links[side], l, entry[side]);
	}
	event_free(l->again);
	free(l);
}

/*
 * Look on the side that has few links: an account or agent, and not the
 * dialer, the store or the control worker, which have one to each of them.
 */
static struct link *
link_find(struct proc *a, struct proc *b)
{
	int side = b->role == ROLE_CONTROL ? SIDE_A : SIDE_B;
	struct proc *few = side == SIDE_A ? a : b;
	struct link *l;

	TAILQ_FOREACH (l, &few->links[side], entry[side])
		if (l->end[SIDE_A] == a && l->end[SIDE_B] == b)
			return l;
	return NULL;
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	if (proc_is_wired(l->end[SIDE_A]) && proc_is_wired(l->end[SIDE_B]))
		wire(l);
}

static void
want(struct supervisor *sup, struct proc *a, struct proc *b)
{
	struct link *l;

	if (a == NULL || b == NULL)
		return;
	if ((l = link_find(a, b)) != NULL) {
		l->round = sup->link_round;
		return;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->again = evtimer_new(sup->base, on_again, l)) == NULL)
		fatal("calloc");
	l->rule = rule_find(a->role, b->role);
	l->end[SIDE_A] = a;
	l->end[SIDE_B] = b;
	l->round = sup->link_round;
	TAILQ_INSERT_TAIL(&a->links[SIDE_A], l, entry[SIDE_A]);
	TAILQ_INSERT_TAIL(&b->links[SIDE_B], l, entry[SIDE_B]);
	if (proc_is_wired(a) && proc_is_wired(b))
		wire(l);
}

static void
want_turns(struct supervisor *sup, struct proc *account)
{
	const struct config *cf = sup->config;
	const struct config_account *ac = account->account;
	size_t i;

	for (i = 0; i < ac->nagents; i++)
		want(sup, proc_find(sup, ROLE_AGENT,
			cf->agents[ac->agents[i]].id), account);
	want(sup, proc_find(sup, ROLE_AGENT,
		cf->agents[cf->default_agent].id), account);
}

static void
sweep(struct supervisor *sup)
{
	struct proc *p;
	struct link *l, *next;

	RB_FOREACH (p, proc_tree, &sup->procs)
		for (l = TAILQ_FIRST(&p->links[SIDE_A]); l != NULL; l = next) {
			next = TAILQ_NEXT(l, entry[SIDE_A]);
			if (l->round != sup->link_round)
				link_free(l);
		}
}

void
links_plan(struct supervisor *sup)
{
	struct proc *store = proc_find(sup, ROLE_STORE, "");
	struct proc *dialer = proc_find(sup, ROLE_DIALER, "");
	struct proc *control = proc_find(sup, ROLE_CONTROL, "");
	struct proc *callback = proc_find(sup, ROLE_CALLBACK, "");
	struct proc *p;

	if (callback != NULL && callback->next == NEXT_REMOVE)
		callback = NULL;
	sup->link_round++;
	want(sup, store, control);
	want(sup, callback, control);
	RB_FOREACH (p, proc_tree, &sup->procs) {
		if (p->next == NEXT_REMOVE)
			continue;
		if (p->role == ROLE_ACCOUNT) {
			want(sup, dialer, p);
			want(sup, store, p);
			want(sup, p, control);
			if (config_account_is_called(sup->config, p->account))
				want(sup, callback, p);
			want_turns(sup, p);
		} else if (p->role == ROLE_AGENT) {
			if (p->agent->model)
				want(sup, dialer, p);
			want(sup, store, p);
			want(sup, p, control);
		}
	}
	sweep(sup);
}

void
links_wire(struct proc *p)
{
	struct link *l;
	struct proc *peer;
	int side;

	p->waits = 0;
	for (side = SIDE_A; side <= SIDE_B; side++)
		TAILQ_FOREACH (l, &p->links[side], entry[side]) {
			peer = l->end[!side];
			if (proc_is_wired(peer))
				wire(l);
			l->waits[side] = peer->phase == PHASE_HELLO;
			p->waits += l->waits[side];
		}
}

void
links_settled(struct proc *p)
{
	struct link *l;
	int side;

	for (side = SIDE_A; side <= SIDE_B; side++)
		TAILQ_FOREACH (l, &p->links[side], entry[side])
			settle(l, !side);
}

void
links_drop(struct proc *p)
{
	struct link *l;
	int side;

	for (side = SIDE_A; side <= SIDE_B; side++)
		while ((l = TAILQ_FIRST(&p->links[side])) != NULL)
			link_free(l);
}

static struct link *
link_told(struct proc *p, const char *kind, const char *peer, int *side)
{
	struct link *l;
	const char *told;

	for (*side = SIDE_A; *side <= SIDE_B; (*side)++)
		TAILQ_FOREACH (l, &p->links[*side], entry[*side]) {
			told = *side == SIDE_A ? l->rule->told_a :
						 l->rule->told_b;
			if (strcmp(told, kind) == 0 &&
			    strcmp(l->end[!*side]->name, peer) == 0)
				return l;
		}
	return NULL;
}

void
links_broken(struct proc *p, const char *kind, const char *peer,
    const char *why)
{
	struct link *l;
	struct proc *other;
	char text[160], clean[128];
	int side, kill;

	/* It may be gone since: the peer has died, or was removed. */
	if ((l = link_told(p, kind, peer, &side)) == NULL)
		return;
	other = l->end[!side];
	if (!proc_is_wired(p) || !proc_is_wired(other))
		return;
	kill = weights[other->role] < weights[p->role];
	/* Whoever says so again and again is not worth a line each time. */
	if (!kill && evtimer_pending(l->again, NULL))
		return;
	log_clean(clean, why, sizeof(clean));
	log_event(LOG_WARNING, "link.broken", "role", role_name(other->role),
	    "name", other->name[0] == '\0' ? NULL : other->name, "says",
	    role_name(p->role), "why", clean, NULL);
	if (!kill) {
		loop_timer(l->again, AGAIN_MS);
		return;
	}
	snprintf(text, sizeof(text), "broke its word to %s: %s",
	    role_name(p->role), clean);
	proc_kill(other, text);
}
