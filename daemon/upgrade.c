#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "daemon/conf.h"
#include "daemon/ctlreq.h"
#include "daemon/listeners.h"
#include "daemon/rundir.h"
#include "daemon/sdnotify.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade.h"
#include "daemon/upgrade_look.h"

/*
 * What is left to the successor: descriptors from 3 on, named in order by a
 * variable that counts only for this very process.
 */
#define VAR "POSTERN_UPGRADE"
#define FIRST_FD 3
#define FDS_MAX 32
#define NAMES_MAX 8192

static struct json_object *request; /* of the control worker, unanswered */
static char *names[FDS_MAX];        /* as we were left them */
static int count = -1;

/* "PID name name ..." */
int
upgrade_inherited(void)
{
	const char *v = getenv(VAR), *err = NULL;
	char *copy, *at, *word;

	if (count != -1)
		return count;
	count = 0;
	if (v == NULL || (copy = strdup(v)) == NULL)
		return 0;
	unsetenv(VAR);
	at = copy;
	word = strsep(&at, " ");
	if (strtonum(word, 1, INT32_MAX, &err) != getpid() || err != NULL) {
		free(copy);
		return 0;
	}
	while (count < FDS_MAX && (word = strsep(&at, " ")) != NULL)
		names[count++] = word;
	return count;
}

/* The rest of a name after what it is for, or NULL. */
static const char *
value_of(const char *name, const char *what)
{
	size_t n = strlen(what);

	return strncmp(name, what, n) == 0 && name[n] == '=' ? name + n + 1 :
							       NULL;
}

int
upgrade_take(struct supervisor *sup, const char *lock_path)
{
	const char *v;
	int i, fd;

	for (i = 0; i < count; i++) {
		fd = FIRST_FD + i;
		if ((v = value_of(names[i], "lock")) != NULL &&
		    strcmp(v, lock_path) == 0 && fd_prepare(fd) == 0) {
			sup->lock_fd = fd;
		} else if ((v = value_of(names[i], "control")) != NULL &&
		    fd_prepare(fd) == 0) {
			/* Where it is bound counts, not where it should be. */
			free(sup->socket_path);
			if ((sup->socket_path = strdup(v)) == NULL)
				fatal("strdup");
			sup->listen_fd = fd;
		} else if (listeners_take(names[i], fd) == -1) {
			log_warnx("%s of the program before is of no use",
			    names[i]);
			close(fd);
		}
	}
	return count > 0;
}

static void
answer(struct supervisor *sup, int ok, const char *text)
{
	if (request != NULL)
		ctlreq_answer_late(sup, request, ok, text);
	request = NULL;
}

int
upgrade_start(
    struct supervisor *sup, struct json_object *req, char *why, size_t len)
{
	pid_t pid;

	if (sup->stopping || sup->reloading || sup->upgrade_check != 0) {
		snprintf(why, len, "%s", sup->stopping ?
			"the daemon is stopping" : sup->reloading ?
			"a reload is under way" : "an upgrade is under way");
		return -1;
	}
	if (strchr(sup->config_path, ' ') != NULL ||
	    strchr(sup->run_dir, ' ') != NULL) {
		snprintf(why, len, "a path with a space in it");
		return -1;
	}
	if ((pid = upgrade_look(sup)) == -1) {
		snprintf(why, len, "posternd cannot be run%s%s",
		    errno == EPERM ? ": it can be written by others than root"
				   : ": ",
		    errno == EPERM ? "" : strerror(errno));
		return -1;
	}
	sup->upgrade_check = pid;
	request = json_object_get(req);
	return 0;
}

/*
 * The next program binds what its file says, or ends: then nobody would be
 * here. So it is bound now, and handed on. 0, or -1 and why.
 */
