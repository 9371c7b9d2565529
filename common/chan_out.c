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

#include "common/add.h"
#include "common/chan_int.h"
#include "common/log.h"
#include "common/text.h"

#define IOV_FRAMES 32 /* frames written by one sendmsg */
#define RETRY_MS 20   /* when the system is out of buffers */

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

enum { OUT_GONE = -1, OUT_BLOCKED, OUT_DONE, OUT_LATER };

/* LATER: no use in waiting for the socket, it is the system that is full. */
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
			if (errno == EAGAIN)
				return OUT_BLOCKED;
			/* ETOOMANYREFS: descriptors in flight. */
			return errno == ENOBUFS || errno == ENOMEM ||
				errno == ETOOMANYREFS ? OUT_LATER : OUT_GONE;
		}
		out_sent(c, n);
	}
	return OUT_DONE;
}

void
chan_on_flush(int fd, short what, void *arg)
{
	struct chan *c = arg;
	struct timeval later = ms_timeval(RETRY_MS);

	if (c->dead || c->ended)
		return;
	if (c->queued > CHAN_LIMIT) {
		chan_ended(c, "peer does not read");
		return;
	}
	switch (out_write(c)) {
	case OUT_GONE:
		/* It may have said why: read that before the end. */
		c->broken = 1;
		chan_out_drop(c);
		chan_read_arm(c);
		break;
	case OUT_BLOCKED:
		event_add(c->wr, NULL);
		break;
	case OUT_LATER:
		event_add(c->flush, &later);
		break;
	}
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
	add_str(msg, "t", type);
	return msg;
}

struct json_object *
chan_reply_msg(const char *type, struct json_object *req)
{
	struct json_object *msg = chan_msg(type), *id = NULL;

	json_object_object_get_ex(req, "id", &id);
	add_obj(msg, "id", json_object_get(id));
	return msg;
}

const char *
chan_msg_type(struct json_object *msg)
{
	struct json_object *t = NULL;

	if (!json_object_object_get_ex(msg, "t", &t) ||
	    !json_object_is_type(t, json_type_string) ||
	    strlen(json_object_get_string(t)) !=
		(size_t)json_object_get_string_len(t))
		return "";
	return json_object_get_string(t);
}

static struct out_frame *
frame_new(size_t len, int fd)
{
	struct frame_header h = {(uint32_t)len, fd == -1 ? 0 : FRAME_FD,
	    PROTO_VERSION};
	struct out_frame *f;

	if ((f = malloc(sizeof(*f) + sizeof(h) + len)) == NULL)
		fatal("malloc");
	memcpy(f->bytes, &h, sizeof(h));
	f->len = sizeof(h) + len;
	f->sent = 0;
	f->fd = fd;
	return f;
}

static void
out_queue(struct chan *c, struct out_frame *f)
{
	TAILQ_INSERT_TAIL(&c->out, f, entry);
	c->queued += f->len;
	if (c->queued >= CHAN_HIGH)
		c->full = 1;
	/* Written when this turn's work is done: one call for many frames. */
	if (c->queued > CHAN_LIMIT || (!event_pending(c->wr, EV_WRITE, NULL) &&
	    !event_pending(c->flush, EV_TIMEOUT, NULL)))
		event_active(c->flush, EV_TIMEOUT, 0);
}

static const struct proto_msg *
out_entry(struct chan *c, const char *type, int fd)
{
	const struct proto_msg *m = proto_find(c->proto, c->ours, type);

	if (m == NULL)
		fatalx("%s: %s is not ours to send", c->proto->name, type);
	if (((m->flags & PROTO_FD) != 0) != (fd != -1))
		fatalx("%s: %s: descriptor", c->proto->name, m->type);
	return m;
}

/* The quote that ends the string that begins at s, in JSON of our own. */
static const char *
string_end(const char *s, const char *end)
{
	const char *q = s, *p;

	while ((q = memchr(q + 1, '"', (size_t)(end - q - 1))) != NULL) {
		for (p = q; p[-1] == '\\'; p--)
			continue;
		if ((q - p) % 2 == 0)
			return q;
	}
	return end;
}

