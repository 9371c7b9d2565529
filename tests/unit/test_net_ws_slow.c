/* Websockets that are slow, deaf, paused or given up. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/ws_rig.h"

static void
test_deaf(void **state)
{
	struct ws_rig *s = ws_rig_up("deaf", "/", 0, 0);
	int64_t cpu;

	/* A close that nobody answers. */
	fixture_run(&s->f, &s->opened, 1);
	cpu = fixture_cpu_ms();
	ws_close(s->ws, 1000);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_LOCAL);
	assert_true(fixture_cpu_ms() - cpu < 100);
	ws_rig_down(s);
}

static void
test_flood(void **state)
{
	/* It reads no pong: ours pile up, and that ends it. */
	struct ws_rig *s = ws_rig_up("flood", "/", 0, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_true(s->end == WS_END_PROTOCOL || s->end == WS_END_FIN ||
		    s->end == WS_END_RST);
	ws_rig_down(s);
}

static void
test_slow(void **state)
{
	/* Back-pressure: the peer does not read for a while. */
	struct ws_rig *s = ws_rig_up("slow", "/", 0, 0);
	int i;

	fixture_run(&s->f, &s->opened, 1);
	for (i = 0; i < 40; i++) {
		while (ws_send_text(s->ws, ws_long_text, 200000) == -1)
			fixture_wait(&s->f, 5);
	}
	fixture_run(&s->f, &s->texts, 40);
	assert_int_equal(s->bytes, 40 * 200000);
	ws_rig_down(s);
}

static void
test_pause(void **state)
{
	struct ws_rig *s = ws_rig_up("many", "/", 0, 0);
	int64_t cpu;
	int n;

	s->pause_at = 100;
	fixture_run(&s->f, &s->texts, 100);
	fixture_wait(&s->f, 20);
	n = s->texts;
	assert_true(n < 1000);
	cpu = fixture_cpu_ms();
	fixture_wait(&s->f, 200);
	assert_int_equal(s->texts, n);
	assert_true(fixture_cpu_ms() - cpu < 50);
	ws_pause(s->ws, 0);
	fixture_run(&s->f, &s->texts, 20000);
	ws_rig_down(s);
}

static void
test_abort(void **state)
{
	struct ws_rig *s = ws_rig_up("many", "/", 0, 0);
	int i;

	s->abort_at = 50;
	fixture_run(&s->f, &s->texts, 50);
	fixture_wait(&s->f, 30);
	assert_int_equal(s->texts, 50);
	assert_int_equal(s->closed, 0);
	for (i = 0; i < 100 && server_open(s->f.srv) > 0; i++)
		fixture_wait(&s->f, 20);
	assert_int_equal(server_open(s->f.srv), 0);
	ws_rig_down(s);
	/* At every stage before. */
	s = ws_rig_up("echo", "/", 0, 0);
	ws_abort(s->ws);
	ws_rig_down(s);
	s = ws_rig_up("echo", "/", 0, 0);
	s->f.dial_delay_ms = 30;
	fixture_wait(&s->f, 10);
	ws_abort(s->ws);
	fixture_wait(&s->f, 50);
	assert_int_equal(s->opened, 0);
	ws_rig_down(s);
	s = ws_rig_up("upgrade", "/mute", 0, 0);
	fixture_wait(&s->f, 50);
	ws_abort(s->ws);
	fixture_wait(&s->f, 10);
	ws_rig_down(s);
}

static void
test_dial(void **state)
{
	struct ws_rig *s = ws_rig_up("echo", "/", 0, 0);

	s->f.dial_fail = 1;
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_DIAL);
	assert_string_equal(s->why, "connect: Connection refused");
	ws_rig_down(s);
	s = ws_rig_up("echo", "/", 0, 100);
	s->f.dial_hole = 1;
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_DEADLINE);
	ws_rig_down(s);
	s = ws_rig_up("echo", "/", 0, 0);
	ws_close(s->ws, 1000);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_LOCAL);
	ws_rig_down(s);
}

/* HTTP goes on beside a websocket that carries much. */
static void
test_beside(void **state)
{
	struct ws_rig *s = ws_rig_up("many", "/", 0, 0);
	struct call c = {0};
	int i;

	for (i = 0; i < 10; i++)
		call_start(s->ep, &c, "GET", "/x", NULL);
	fixture_run(&s->f, &c.done, 10);
	fixture_run(&s->f, &s->texts, 20000);
	ws_rig_down(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_deaf),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_slow),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_abort),
	    cmocka_unit_test(test_dial),
	    cmocka_unit_test(test_beside),
	};

	return cmocka_run_group_tests_name("ws", tests, ws_rig_plain, NULL) +
	       cmocka_run_group_tests_name(
		   "ws over TLS", tests, ws_rig_tls, NULL);
}
