#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/sdnotify.h"

static int notify_fd = -1;
static int64_t watchdog_ms;
static char *notify_path, *watchdog_usec; /* as they were given */

static void
notify_connect(const char *path)
{
	struct sockaddr_un sun;
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(sun.sun_path))
		return;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	notify_fd = socket(
	    AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify_fd == -1)
		return;
	if (connect(notify_fd, (struct sockaddr *)&sun,
		offsetof(struct sockaddr_un, sun_path) + len) == -1) {
		log_warn("NOTIFY_SOCKET %s", path);
		close(notify_fd);
		notify_fd = -1;
	}
}

void
sdnotify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *usec = getenv("WATCHDOG_USEC");
	const char *err;
	long long n;

	if (path != NULL)
		notify_connect(path);
	if (usec != NULL && notify_fd != -1) {
		n = strtonum(usec, 1000, 86400000000LL, &err);
		watchdog_ms = err == NULL ? n / 1000 : 0;
	}
	if (path != NULL)
		notify_path = strdup(path);
	if (usec != NULL)
		watchdog_usec = strdup(usec);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

void
sdnotify_hand_on(void)
{
	if (notify_path != NULL)
		setenv("NOTIFY_SOCKET", notify_path, 1);
	if (watchdog_usec != NULL)
		setenv("WATCHDOG_USEC", watchdog_usec, 1);
}

int64_t
sdnotify_watchdog_ms(void)
{
	return watchdog_ms;
}

void
sdnotify(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int len;

	if (notify_fd == -1)
		return;
	va_start(ap, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(buf))
		return;
	if (send(notify_fd, buf, len, MSG_NOSIGNAL) == -1)
		log_debug("service manager does not listen");
}

void
sdnotify_reloading(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	sdnotify("RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}
