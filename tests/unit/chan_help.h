/* What the tests of the channel share: a raw peer and a record of events. */
#ifndef TESTS_UNIT_CHAN_HELP_H
#define TESTS_UNIT_CHAN_HELP_H

#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"

/* One test: a channel of ours at one end of sv, raw bytes at sv[1]. */
struct rig {
	struct event_base *base;
	struct chan *c;
	int sv[2];
	int ended, handled;
	char why[64];
	char seen[1024]; /* types and names in the order of arrival */
	size_t seen_len;
};

static inline void
rig_see(struct rig *r, const char *what)
{
	size_t n = strlen(what);

	if (r->seen_len + n + 2 > sizeof(r->seen))
		return;
	memcpy(r->seen + r->seen_len, what, n);
	memcpy(r->seen + r->seen_len + n, " ", 2);
	r->seen_len += n + 1;
}

static inline void
rig_ended(struct chan *c, const char *why, void *arg)
{
	struct rig *r = arg;

	r->ended++;
	strlcpy(r->why, why, sizeof(r->why));
}

static inline void
rig_sink(int prio, const char *line, void *arg)
{
}

static inline void
rig_open(struct rig *r, enum proto_kind kind, enum proto_side side,
    const struct chan_handler *handlers)
{
	memset(r, 0, sizeof(*r));
	log_set_sink(rig_sink, NULL);
	r->base = loop_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, r->sv), 0);
	assert_int_equal(fd_prepare(r->sv[1]), 0);
	r->c = chan_new(r->base, r->sv[0], kind, side, handlers, rig_ended, r);
}

static inline void
rig_close(struct rig *r)
{
	chan_free(r->c);
	if (r->sv[1] != -1)
		close(r->sv[1]);
	event_base_free(r->base);
}

/* As many turns of the loop as there is something to do at once. */
static inline void
rig_turns(struct rig *r, int n)
{
	while (n-- > 0)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
}

static inline size_t
frame_put(char *dst, const char *json, unsigned flags)
{
	uint32_t len = (uint32_t)strlen(json);
	uint16_t h[2] = {(uint16_t)flags, PROTO_VERSION};

	memcpy(dst, &len, 4);
	memcpy(dst + 4, h, 4);
	memcpy(dst + 8, json, len);
	return len + 8;
}

static inline ssize_t
raw_send(int fd, const void *p, size_t len, const int *fds, int nfds)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int) * 64)];
	} ctl;
	struct iovec iov = {(void *)(uintptr_t)p, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t n = (size_t)nfds * sizeof(int);

	if (nfds > 0) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.buf;
		mh.msg_controllen = CMSG_SPACE(n);
		ctl.hdr.cmsg_level = SOL_SOCKET;
		ctl.hdr.cmsg_type = SCM_RIGHTS;
		ctl.hdr.cmsg_len = CMSG_LEN(n);
		memcpy(CMSG_DATA(&ctl.hdr), fds, n);
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL);
}

static inline void
raw_frame(int fd, const char *json, unsigned flags, int pass)
{
	char buf[70000];
	size_t n = frame_put(buf, json, flags);

	assert_int_equal(raw_send(fd, buf, n, &pass, pass != -1), n);
}

static inline int
fds_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

#endif
