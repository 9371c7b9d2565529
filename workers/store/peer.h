/*
 * A peer: the other end of a link, with what it may touch (its own id, the
 * agents it may write for) and the rows it has claimed.
 */
#ifndef WORKERS_STORE_PEER_H
#define WORKERS_STORE_PEER_H

#include <sys/queue.h>

#include "common/chan.h"
#include "workers/store/media.h"
#include "workers/store/quota.h"
#include "workers/store/store.h"

#define PEER_MEDIA 8	 /* files that it may fill at a time */

enum peer_kind { PEER_ACCOUNT, PEER_AGENT, PEER_CONTROL };

struct load;

/* A file that the peer may write to. */
struct peer_media {
	char id[MEDIA_ID + 1]; /* "": none */
	int dropped;	       /* nobody wants it any more */
	int64_t age;	       /* the smallest is the oldest */
};

struct peer {
	TAILQ_ENTRY(peer) entry;
	enum peer_kind kind;
	char id[STORE_ID + 1]; /* of the account or agent */
	struct chan *chan;     /* NULL in tests */
	struct load *load;     /* under way, or NULL */
	void *owner;
	char **agents;
	size_t n_agents;
	int64_t *claims;
	size_t n_claims;
	int64_t refused; /* epoch: puts of it and of older ones fail */
	struct peer_media media[PEER_MEDIA];
	int64_t n_media;
	int dropped; /* of them, that are still there */
	struct quota quota;
};

TAILQ_HEAD(peer_list, peer);

/* Kind by its name in a "link"; -1 for one the store does not have. */
int peer_kind(const char *name);
const char *peer_kind_name(enum peer_kind);

/* opts: {"agents": [ids]} or NULL. NULL when id or opts are malformed. */
struct peer *peer_new(enum peer_kind, const char *id, struct json_object *opts);
/* Does not touch the channel. */
void peer_free(struct peer *);

/* 1 when the account is bound to that agent. */
int peer_has_agent(const struct peer *, const char *agent);

/* -1 when it has too many. A second claim on the same row is the first. */
int peer_claim(struct peer *, int64_t seq);
void peer_release(struct peer *, int64_t seq);
/*
 * A file that the peer is to be given to fill. What it has not put when its
 * link ends is removed, or when it is given others; but nothing that it may
 * still write to: -1 when these are all that it may have.
 */
int peer_media_add(struct peer *, const char *id);
int peer_media_has(const struct peer *, const char *id);
/* It is kept. */
void peer_media_done(struct peer *, const char *id);
/* It goes, as soon as nobody writes to it any more. */
void peer_media_drop(struct peer *, const char *id);
/* Looks again at what was dropped and written to; 1: some still is. */
int peer_media_sweep(struct peer *);

/* 1: the account has claimed the row, on whichever link. */
int peers_claim(const struct peer_list *, const char *account, int64_t seq);

#endif
