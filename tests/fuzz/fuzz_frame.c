#include "config.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"

/*
 * The decoder of the channel, on every kind of link. Byte 0 of the input
 * chooses the link and the side, byte 1 the size of the writes, whether the
 * frames are sealed (a right header put before each line of the rest) and
 * how many descriptors come along; the rest is what a captured peer sends.
 */
#define SEALED 0x80u
#define SECRET 0x40u
#define PAUSING 0x20u
#define WITH_FD 0x10u

struct run {
	struct chan *c;
	int ended, handled, pauses;
	unsigned mode;
};

static struct event_base *base;
static struct chan_handler handlers[PROTO_MAX][2][32];

static void
sink(int prio, const char *line, void *arg)
{
}

static void
on_msg(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct run *r = arg;
	struct fields f;

	fields_open(&f, msg);
	fields_opt_str(&f, "name", 64);
	fields_opt_int(&f, "prio", 0, 7, 0);
	fields_opt_bool(&f, "on", 0);
	fields_opt_obj(&f, "config");
	fields_opt_arr(&f, "list", 16);
	if (fields_end(&f) == -1)
		fields_error(&f);
	if (fd != -1)
		close(fd);
	if (r->mode & PAUSING && ++r->pauses % 3 == 0)
		chan_pause(c, 1);
	if (++r->handled == 200) {
		r->c = NULL;
		chan_free(c);
	}
}

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct run *r = arg;

	if (r->ended++)
		abort();
	r->c = NULL;
	chan_free(c);
}

static void
on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	if (fd != -1)
		close(fd);
}

static void
handlers_make(void)
{
	const struct proto_msg *m;
	int kind, side;
	size_t n;

	for (kind = 0; kind < PROTO_MAX; kind++)
		for (side = SIDE_A; side <= SIDE_B; side++) {
			n = 0;
			for (m = proto_get(kind)->msgs; m->type != NULL; m++)
				if ((int)m->from != side &&
				    !(m->flags & PROTO_REPLY))
					handlers[kind][side][n++] =
					    (struct chan_handler){
						m->type, on_msg};
		}
}

static void
send_bytes(int fd, const uint8_t *p, size_t len, int pass)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct iovec iov = {(void *)(uintptr_t)p, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (pass != -1) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.buf;
		mh.msg_controllen = sizeof(ctl.buf);
		ctl.hdr.cmsg_level = SOL_SOCKET;
		ctl.hdr.cmsg_type = SCM_RIGHTS;
		ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&ctl.hdr), &pass, sizeof(int));
	}
	if (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		return;
}

static void
turn(struct run *r)
{
	int i;

	for (i = 0; i < 4; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (r->c != NULL && r->mode & PAUSING)
			chan_pause(r->c, 0);
	}
}

/* Each line of the input becomes one frame with a right header. */
static void
feed_sealed(struct run *r, int fd, const uint8_t *p, size_t len, int pass)
{
	const uint8_t *nl;
	uint8_t frame[8 + 65536];
	uint32_t n;
	uint16_t flags, version = PROTO_VERSION;

	while (len > 0 && r->c != NULL) {
		nl = memchr(p, '\n', len);
		n = (uint32_t)(nl == NULL ? len : (size_t)(nl - p));
		if (n > 65536)
			n = 65536;
		flags = n > 0 && pass != -1 && p[0] == ' ';
		memcpy(frame, &n, 4);
		memcpy(frame + 4, &flags, 2);
		memcpy(frame + 6, &version, 2);
		memcpy(frame + 8, p, n);
		send_bytes(fd, frame, n + 8, flags ? pass : -1);
		turn(r);
		if (n < len)
			n++;
		p += n;
		len -= n;
	}
}

static void
feed(struct run *r, int fd, const uint8_t *p, size_t len, size_t step, int pass)
{
	size_t n;

	while (len > 0 && r->c != NULL) {
		n = len < step ? len : step;
		send_bytes(fd, p, n, pass);
		turn(r);
		p += n;
		len -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t steps[] = {1, 7, 8, 9, 64, 1024, 16384, 65536};
	struct run r = {0};
	int kind, side, sv[2], pass = -1;

	if (len < 2 || len > 65536)
		return 0;
	if (base == NULL) {
		log_set_sink(sink, NULL);
		base = loop_new();
		handlers_make();
	}
	kind = (data[0] >> 1) % PROTO_MAX;
	side = data[0] & 1;
	r.mode = data[1];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		abort();
	if (r.mode & WITH_FD && (pass = open("/dev/null", O_RDONLY)) == -1)
		abort();
	r.c = chan_new(base, sv[0], kind, side, handlers[kind][side],
	    on_close, &r);
	if (r.mode & SECRET)
		chan_set_secret(r.c);
	if (kind == PROTO_SUPERVISOR && side == SIDE_B && len & 1)
		chan_set_state(r.c, PROTO_INIT);
	if (kind == PROTO_DIAL && side == SIDE_B)
		chan_request(r.c, chan_msg("dial"), -1, 1000, on_reply, NULL);
	if (r.mode & SEALED)
		feed_sealed(&r, sv[1], data + 2, len - 2, pass);
	else
		feed(&r, sv[1], data + 2, len - 2, steps[r.mode & 7], pass);
	close(sv[1]);
	turn(&r);
	if (r.c != NULL)
		chan_free(r.c);
	if (pass != -1)
		close(pass);
	return 0;
}
