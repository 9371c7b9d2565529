#include "config.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "common/chan.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/slow.h"

/* Pooled descriptors, idle connections, dials that fail. */

static atomic_int idle_ms; /* before the server drops a connection */

static void
serve(struct peer *p, void *arg)
{
	struct timeval tv = {0, (idle_ms + p->nth % 3) * 1000};

	/* It drops a connection that is silent for so long, without a word. */
	if (idle_ms >= 0)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	while (peer_request(p)) {
		peer_answer(p, 200, "{}");
		if (strcmp(p->path, "/bye") == 0)
			return;
	}
}

struct state {
	struct fixture f;
	struct net_endpoint *ep;
};

static int
setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	idle_ms = -1;
	fixture_up(&s->f, serve, NULL, NULL);
	s->ep = fixture_endpoint(&s->f, 0, NULL);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct state *s = *state;

	fixture_down(&s->f);
	free(s);
	return 0;
}

static void
test_third_time(void **state)
{
	struct state *s = *state;
	struct call c = {0};

	s->f.dial_fail = 2;
	call_start(s->ep, &c, "POST", "/", "{}");
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 200);
	assert_true(c.elapsed_ms >= 300 && c.elapsed_ms < 1000);
	assert_string_equal(net_endpoint_error(s->ep), "");
}

static void
test_always(void **state)
{
	struct state *s = *state;
	struct call c[30];
	int i, n = 0;

	memset(c, 0, sizeof(c));
	s->f.dial_fail = -1;
	for (i = 0; i < 30; i++) {
		c[i].counter = &n;
		call_start(s->ep, &c[i], "POST", "/", "{}");
	}
	fixture_run(&s->f, &n, 30);
	for (i = 0; i < 30; i++) {
		assert_int_equal(c[i].ending, NET_NOT_SENT);
		assert_string_equal(
		    c[i].error, "connect: Connection refused (3 dials failed)");
		assert_true(c[i].retryable);
		assert_true(c[i].elapsed_ms < 1000);
	}
	assert_int_equal(s->f.dials, 3 * NET_CAP);
	assert_string_equal(
	    net_endpoint_error(s->ep), "connect: Connection refused");
}

static void
test_busy(void **state)
{
	struct state *s = *state;
	struct call c = {0};

	/* More often than three times: a cap is nobody's failure. */
	s->f.dial_busy = 4;
	call_start(s->ep, &c, "POST", "/", "{}");
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 200);
	assert_int_equal(s->f.dials, 5);
}

static void
test_hole(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {.method = "POST",
	    .path = "/",
	    .deadline_ms = 150,
	    .done = call_done,
	    .arg = &c};

	s->f.dial_hole = 1;
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.ending, NET_NOT_SENT);
	assert_true(c.elapsed_ms >= 149 && c.elapsed_ms < 500);
}

/* The request has gone when the descriptor comes: the next one uses it. */
static void
test_late(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {.method = "POST",
	    .path = "/",
	    .deadline_ms = 50,
	    .done = call_done,
	    .arg = &c};

	s->f.dial_delay_ms = 150;
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.ending, NET_NOT_SENT);
	fixture_wait(&s->f, 200);
	s->f.dial_delay_ms = 0;
	call_start(s->ep, &c, "GET", "/", NULL);
	fixture_run(&s->f, &c.done, 2);
	assert_int_equal(c.status, 200);
	assert_int_equal(s->f.dials, 1);
}

static void
test_restart(void **state)
{
	struct state *s = *state;
	struct call c[10];
	int i, n = 0;

	memset(c, 0, sizeof(c));
	s->f.dial_hole = 1;
	for (i = 0; i < 10; i++) {
		c[i].counter = &n;
		call_start(s->ep, &c[i], "POST", "/", "{}");
	}
	fixture_wait(&s->f, 20);
	for (i = 0; i < 5; i++) {
		fixture_dialer_restart(&s->f);
		fixture_wait(&s->f, 10);
	}
	assert_int_equal(n, 0);
	/* It dies; a while later there is a new one. */
	chan_free(s->f.dialer);
	s->f.dialer = NULL;
	fixture_wait(&s->f, 50);
	s->f.dial_hole = 0;
	fixture_dialer_restart(&s->f);
	fixture_run(&s->f, &n, 10);
	for (i = 0; i < 10; i++)
		assert_int_equal(c[i].status, 200);
}

/* The server drops what lies in the pool: another one is dialled. */
static void
test_pooled_gone(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {.method = "GET",
	    .path = "/",
	    .deadline_ms = 30,
	    .done = call_done,
	    .arg = &c};

	s->f.dial_delay_ms = 60;
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	fixture_wait(&s->f, 100);
	assert_int_equal(server_open(s->f.srv), 1);
	server_hang_up(s->f.srv);
	fixture_wait(&s->f, 20);
	s->f.dial_delay_ms = 0;
	call_start(s->ep, &c, "POST", "/", "{}");
	fixture_run(&s->f, &c.done, 2);
	assert_int_equal(c.status, 200);
	assert_int_equal(s->f.dials, 2);
}

static void
test_announced_close(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	int i;

	for (i = 1; i <= 20; i++) {
		call_start(s->ep, &c, "POST", "/bye", "{}");
		fixture_run(&s->f, &c.done, i);
		assert_int_equal(c.status, 200);
		fixture_wait(&s->f, 5);
	}
	assert_int_equal(s->f.dials, 20);
}

/*
 * Idle connections vanish under us all the time. What remains unclear is
 * the race between the look and the first byte.
 */
static void
test_idle_close(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	int i, maybe = 0;

	SKIP_WHEN_SLOW(); /* how many race with the server's close */
	idle_ms = 1;
	for (i = 1; i <= 300; i++) {
		call_start(s->ep, &c, "POST", "/", "{}");
		fixture_run(&s->f, &c.done, i);
		assert_int_not_equal(c.ending, NET_NOT_SENT);
		maybe += c.ending == NET_MAYBE;
		fixture_wait(&s->f, i % 13);
	}
	assert_true(s->f.dials > 30);
	print_message("%d dials, %d unclear\n", s->f.dials, maybe);
	assert_true(maybe <= 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_third_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_always, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hole, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_late, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pooled_gone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_announced_close, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_idle_close, setup, teardown),
	};

	return cmocka_run_group_tests_name("net dial", tests, NULL, NULL);
}