/* Arrays and objects in each other, at most, in JSON of our own. */
static int
nesting(const char *s, size_t len)
{
	int depth = 0, most = 0;
	const char *end = s + len;

	for (; s < end; s++)
		if (*s == '"')
			s = string_end(s, end);
		else if (*s == '{' || *s == '[') {
			if (++depth > most)
				most = depth;
		} else if (*s == '}' || *s == ']')
			depth--;
	return most;
}

/* May this frame be queued? What the peer may not read would end us. */
static int
out_accepts(
    struct chan *c, const struct proto_msg *m, const char *text, size_t len)
{
	const char *over = len > m->max ? "too long" :
	    nesting(text, len) >= c->proto->depth[c->ours] ? "too deep" : NULL;

	if (over != NULL) {
		log_warnx("%s: %s of %zu bytes is %s",
		    c->proto->name, m->type, len, over);
		errno = EMSGSIZE;
		return 0;
	}
	errno = EPIPE;
	return !c->dead && !c->ended && !c->broken &&
	    c->queued <= CHAN_LIMIT;
}

int
chan_send(struct chan *c, struct json_object *msg, int fd)
{
	const struct proto_msg *m = out_entry(c, chan_msg_type(msg), fd);
	struct out_frame *f;
	const char *text;
	char *mended = NULL;
	size_t len;
	int why;

	text = json_object_to_json_string_length(msg,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (text == NULL)
		fatalx("out of memory");
	/* Somebody's name, cut in the middle of a character. */
	if (!text_valid(text, len)) {
		mended = text_mend(text, len);
		if (c->secret)
			explicit_bzero((char *)(uintptr_t)text, len);
		text = mended;
		len = strlen(mended);
	}
	if (!out_accepts(c, m, text, len)) {
		why = errno;
		if (fd != -1)
			close(fd);
		freezero(mended, mended == NULL ? 0 : len);
		json_object_put(msg);
		errno = why;
		return -1;
	}
	f = frame_new(len, fd);
	memcpy(f->bytes + sizeof(struct frame_header), text, len);
	if (c->secret)
		explicit_bzero((char *)(uintptr_t)text, len);
	free(mended);
	json_object_put(msg);
	out_queue(c, f);
	return 0;
}

/* Append s as the inside of a JSON string; dst has room for 6 times len. */
static char *
escape(char *dst, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s != '\0'; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\') {
			*dst++ = '\\';
			*dst++ = *s;
		} else if (ch < 0x20) {
			memcpy(dst, "\\u00", 4);
			dst[4] = hex[ch >> 4];
			dst[5] = hex[ch & 15];
			dst += 6;
		} else
			*dst++ = *s;
	}
	return dst;
}

static char *
append(char *dst, const char *s)
{
	size_t n = strlen(s);

	memcpy(dst, s, n);
	return dst + n;
}

int
chan_send_secret(struct chan *c, const char *name, const char *value)
{
	const struct proto_msg *m = out_entry(c, "secret", -1);
	size_t room = 64 + 6 * (strlen(name) + strlen(value)), len;
	char *text, *p;
	struct out_frame *f;
	int rc = -1;

	if ((text = malloc(room)) == NULL)
		fatal("malloc");
	p = append(text, "{\"t\":\"secret\",\"name\":\"");
	p = append(escape(p, name), "\",\"value\":\"");
	p = append(escape(p, value), "\"}");
	len = (size_t)(p - text);
	c->secret = 1;
	if (out_accepts(c, m, text, len)) {
		f = frame_new(len, -1);
		memcpy(f->bytes + sizeof(struct frame_header), text, len);
		out_queue(c, f);
		rc = 0;
	}
	freezero(text, room);
	return rc;
}

void
chan_flush(struct chan *c, int ms)
{
	struct monotime end = monotime_add(monotime_now(), ms);
	struct pollfd pfd = {c->fd, POLLOUT, 0};
	int rc;

	while (!c->dead && monotime_left(end) > 0) {
		rc = out_write(c);
		if (rc == OUT_DONE || rc == OUT_GONE)
			return;
		if (rc == OUT_LATER)
			poll(NULL, 0, 1);
		else
			poll(&pfd, 1, (int)monotime_left(end));
	}
}

void
chan_out_drop(struct chan *c)
{
	struct out_frame *f;

	while ((f = TAILQ_FIRST(&c->out)) != NULL)
		out_free(c, f);
}
