/*
 * How many requests of one key are on their way before they have proved
 * anything. A few bytes a key, a bounded number of keys. Pure.
 */
#ifndef CALLBACK_INFLIGHT_H
#define CALLBACK_INFLIGHT_H

#include <stdint.h>

#define INFLIGHT_MAX 8     /* of one key, as OpenClaw */
#define INFLIGHT_KEYS 4096

struct inflight;

/* Empty, the caller's. */
struct inflight *inflight_new(void);
void inflight_free(struct inflight *);
/* A key, 0 is the one of all who have none. -1: too many. */
int inflight_begin(struct inflight *, uint64_t key);
void inflight_end(struct inflight *, uint64_t key);

#endif
