#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/secret.h"

static void
test_copy(void **state)
{
	char text[] = "token";
	struct secret *s = secret_new(text, 5);

	memset(text, 'x', 5);
	assert_string_equal(secret_bytes(s), "token");
	assert_int_equal(secret_len(s), 5);
	secret_free(s);
	secret_free(NULL);
}

static void
test_limits(void **state)
{
	static char big[SECRET_MAX + 1];
	struct secret *s;

	memset(big, 'b', sizeof(big));
	assert_null(secret_new(big, 0));
	assert_null(secret_new(big, SECRET_MAX + 1));
	s = secret_new(big, SECRET_MAX);
	assert_int_equal(strlen(secret_bytes(s)), SECRET_MAX);
	secret_free(s);
}

static void
test_equal(void **state)
{
	struct secret *a = secret_new("abc\0def", 7);
	struct secret *b = secret_new("abc\0def", 7);
	struct secret *c = secret_new("abc\0dex", 7);
	struct secret *d = secret_new("abc", 3);

	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, c));
	assert_false(secret_equal(a, d));
	assert_false(secret_equal(NULL, NULL));
	assert_false(secret_equal(a, NULL));
	secret_free(a);
	secret_free(b);
	secret_free(c);
	secret_free(d);
}

/* Freed while its region lives on: the bytes are gone. */
static void
test_wiped(void **state)
{
	struct secret *keep = secret_new("keep", 4);
	struct secret *s = secret_new("0123456789abcdef", 16);
	const char *p = secret_bytes(s);
	size_t i;

	secret_free(s);
	for (i = 0; i < 16; i++)
		assert_int_equal(p[i], 0);
	assert_string_equal(secret_bytes(keep), "keep");
	secret_free(keep);
}

/* Is the mapping that p lies in left out of cores ("dd") and locked? */
static int
mapping_has(const void *p, const char *flag)
{
	char line[512];
	uintptr_t from, to;
	int inside = 0, found = 0;
	FILE *fp = fopen("/proc/self/smaps", "r");

	assert_non_null(fp);
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) ==
		    2)
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(fp);
	return found;
}

static void
test_region(void **state)
{
	struct secret *s = secret_new("x", 1);

	assert_true(mapping_has(secret_bytes(s), " dd"));
#ifndef WITH_SANITIZERS /* ASan makes mlock() do nothing */
	assert_true(mapping_has(secret_bytes(s), " lo"));
#endif
	secret_free(s);
}

/* Many generations, as by reloads: they do not pile up. */
static void
test_generations(void **state)
{
	struct secret *s[3][20], *first = NULL;
	char text[600];
	int i, j;

	memset(text, 't', sizeof(text));
	memset(s, 0, sizeof(s));
	for (i = 0; i < 3000; i++)
		for (j = 0; j < 20; j++) {
			secret_free(s[i % 3][j]);
			s[i % 3][j] = secret_new(text, sizeof(text));
			if (first == NULL)
				first = s[0][0];
		}
	for (i = 0; i < 3; i++)
		for (j = 0; j < 20; j++) {
			assert_int_equal(secret_len(s[i][j]), sizeof(text));
			secret_free(s[i][j]);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_copy),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_equal),
	    cmocka_unit_test(test_wiped),
	    cmocka_unit_test(test_region),
	    cmocka_unit_test(test_generations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
