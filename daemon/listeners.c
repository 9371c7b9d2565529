#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "daemon/conf.h"
#include "daemon/listeners.h"
#include "daemon/supervisor.h"

#define FIRST_FD 3 /* of sd_listen_fds(3) */
#define MAX 16
#define PASSED "passed-descriptor-" /* by the service manager */
#define BACKLOG 4096 /* the system cuts it to its own limit */

struct listener {
	/* "callback=127.0.0.1:18789", "metrics=[::1]:9464", "callback=/a/b" */
	char name[160];
	enum listen_for purpose;
	int fd;
	int kept; /* by the change under way */
};

static const char *const purposes[LISTEN_KINDS] = {
    [LISTEN_CALLBACK] = "callback",
    [LISTEN_METRICS] = "metrics",
};

static struct listener list[MAX];
static size_t count;
static int changed[LISTEN_KINDS];
static int passed = -1;
static enum listen_for passed_for[MAX];
static int by_manager[LISTEN_KINDS]; /* the configuration does not count */

/* The first thing that is wrong is told; -1 for the caller to return. */
static int __attribute__((format(printf, 3, 4)))
fail(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return -1;
}

/* "callback:metrics": what each of the passed sockets is for. */
static void
passed_names(const char *names)
{
	int i;

	for (i = 0; i < passed && names != NULL; i++) {
		if (strncmp(names, "metrics", 7) == 0 &&
		    (names[7] == ':' || names[7] == '\0'))
			passed_for[i] = LISTEN_METRICS;
		if ((names = strchr(names, ':')) != NULL)
			names++;
	}
}

int
listeners_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	const char *err = NULL;

	if (passed != -1)
		return passed;
	passed = 0;
	if (pid != NULL && n != NULL &&
	    strtonum(pid, 1, INT32_MAX, &err) == getpid() && err == NULL) {
		passed = (int)strtonum(n, 0, MAX, &err);
		if (err != NULL)
			passed = 0;
	}
	passed_names(getenv("LISTEN_FDNAMES"));
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return passed;
}

static void
add(enum listen_for purpose, const char *where, int fd)
{
	struct listener *l = &list[count++];

	snprintf(l->name, sizeof(l->name), "%s=%s", purposes[purpose], where);
	l->purpose = purpose;
	l->fd = fd;
	l->kept = 1;
	changed[purpose] = 1;
	if (purpose == LISTEN_METRICS)
		log_event(LOG_INFO, "metrics.listening", "on", where, NULL);
	else
		log_event(LOG_INFO, "callback.listening", "on", where, NULL);
}

static const char *
where(const struct listener *l)
{
	return strchr(l->name, '=') + 1;
}

static int
is_listener(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(int);
	int v = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len) == -1 ||
	    v != SOCK_STREAM)
		return 0;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &v, &len) == -1 || !v)
		return 0;
	len = sizeof(ss);
	return getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    (ss.ss_family == AF_INET || ss.ss_family == AF_INET6 ||
		ss.ss_family == AF_UNIX);
}

/* Taken once, at the start, and kept to the end. */
static void
take_passed(void)
{
	char name[32];
	int fd;

	for (fd = FIRST_FD; fd < FIRST_FD + passed; fd++) {
		snprintf(name, sizeof(name), PASSED "%d", fd);
		if (!is_listener(fd) || fd_prepare(fd) == -1) {
			log_warnx("%s is no listening socket", name);
			close(fd);
		} else {
			by_manager[passed_for[fd - FIRST_FD]] = 1;
			add(passed_for[fd - FIRST_FD], name, fd);
		}
	}
}

int
listeners_take(const char *name, int fd)
{
	const char *at = strchr(name, '=');
	size_t n = at == NULL ? 0 : (size_t)(at - name);
	int i;

	for (i = 0; i < LISTEN_KINDS; i++)
		if (n == strlen(purposes[i]) &&
		    strncmp(name, purposes[i], n) == 0)
			break;
	if (i == LISTEN_KINDS || count == MAX || !is_listener(fd) ||
	    fd_prepare(fd) == -1)
		return -1;
	if (strncmp(at + 1, PASSED, strlen(PASSED)) == 0)
		by_manager[i] = 1;
	add((enum listen_for)i, at + 1, fd);
	return 0;
}

static struct listener *
find(enum listen_for purpose, const char *at)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].purpose == purpose &&
		    strcmp(where(&list[i]), at) == 0)
			return &list[i];
	return NULL;
}

static socklen_t
fill_addr(struct sockaddr_storage *ss, const struct config_listen *cl,
    char *name, size_t len)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)(void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, cl->host, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(cl->port);
		snprintf(name, len, "%s:%u", cl->host, cl->port);
		return sizeof(*sin);
	}
	if (inet_pton(AF_INET6, cl->host, &sin6->sin6_addr) != 1)
		return 0;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(cl->port);
	snprintf(name, len, "[%s]:%u", cl->host, cl->port);
	return sizeof(*sin6);
}

/*
 * More than one address stands for "this host": where the system has no
 * IPv6, or no IPv4, the other is enough.
 */
static int
may_miss(const struct config *cf, enum listen_for purpose)
{
	return purpose == LISTEN_CALLBACK && cf->gateway.nlisten > 1 &&
	    count > 0 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
}

