/*
 * One row of the outbox: what outbox.c and outbox_send.c share.
 */
#ifndef ACCOUNT_OUTBOX_INT_H
#define ACCOUNT_OUTBOX_INT_H

#include <sys/queue.h>

#include <stdint.h>

#include "workers/account/inbound.h"
#include "workers/account/lane.h"
#include "workers/account/outbox.h"

struct event;
struct lane;
struct lookup;
struct net_request;
struct net_result;
struct sweep;

enum out_op { OUT_POST, OUT_EDIT, OUT_DELETE, OUT_SWEEP };

struct out_row {
	TAILQ_ENTRY(out_row) entry;
	struct account *a;
	struct lane *lane;
	struct net_request *req;
	struct lookup *look;
	struct sweep *sweep;
	struct json_object *props; /* of a sweep or a post, or NULL */
	struct event *timer;
	char key[OUTBOX_KEY_SIZE];
	char lane_key[LANE_KEY_SIZE];
	char channel[MM_ID_SIZE];
	char root[MM_ID_SIZE];
	char post[MM_ID_SIZE]; /* to edit or delete */
	char *text;
	struct json_object *files; /* ids for the post, or NULL */
	enum out_op op;
	int64_t seq;
	int64_t created;  /* ms, by the server's clock */
	int created_here; /* no, by that of this host */
	unsigned tries;
	int unclear;      /* look before sending (again) */
	int instead;      /* a post, because the post to edit cannot be */
	char made[MM_ID_SIZE]; /* then: the new one */
	unsigned doubts;  /* answers to an edit that did not show it */
	unsigned strange; /* refusals by something in between */
	outbox_fn fn;
	void *arg;
};

TAILQ_HEAD(out_rows, out_row);

/* outbox.c */

/* All rows, in order. */
struct out_rows *outbox_rows(struct account *);
/* Go on with a row that is neither waiting for something nor for others. */
void outrow_go(struct out_row *);
/* It is delivered: the post, or "" when the answer did not tell. Frees it. */
void outrow_done(struct out_row *, const char *post);
/* Once more, after a while. at_least: what the server asked for, or -1. */
void outrow_later(struct out_row *, int64_t at_least);
/* The request did not do it: later, or never. May free it. */
void outrow_failed(
    struct out_row *, const struct net_result *, struct json_object *body);

/* outbox_send.c: one request each; what its answer means is decided there. */
void outrow_post(struct out_row *);
void outrow_edit(struct out_row *);
void outrow_delete(struct out_row *);
/* Its post is in the channel. */
void outrow_posted(struct out_row *, const char *post);

#endif
