/* Lists that grow at their end. */
#ifndef COMMON_GROW_H
#define COMMON_GROW_H

#include <stddef.h>

/*
 * A list of N elements of SIZE > 0 bytes, with room for one more, which is
 * zeroed. NULL is the list of none. It may move; the caller frees it. Room is
 * taken at each power of two, so a list of any length costs what it holds:
 * only ever grow a list by this. Without memory the program ends.
 */
void *grow(void *list, size_t n, size_t size);

#endif
