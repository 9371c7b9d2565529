#include "config.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan_int.h"
#include "common/log.h"
#include "common/text.h"

#define READ_STEP 16384    /* room offered to one recvmsg */
#define FRAMES_PER_TURN 64 /* handled before other sources get a turn */
#define FDS_PER_READ 4     /* descriptors taken from one recvmsg */

static int
fd_take(struct chan *c)
{
	int fd;

	if (c->nfds == 0)
		return -1;
	fd = c->fds[0];
	memmove(c->fds, c->fds + 1, --c->nfds * sizeof(c->fds[0]));
	return fd;
}

/* What is on its way through the parser stays in its buffer: size it once. */
static void
parser_reserve(struct chan *c, size_t len)
{
	if (c->tok->pb->size < (int)len + 1)
		printbuf_memset(c->tok->pb, 0, 0, (int)len + 1);
	json_tokener_reset(c->tok);
}

static struct json_object *
frame_parse(struct chan *c, const struct frame_header *h, const char *text)
{
	struct json_object *msg;

	if (!text_valid(text, h->len))
		return NULL;
	json_tokener_reset(c->tok);
	if (c->secret)
		parser_reserve(c, h->len);
	msg = json_tokener_parse_ex(c->tok, text, (int)h->len);
	if (c->secret)
		explicit_bzero(c->tok->pb->buf, c->tok->pb->size);
	if (msg == NULL ||
	    json_tokener_get_parse_end(c->tok) != (size_t)h->len ||
	    !json_object_is_type(msg, json_type_object)) {
		json_object_put(msg);
		return NULL;
	}
	return msg;
}

static const char *
frame_handle(struct chan *c, const struct frame_header *h, const char *text)
{
	const struct proto_msg *m;
	struct json_object *msg;
	int fd = -1;

	if ((msg = frame_parse(c, h, text)) == NULL)
		return "frame is not one JSON object";
	m = proto_find(c->proto, chan_theirs(c), chan_msg_type(msg));
	if (m == NULL || !(m->states & c->state) || h->len > m->max ||
	    ((m->flags & PROTO_FD) != 0) != ((h->flags & FRAME_FD) != 0)) {
		log_warnx("%s: %.40s (%u bytes) is not allowed here",
		    c->proto->name, chan_msg_type(msg), h->len);
		json_object_put(msg);
		return "frame out of table";
	}
	if (h->flags & FRAME_FD) {
		/* Our own table of descriptors was full when it came. */
		if ((fd = fd_take(c)) == -1) {
			json_object_put(msg);
			return "descriptor is missing";
		}
	}
	if (m->flags & PROTO_REPLY)
		chan_wait_answer(c, msg, fd);
	else
		c->handlers[m - c->proto->msgs](c, msg, fd, c->arg);
	json_object_put(msg);
	return NULL;
}

static const char *
header_check(struct chan *c, const struct frame_header *h)
{
	if (h->version != PROTO_VERSION)
		return "frame of another version";
	if (h->flags & ~FRAME_FD)
		return "unknown frame flags";
	if (h->len < 2 || h->len > c->max_in)
		return "frame length";
	return NULL;
}

/*
 * Handle the complete frames of the buffer, a bounded number a turn. While
 * some are left nothing is read: a peer cannot make the buffer grow.
 */
static const char *
frames_take(struct chan *c)
{
	struct frame_header h;
	const char *why = NULL;
	size_t off = 0;
	int n;

	c->more = 0;
	for (n = 0; !c->paused && !c->dead && !c->ended; n++) {
		if (c->in_len - off < sizeof(h))
			break;
		memcpy(&h, c->in + off, sizeof(h));
		if ((why = header_check(c, &h)) != NULL)
			break;
		if (c->in_len - off < sizeof(h) + h.len)
			break;
		if (n == FRAMES_PER_TURN) {
			c->more = 1;
			event_active(c->again, EV_TIMEOUT, 0);
			break;
		}
		why = frame_handle(
		    c, &h, (const char *)c->in + off + sizeof(h));
		off += sizeof(h) + h.len;
		if (why != NULL)
			break;
	}
	if (off > 0) {
		memmove(c->in, c->in + off, c->in_len - off);
		c->in_len -= off;
		if (c->secret)
			explicit_bzero(c->in + c->in_len, off);
	}
	return why;
}

