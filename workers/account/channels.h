/*
 * What the worker knows of the bot's channels: their kind and names, and
 * how far each has been read (the mark).
 *
 * The mark of a channel moves only over posts that are safe: put into the
 * inbox and acknowledged, or dropped, and it follows MARK_SETTLE_MS or some
 * more behind them: a server dates a post before it tells of it, and of two
 * that are written at the same time it may tell in the other order. No post
 * moves it beyond the present, whatever its date: a mark that lies ahead
 * would hide what is posted until then. A mark that is too old only means
 * that some posts are looked at twice, and the inbox knows them.
 */
#ifndef ACCOUNT_CHANNELS_H
#define ACCOUNT_CHANNELS_H


#include <stdint.h>

#include <sys/queue.h>

#include "common/monotime.h"
#include "common/tree.h"
#include "workers/account/inbound.h"

struct account;
struct json_object;

/* How much later than it dates a post a server may tell of it. */
#define MARK_SETTLE_MS 10000

/* A post that must not overtake the ones before it. */
struct held {
	STAILQ_ENTRY(held) entry;
	struct inbound *in; /* owned */
	int missed;         /* found by the gap fill */
};

STAILQ_HEAD(held_list, held);

struct channel {
	RB_ENTRY(channel) entry;
	char id[MM_ID_SIZE];
	char team_id[MM_ID_SIZE];
	char type; /* D G P O; 0 unknown */
	char *name, *display;
	int64_t last_post_at; /* as the server listed it */

	char mark_post[MM_ID_SIZE];
	int64_t mark_at;
	char ripe_post[MM_ID_SIZE]; /* the next mark, when it has settled */
	int64_t ripe_at;
	struct monotime ripe_since;
	char next_post[MM_ID_SIZE]; /* the newest that was told of */
	int64_t next_at;
	int64_t base_at;            /* without a mark: where it begins */
	int inflight;   /* posts on their way into the inbox */
	int open;       /* no hole behind us: the mark may move */
	int dirty;      /* to be written */
	int hinted;     /* that a mention is needed, in the log */
	unsigned listed; /* directory.c: the listing that had it last */
	int filling;    /* a gap fill of it is queued or under way */
	/* Its type may have changed so often; up to when the server told. */
	unsigned doubts, settled;
	int asking;     /* the server is asked about a post of it */
	struct held_list held;   /* live posts that wait for the fill */
	struct held_list behind; /* posts that wait for that answer */
};

RB_HEAD(channel_tree, channel);

struct channels {
	struct channel_tree tree;
	struct event *timer;  /* marks are written */
	struct event *settle; /* and may move */
	int64_t first_at; /* wall ms of this account's first start ever */
	int n;
};

/* Knows none; lives as long as the account. */
struct channels *channels_new(struct account *);
/* NULL when not known. */
struct channel *channel_find(struct account *, const char *id);
/*
 * Something of it was changed; its kind is asked for before it is used. What
 * was asked before a doubt settles nothing: the asker keeps the number.
 */
void channel_doubt(struct account *, const char *id);
int channel_in_doubt(const struct channel *);
/* 1: the server has told what kind of channel it is. */
int channel_is_known(struct account *, const char *id);
/* Made when not known. id must be one. */
struct channel *channel_get(struct account *, const char *id);
/* Take over type, names and last_post_at from a REST channel object. */
struct channel *channel_learn(struct account *, struct json_object *);
/* Fill in what an event says and we do not know. */
void channel_learn_event(struct account *, const struct inbound *);
struct channel *channel_first(struct account *);
struct channel *channel_next(struct channel *);

/* A mark.row of the store. -1: not of its shape. */
int marks_restore(struct account *, struct json_object *row);
void marks_set_first(struct account *, int64_t at);
/*
 * Before its posts are asked for: a mark of a time when the server's clock
 * was wrong tells nothing, and what is young enough is looked at again.
 */
void mark_doubt(struct account *, struct channel *);
/* A post of the channel has come and is being made safe. */
void mark_begin(struct account *, struct channel *, const struct inbound *);
/* It has come before: it is safe, or on its way. */
void mark_again(struct account *, struct channel *, const struct inbound *);
/* It is safe now. */
void mark_end(struct account *, struct channel *);
/* It was not made safe: no mark moves before the next gap fill. */
void mark_failed(struct account *, struct channel *);
/* Keep a post in one of the lists of its channel; takes over in. */
void channel_hold(struct held_list *, struct inbound *in, int missed);
/* The next one kept, or NULL; the caller's. */
struct inbound *channel_unhold(struct held_list *, int *missed);
/*
 * All channels: a hole may be behind us until each was filled. What was
 * held will be fetched with it, and is forgotten: 1 when there was any, which
 * no resumed connection tells of again.
 */
int marks_close(struct account *);
/* No hole any more: the mark may follow. */
void mark_open(struct account *, struct channel *);
/* Write what has moved, now. */
void marks_flush(struct account *);

#endif
