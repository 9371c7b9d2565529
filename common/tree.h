/*
 * sys/tree.h, with the attribute that its static generators need.
 */
#ifndef COMMON_TREE_H
#define COMMON_TREE_H

#ifndef __unused
#define __unused __attribute__((__unused__))
#endif

#include <sys/tree.h>

#endif
