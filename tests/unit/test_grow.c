#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/grow.h"

static void
test_grows(void **state)
{
	uint64_t *v = NULL;
	size_t i;

	for (i = 0; i < 100000; i++) {
		v = grow(v, i, sizeof(*v));
		assert_int_equal(v[i], 0);
		v[i] = i + 1;
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(v[i], i + 1);
	free(v);
}

/* It moves at powers of two alone: nobody pays for each element. */
static void
test_moves_seldom(void **state)
{
	char *v = NULL, *before;
	size_t i;

	for (i = 0; i < 4096; i++) {
		before = v;
		v = grow(v, i, 24);
		if ((i & (i - 1)) != 0)
			assert_ptr_equal(v, before);
	}
	free(v);
}

/* What has shrunk grows again into what it has, or more. */
static void
test_shrunk(void **state)
{
	int *v = NULL;
	size_t n = 0, k, top;

	for (top = 40; top > 0; top--) {
		for (k = n; k < top; k++) {
			v = grow(v, k, sizeof(*v));
			v[k] = (int)k;
		}
		n = top / 2;
	}
	for (k = 0; k < n; k++)
		assert_int_equal(v[k], k);
	free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_moves_seldom),
		cmocka_unit_test(test_shrunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
