/*
 * Where every instruction takes as long as fifty: under memcheck. Deadlines
 * are longer there, and what measures time is left out.
 */
#ifndef TESTS_UNIT_SLOW_H
#define TESTS_UNIT_SLOW_H

#include <stdlib.h>

#define SLOW_ENV "POSTERN_SLOW" /* make check-valgrind sets it */

static inline int
slow_times(int ms)
{
	return getenv(SLOW_ENV) == NULL ? ms : 20 * ms;
}

#define SKIP_WHEN_SLOW() \
	do { \
		if (getenv(SLOW_ENV) != NULL) \
			skip(); \
	} while (0)

#endif
