/*
 * Between policy_compile.c and policy_agents.c.
 */
#ifndef ACCOUNT_POLICY_IMPL_H
#define ACCOUNT_POLICY_IMPL_H

#include <stddef.h>

struct fields;
struct policy;

#define LIST_MAX 10000 /* entries of any list in the configuration */

/* Room for one more element of size, zeroed, behind n of them. */
void *policy_grow(void *list, size_t n, size_t size);
void policy_compile_agents(struct policy *, struct fields *);
void policy_compile_bindings(struct policy *, struct fields *);

#endif
