/* The websocket against a server: what is said, and how it ends. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "tests/unit/slow.h"
#include "tests/unit/ws_rig.h"

static void
ends(const char *script, const char *path, enum ws_end end, int code)
{
	struct ws_rig *s = ws_rig_up(script, path, 0, slow_times(300));

	fixture_run(&s->f, &s->closed, 1);
	if (s->end != end || s->code != code)
		fail_msg("%s %s: %s %d %s", script, path, ws_end_name(s->end),
		    s->code, s->why);
	ws_rig_down(s);
}

static void
test_echo(void **state)
{
	struct ws_rig *s = ws_rig_up("echo", "/", 0, 0);
	int i;

	assert_int_equal(ws_send_text(s->ws, "early", 5), -1);
	fixture_run(&s->f, &s->opened, 1);
	assert_int_equal(ws_send_text(s->ws, "hello", 5), 0);
	fixture_run(&s->f, &s->texts, 1);
	assert_string_equal(s->last, "hello");
	fixture_run(&s->f, &s->drained, 1);
	assert_int_equal(ws_queued(s->ws), 0);
	/* Sent from the callback, again and again. */
	s->echo_left = 500;
	ws_send_text(s->ws, "x", 1);
	fixture_run(&s->f, &s->texts, 502);
	/* More than all buffers, both ways. */
	for (i = 0; i < 5; i++)
		assert_int_equal(ws_send_text(s->ws, ws_long_text, 200000), 0);
	assert_int_equal(ws_send_text(s->ws, ws_long_text, 200000), -1);
	fixture_run(&s->f, &s->texts, 507);
	assert_int_equal(s->last_len, 200000);
	ws_close(s->ws, 1000);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_LOCAL);
	assert_int_equal(s->code, 1000);
	ws_rig_down(s);
}

static void
test_auth(void **state)
{
	struct ws_rig *s = ws_rig_up("auth", "/", 0, 0);

	fixture_run(&s->f, &s->texts, 1);
	assert_string_equal(s->last, "Bearer tok");
	ws_rig_down(s);
}

static void
test_fragments(void **state)
{
	struct ws_rig *s = ws_rig_up("fragments", "/", 0, 0);

	fixture_run(&s->f, &s->texts, 2);
	assert_string_equal(s->last, "pong seen");
	assert_int_equal(s->bytes, 13 + 9);
	ws_rig_down(s);
}

static void
test_glued(void **state)
{
	struct ws_rig *s = ws_rig_up("glued", "/", 0, 0);

	fixture_run(&s->f, &s->texts, 2);
	assert_string_equal(s->last, "world");
	ws_rig_down(s);
}

static void
test_ends(void **state)
{
	struct ws_rig *s = ws_rig_up("close", "/", 0, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_CLOSE);
	assert_int_equal(s->code, 4000);
	assert_string_equal(s->why, "close frame of the server: gone?");
	assert_int_equal(s->texts, 0);
	ws_rig_down(s);
	ends("close-empty", "/", WS_END_CLOSE, 1005);
	ends("fin", "/", WS_END_FIN, 0);
	ends("rst", "/", WS_END_RST, 0);
	assert_true(ws_end_noticed(WS_END_FIN) && ws_end_noticed(WS_END_RST) &&
		    ws_end_noticed(WS_END_CLOSE));
	assert_false(ws_end_noticed(WS_END_DEADLINE) ||
		     ws_end_noticed(WS_END_NETWORK) ||
		     ws_end_noticed(WS_END_LOCAL));
}

static void
test_protocol(void **state)
{
	ends("masked", "/", WS_END_PROTOCOL, 1002);
	ends("rsv", "/", WS_END_PROTOCOL, 1002);
	ends("utf8", "/", WS_END_PROTOCOL, 1007);
	ends("huge", "/", WS_END_PROTOCOL, 1009);
	ends("binary", "/", WS_END_PROTOCOL, 1003);
	ends("crumbs", "/", WS_END_PROTOCOL, 1008);
}

static void
test_too_big(void **state)
{
	struct ws_rig *s = ws_rig_up("big", "/", 100000, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_PROTOCOL);
	assert_int_equal(s->code, 1009);
	assert_int_equal(s->texts, 0);
	ws_rig_down(s);
	s = ws_rig_up("big", "/", 200000, 0);
	fixture_run(&s->f, &s->texts, 1);
	assert_int_equal(s->bytes, 200000);
	ws_rig_down(s);
}

static void
test_upgrade(void **state)
{
	struct ws_rig *s = ws_rig_up("upgrade", "/limit", 0, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_UPGRADE);
	assert_int_equal(s->code, 429);
	assert_int_equal(s->retry_after, 2000);
	ws_rig_down(s);
	ends("upgrade", "/accept", WS_END_UPGRADE, 101);
	ends("upgrade", "/noise", WS_END_UPGRADE, 0);
	ends("upgrade", "/endless", WS_END_UPGRADE, 101);
	ends("upgrade", "/mute", WS_END_DEADLINE, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_auth),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_glued),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_protocol),
	    cmocka_unit_test(test_too_big),
	    cmocka_unit_test(test_upgrade),
	};

	return cmocka_run_group_tests_name("ws", tests, ws_rig_plain, NULL) +
	       cmocka_run_group_tests_name(
		   "ws over TLS", tests, ws_rig_tls, NULL);
}
