/*
 * Between policy_compile.c and policy_agents.c.
 */
#ifndef ACCOUNT_POLICY_IMPL_H
#define ACCOUNT_POLICY_IMPL_H

struct fields;
struct policy;


/*
 * "agents" and "bindings" of the account's configuration into the policy,
 * which owns what they make; an entry that cannot be read is left out.
 */
void policy_compile_agents(struct policy *, struct fields *);
void policy_compile_bindings(struct policy *, struct fields *);

#endif
