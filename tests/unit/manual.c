#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/manual.h"

#define PAGE_MAX (256 * 1024)

char *
manual_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *buf = calloc(1, PAGE_MAX);
	size_t n;

	if (f == NULL || buf == NULL)
		fail_msg("%s cannot be read", path);
	n = fread(buf, 1, PAGE_MAX - 1, f);
	fclose(f);
	assert_in_range(n, 1, PAGE_MAX - 2);
	return buf;
}
