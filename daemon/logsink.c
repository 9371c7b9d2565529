#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/conf.h"
#include "daemon/logsink.h"

static struct {
	int to_syslog;
	int fd; /* STDERR_FILENO or the file */
	int json;
	int prio; /* lines of a higher number are dropped */
	char path[PATH_MAX];
} sink = {.fd = STDERR_FILENO, .prio = LOG_DEBUG};

static const char *const levels[] = {"emerg", "alert", "crit", "error",
    "warning", "notice", "info", "debug"};

/* Time and level before the members of the line; a plain line is one. */
static int
format_json(char *buf, size_t len, const char *when, int prio,
    const char *line)
{
	struct json_object *text;
	int n;

	if (line[0] == '{')
		return snprintf(buf, len, "{\"time\":\"%s\",\"level\":\"%s\",%s\n",
		    when, levels[prio], line + 1);
	text = json_object_new_string(line);
	n = snprintf(buf, len,
	    "{\"time\":\"%s\",\"level\":\"%s\",\"text\":%s}\n", when,
	    levels[prio],
	    json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN));
	json_object_put(text);
	return n;
}

static void
sink_line(int prio, const char *line, void *arg)
{
	char buf[LOG_LINE_MAX * 6 + 128], when[32];
	int n;

	if (prio < LOG_EMERG || prio > LOG_DEBUG)
		prio = LOG_INFO;
	if (prio > sink.prio && !log_get_verbose())
		return;
	if (sink.to_syslog) {
		syslog(prio, "%s", line);
		return;
	}
	log_time(when, sizeof(when));
	if (sink.json)
		n = format_json(buf, sizeof(buf), when, prio, line);
	else
		n = snprintf(buf, sizeof(buf), "%s %s\n", when, line);
	if (n < 0 || (size_t)n >= sizeof(buf))
		return;
	/* A full disk or a closed terminal is no reason to stop. */
	if (write(sink.fd, buf, n) == -1)
		return;
}

static int
file_open(const char *path)
{
	int fd;

	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0640);
	if (fd == -1)
		log_warn("log file %s", path);
	return fd;
}

static void
use_fd(int fd)
{
	if (sink.fd != STDERR_FILENO)
		close(sink.fd);
	sink.fd = fd;
}

static int
use_file(const char *path)
{
	int fd;

	if (strlen(path) >= sizeof(sink.path)) {
		log_warnx("log file name too long");
		return -1;
	}
	if ((fd = file_open(path)) == -1)
		return -1;
	use_fd(fd);
	strlcpy(sink.path, path, sizeof(sink.path));
	sink.to_syslog = 0;
	return 0;
}

static int
is_file(const struct config *cf, int foreground)
{
	return !foreground && cf->log.destination != NULL &&
	    cf->log.destination[0] == '/';
}

int
logsink_try(const struct config *cf, int foreground)
{
	int fd;

	if (!is_file(cf, foreground))
		return 0;
	if ((fd = file_open(cf->log.destination)) == -1)
		return -1;
	close(fd);
	return 0;
}

int
logsink_setup(const struct config *cf, int foreground)
{
	const char *to = cf->log.destination;
	int rc = 0;

	if (is_file(cf, foreground)) {
		rc = use_file(to);
	} else if (foreground || to == NULL || strcmp(to, "stderr") == 0) {
		use_fd(STDERR_FILENO);
		sink.path[0] = '\0';
		sink.to_syslog = 0;
	} else {
		use_fd(STDERR_FILENO);
		sink.path[0] = '\0';
		openlog("posternd", LOG_NDELAY | LOG_PID, LOG_DAEMON);
		sink.to_syslog = 1;
	}
	sink.json = cf->log.json;
	sink.prio = cf->log.prio;
	log_set_json(sink.json && !sink.to_syslog);
	log_set_sink(sink_line, NULL);
	return rc;
}

void
logsink_reopen(void)
{
	int fd;

	if (sink.path[0] == '\0' || (fd = file_open(sink.path)) == -1)
		return;
	use_fd(fd);
	log_event(LOG_INFO, "log.reopened", "file", sink.path, NULL);
}
