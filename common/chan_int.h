/*
 * What the files of the channel share: chan.c (life), chan_out.c (queue and
 * writing), chan_in.c (reading and dispatch), chan_wait.c (requests).
 */
#ifndef COMMON_CHAN_INT_H
#define COMMON_CHAN_INT_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/chan.h"
#include "common/monotime.h"

struct event;
struct json_tokener;

#define FRAME_FD 0x1u       /* header flag: a descriptor comes with it */
#define FDS_WAITING 8       /* received, their frames not handled yet */

struct frame_header {
	uint32_t len;
	uint16_t flags;
	uint16_t version;
};

/* Bytes of one frame on their way out, header included. */
struct out_frame {
	TAILQ_ENTRY(out_frame) entry;
	size_t len, sent;
	int fd;
	unsigned char bytes[];
};

struct waiting {
	TAILQ_ENTRY(waiting) entry;
	int64_t id;
	struct monotime deadline;
	chan_reply_fn fn;
	void *arg;
};

struct chan {
	struct event_base *base;
	const struct proto *proto;
	chan_handler_fn *handlers; /* one for each entry of proto */
	chan_close_fn on_close;
	chan_drain_fn on_drain;
	void *arg;
	struct event *rd, *wr, *flush, *again, *timer;
	struct json_tokener *tok;
	TAILQ_HEAD(, out_frame) out;
	TAILQ_HEAD(, waiting) waiting;
	unsigned char *in;
	size_t in_len, in_cap;
	size_t queued;
	uint32_t max_in;
	int64_t next_id;
	int fds[FDS_WAITING];
	int nfds;
	int fd;
	unsigned state;
	enum proto_side ours;
	struct monotime timer_at;
	int secret, paused, full, busy, dead, ended;
	int more;   /* complete frames wait for the next turn of the loop */
	int broken; /* it takes no more from us: read its last words */
	int eof;    /* it sends no more: handle what is buffered */
};

static inline enum proto_side
chan_theirs(const struct chan *c)
{
	return c->ours == SIDE_A ? SIDE_B : SIDE_A;
}

/* The "t" of a message, "" when there is none. */
const char *chan_msg_type(struct json_object *);
/* End of the link: tells the owner once. */
void chan_ended(struct chan *, const char *why);

/* chan_out.c */
void chan_out_drop(struct chan *);
void chan_on_flush(int, short, void *);

/* chan_in.c */
void chan_read_arm(struct chan *); /* listen, or not, as its state says */
void chan_on_read(int, short, void *);
void chan_on_again(int, short, void *);

/* chan_wait.c */
void chan_on_timer(int, short, void *);
void chan_wait_drop(struct chan *);
/* Give an answer to the request that waits for it; takes over fd. */
void chan_wait_answer(struct chan *, struct json_object *msg, int fd);

#endif
