#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "workers/account/history/cold.h"

#define ROOT "r10123456789abcdefghijklmn"
#define OTHER "s20123456789abcdefghijklmn"

/* The clock is turned by hand. */
static struct monotime
at(int64_t ms)
{
	return (struct monotime){ms};
}

static void
test_cool_down(void **state)
{
	struct cold *c = cold_new();

	assert_true(cold_may(c, ROOT, at(5)));
	cold_failed(c, ROOT, at(1000));
	assert_false(cold_may(c, ROOT, at(1000)));
	assert_false(cold_may(c, ROOT, at(1000 + COLD_COOL_MS - 1)));
	assert_true(cold_may(c, OTHER, at(1000)));
	assert_true(cold_may(c, ROOT, at(1000 + COLD_COOL_MS)));
	/* It counts from the last try, not from the first. */
	cold_failed(c, ROOT, at(100000));
	assert_false(cold_may(c, ROOT, at(100000 + COLD_COOL_MS - 1)));
	assert_true(cold_may(c, ROOT, at(100000 + COLD_COOL_MS)));
	cold_free(c);
}

static void
test_three_tries(void **state)
{
	struct cold *c = cold_new();
	int64_t t = 0;
	int i;

	for (i = 0; i < COLD_TRIES; i++) {
		assert_true(cold_may(c, ROOT, at(t)));
		cold_failed(c, ROOT, at(t));
		t += COLD_COOL_MS;
	}
	assert_false(cold_may(c, ROOT, at(t)));
	assert_false(cold_may(c, ROOT, at(t + 1000LL * COLD_COOL_MS)));
	/* One that was had after all may fail as often again. */
	cold_read(c, ROOT);
	for (i = 0; i < COLD_TRIES; i++) {
		assert_true(cold_may(c, ROOT, at(t)));
		cold_failed(c, ROOT, at(t));
		t += COLD_COOL_MS;
	}
	assert_false(cold_may(c, ROOT, at(t)));
	cold_free(c);
}

static void
test_eight_at_once(void **state)
{
	struct cold *c = cold_new();
	int i;

	for (i = 0; i < COLD_FLIGHT; i++) {
		assert_true(cold_may(c, ROOT, at(0)));
		cold_begin(c);
	}
	assert_false(cold_may(c, OTHER, at(0)));
	cold_end(c);
	assert_true(cold_may(c, OTHER, at(0)));
	cold_begin(c);
	assert_false(cold_may(c, ROOT, at(0)));
	cold_free(c);
}

static const char *
root_of(int i)
{
	static char id[27];

	snprintf(id, sizeof(id), "t%025d", i);
	return id;
}

/* The table is bounded; the oldest is forgotten, and asked for again. */
static void
test_thousand(void **state)
{
	struct cold *c = cold_new();
	int i;

	for (i = 0; i < COLD_THREADS; i++)
		cold_failed(c, root_of(i), at(0));
	assert_false(cold_may(c, root_of(0), at(1)));
	cold_failed(c, root_of(COLD_THREADS), at(0));
	assert_true(cold_may(c, root_of(0), at(1)));
	for (i = 1; i <= COLD_THREADS; i++)
		assert_false(cold_may(c, root_of(i), at(1)));
	/* One more failure of a known one takes nobody's place. */
	cold_failed(c, root_of(5), at(0));
	assert_false(cold_may(c, root_of(1), at(1)));
	/* A place that is free again is used. */
	cold_read(c, root_of(7));
	cold_failed(c, root_of(0), at(0));
	assert_false(cold_may(c, root_of(1), at(1)));
	cold_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cool_down),
	    cmocka_unit_test(test_three_tries),
	    cmocka_unit_test(test_eight_at_once),
	    cmocka_unit_test(test_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
