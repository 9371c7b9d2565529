#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/backoff.h"
#include "daemon/spawn.h"
#include "daemon/state.h"
#include "daemon/watch.h"

static struct monotime
at(int64_t ms)
{
	return (struct monotime){ms};
}

static void
backoff_doubles_to_a_minute(void **state)
{
	static const int64_t want[] = {
	    1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	struct backoff b = {0};
	int64_t now = 0;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(backoff_next(&b, at(now), at(now + 50)),
		    want[i]);
		now += 50 + want[i];
	}
}

static void
backoff_forgets_after_quiet_time(void **state)
{
	struct backoff b = {0};

	backoff_next(&b, at(0), at(1));
	backoff_next(&b, at(0), at(1));
	/* One millisecond too early, then in time. */
	assert_int_equal(
	    backoff_next(&b, at(0), at(BACKOFF_QUIET_MS - 1)), 4000);
	assert_int_equal(backoff_next(&b, at(0), at(BACKOFF_QUIET_MS)), 1000);
	assert_int_equal(backoff_next(&b, at(0), at(10)), 2000);
	backoff_reset(&b);
	assert_int_equal(backoff_next(&b, at(0), at(10)), 1000);
}

static void
health_follows_a_life(void **state)
{
	struct health_count count = {0};
	struct health h;
	char text[64];

	health_init(&h, &count);
	assert_int_equal(h.state, HEALTH_DOWN);
	assert_int_equal(health_event(&h, HEALTH_EV_SPAWN, NULL), 1);
	assert_int_equal(h.state, HEALTH_STARTING);
	assert_int_equal(health_report(&h, "connecting", NULL, NULL), 1);
	/* Being ready does not undo what it said of itself. */
	assert_int_equal(health_event(&h, HEALTH_EV_READY, NULL), 0);
	assert_int_equal(h.state, HEALTH_CONNECTING);
	assert_int_equal(health_report(&h, "connected", NULL, "@bot"), 1);
	assert_string_equal(h.detail, "@bot");
	health_summary(&count, text, sizeof(text));
	assert_string_equal(text, "1/1 account connected");

	assert_int_equal(
	    health_report(&h, "backoff", "connection refused", NULL), 1);
	assert_string_equal(h.last_error, "connection refused");
	assert_true(h.last_error_at > 0);
	health_report(&h, "connected", NULL, NULL);
	assert_string_equal(h.reason, "");
	assert_string_equal(h.last_error, "connection refused");
	assert_string_equal(h.detail, "@bot");
	health_fini(&h);
	health_summary(&count, text, sizeof(text));
	assert_string_equal(text, "0/0 accounts connected");
}

static void
health_ready_without_a_word_is_up(void **state)
{
	struct health h;

	health_init(&h, NULL);
	health_event(&h, HEALTH_EV_SPAWN, NULL);
	assert_int_equal(health_event(&h, HEALTH_EV_READY, NULL), 1);
	assert_int_equal(h.state, HEALTH_UP);
	assert_int_equal(health_report(&h, "full", "disk full", NULL), 1);
	assert_string_equal(health_name(h.state), "full");
	assert_string_equal(h.last_error, "disk full");
	assert_int_equal(health_report(&h, "open", NULL, NULL), 1);
	assert_int_equal(h.state, HEALTH_UP);
}

static void
health_the_supervisor_wins(void **state)
{
	struct health h;

	health_init(&h, NULL);
	/* The dead do not speak. */
	assert_int_equal(health_report(&h, "connected", NULL, NULL), 0);
	assert_int_equal(h.state, HEALTH_DOWN);
	health_event(&h, HEALTH_EV_SPAWN, NULL);
	health_event(&h, HEALTH_EV_STOP, NULL);
	assert_int_equal(health_report(&h, "connected", NULL, NULL), 0);
	assert_int_equal(h.state, HEALTH_STOPPING);
	health_event(&h, HEALTH_EV_DEATH, "signal 11");
	assert_int_equal(h.state, HEALTH_DOWN);
	assert_string_equal(h.last_error, "signal 11");
}

static void
health_refuses_words_that_are_not_a_workers(void **state)
{
	struct health h;

	health_init(&h, NULL);
	health_event(&h, HEALTH_EV_SPAWN, NULL);
	assert_int_equal(health_report(&h, "down", NULL, NULL), -1);
	assert_int_equal(health_report(&h, "splendid", NULL, NULL), -1);
	assert_int_equal(health_report(&h, "", NULL, NULL), -1);
	assert_int_equal(h.state, HEALTH_STARTING);
}

static void
health_cuts_long_texts(void **state)
{
	char text[HEALTH_TEXT * 2];
	struct health h;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	health_init(&h, NULL);
	health_event(&h, HEALTH_EV_SPAWN, NULL);
	assert_int_equal(health_report(&h, "parked", text, text), 1);
	assert_int_equal(strlen(h.reason), HEALTH_TEXT - 1);
	assert_int_equal(strlen(h.detail), HEALTH_TEXT - 1);
}

static void
health_counts_many(void **state)
{
	struct health_count count = {0};
	struct health h[4];
	char text[64];
	size_t i;

	for (i = 0; i < 4; i++) {
		health_init(&h[i], &count);
		health_event(&h[i], HEALTH_EV_SPAWN, NULL);
		health_report(&h[i], i == 2 ? "parked" : "connected", NULL,
		    NULL);
	}
	health_summary(&count, text, sizeof(text));
	assert_string_equal(text, "3/4 accounts connected");
	health_event(&h[0], HEALTH_EV_DEATH, "x");
	health_summary(&count, text, sizeof(text));
	assert_string_equal(text, "2/4 accounts connected");
	assert_int_equal(count.in[HEALTH_PARKED], 1);
	assert_int_equal(count.in[HEALTH_DOWN], 1);
}

static void
watch_keeps_within_the_watchdog(void **state)
{
	assert_int_equal(watch_interval(0), WATCH_PING_MS);
	assert_int_equal(watch_interval(9000), 3000);
	assert_int_equal(watch_interval(1), 1);
	assert_int_equal(watch_interval(3600000), WATCH_PING_MS);
}

static void
spawn_names_a_sandbox_violation(void **state)
{
	assert_string_equal(
	    spawn_status_text(31), "signal 31 (sandbox violation)");
	assert_string_equal(spawn_status_text(9), "signal 9");
	assert_string_equal(spawn_status_text(2 << 8), "exit status 2");
	assert_string_equal(
	    spawn_status_text(127 << 8), "program could not be run");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(backoff_doubles_to_a_minute),
	    cmocka_unit_test(backoff_forgets_after_quiet_time),
	    cmocka_unit_test(health_follows_a_life),
	    cmocka_unit_test(health_ready_without_a_word_is_up),
	    cmocka_unit_test(health_the_supervisor_wins),
	    cmocka_unit_test(health_refuses_words_that_are_not_a_workers),
	    cmocka_unit_test(health_cuts_long_texts),
	    cmocka_unit_test(health_counts_many),
	    cmocka_unit_test(watch_keeps_within_the_watchdog),
	    cmocka_unit_test(spawn_names_a_sandbox_violation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