/*
 * A descriptor comes with the first byte of its frame, so that once all
 * complete frames are handled only the one that has begun can own one.
 */
static int
fds_surplus(const struct chan *c)
{
	struct frame_header h;

	if (c->nfds == 0)
		return 0;
	if (c->in_len == 0)
		return 1;
	if (c->in_len < sizeof(h))
		return c->nfds > 1;
	memcpy(&h, c->in, sizeof(h));
	return c->nfds > (h.flags & FRAME_FD ? 1 : 0);
}

void
chan_read_arm(struct chan *c)
{
	if (c->paused || c->more || c->eof || c->ended || c->dead) {
		event_del(c->rd);
		return;
	}
	event_add(c->rd, NULL);
	if (c->broken)
		event_active(c->rd, EV_READ, 0);
}

static void
in_work(struct chan *c)
{
	const char *why;

	c->busy++;
	why = frames_take(c);
	c->busy--;
	if (c->dead) {
		if (c->busy == 0)
			chan_free(c);
		return;
	}
	if (why == NULL && !c->paused && !c->more) {
		if (fds_surplus(c))
			why = "surplus descriptor";
		else if (c->eof)
			why = "hangup";
	}
	if (why != NULL) {
		chan_ended(c, why);
		return;
	}
	/* A burst of large frames must not stay in memory. */
	if (c->in_len == 0 && c->in_cap > 2 * READ_STEP) {
		freezero(c->in, c->in_cap);
		c->in = NULL;
		c->in_cap = 0;
	}
	chan_read_arm(c);
}

static void
in_reserve(struct chan *c)
{
	size_t cap = c->in_cap == 0 ? READ_STEP : c->in_cap;
	struct frame_header h;

	if (c->in_len >= sizeof(h)) {
		memcpy(&h, c->in, sizeof(h));
		if (h.len <= c->max_in && cap < h.len + sizeof(h))
			cap = h.len + sizeof(h);
	}
	if (cap - c->in_len < 1024)
		cap += READ_STEP;
	if (cap == c->in_cap)
		return;
	if ((c->in = recallocarray(c->in, c->in_cap, cap, 1)) == NULL)
		fatal("recallocarray");
	c->in_cap = cap;
}

/* Keep the descriptors of one recvmsg in order; too many: end of the link. */
static int
in_fds(struct chan *c, struct msghdr *mh)
{
	struct cmsghdr *cm;
	size_t i, n;
	int fd, rc = 0;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(fd));
			if (c->nfds == FDS_WAITING) {
				close(fd);
				rc = -1;
			} else
				c->fds[c->nfds++] = fd;
		}
	}
	/* MSG_CTRUNC: our table is full; the frame will find none. */
	return rc;
}

static ssize_t
in_read(struct chan *c)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int) * FDS_PER_READ)];
	} ctl;
	struct iovec iov;
	struct msghdr mh;
	ssize_t n;

	in_reserve(c);
	memset(&mh, 0, sizeof(mh));
	iov.iov_base = c->in + c->in_len;
	iov.iov_len = c->in_cap - c->in_len;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = ctl.buf;
	mh.msg_controllen = sizeof(ctl.buf);
	do {
		n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n;
	c->in_len += n;
	if (in_fds(c, &mh) == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

void
chan_on_read(int fd, short what, void *arg)
{
	struct chan *c = arg;
	ssize_t n = in_read(c);

	if (n == -1 && errno == EAGAIN && !c->broken)
		return;
	if (n == -1 && errno == EMSGSIZE) {
		chan_ended(c, "too many descriptors");
		return;
	}
	if (n <= 0)
		c->eof = 1;
	in_work(c);
}

void
chan_on_again(int fd, short what, void *arg)
{
	struct chan *c = arg;

	if (!c->dead && !c->ended && !c->paused)
		in_work(c);
}