static int
bind_for_it(struct supervisor *sup, char *why, size_t len)
{
	struct config_errors e;
	struct config *cf;
	int rc = -1;

	config_errors_init(&e);
	cf = config_load(sup->config_path, &e);
	if (cf == NULL)
		strlcpy(why, "the configuration has just changed", len);
	else
		rc = listeners_open(sup, cf, why, len);
	config_free(cf);
	config_errors_free(&e);
	return rc;
}

/* What it says is for people, one thing a line; the log has one line. */
static void
refused(struct supervisor *sup, const char *why)
{
	char *text, *line;

	if (asprintf(&text, "refused, all stays as it is:\n%s", why) == -1)
		fatal("asprintf");
	answer(sup, 0, text);
	line = strchr(text, '\n') + 1;
	while ((line = strchr(line, '\n')) != NULL)
		*line = ';';
	log_event(LOG_ERR, "upgrade.refused", "why", strchr(text, '\n') + 1,
	    NULL);
	free(text);
}

void
upgrade_checked(struct supervisor *sup, int status)
{
	const char *no;
	char why[256];

	sup->upgrade_check = 0;
	if ((no = upgrade_look_end(status)) != NULL) {
		refused(sup, no);
		return;
	}
	if (sup->stopping || sup->reloading) {
		answer(sup, 0, "the daemon is busy: again");
		return;
	}
	if (bind_for_it(sup, why, sizeof(why)) == -1) {
		refused(sup, why);
		return;
	}
	answer(sup, 1, "going over");
	log_event(LOG_INFO, "upgrade.begins", NULL);
	sup->upgrading = 1;
	supervisor_stop(sup, "upgrade");
}

/* Names of what fds has, in order; how many. */
static int
collect(struct supervisor *sup, int fds[FDS_MAX], char *text, size_t len)
{
	char *lock = rundir_pid_file(sup);
	size_t i;
	int n = 0;

	snprintf(text, len, "%ld lock=%s control=%s", (long)getpid(), lock,
	    sup->socket_path);
	free(lock);
	fds[n++] = sup->lock_fd;
	fds[n++] = sup->listen_fd;
	for (i = 0; i < listeners_count() && n < FDS_MAX; i++) {
		strlcat(text, " ", len);
		if (strlcat(text, listeners_name(i), len) >= len)
			return -1;
		fds[n] = listeners_fd(i, LISTEN_CALLBACK);
		if (fds[n] == -1)
			fds[n] = listeners_fd(i, LISTEN_METRICS);
		n++;
	}
	return n;
}

/* Out of the way first: what they are may be where others go. */
static int
arrange(int fds[FDS_MAX], int n)
{
	int i, up[FDS_MAX];

	for (i = 0; i < n; i++)
		if ((up[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FD + n)) ==
		    -1)
			return -1;
	/* Nothing below that is needed after this but by the successor. */
	for (i = 0; i < n; i++)
		if (dup2(up[i], FIRST_FD + i) == -1)
			return -1;
	return 0;
}

void
upgrade_go(struct supervisor *sup)
{
	char text[NAMES_MAX];
	const char *program = spawn_self();
	int fds[FDS_MAX], n;
	sigset_t hold;

	n = collect(sup, fds, text, sizeof(text));
	if (program == NULL || n == -1) {
		log_event(LOG_ERR, "upgrade.failed", "why",
		    program == NULL ? strerror(errno) : "too many sockets",
		    NULL);
		supervisor_again(sup);
		return;
	}
	/* Until the successor can hear them they would be its end. */
	sigemptyset(&hold);
	sigaddset(&hold, SIGHUP);
	sigaddset(&hold, SIGUSR1);
	sigaddset(&hold, SIGTERM);
	sigaddset(&hold, SIGINT);
	sigprocmask(SIG_BLOCK, &hold, NULL);
	setenv(VAR, text, 1);
	sdnotify_hand_on();
	if (arrange(fds, n) == 0)
		spawn_over(sup->argv);
	/* Our own descriptors are not what they were. */
	fatal("%s", program);
}
