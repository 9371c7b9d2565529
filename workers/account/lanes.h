/*
 * Lanes: the events of one conversation (account, channel, root) are
 * answered one after the other, those of different lanes side by side.
 *
 * A lane is held by the turn that runs in it and by each outbox row that
 * has not been delivered yet, so answers are read in the order of their
 * questions.
 */
#ifndef ACCOUNT_LANES_H
#define ACCOUNT_LANES_H

#include <sys/queue.h>

#include <stdint.h>

#include "common/monotime.h"
#include "workers/account/command/command.h"
#include "workers/account/inbound.h"
#include "workers/account/lane.h"

#define RUNNING_MAX 64   /* turns of one account at once; the last of */
#define RUNNING_SHARE 16 /* these are for people who have fewer than that */
#define URGENT_MAX 64    /* commands that run beside them */

struct account;
struct json_object;
struct lane;
struct lanes;
struct preview;
struct turn;

TAILQ_HEAD(rowhead, row);

/* An event of the inbox that waits for, or has, its turn. */
struct row {
	TAILQ_ENTRY(row) entry;
	TAILQ_ENTRY(row) running;
	struct lane *lane;
	int64_t seq;       /* of the inbox */
	int64_t at;        /* server time of the event */
	struct monotime ready_at; /* a retry that waits; 0: ready */
	int attempts;  /* lives of a worker that ended over it, and retries */
	int tries;     /* transient failures in this life */
	int posts;         /* of the turn's tools */
	int recovered;     /* an earlier life of the worker had it, */
	int begun;         /* and may have begun to answer it */
	char channel[MM_ID_SIZE];
	char root[MM_ID_SIZE];
	char actor[MM_ID_SIZE]; /* "": nobody */
	char event[EVENT_ID_SIZE];
	struct json_object *data; /* owned: what intake made of it */
	struct json_object *media; /* media_in.h: once they were asked for */
	struct json_object *told; /* of its session, not asked for; or NULL */
	struct monotime told_at;
	struct preview *preview; /* or NULL */
	struct turn *turn; /* running */
	enum command_id cmd; /* COMMAND_NONE: a turn */
	int at_once;         /* does not wait for the others */
	int busy;            /* its turn or command runs */
	int ended;           /* is about to end with another row */
	struct monotime came;
	struct rowhead merged; /* answered together with this one; owned */
};

/* Empty; lives as long as the account. */
struct lanes *lanes_new(struct account *);
/*
 * Takes over one reference of data. The row waits for lanes_run(). It is
 * NULL when it is there already.
 */
struct row *lanes_add(struct account *, int64_t seq, const char *lane,
    const char *channel, const char *root, const char *event, int64_t at,
    struct json_object *data);
/* The one behind it, which waits and is to have a turn; or NULL. */
struct row *lanes_next(struct row *);
/* 1: it comes before all others, and nobody holds its lane. */
int lanes_is_first(const struct row *);
/* 1: nobody is in that lane. */
int lanes_idle(const struct account *, const char *lane);
/* An inbox.row of the store. -1: not of its shape. Twice is fine. */
int lanes_restore(struct account *, struct json_object *row);
/* Start whatever can start, in this turn of the loop or the next. */
void lanes_run(struct account *);
/* Running turns are ours: tell a store that was restarted. */
void lanes_reclaim(struct account *);

/* Of its lane; borrowed as long as the row is there. */
const char *lanes_key(const struct row *);
/* The running turn with this id, or NULL. */
struct turn *lanes_turn(struct account *, int64_t id);

/* The turn of a row is over for good; the row is gone. */
void lanes_row_done(struct account *, struct row *);
/* It did not work; try again at this wall time. */
void lanes_row_again(struct account *, struct row *, int64_t not_before);

/* An undelivered outbox row holds its lane. key "" holds none: NULL. */
struct lane *lanes_hold(struct account *, const char *key);
void lanes_release(struct account *, struct lane *);

/* A row that waited has ended with another one; it may be gone already. */
void lanes_row_ended(struct account *, int64_t seq);
/*
 * Call fn for each row that waits or runs in the lane of this row, or, with
 * all, in any lane of its channel. fn must not end rows.
 */
void lanes_each(struct account *, struct row *, int all,
    void (*fn)(struct row *, void *), void *arg);
/* How the lane of this row stands without it: rows that wait, and whether
 * a turn runs. */
void lanes_load(struct row *, int *waiting, int *busy);

/* 1: a row waits or runs whose event's id begins like that. */
int lanes_has_event(const struct account *, const char *prefix);

/* Rows that wait for their turn; turns that run. */
int lanes_waiting(const struct account *);
int lanes_running(const struct account *);
/* Give up every turn that talks to this agent; its link is gone. */
void lanes_agent_gone(struct account *, const char *agent);

#endif
