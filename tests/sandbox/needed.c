#include "config.h"

#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "tests/sandbox/probe.h"

static int
random_bytes(struct scene *s)
{
	char buf[32];

	return getrandom(buf, sizeof(buf), 0) != sizeof(buf);
}

static int
openssl_random(struct scene *s)
{
	unsigned char buf[32];

	return RAND_poll() != 1 || RAND_bytes(buf, sizeof(buf)) != 1;
}

static int
large_realloc(struct scene *s)
{
	char *p = NULL, *q;
	size_t n;

	for (n = 1 << 20; n <= 64u << 20; n *= 2) {
		if ((q = realloc(p, n)) == NULL)
			return 1;
		p = q;
		memset(p + n / 2, 1, n / 2);
	}
	free(p);
	heap_trim();
	return 0;
}

static int
clocks(struct scene *s)
{
	struct timespec ts = {0, 1000000};
	char buf[64];
	struct tm tm;
	time_t now = time(NULL);

	nanosleep(&ts, NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return gmtime_r(&now, &tm) == NULL ||
	    localtime_r(&now, &tm) == NULL ||
	    strftime(buf, sizeof(buf), "%F %T", &tm) == 0;
}

static void
on_timer(int fd, short what, void *arg)
{
	(*(int *)arg)++;
}

static int
loop_timers(struct scene *s)
{
	struct event *ev;
	int fired = 0;

	if ((ev = evtimer_new(s->base, on_timer, &fired)) == NULL)
		return 1;
	loop_timer(ev, 3);
	event_base_dispatch(s->base);
	event_free(ev);
	return fired != 1;
}

static int
log_line(struct scene *s)
{
	errno = ENOENT;
	log_warn("the log works in the jail");
	return 0;
}

static int
secrets(struct scene *s)
{
	struct secret *x = secret_new("0123456789", 10);

	if (x == NULL || strcmp(secret_bytes(x), "0123456789") != 0)
		return 1;
	secret_free(x);
	return 0;
}

struct link_run {
	struct event_base *base;
	int got;
};

static void
on_frame(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	chan_send(c, chan_reply_msg("dial.err", msg), -1);
}

static void
on_answer(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct link_run *r = arg;

	r->got = strcmp(type, "dial.err") == 0;
	event_base_loopbreak(r->base);
}

static void
on_end(struct chan *c, const char *why, void *arg)
{
}

static int
link_works(struct scene *s)
{
	static const struct chan_handler dialer[] = {
	    {"dial", on_frame}, {NULL, NULL}};
	static const struct chan_handler none[] = {{NULL, NULL}};
	struct link_run r = {s->base, 0};
	struct chan *a, *b;

	a = chan_new(s->base, s->pair[0], PROTO_DIAL, SIDE_A, dialer, on_end,
	    &r);
	b = chan_new(s->base, s->pair[1], PROTO_DIAL, SIDE_B, none, on_end,
	    &r);
	chan_request(b, chan_msg("dial"), -1, 2000, on_answer, &r);
	event_base_dispatch(s->base);
	chan_free(a);
	chan_free(b);
	return !r.got;
}

/* A descriptor over a link, both ways through the kernel. */
static int
pass_fd(struct scene *s)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = {.hdr = {0}};
	char c = 'x';
	struct iovec iov = {&c, 1};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf)};
	int fd;

	ctl.hdr.cmsg_level = SOL_SOCKET;
	ctl.hdr.cmsg_type = SCM_RIGHTS;
	ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&ctl.hdr), &s->exec_fd, sizeof(int));
	if (sendmsg(s->pair[0], &mh, MSG_NOSIGNAL) != 1 ||
	    recvmsg(s->pair[1], &mh, MSG_CMSG_CLOEXEC) != 1 ||
	    mh.msg_controllen == 0)
		return 1;
	memcpy(&fd, CMSG_DATA(&ctl.hdr), sizeof(int));
	return fd_prepare(fd) == -1 || close(fd) == -1;
}

static int
look_at_fd(struct scene *s)
{
	struct stat st;

	return sandbox_fstat(s->exec_fd, &st) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    sandbox_fstat(s->pair[0], &st) == -1 || !S_ISSOCK(st.st_mode);
}

/* An attachment, into the file that the store has made. */
static int
fill_file(struct scene *s)
{
	struct stat st;

	return pwrite(s->file_fd, "xyz", 3, 5) != 3 ||
	    fdatasync(s->file_fd) == -1 ||
	    sandbox_fstat(s->file_fd, &st) == -1 || st.st_size != 8;
}

static int
read_file_fd(struct scene *s)
{
	char buf[4];

	return pread(s->exec_fd, buf, 4, 0) != 4;
}

/* libcurl 7.88 calls it on a connected socket and must hear "done". */
static int
connect_says_done(struct scene *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	return connect(s->tcp, (struct sockaddr *)&sin, sizeof(sin));
}

static int
library_probes(struct scene *s)
{
	struct stat st;

	/* An error, not death. */
	return open("/etc/ssl/openssl.cnf", O_RDONLY) != -1 ||
	    access("/etc/localtime", R_OK) == 0 ||
	    stat("/usr/lib/ssl/certs", &st) == 0;
}

static void
on_http(struct evhttp_request *req, void *arg)
{
	struct evbuffer *out = evbuffer_new();
	static char page[100000];

	memset(page, 'x', sizeof(page));
	evbuffer_add(out, page, sizeof(page));
	evhttp_send_reply(req, 200, "OK", out);
	evbuffer_free(out);
}

