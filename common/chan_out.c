#include "config.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan_int.h"
#include "common/log.h"

#define IOV_FRAMES 32 /* frames written by one sendmsg */

static void
out_free(struct chan *c, struct out_frame *f)
{
	TAILQ_REMOVE(&c->out, f, entry);
	c->queued -= f->len;
	if (f->fd != -1)
		close(f->fd);
	if (c->secret)
		explicit_bzero(f->bytes, f->len);
	free(f);
}

/* Gather frames for one sendmsg; one that has a descriptor goes first. */
static int
out_gather(struct chan *c, struct iovec *iov, int *fd)
{
	struct out_frame *f;
	int n = 0;

	*fd = -1;
	TAILQ_FOREACH(f, &c->out, entry) {
		if (n == IOV_FRAMES || (f->fd != -1 && n > 0))
			break;
		if (f->fd != -1)
			*fd = f->fd;
		iov[n].iov_base = f->bytes + f->sent;
		iov[n].iov_len = f->len - f->sent;
		n++;
	}
	return n;
}

static void
out_sent(struct chan *c, size_t n)
{
	struct out_frame *f;
	size_t left;

	while (n > 0 && (f = TAILQ_FIRST(&c->out)) != NULL) {
		/* The descriptor went with the first byte. */
		if (f->fd != -1) {
			close(f->fd);
			f->fd = -1;
		}
		left = f->len - f->sent;
		if (n < left) {
			f->sent += n;
			return;
		}
		n -= left;
		out_free(c, f);
	}
}

/* 1: all written, 0: the socket is full, -1: the peer is gone. */
static int
out_write(struct chan *c)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct iovec iov[IOV_FRAMES];
	struct msghdr mh;
	ssize_t n;
	int fd;

	while (!TAILQ_EMPTY(&c->out)) {
		memset(&mh, 0, sizeof(mh));
		mh.msg_iov = iov;
		mh.msg_iovlen = out_gather(c, iov, &fd);
		if (fd != -1) {
			memset(&ctl, 0, sizeof(ctl));
			mh.msg_control = ctl.buf;
			mh.msg_controllen = sizeof(ctl.buf);
			ctl.hdr.cmsg_level = SOL_SOCKET;
			ctl.hdr.cmsg_type = SCM_RIGHTS;
			ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(&ctl.hdr), &fd, sizeof(int));
		}
		n = sendmsg(c->fd, &mh, MSG_NOSIGNAL);
		if (n == -1) {
			if (errno == EINTR)
				continue;
			/* ETOOMANYREFS: descriptors in flight; try later. */
			return errno == EAGAIN || errno == ENOBUFS ||
				errno == ETOOMANYREFS ? 0 : -1;
		}
		out_sent(c, n);
	}
	return 1;
}

void
chan_on_flush(int fd, short what, void *arg)
{
	struct chan *c = arg;
	int rc;

	if (c->dead)
		return;
	if ((rc = out_write(c)) == -1) {
		chan_ended(c, "hangup");
		return;
	}
	if (rc == 0)
		event_add(c->wr, NULL);
	if (c->full && c->queued <= CHAN_LOW) {
		c->full = 0;
		if (c->on_drain != NULL)
			c->on_drain(c, c->arg);
	}
}

struct json_object *
chan_msg(const char *type)
{
	struct json_object *msg = json_object_new_object();

	if (msg == NULL)
		fatalx("out of memory");
	json_object_object_add(msg, "t", json_object_new_string(type));
	return msg;
}

struct json_object *
chan_reply_msg(const char *type, struct json_object *req)
{
	struct json_object *msg = chan_msg(type), *id = NULL;

	json_object_object_get_ex(req, "id", &id);
	json_object_object_add(msg, "id", json_object_get(id));
	return msg;
}

const char *
chan_msg_type(struct json_object *msg)
{
	struct json_object *t = NULL;

	if (!json_object_object_get_ex(msg, "t", &t) ||
	    !json_object_is_type(t, json_type_string))
		return "";
	return json_object_get_string(t);
}

static struct out_frame *
frame_encode(const char *text, size_t len, int fd)
{
	struct frame_header h = {(uint32_t)len, fd == -1 ? 0 : FRAME_FD,
	    PROTO_VERSION};
	struct out_frame *f;

	if ((f = malloc(sizeof(*f) + sizeof(h) + len)) == NULL)
		fatal("malloc");
	memcpy(f->bytes, &h, sizeof(h));
	memcpy(f->bytes + sizeof(h), text, len);
	f->len = sizeof(h) + len;
	f->sent = 0;
	f->fd = fd;
	return f;
}

int
chan_send(struct chan *c, struct json_object *msg, int fd)
{
	const struct proto_msg *m;
	struct out_frame *f;
	const char *text;
	size_t len;

	m = proto_find(c->proto, c->ours, chan_msg_type(msg));
	if (m == NULL)
		fatalx("%s: %s is not ours to send", c->proto->name,
		    chan_msg_type(msg));
	if (((m->flags & PROTO_FD) != 0) != (fd != -1))
		fatalx("%s: %s: descriptor", c->proto->name, m->type);
	text = json_object_to_json_string_length(msg,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (len > m->max || c->dead || c->ended) {
		if (len > m->max)
			log_warnx("%s: %s of %zu bytes is over its limit",
			    c->proto->name, m->type, len);
		if (fd != -1)
			close(fd);
		json_object_put(msg);
		return -1;
	}
	f = frame_encode(text, len, fd);
	if (c->secret)
		explicit_bzero((char *)(uintptr_t)text, len);
	json_object_put(msg);
	TAILQ_INSERT_TAIL(&c->out, f, entry);
	c->queued += f->len;
	if (c->queued >= CHAN_HIGH)
		c->full = 1;
	/* Written when this turn's work is done: one call for many frames. */
	if (!event_pending(c->wr, EV_WRITE, NULL))
		event_active(c->flush, EV_TIMEOUT, 0);
	return 0;
}

void
chan_flush(struct chan *c, int ms)
{
	struct monotime end = monotime_add(monotime_now(), ms);
	struct pollfd pfd = {c->fd, POLLOUT, 0};

	while (!c->dead && out_write(c) == 0 && monotime_left(end) > 0)
		poll(&pfd, 1, (int)monotime_left(end));
}

void
chan_out_drop(struct chan *c)
{
	struct out_frame *f;

	while ((f = TAILQ_FIRST(&c->out)) != NULL)
		out_free(c, f);
}