static int
open_tcp(const struct config *cf, enum listen_for purpose,
    const struct config_listen *cl, char *why, size_t len)
{
	struct sockaddr_storage ss;
	struct listener *l;
	socklen_t slen;
	char name[128];
	int fd, one = 1;

	if ((slen = fill_addr(&ss, cl, name, sizeof(name))) == 0)
		return fail(why, len, "%s: not an address", cl->host);
	if ((l = find(purpose, name)) != NULL) {
		l->kept = 1;
		return 0;
	}
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		return may_miss(cf, purpose) ? 0 :
		    fail(why, len, "socket: %s", strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    (ss.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
		IPV6_V6ONLY, &one, sizeof(one)) == -1) ||
	    bind(fd, (struct sockaddr *)&ss, slen) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		int missing = may_miss(cf, purpose);

		if (!missing)
			fail(why, len, "%s: cannot listen on %s: %s",
			    purpose == LISTEN_METRICS ? "postern.metrics" :
							"gateway",
			    name, strerror(errno));
		close(fd);
		return missing ? 0 : -1;
	}
	add(purpose, name, fd);
	return 0;
}

static int
socket_gid(const struct supervisor *sup, const struct config *cf, gid_t *gid)
{
	struct group *gr;

	*gid = sup->control_gid;
	if (cf->gateway.socket_group[0] == '\0')
		return 0;
	if ((gr = getgrnam(cf->gateway.socket_group)) == NULL)
		return -1;
	*gid = gr->gr_gid;
	return 0;
}

/* Made aside and moved into place: nobody finds it with other rights. */
static int
bind_unix(const char *path, gid_t gid)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	mode_t old;
	int fd, rc;

	if (snprintf(sun.sun_path, sizeof(sun.sun_path), "%s.new", path) >=
	    (int)sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	unlink(sun.sun_path);
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc == -1 || (gid != getegid() &&
		chown(sun.sun_path, (uid_t)-1, gid) == -1) ||
	    chmod(sun.sun_path, 0660) == -1 || listen(fd, BACKLOG) == -1 ||
	    rename(sun.sun_path, path) == -1) {
		rc = errno;
		close(fd);
		unlink(sun.sun_path);
		errno = rc;
		return -1;
	}
	return fd;
}

static int
open_unix(const struct supervisor *sup, const struct config *cf,
    enum listen_for purpose, char *why, size_t len)
{
	int metrics = purpose == LISTEN_METRICS;
	const char *key = metrics ? "postern.metrics" : "gateway.socket";
	const char *path = metrics ? cf->metrics_path : cf->gateway.socket;
	struct listener *l = find(purpose, path);
	struct stat sb;
	gid_t gid;
	int fd;

	if (l != NULL) {
		l->kept = 1;
		return 0;
	}
	gid = sup->control_gid;
	if (!metrics && socket_gid(sup, cf, &gid) == -1)
		return fail(why, len, "gateway.socketGroup: no group %s",
		    cf->gateway.socket_group);
	if (lstat(path, &sb) == 0 && !S_ISSOCK(sb.st_mode))
		return fail(why, len, "%s: %s is no socket", key, path);
	if ((fd = bind_unix(path, gid)) == -1)
		return fail(why, len, "%s: %s: %s", key, path,
		    strerror(errno));
	add(purpose, path, fd);
	return 0;
}

static void
drop(size_t i)
{
	close(list[i].fd);
	if (where(&list[i])[0] == '/')
		unlink(where(&list[i]));
	list[i] = list[--count];
}

static int
open_callback(
    struct supervisor *sup, const struct config *cf, char *why, size_t len)
{
	size_t i;

	if (!cf->gateway.wanted)
		return 0;
	for (i = 0; i < cf->gateway.nlisten && count < MAX; i++)
		if (open_tcp(cf, LISTEN_CALLBACK, &cf->gateway.listen[i], why,
			len) == -1)
			return -1;
	if (cf->gateway.socket != NULL && count < MAX)
		return open_unix(sup, cf, LISTEN_CALLBACK, why, len);
	return 0;
}

static int
open_metrics(
    struct supervisor *sup, const struct config *cf, char *why, size_t len)
{
	if (cf->metrics.host != NULL && count < MAX)
		return open_tcp(cf, LISTEN_METRICS, &cf->metrics, why, len);
	if (cf->metrics_path != NULL && count < MAX)
		return open_unix(sup, cf, LISTEN_METRICS, why, len);
	return 0;
}

/* All at once or none: those of before stay when one cannot be had. */
int
listeners_open(
    struct supervisor *sup, const struct config *cf, char *why, size_t len)
{
	static int asked;
	size_t i, before;

	memset(changed, 0, sizeof(changed));
	if (!asked && passed > 0)
		take_passed();
	asked = 1;
	for (i = 0; i < count; i++)
		list[i].kept = by_manager[list[i].purpose];
	before = count;
	if ((!by_manager[LISTEN_CALLBACK] &&
		open_callback(sup, cf, why, len) == -1) ||
	    (!by_manager[LISTEN_METRICS] &&
		open_metrics(sup, cf, why, len) == -1)) {
		while (count > before)
			drop(count - 1);
		memset(changed, 0, sizeof(changed));
		return -1;
	}
	for (i = 0; i < count;)
		if (list[i].kept)
			i++;
		else {
			changed[list[i].purpose] = 1;
			drop(i);
		}
	return 0;
}

int
listeners_changed(enum listen_for purpose)
{
	return changed[purpose];
}

size_t
listeners_count(void)
{
	return count;
}

int
listeners_fd(size_t i, enum listen_for purpose)
{
	return list[i].purpose == purpose ? list[i].fd : -1;
}

const char *
listeners_name(size_t i)
{
	return list[i].name;
}

void
listeners_close(void)
{
	while (count > 0)
		drop(count - 1);
}
