/*
 * A bounded table of short strings by key, each with a lifetime: what the
 * server has told and need not be asked again.
 */
#ifndef ACCOUNT_CACHE_H
#define ACCOUNT_CACHE_H

#include <stddef.h>

#include "common/monotime.h"

struct cache;

/* max: entries, the oldest goes first. ttl_ms: 0 for ever. */
struct cache *cache_new(size_t max, int64_t ttl_ms);
void cache_free(struct cache *);
/* Borrowed until the next call; NULL when unknown or too old. */
const char *cache_get(struct cache *, const char *key, struct monotime now);
/* Copies both; an entry that was there is as new. */
void cache_put(struct cache *, const char *key, const char *value,
    struct monotime now);
void cache_forget(struct cache *, const char *key);
size_t cache_count(const struct cache *);

#endif
