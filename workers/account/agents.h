/*
 * The links to the agents that this account may ask.
 */
#ifndef ACCOUNT_AGENTS_H
#define ACCOUNT_AGENTS_H

#include <stdint.h>

struct account;
struct agents;
struct json_object;

/* No links; lives as long as the account. */
struct agents *agents_new(struct account *);
/* A (new) link to an agent; owns fd. */
void agents_set(struct account *, const char *agent, int fd);
/* That agent was taken out of the configuration. */
void agents_remove(struct account *, const char *agent);
/* 1: linked, 0: known but not there now, -1: not known. */
int agents_state(const struct account *, const char *agent);
/* Consumes msg. -1 and errno as chan_send(). */
int agents_send(struct account *, const char *agent, struct json_object *msg);

#endif
