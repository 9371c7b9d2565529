/*
 * The gate in front of HTTP: a fixed number of connections, a share of them
 * for each source, and the oldest that waits for its client gives its place
 * to a new one. So idle and dripping connections cost a descriptor each for
 * a while, and never more.
 */
#ifndef CALLBACK_GATE_H
#define CALLBACK_GATE_H

#include <stdint.h>

#define GATE_SLOTS 512
#define GATE_SOURCE 128 /* of one address, or IPv6 network of 64 bits */

struct callback;
struct gate;
struct gated;

/* Without sockets; lives as long as the worker. */
struct gate *gate_new(struct callback *);
/* A bound socket; accepts on it from gate_start() on. */
void gate_listen(struct gate *, int fd);
void gate_start(struct gate *);
/* Accept no more; what is queued waits for the next worker. */
void gate_stop(struct gate *);
/* Fewer requests are under way than there were. */
void gate_room(struct gate *);
/* And close what is idle; not all: but who has just come may ask. */
void gate_stop_all(struct gate *, int all);

/* conn.c: it waits for its client, or does not any more; it is gone. */
void gate_idle(struct gate *, struct gated *, int on);
void gate_leave(struct gate *, struct gated *);

/* Sockets it accepts on; connections now, accepted ever, closed for room. */
unsigned gate_listeners(const struct gate *);
unsigned gate_count(const struct gate *);
uint64_t gate_accepted(const struct gate *);
uint64_t gate_closed(const struct gate *);

#endif
