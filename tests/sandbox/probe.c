#include "config.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/privdrop.h"
#include "tests/sandbox/probe.h"

#define PROBE_UID 65534 /* as root: any user that owns nothing */

struct verdict {
	int done, err;
};

/* "EPERM" where the system knows, else its words. */
static const char *
error_name(int err)
{
#ifdef HAVE_STRERRORNAME_NP
	return strerrorname_np(err);
#else
	return strerror(err);
#endif
}

static const char *const role_names[] = {"account", "agent", "callback",
    "control", "store", "dialer", "supervisor"};
static int no_jail, rootless;
static int capture = -1;
static char top[64], empty_dir[80], store_dir[80], outside[80];

static void
data_make(const char *dir)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/data", dir);
	if ((fd = open(path, O_WRONLY | O_CREAT, 0600)) == -1 ||
	    (!rootless && fchown(fd, PROBE_UID, PROBE_UID) == -1))
		err(1, "%s", path);
	close(fd);
	snprintf(path, sizeof(path), "%s/planted", dir);
	if (symlink("/etc/passwd", path) == -1)
		err(1, "%s", path);
}

static void
dirs_make(void)
{
	int fd;

	strlcpy(top, "/tmp/postern-probe.XXXXXX", sizeof(top));
	if (mkdtemp(top) == NULL || chmod(top, 0755) == -1)
		err(1, "%s", top);
	snprintf(empty_dir, sizeof(empty_dir), "%s/empty", top);
	snprintf(store_dir, sizeof(store_dir), "%s/store", top);
	snprintf(outside, sizeof(outside), "%s/outside", top);
	if (mkdir(empty_dir, 0755) == -1 || mkdir(store_dir, 0700) == -1)
		err(1, "mkdir");
	if (!rootless && chown(store_dir, PROBE_UID, PROBE_UID) == -1)
		err(1, "chown");
	if ((fd = open(outside, O_WRONLY | O_CREAT, 0644)) == -1)
		err(1, "%s", outside);
	close(fd);
	data_make(empty_dir);
	data_make(store_dir);
}

/* What acts have left. */
static void
dirs_clean(void)
{
	static const char *const names[] = {"data.db", "data.db-wal",
	    "data.db-shm", "sock", "made", "link", "fifo", "dir"};
	const char *const dirs[] = {empty_dir, store_dir};
	char path[160];
	size_t i, j;

	for (j = 0; j < 2; j++)
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[j],
			    names[i]);
			if (unlink(path) == -1)
				rmdir(path);
		}
	unlink("/tmp/postern-probe-made");
}

static void
dirs_remove(void)
{
	static const char *const names[] = {"data", "planted"};
	char path[160];
	size_t i;

	dirs_clean();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", empty_dir, names[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%s", store_dir, names[i]);
		unlink(path);
	}
	unlink(outside);
	rmdir(empty_dir);
	rmdir(store_dir);
	rmdir(top);
}

static int
tcp_listener(int *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "listener");
	*port = ntohs(sin.sin_port);
	return fd;
}

static int
tcp_client(int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_port = htons((uint16_t)port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "client");
	return fd;
}

static int
unix_listener(const char *dir)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/sock", dir);
	unlink(sun.sun_path);
	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(sun.sun_path, 0666) == -1 || listen(fd, 16) == -1)
		err(1, "%s", sun.sun_path);
	return fd;
}

/* In the child, before the jail: what a worker's prepare() would do. */
static void
scene_set(struct scene *s)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *ai;
	unsigned char byte;
	int port;

	tzset();
	s->base = loop_new();
	s->udp = socket(AF_INET, SOCK_DGRAM, 0);
	s->unix_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	s->exec_fd = open("/bin/true", O_RDONLY);
	s->file_fd = fileno(tmpfile());
	s->eventfd = eventfd(0, EFD_NONBLOCK);
	s->tcp = socket(AF_INET, SOCK_STREAM, 0);
	s->tcp6 = socket(AF_INET6, SOCK_STREAM, 0);
	tcp_listener(&port);
	s->connected = tcp_client(port);
	s->outside = outside;
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s->pair) == -1 ||
	    s->page == MAP_FAILED || s->exec_fd == -1)
		err(1, "scene");
	RAND_bytes(&byte, 1);
	if (s->role == SANDBOX_DIALER &&
	    getaddrinfo("localhost", "80", &hints, &ai) == 0)
		freeaddrinfo(ai);
}

