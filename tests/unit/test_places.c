#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "workers/account/places.h"

#define C1 "c10123456789abcdefghijklmn"
#define C2 "c20123456789abcdefghijklmn"
#define R1 "r10123456789abcdefghijklmn"

static void
test_set_and_get(void **state)
{
	struct places *ps = places_new();

	assert_int_equal(places_get(ps, C1, R1), 0);
	places_set(ps, C1, R1, 7, 1);
	places_set(ps, C1, "", 8, 1);
	assert_int_equal(places_get(ps, C1, R1), 7);
	assert_int_equal(places_get(ps, C1, ""), 8);
	assert_int_equal(places_get(ps, C2, R1), 0);
	places_set(ps, C1, R1, 9, 1);
	assert_int_equal(places_get(ps, C1, R1), 9);
	assert_int_equal(places_count(ps), 2);
	places_forget(ps, C1, R1);
	places_forget(ps, C1, R1);
	assert_int_equal(places_get(ps, C1, R1), 0);
	assert_int_equal(places_count(ps), 1);
	/* Nothing longer than an id is a place. */
	places_set(ps, C1 "x", "", 1, 1);
	places_set(ps, C1, R1 "x", 1, 1);
	assert_int_equal(places_count(ps), 1);
	assert_int_equal(places_get(ps, C1 "x", ""), 0);
	places_clear(ps);
	assert_int_equal(places_count(ps), 0);
	places_free(ps);
}

static void
test_fresh(void **state)
{
	static const int64_t week = 7LL * 24 * 3600 * 1000, at = 1795341160956;
	struct places *ps = places_new();

	assert_false(places_fresh(ps, C1, R1, at, week));
	places_set(ps, C1, R1, 3, at);
	assert_int_equal(places_fresh(ps, C1, R1, at, week), 3);
	assert_int_equal(places_fresh(ps, C1, R1, at + week - 1, week), 3);
	assert_false(places_fresh(ps, C1, R1, at + week, week));
	/* An answer begins another week; a clock set back does no harm. */
	places_set(ps, C1, R1, 4, at + week - 1);
	assert_true(places_fresh(ps, C1, R1, at + week, week));
	assert_true(places_fresh(ps, C1, R1, at, week));
	places_free(ps);
}

static void
test_bound(void **state)
{
	struct places *ps = places_new();
	char root[32];
	int i;

	for (i = 0; i < PLACES_MAX; i++) {
		snprintf(root, sizeof(root), "r%d", i);
		places_set(ps, C1, root, i + 1, 1);
	}
	places_set(ps, C1, "r0", 5, 1); /* used again: not the oldest */
	places_set(ps, C1, "new", 6, 1);
	assert_int_equal(places_count(ps), PLACES_MAX);
	assert_int_equal(places_get(ps, C1, "r0"), 5);
	assert_int_equal(places_get(ps, C1, "r1"), 0);
	assert_int_equal(places_get(ps, C1, "r2"), 3);
	assert_int_equal(places_get(ps, C1, "new"), 6);
	places_free(ps);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set_and_get),
	    cmocka_unit_test(test_fresh),
	    cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
