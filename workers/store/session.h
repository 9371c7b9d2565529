/*
 * Session transcripts: a run of messages, each a JSON text, of which the
 * newest STORE_SESSION_KEEP are kept.
 */
#ifndef WORKERS_STORE_SESSION_H
#define WORKERS_STORE_SESSION_H

#include "workers/store/db.h"

/*
 * "agent:<agent>:" is how every session key of an agent starts: 1 when key
 * does, and something follows.
 */
int session_is_of(const char *key, const char *agent);

/* An open session to append to; only valid in its transaction. */
struct session {
	int64_t num;
	int64_t first; /* oldest message kept */
	int64_t next;  /* number of the next message */
	int64_t bytes; /* of the messages kept */
	int fresh;     /* it was not there before */
	int twin;      /* it has the other key */
};

/*
 * Keys tell private channels from public ones ("group", "channel"). A channel
 * that was made the other keeps its conversation: one that is not there under
 * its key is found under the twin of it, and takes the new key when it is
 * opened to be written. The twin into out, "" when key has none; 1: it has.
 */
int session_twin(const char *key, char out[STORE_SESSION + 1]);

/* STORE_NONE when there is none of that key, nor of its twin. */
enum store_rc session_find(struct db *, const char *key, struct session *);
/* Finds or creates; one that is created is the account's. */
enum store_rc session_open(struct db *, const char *key, const char *account,
    int64_t now, struct session *);
enum store_rc session_add(
    struct db *, struct session *, int64_t now, const char *body, size_t len);
/* Forget all messages so far. */
enum store_rc session_reset(struct db *, struct session *);
/* Writes the session's own row, and trims it. */
enum store_rc session_close(struct db *, struct session *, int64_t now);
/* As if it had never been. */
enum store_rc session_forget(struct db *, int64_t num);

/*
 * Hand the newest messages of which all fit into max bytes to fn, newest
 * first. len: bytes of body. An unknown session has none.
 */
typedef void (*session_fn)(const char *body, size_t len, void *arg);
enum store_rc session_each(
    struct db *, const char *key, size_t max, session_fn, void *arg);

#endif
