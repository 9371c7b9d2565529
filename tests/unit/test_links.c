#include "config.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/chan.h"
#include "common/loop.h"
#include "daemon/conf.h"
#include "daemon/links.h"
#include "daemon/supervisor.h"

/* Who may talk to whom, spelled out once more by hand. */
static const struct {
	enum role a, b;
	const char *proto;
} expected[] = {
    {ROLE_DIALER, ROLE_ACCOUNT, "dial"},
    {ROLE_DIALER, ROLE_AGENT, "dial"},
    {ROLE_STORE, ROLE_ACCOUNT, "store-account"},
    {ROLE_STORE, ROLE_AGENT, "store-agent"},
    {ROLE_STORE, ROLE_CONTROL, "store-control"},
    {ROLE_AGENT, ROLE_ACCOUNT, "turn"},
    {ROLE_ACCOUNT, ROLE_CONTROL, "control-account"},
    {ROLE_AGENT, ROLE_CONTROL, "control-agent"},
    {ROLE_CALLBACK, ROLE_ACCOUNT, "callback-account"},
    {ROLE_CALLBACK, ROLE_CONTROL, "control-callback"},
};

static void
the_list_is_what_was_meant(void **state)
{
	size_t i, n = sizeof(expected) / sizeof(expected[0]);

	for (i = 0; link_rules[i].told_a != NULL; i++) {
		assert_true(i < n);
		assert_int_equal(link_rules[i].a, expected[i].a);
		assert_int_equal(link_rules[i].b, expected[i].b);
		assert_string_equal(
		    proto_get(link_rules[i].kind)->name, expected[i].proto);
		assert_non_null(link_rules[i].told_b);
	}
	assert_int_equal(i, n);
}

/* A configuration of three accounts and three agents. */
#define N 3
static size_t bound[N][N];
static struct config_account accounts[N];
static struct config_agent agents[N];
static struct config cf;
static struct supervisor sup;
static char ids[N * 2][4];

static void
config_make(void)
{
	size_t i;

	memset(accounts, 0, sizeof(accounts));
	memset(agents, 0, sizeof(agents));
	memset(&cf, 0, sizeof(cf));
	for (i = 0; i < N; i++) {
		snprintf(ids[i], sizeof(ids[i]), "a%zu", i);
		snprintf(ids[N + i], sizeof(ids[i]), "g%zu", i);
		accounts[i].id = ids[i];
		accounts[i].agents = bound[i];
		agents[i].id = ids[N + i];
	}
	agents[2].model = 1;
	cf.accounts = accounts;
	cf.naccounts = N;
	cf.agents = agents;
	cf.nagents = N;
}

static int
setup(void **state)
{
	struct proc *p;
	size_t i;

	config_make();
	supervisor_init(&sup);
	sup.base = loop_new();
	sup.config = &cf;
	proc_new(&sup, ROLE_STORE, "");
	proc_new(&sup, ROLE_DIALER, "");
	proc_new(&sup, ROLE_CONTROL, "");
	for (i = 0; i < N; i++) {
		p = proc_new(&sup, ROLE_ACCOUNT, ids[i]);
		p->account = &accounts[i];
		p = proc_new(&sup, ROLE_AGENT, ids[N + i]);
		p->agent = &agents[i];
	}
	return 0;
}

static int
teardown(void **state)
{
	struct proc *p, *next;

	RB_FOREACH_SAFE (p, proc_tree, &sup.procs, next)
		proc_free(p);
	event_base_free(sup.base);
	return 0;
}

static int
linked(enum role a, const char *an, enum role b, const char *bn)
{
	struct proc *p = proc_find(&sup, a, an);
	struct link *l;
	int n = 0;

	TAILQ_FOREACH (l, &p->links[SIDE_A], entry[SIDE_A])
		if (l->end[SIDE_B] == proc_find(&sup, b, bn))
			n++;
	return n;
}

static unsigned
count(void)
{
	struct proc *p;
	struct link *l;
	unsigned n = 0;

	RB_FOREACH (p, proc_tree, &sup.procs)
		TAILQ_FOREACH (l, &p->links[SIDE_A], entry[SIDE_A])
			n++;
	return n;
}

static void
bindings_decide(void **state)
{
	bound[0][0] = 1;
	bound[0][1] = 2;
	accounts[0].nagents = 2;
	bound[1][0] = 0; /* the default agent itself, once */
	accounts[1].nagents = 1;
	links_plan(&sup);
	assert_int_equal(linked(ROLE_AGENT, "g0", ROLE_ACCOUNT, "a0"), 1);
	assert_int_equal(linked(ROLE_AGENT, "g1", ROLE_ACCOUNT, "a0"), 1);
	assert_int_equal(linked(ROLE_AGENT, "g2", ROLE_ACCOUNT, "a0"), 1);
	assert_int_equal(linked(ROLE_AGENT, "g0", ROLE_ACCOUNT, "a1"), 1);
	assert_int_equal(linked(ROLE_AGENT, "g1", ROLE_ACCOUNT, "a1"), 0);
	assert_int_equal(linked(ROLE_AGENT, "g0", ROLE_ACCOUNT, "a2"), 1);
	/* Only the agent that has a server dials. */
	assert_int_equal(linked(ROLE_DIALER, "", ROLE_AGENT, "g0"), 0);
	assert_int_equal(linked(ROLE_DIALER, "", ROLE_AGENT, "g2"), 1);
	assert_int_equal(linked(ROLE_DIALER, "", ROLE_ACCOUNT, "a2"), 1);
	/* 5 turns; 1+3 to the dialer, 7 to the store, 6 to control. */
	assert_int_equal(count(), 5 + 4 + 7 + 6);
}

