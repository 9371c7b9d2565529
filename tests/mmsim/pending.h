/*
 * The pending_post_id cache: the same id within 30 s answers with the first
 * post, whoever asks (Mattermost 5.37: one cache of 25000 entries). An id
 * is reserved while its post is being saved; another request with it is
 * then refused.
 */
#ifndef MMSIM_PENDING_H
#define MMSIM_PENDING_H

#include "tests/mmsim/state.h"

#define PENDING_MS 30000
#define PENDING_MAX 25000

/* The post saved under id in the last 30 s, or NULL. "" never is. */
struct post *pending_get(const char *id);
void pending_put(struct post *);
void pending_forget(void);
/* While a save is made slow by a fault rule. 0: reserved already. */
int pending_reserve(const char *id);
int pending_busy(const char *id);
void pending_release(const char *id);

#endif
