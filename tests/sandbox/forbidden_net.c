/* What no worker may do to the network; some of it the dialer may. */
#include "config.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/sandbox/probe.h"

static struct sockaddr_in
v4(const char *ip, int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	sin.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, ip, &sin.sin_addr);
	return sin;
}

/* connect() may report success without being run: the listener knows. */
static int
dial(int fd, const void *sa, socklen_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);

	if (connect(fd, sa, len) == -1)
		return 0;
	return getpeername(fd, (struct sockaddr *)&ss, &n) == 0 ||
	       send(fd, "", 1, MSG_NOSIGNAL) == 1;
}

static int
connect_loopback(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", s->port);

	return dial(s->tcp, &sin, sizeof(sin));
}

/* Nobody answers there: without a jail the packet is what is seen. */
static int
connect_away(int fd, const char *ip)
{
	struct sockaddr_in sin = v4(ip, 80);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	return dial(fd, &sin, sizeof(sin));
}

static int
connect_metadata(struct scene *s)
{
	return connect_away(s->tcp, PROBE_METADATA);
}

static int
connect_host(struct scene *s)
{
	return connect_away(s->tcp, PROBE_HOST);
}

static int
connect_v6(struct scene *s, const char *ip)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};

	sin6.sin6_port = htons((uint16_t)s->port);
	inet_pton(AF_INET6, ip, &sin6.sin6_addr);
	fcntl(s->tcp6, F_SETFL, O_NONBLOCK);
	return dial(s->tcp6, &sin6, sizeof(sin6));
}

static int
connect_mapped(struct scene *s)
{
	return connect_v6(s, "::ffff:127.0.0.1");
}

static int
connect_mapped_metadata(struct scene *s)
{
	return connect_v6(s, "::ffff:" PROBE_METADATA);
}

static int
connect_loopback6(struct scene *s)
{
	return connect_v6(s, "::1");
}

