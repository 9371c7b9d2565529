#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"

void *
grow(void *list, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0) {
		list = reallocarray(list, n == 0 ? 1 : 2 * n, size);
		if (list == NULL)
			fatal("reallocarray");
	}
	memset((char *)list + n * size, 0, size);
	return list;
}
