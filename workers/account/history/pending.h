/*
 * What was said in a conversation since the bot last had a turn there: for
 * each session a window of the newest posts, in order of time. Pure memory,
 * bounded: PENDING_KEYS windows and PENDING_BYTES of text together, the
 * longest untouched window goes first.
 *
 * A window is whole once a turn has seen it or the server has filled it:
 * from then on nothing is missing in it. Before that it has only what came
 * by, which for a thread is not even its root.
 */
#ifndef ACCOUNT_PENDING_H
#define ACCOUNT_PENDING_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/history/context.h"

#define PENDING_KEYS 1000 /* OpenClaw's */
#define PENDING_BYTES (4u * 1024 * 1024)

struct pending;

/* limit: posts of one window; 0 switches all off. */
struct pending *pending_new(int limit);
void pending_free(struct pending *);

/* A post of that session; known by its id. Makes the window. */
void pending_add(struct pending *, const char *key,
    const struct history_entry *);
/* 1 when the window is there and whole. Touches it. */
int pending_is_whole(struct pending *, const char *key);
/* It is whole now; makes it when it is not there. */
void pending_set_whole(struct pending *, const char *key);
/*
 * Sessions whose key has this part, and ends behind it or goes on with ":",
 * have another one in its place now.
 */
void pending_renamed(struct pending *, const char *part, const char *now);
/* The session begins anew: what was said is not part of it. */
void pending_forget(struct pending *, const char *key);

/*
 * The newest posts of the window that come before the post (at, id), oldest
 * first, at most CONTEXT_HISTORY_MAX; *total: how many there are. Borrowed
 * until the window changes.
 */
size_t pending_before(struct pending *, const char *key, int64_t at,
    const char *post, struct history_entry out[CONTEXT_HISTORY_MAX],
    size_t *total);
/* Those have been shown; the window stays. */
void pending_shown(
    struct pending *, const char *key, int64_t at, const char *post);

size_t pending_count(const struct pending *); /* windows */
size_t pending_bytes(const struct pending *);

#endif