static void
jail(enum sandbox_role role)
{
	struct privdrop p = {.uid = PROBE_UID, .gid = PROBE_UID};

	p.dir = role == SANDBOX_STORE ? store_dir : empty_dir;
	p.rootless = rootless;
	p.keep_root_dir = role == SANDBOX_DIALER;
	p.threads = role == SANDBOX_DIALER;
	if (no_jail) {
		if (chdir(p.dir) == -1)
			err(1, "chdir");
		return;
	}
	privdrop(&p);
	sandbox_enter(role);
	sandbox_selftest(role);
}

static pid_t
sibling_start(void)
{
	int ready[2];
	char c;
	pid_t pid;

	if (pipe(ready) == -1 || (pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!rootless &&
		    (setresgid(PROBE_UID, PROBE_UID, PROBE_UID) == -1 ||
			setresuid(PROBE_UID, PROBE_UID, PROBE_UID) == -1))
			err(1, "setresuid");
		if (write(ready[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	if (read(ready[0], &c, 1) != 1)
		errx(1, "sibling");
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* The act in a child; what it says arrives in v, or v->done stays -1. */
static int
act_run(const struct act *a, struct scene *s, struct verdict *v)
{
	int sv[2], status;
	pid_t pid;

	*v = (struct verdict){-1, 0};
	fflush(NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1 ||
	    (pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		alarm(30);
		close(sv[0]);
		scene_set(s);
		if (capture != -1) {
			capture_drain(capture);
			close(capture);
		}
		jail(s->role);
		errno = 0;
		v->done = a->fn(s);
		v->err = errno;
		send(sv[1], v, sizeof(*v), MSG_NOSIGNAL);
		_exit(0);
	}
	close(sv[1]);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (recv(sv[0], v, sizeof(*v), 0) != sizeof(*v))
		v->done = -1;
	close(sv[0]);
	return status;
}

static int
say(const char *role, const char *act, const char *what, int good)
{
	printf("%-8s  %-33s -> %s%s\n", role, act, what,
	    good ? "" : "  <-- WRONG");
	return !good;
}

/* Did anybody come? That is what "connect returned 0" must not mean. */
static int
somebody_came(int fd)
{
	int c, n = 0;

	while ((c = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		close(c);
		n++;
	}
	return n > 0;
}

static int
control_try(const struct act *a, struct scene *s, int *packets)
{
	struct verdict v;
	int came;

	act_run(a, s, &v);
	if (capture != -1)
		*packets += capture_drain(capture);
	came = somebody_came(s->listen_fd);
	if (waitpid(s->sibling, NULL, WNOHANG) != 0)
		s->sibling = sibling_start();
	if (v.done == 0 && !came)
		return say("no jail", a->name, error_name(v.err), 0);
	return 0;
}

/* Without a jail the acts must succeed: a probe that cannot fail is none. */
static int
control_probe(struct scene *s)
{
	const struct act *a;
	int bad = 0, un, sent = 0;

	no_jail = 1;
	s->role = SANDBOX_ACCOUNT;
	un = unix_listener(empty_dir);
	for (a = probe_forbidden_net; a->name != NULL; a++)
		if (a->sure)
			bad += control_try(a, s, &sent);
	for (a = probe_forbidden; a->name != NULL; a++)
		if (a->sure)
			bad += control_try(a, s, &sent);
	close(un);
	no_jail = 0;
	if (capture != -1 && sent == 0)
		bad += say("no jail", capture_name, "NONE WAS SEEN", 0);
	return bad;
}

static int
forbidden_judge(const char *role, const struct act *a, int status,
    const struct verdict *v, int came)
{
	char what[80];

	if (came)
		return say(role, a->name, "CONNECTED", 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return say(role, a->name, "killed by the filter", 1);
	if (WIFSIGNALED(status)) {
		snprintf(what, sizeof(what), "signal %d", WTERMSIG(status));
		/* int 0x80 faults where the kernel has no such entry. */
		return say(role, a->name, what, WTERMSIG(status) == SIGSEGV);
	}
	if (v->done == 0) {
		snprintf(what, sizeof(what), "refused, %s",
		    v->err == 0 ? "not done" : error_name(v->err));
		return say(role, a->name, what, 1);
	}
	return say(role, a->name, v->done == -1 ? "BECAME ANOTHER PROGRAM" :
						  "DONE", 0);
}

static int
forbidden_try(const struct act *a, struct scene *s, int *packets)
{
	const char *role = role_names[s->role];
	struct verdict v;
	int status, came, bad;

	status = act_run(a, s, &v);
	if (capture != -1 && capture_drain(capture) > 0)
		*packets += 1;
	came = somebody_came(s->listen_fd);
	bad = forbidden_judge(role, a, status, &v, came);
	if (waitpid(s->sibling, NULL, WNOHANG) != 0) {
		bad = say(role, a->name, "THE SIBLING DIED", 0);
		s->sibling = sibling_start();
	}
	return bad;
}

/* The answer of the HTTP server in the jail. */
static int
http_answered(int fd)
{
	char buf[65536];
	ssize_t n, all = 0;
	int ok = 0;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		if (all == 0)
			ok = n > 15 && memcmp(buf + 9, "200", 3) == 0;
		all += n;
	}
	return ok && all > 100000;
}

static int
needed_try(const struct act *a, struct scene *s)
{
	static const char get[] = "GET / HTTP/1.0\r\nHost: x\r\n\r\n";
	int http = strstr(a->name, "HTTP") != NULL;
	int aborts = strstr(a->name, "abort") != NULL;
	int status, client = -1, good;
	struct verdict v;
	char what[80];

	if (http) {
		client = tcp_client(s->port);
		if (send(client, get, sizeof(get) - 1, 0) == -1)
			err(1, "send");
	}
	status = act_run(a, s, &v);
	good = WIFEXITED(status) && v.done == 0;
	if (aborts)
		good = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
	if (http) {
		good = good && http_answered(client);
		close(client);
	}
	somebody_came(s->listen_fd);
	if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "signal %d", WTERMSIG(status));
	else
		snprintf(what, sizeof(what), "%s%s", v.done ? "failed, " :
		    "works", v.done ? error_name(v.err) : "");
	return say(role_names[s->role], a->name, what, good);
}

static int
role_probe(enum sandbox_role role, struct scene *s)
{
	const char *dir = role == SANDBOX_STORE ? store_dir : empty_dir;
	const struct act *a;
	int bad = 0, packets = 0, un;

	s->role = role;
	un = unix_listener(dir);
	for (a = probe_forbidden_net; a->name != NULL; a++)
		if (a->roles & R(role))
			bad += forbidden_try(a, s, &packets);
	for (a = probe_forbidden; a->name != NULL; a++)
		if (a->roles & R(role))
			bad += forbidden_try(a, s, &packets);
	if (capture != -1)
		bad += say(role_names[role], capture_name, packets > 0 ?
			"SENT" : "none was sent", packets == 0);
	for (a = probe_needed; a->name != NULL; a++)
		if (a->roles & R(role))
			bad += needed_try(a, s);
	close(un);
	return bad;
}

static int
seccomp_here(void)
{
#ifdef WITH_SECCOMP
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != -1;
#else
	return 0;
#endif
}

int
main(int argc, char *argv[])
{
	struct scene s = {0};
	int ch, role, bad = 0;

	rootless = getuid() != 0;
	while ((ch = getopt(argc, argv, "nR")) != -1) {
		if (ch == 'n')
			no_jail = 1; /* what the acts do without one */
		else if (ch == 'R')
			rootless = 1;
		else
			return 2;
	}
	if (!seccomp_here()) {
		printf("no system call filter here\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	if ((capture = capture_open()) == -1)
		printf("no network of its own: packets are not looked at\n");
	dirs_make();
	s.spare_fd = tcp_listener(&s.port);
	s.listen_fd = tcp_listener(&s.port);
	s.sibling = sibling_start();
	if (!no_jail)
		bad += control_probe(&s);
	dirs_clean();
	for (role = SANDBOX_ACCOUNT; role <= SANDBOX_DIALER; role++)
		bad += role_probe(role, &s);
	kill(s.sibling, SIGKILL);
	dirs_remove();
	printf("%s, %s: %d wrong\n", rootless ? "not root" : "root",
	    no_jail ? "no jail" : "in the jail", bad);
	return bad > 0;
}