static void
a_second_plan_changes_only_what_changed(void **state)
{
	struct link *kept;
	struct proc *a0;

	bound[0][0] = 1;
	accounts[0].nagents = 1;
	links_plan(&sup);
	a0 = proc_find(&sup, ROLE_ACCOUNT, "a0");
	kept = TAILQ_FIRST(&a0->links[SIDE_B]);
	assert_int_equal(linked(ROLE_AGENT, "g1", ROLE_ACCOUNT, "a0"), 1);
	bound[0][0] = 2;
	links_plan(&sup);
	assert_ptr_equal(TAILQ_FIRST(&a0->links[SIDE_B]), kept);
	assert_int_equal(linked(ROLE_AGENT, "g1", ROLE_ACCOUNT, "a0"), 0);
	assert_int_equal(linked(ROLE_AGENT, "g2", ROLE_ACCOUNT, "a0"), 1);
	assert_int_equal(linked(ROLE_AGENT, "g0", ROLE_ACCOUNT, "a0"), 1);
}

static void
one_that_goes_loses_all(void **state)
{
	unsigned before;

	links_plan(&sup);
	before = count();
	proc_find(&sup, ROLE_ACCOUNT, "a1")->next = NEXT_REMOVE;
	links_plan(&sup);
	/* dialer, store, control, default agent */
	assert_int_equal(count(), before - 4);
	assert_true(TAILQ_EMPTY(
	    &proc_find(&sup, ROLE_ACCOUNT, "a1")->links[SIDE_B]));
}

/* The worker's end of a channel to the supervisor, by hand. */
struct heard {
	int links, unlinks, fds;
	char last[64];
};

static void
on_any(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct heard *h = arg;
	struct json_object *v;
	const char *type;

	json_object_object_get_ex(msg, "t", &v);
	type = json_object_get_string(v);
	h->links += strcmp(type, "link") == 0;
	h->unlinks += strcmp(type, "unlink") == 0;
	h->fds += fd != -1;
	if (json_object_object_get_ex(msg, "kind", &v))
		strlcpy(h->last, json_object_get_string(v), sizeof(h->last));
	if (fd != -1)
		close(fd);
}

static const struct chan_handler worker_side[] = {{"init", on_any},
    {"secret", on_any}, {"fd", on_any}, {"link", on_any}, {"unlink", on_any},
    {"start", on_any}, {"ping", on_any}, {"verbose", on_any},
    {"stop", on_any}, {NULL, NULL}};

static void
on_close(struct chan *c, const char *why, void *arg)
{
}

static struct chan *
attach(struct proc *p, struct heard *h)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	memset(h, 0, sizeof(*h));
	p->chan = chan_new(sup.base, fd[0], PROTO_SUPERVISOR, SIDE_A,
	    proc_handlers, on_close, p);
	p->phase = PHASE_UP;
	return chan_new(sup.base, fd[1], PROTO_SUPERVISOR, SIDE_B,
	    worker_side, on_close, h);
}

static void
turn_loop(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(sup.base, EVLOOP_NONBLOCK);
}

static void
both_ends_are_told(void **state)
{
	struct proc *agent = proc_find(&sup, ROLE_AGENT, "g0");
	struct proc *account = proc_find(&sup, ROLE_ACCOUNT, "a0");
	struct heard ha, hb;
	struct chan *a, *b;

	links_plan(&sup);
	a = attach(agent, &ha);
	b = attach(account, &hb);
	links_wire(account);
	turn_loop();
	assert_int_equal(ha.links, 1);
	assert_int_equal(hb.links, 1);
	assert_int_equal(ha.fds, 1);
	assert_int_equal(hb.fds, 1);
	assert_string_equal(ha.last, "turn");
	/* Again: each gets one that replaces the first. */
	links_wire(agent);
	turn_loop();
	assert_int_equal(ha.links, 2);
	assert_int_equal(hb.links, 2);
	account->next = NEXT_REMOVE;
	links_plan(&sup);
	turn_loop();
	assert_int_equal(ha.unlinks, 1);
	chan_free(a);
	chan_free(b);
	chan_free(agent->chan);
	chan_free(account->chan);
	agent->chan = account->chan = NULL;
}

/* start is not sent while a peer has yet to speak, and then at once. */
static void
waits_for_peers_that_start(void **state)
{
	struct proc *account = proc_find(&sup, ROLE_ACCOUNT, "a0");
	struct proc *store = proc_find(&sup, ROLE_STORE, "");
	struct proc *dialer = proc_find(&sup, ROLE_DIALER, "");
	struct heard h;
	struct chan *c;

	links_plan(&sup);
	c = attach(account, &h);
	account->phase = PHASE_INIT;
	chan_set_state(account->chan, PROTO_INIT);
	store->phase = dialer->phase = PHASE_HELLO;
	links_wire(account);
	assert_int_equal(account->waits, 2);
	store->phase = PHASE_DOWN;
	links_settled(store);
	assert_int_equal(account->waits, 1);
	assert_int_equal(account->phase, PHASE_INIT);
	dialer->phase = PHASE_DOWN;
	links_settled(dialer);
	assert_int_equal(account->waits, 0);
	assert_int_equal(account->phase, PHASE_START);
	chan_free(c);
	chan_free(account->chan);
	account->chan = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_list_is_what_was_meant),
	    cmocka_unit_test_setup_teardown(bindings_decide, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_second_plan_changes_only_what_changed, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		one_that_goes_loses_all, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		both_ends_are_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		waits_for_peers_that_start, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