/* A connection can be dissolved, and its socket dialled anew. */
static int
connect_anew(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", s->port);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sockaddr_in now;
	socklen_t len = sizeof(now);

	if (connect(s->connected, &none, sizeof(none)) == -1 ||
	    connect(s->connected, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		return 0;
	return getpeername(s->connected, (struct sockaddr *)&now, &len) == 0 &&
	       now.sin_port == sin.sin_port;
}

static int
connect_other_port(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", 22);

	return dial(s->udp, &sin, sizeof(sin));
}

static int
connect_unix(struct scene *s)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	strlcpy(sun.sun_path, "sock", sizeof(sun.sun_path));
	return dial(s->unix_fd, &sun, sizeof(sun));
}

static int
sendto_udp(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", s->port);

	return sendto(s->udp, "x", 1, 0, (struct sockaddr *)&sin,
		   sizeof(sin)) == 1;
}

static int
sendto_fastopen(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", s->port);

	return sendto(s->tcp, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
		   (struct sockaddr *)&sin, sizeof(sin)) != -1;
}

static int
sendmsg_fastopen(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", s->port);
	struct iovec iov = {(char[]){'x'}, 1};
	struct msghdr mh = {.msg_name = &sin,
	    .msg_namelen = sizeof(sin),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};

	return sendmsg(s->tcp, &mh, MSG_FASTOPEN | MSG_NOSIGNAL) != -1;
}

static int
sendmsg_named(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", s->port);
	struct iovec iov = {(char[]){'x'}, 1};
	struct msghdr mh = {.msg_name = &sin,
	    .msg_namelen = sizeof(sin),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};

	return sendmsg(s->tcp, &mh, MSG_NOSIGNAL) != -1;
}

#define SOCKET_ACT(fname, family, type, proto)                                 \
	static int fname(struct scene *s)                                      \
	{                                                                      \
		return socket(family, type, proto) >= 0;                       \
	}
SOCKET_ACT(socket_inet, AF_INET, SOCK_STREAM, 0)
SOCKET_ACT(socket_inet6, AF_INET6, SOCK_STREAM, 0)
SOCKET_ACT(socket_udp, AF_INET, SOCK_DGRAM, 0)
SOCKET_ACT(socket_unix, AF_UNIX, SOCK_STREAM, 0)
SOCKET_ACT(socket_netlink, AF_NETLINK, SOCK_RAW, 0)
SOCKET_ACT(socket_audit, AF_NETLINK, SOCK_RAW, 9)
SOCKET_ACT(socket_raw, AF_INET, SOCK_RAW, IPPROTO_ICMP)
SOCKET_ACT(socket_packet, AF_PACKET, SOCK_RAW, 0)
SOCKET_ACT(socket_vsock, AF_VSOCK, SOCK_STREAM, 0)
SOCKET_ACT(socket_alg, AF_ALG, SOCK_SEQPACKET, 0)

static int
socket_pair(struct scene *s)
{
	int sv[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0;
}

static int
bind_port(struct scene *s)
{
	struct sockaddr_in sin = v4("127.0.0.1", 0);
	int fd = s->role == SANDBOX_DIALER ? socket(AF_INET, SOCK_STREAM, 0)
					   : s->tcp;

	return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 &&
	       listen(fd, 1) == 0;
}

static int
listen_again(struct scene *s)
{
	return listen(s->listen_fd, 100) == 0;
}

/* It is the supervisor's, too, and the next worker's. */
static int
listen_no_more(struct scene *s)
{
	return shutdown(s->spare_fd, SHUT_RD) == 0;
}

static int
accept_any(struct scene *s)
{
	return accept(s->listen_fd, NULL, NULL) != -1 || errno == EAGAIN;
}

/* Whoever closes that socket last, maybe another process, is held. */
static int
linger(struct scene *s, long level, long option)
{
	struct linger on = {1, 60}, got = {0, 0};
	socklen_t len = sizeof(got);
	int fd = s->role == SANDBOX_DIALER ? socket(AF_INET, SOCK_STREAM, 0)
					   : s->tcp;

	if (syscall(SYS_setsockopt, fd, level, option, &on, sizeof(on)) == -1)
		return 0;
	return getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len) == 0 &&
	       got.l_onoff;
}

#define CUT_OFF (1L << 32) /* the kernel takes an int */

static int
linger_plain(struct scene *s)
{
	return linger(s, SOL_SOCKET, SO_LINGER);
}

static int
linger_level(struct scene *s)
{
	return linger(s, CUT_OFF | SOL_SOCKET, SO_LINGER);
}

static int
linger_option(struct scene *s)
{
	return linger(s, SOL_SOCKET, CUT_OFF | SO_LINGER);
}

const struct act probe_forbidden_net[] = {
    {"connect to 127.0.0.1", R_NOT_DIALER, connect_loopback, 1},
    {"connect to 169.254.169.254", R_NOT_DIALER, connect_metadata, 0},
    {"connect to another host", R_NOT_DIALER, connect_host, 0},
    {"connect to ::1", R_NOT_DIALER, connect_loopback6, 0},
    {"connect to ::ffff:127.0.0.1", R_NOT_DIALER, connect_mapped, 1},
    {"connect to ::ffff:169.254.169.254", R_NOT_DIALER, connect_mapped_metadata,
	0},
    {"connect a connection anew", R_NOT_DIALER, connect_anew, 1},
    {"connect to another port", R_NOT_DIALER, connect_other_port, 0},
    {"connect to a unix socket", R_NOT_DIALER, connect_unix, 0},
    {"sendto an address", R_NOT_DIALER, sendto_udp, 1},
    {"sendto with MSG_FASTOPEN", R_NOT_DIALER, sendto_fastopen, 0},
    {"sendmsg with MSG_FASTOPEN", R_WORKERS, sendmsg_fastopen, 1},
    {"sendmsg to an address", R_WORKERS, sendmsg_named, 0},
    {"socket inet", R_NOT_DIALER, socket_inet, 1},
    {"socket inet6", R_NOT_DIALER, socket_inet6, 0},
    {"socket udp", R_NOT_DIALER, socket_udp, 0},
    {"socket unix", R_NOT_DIALER, socket_unix, 1},
    {"socket netlink", R_NOT_DIALER, socket_netlink, 0},
    {"socket netlink audit", R_WORKERS, socket_audit, 0},
    {"socket raw", R_WORKERS, socket_raw, 0},
    {"socket packet", R_WORKERS, socket_packet, 0},
    {"socket vsock", R_WORKERS, socket_vsock, 0},
    {"socket alg", R_WORKERS, socket_alg, 0},
    {"socketpair", R_WORKERS, socket_pair, 1},
    {"bind and listen", R_WORKERS, bind_port, 1},
    {"listen", R_WORKERS, listen_again, 1},
    {"shutdown of a listener", R_WORKERS, listen_no_more, 1},
    {"linger on close", R_WORKERS, linger_plain, 1},
    {"linger on close, a long level", R_WORKERS, linger_level, 1},
    {"linger on close, a long option", R_WORKERS, linger_option, 1},
    {"accept", R_WORKERS & ~R_LISTENERS, accept_any, 1},
    {NULL, 0, NULL, 0},
};
