/*
 * What is kept of a session beside its transcript: what people have set for
 * it, what it has used, how often it was reset; and how a new session takes
 * over from the one it branches off.
 */
#ifndef WORKERS_STORE_SESSION_META_H
#define WORKERS_STORE_SESSION_META_H

#include "workers/store/session.h"

struct json_object;

/* What a thread is given of the conversation that it branches off. */
#define INHERIT_MESSAGES 40
#define INHERIT_BYTES (64u * 1024)

/*
 * As session_open(); a session made by this begins with the newest messages
 * of parent, unless that is "".
 */
enum store_rc session_begin(struct db *, const char *key, const char *account,
    const char *parent, int64_t now, struct session *);
/* Those messages, oldest first, a new array of at most max bytes. */
enum store_rc session_inherit(
    struct db *, const char *parent, size_t max, struct json_object **list);

/* One more reset; what was used counts from here. */
enum store_rc session_meta_reset(struct db *, int64_t num);
/* NULL leaves a value as it is, "" takes it away. */
enum store_rc session_meta_set(
    struct db *, int64_t num, const char *model, const char *thinking);
/* Tokens of one more turn; model: as the server named it, or "". */
enum store_rc session_meta_usage(struct db *, int64_t num, int64_t prompt,
    int64_t completion, const char *model);

#endif
