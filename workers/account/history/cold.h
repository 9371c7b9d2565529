/*
 * Which threads may be asked for: the bounds of recover.h. Pure; the time is
 * the caller's.
 */
#ifndef ACCOUNT_COLD_H
#define ACCOUNT_COLD_H

#include "common/monotime.h"

#define COLD_TRIES 3       /* for one thread */
#define COLD_COOL_MS 60000 /* between them */
#define COLD_FLIGHT 8      /* at a time, of all threads */
#define COLD_THREADS 1000  /* that failed, remembered; the oldest goes */

struct cold;

/* Empty, the caller's. */
struct cold *cold_new(void);
void cold_free(struct cold *);

/* May the thread be asked for now? */
int cold_may(const struct cold *, const char *root, struct monotime now);
/* It is being asked for, until one of the ends: each has one. */
void cold_begin(struct cold *);
void cold_end(struct cold *);
/* It could not be had, this time. */
void cold_failed(struct cold *, const char *root, struct monotime now);
/* It was had: what failed before is forgotten. */
void cold_read(struct cold *, const char *root);

#endif