/* The runner has sent a request and waits for the answer. */
static int
http_server(struct scene *s)
{
	struct evhttp *http = evhttp_new(s->base);
	struct timeval tv = {0, 200000};

	if (http == NULL || evhttp_accept_socket(http, s->listen_fd) == -1)
		return 1;
	evhttp_set_timeout(http, 5);
	evhttp_set_gencb(http, on_http, NULL);
	event_base_loopexit(s->base, &tv);
	event_base_dispatch(s->base);
	return 0;
}

static int
store_files(struct scene *s)
{
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0600), bad;

	if (fd == -1)
		return 1;
	bad = write(fd, "x", 1) != 1 || pwrite(fd, "y", 1, 1) != 1 ||
	    fsync(fd) == -1 || fdatasync(fd) == -1 || ftruncate(fd, 0) == -1;
	close(fd);
	return bad || unlink("file") == -1;
}

static int
store_database(struct scene *s)
{
	static const char *const steps[] = {"PRAGMA journal_mode=WAL",
	    "PRAGMA synchronous=FULL", "PRAGMA temp_store=MEMORY",
	    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)", "BEGIN",
	    "INSERT INTO t(b) VALUES(hex(randomblob(20000)))", "COMMIT",
	    "PRAGMA wal_checkpoint(TRUNCATE)",
	    "SELECT * FROM t ORDER BY b LIMIT 1", "VACUUM"};
	sqlite3 *db;
	size_t i;

	if (sqlite3_open("data.db", &db) != SQLITE_OK)
		return 1;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (sqlite3_exec(db, steps[i], NULL, NULL, NULL) !=
		    SQLITE_OK) {
			fprintf(stderr, "%s: %s\n", steps[i],
			    sqlite3_errmsg(db));
			return 1;
		}
	return sqlite3_close(db) != SQLITE_OK;
}

static void *
resolve(void *arg)
{
	struct scene *s = arg;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *ai = NULL;
	uint64_t n = 1;

	n = getaddrinfo("localhost", "80", &hints, &ai) == 0 ? 1 : 2;
	if (n == 1)
		freeaddrinfo(ai);
	return write(s->eventfd, &n, sizeof(n)) == sizeof(n) ? NULL : s;
}

static int
dialer_resolves(struct scene *s)
{
	struct pollfd pfd = {s->eventfd, POLLIN, 0};
	pthread_t t[3];
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, resolve, s) != 0)
			return 1;
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	if (poll(&pfd, 1, 5000) != 1 || read(s->eventfd, &n, 8) != 8)
		return 1;
	return n != 3;
}

/* A name that no file knows goes through every module of the resolver. */
static int
dialer_resolves_unknown(struct scene *s)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_family = AF_INET}, *ai = NULL;

	if (getaddrinfo("name.invalid", "80", &hints, &ai) == 0)
		freeaddrinfo(ai);
	return 0;
}

static int
dialer_connects(struct scene *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct pollfd pfd;
	socklen_t len = sizeof(int);
	int fd, one = 1, soerr = -1;

	sin.sin_port = htons((uint16_t)s->port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 1;
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno != EINPROGRESS)
		return 1;
	pfd = (struct pollfd){fd, POLLOUT, 0};
	poll(&pfd, 1, 2000);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &soerr, &len) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one,
		sizeof(one)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) ==
		-1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one)) == -1 ||
	    setsockopt(fd, IPPROTO_IP, 11 /* IP_RECVERR */, &one,
		sizeof(one)) == -1)
		return 1;
	return soerr != 0;
}

static int
abort_it(struct scene *s)
{
	abort();
}

const struct act probe_needed[] = {
    {"getrandom", R_WORKERS, random_bytes, 0},
    {"RAND_poll and RAND_bytes", R_FETCHERS | R_LISTENERS, openssl_random, 0},
    {"64 MB by realloc", R_WORKERS, large_realloc, 0},
    {"clocks and sleep", R_WORKERS, clocks, 0},
    {"epoll and timers", R_WORKERS, loop_timers, 0},
    {"a log line on stderr", R_WORKERS, log_line, 0},
    {"memory for secrets", R_WORKERS, secrets, 0},
    {"a link", R_WORKERS, link_works, 0},
    {"a descriptor over a link", R_WORKERS, pass_fd, 0},
    {"look at a descriptor", R_WORKERS, look_at_fd, 0},
    {"read a file it was given", R_WORKERS, read_file_fd, 0},
    {"fill a file it was given", R(SANDBOX_ACCOUNT), fill_file, 0},
    {"libraries look for files", R_NOT_DIALER & ~R_STORE, library_probes, 0},
    {"connect says done", R_FETCHERS, connect_says_done, 0},
    {"answer over HTTP", R_LISTENERS, http_server, 0},
    {"make and sync files", R_STORE, store_files, 0},
    {"a database", R_STORE, store_database, 0},
    {"resolve in threads", R_DIALER, dialer_resolves, 0},
    {"resolve an unknown name", R_DIALER, dialer_resolves_unknown, 0},
    {"dial", R_DIALER, dialer_connects, 0},
    {"abort shows SIGABRT", R_WORKERS, abort_it, 0},
    {NULL, 0, NULL, 0},
};
