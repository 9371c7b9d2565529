#include "config.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/schema.h"
#include "daemon/rundir.h"
#include "daemon/spawn.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade_look.h"

/* What it is told: the pid file, and the version of the database. */
#define CHECK_VAR "POSTERN_UPGRADE_CHECK"
#define SCHEMA_VAR "POSTERN_UPGRADE_SCHEMA"
#define SAID_MAX 4096
/* It runs the programs that give secrets: CONFIG_EXEC_ALL_MS, and some. */
#define LOOK_MS 40000

/* What it has to say, cut to our buffer. */
static struct {
	struct event *event, *deadline;
	pid_t pid;
	int fd, late;
	char text[SAID_MAX];
	size_t len;
} said;

const char *
upgrade_would_leave(void)
{
	return getenv(CHECK_VAR);
}

void
upgrade_check_schema(void)
{
	const char *v = getenv(SCHEMA_VAR), *err = NULL;

	/* A release that does not tell it has an older database. */
	if (v != NULL && (strtonum(v, 0, SCHEMA_VERSION, &err), err != NULL))
		fatalx("the database is of a later release: version %s, and "
		    "this program knows %d", v, SCHEMA_VERSION);
}

/* All that there is now: whoever writes must not wait for us. */
static void
said_read(void)
{
	char buf[1024];
	ssize_t n;
	size_t room;

	while ((n = read(said.fd, buf, sizeof(buf))) > 0) {
		room = sizeof(said.text) - 1 - said.len;
		if ((size_t)n < room)
			room = (size_t)n;
		memcpy(said.text + said.len, buf, room);
		said.len += room;
		said.text[said.len] = '\0';
	}
	if (n == 0)
		event_del(said.event);
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	said_read();
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	said.late = 1;
	kill(said.pid, SIGKILL);
}

static pid_t
start(struct supervisor *sup, int out)
{
	char *lock = rundir_pid_file(sup), version[16];
	pid_t pid;

	snprintf(version, sizeof(version), "%d", SCHEMA_VERSION);
	setenv(CHECK_VAR, lock, 1);
	setenv(SCHEMA_VAR, version, 1);
	pid = spawn_check(sup->argv, out);
	unsetenv(CHECK_VAR);
	unsetenv(SCHEMA_VAR);
	free(lock);
	return pid;
}

pid_t
upgrade_look(struct supervisor *sup)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	said.pid = start(sup, fds[1]);
	close(fds[1]);
	if (said.pid == -1) {
		close(fds[0]);
		return -1;
	}
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
		fatal("fcntl");
	said.fd = fds[0];
	said.len = said.late = 0;
	said.text[0] = '\0';
	said.event = event_new(
	    sup->base, said.fd, EV_READ | EV_PERSIST, on_said, NULL);
	said.deadline = evtimer_new(sup->base, on_deadline, NULL);
	if (said.event == NULL || said.deadline == NULL ||
	    event_add(said.event, NULL) == -1)
		fatalx("out of memory");
	loop_timer(said.deadline, LOOK_MS);
	return said.pid;
}

const char *
upgrade_look_end(int status)
{
	said_read();
	event_free(said.event);
	event_free(said.deadline);
	close(said.fd);
	while (said.len > 0 && said.text[said.len - 1] == '\n')
		said.text[--said.len] = '\0';
	if (status == 0)
		return NULL;
	if (said.late)
		return "the new program looked at the configuration for 40 "
		       "seconds and came to no end";
	return WIFEXITED(status) && said.len > 0 ? said.text :
						   spawn_status_text(status);
}
