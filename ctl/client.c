#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "ctl/client.h"
#include "daemon/rootless.h"

#define STATUS_MS 5000
#define PROGRESS_MS 1000

struct session {
	struct event_base *base;
	struct event *progress;
	struct answer *answer;
	int wait_ms;
	int waited; /* seconds shown */
	int done;
	int64_t sent, total; /* of files, as the daemon tells */
};

static void on_told(struct chan *, struct json_object *, int, void *);
static const struct chan_handler handlers[] = {
    {"progress", on_told}, {NULL, NULL}};

const char *
client_socket(const char *given)
{
	static char own[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char dir[sizeof(own)];
	const char *env = getenv("POSTERN_SOCKET");

	if (given != NULL)
		return given;
	if (env != NULL && env[0] != '\0')
		return env;
	/* One's own daemon, started without root, goes first. */
	if (geteuid() != 0 && rootless_run_dir(dir, sizeof(dir)) == 0 &&
	    (size_t)snprintf(own, sizeof(own), "%s/control.sock", dir) <
		sizeof(own) &&
	    access(own, F_OK) == 0)
		return own;
	return POSTERN_RUNDIR "/control.sock";
}

static int
dial(const char *path)
{
	struct sockaddr_un sun;
	int fd, saved;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

const char *
client_group(const char *path)
{
	const struct group *gr;
	struct stat sb;

	/* As configured, unless it is in a directory one may not enter. */
	if (stat(path, &sb) == 0 && (gr = getgrgid(sb.st_gid)) != NULL)
		return gr->gr_name;
	return POSTERN_GROUP;
}

static void
explain_failure(const char *path)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		fprintf(stderr,
		    "posternctl: posternd is not running: nobody answers at "
		    "%s\n"
		    "start it with \"systemctl start postern\", \"rcctl start "
		    "postern\" or \"posternd\"\n", path);
		break;
	case EACCES:
	case EPERM:
		fprintf(stderr,
		    "posternctl: you may not use %s: that takes root or a "
		    "member of group %s\n", path, client_group(path));
		break;
	default:
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
	}
}

static void
on_answer(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct session *s = arg;
	struct json_object *data;
	struct fields f;
	const char *text;

	if (msg == NULL || s->done)
		return;
	fields_open(&f, msg);
	s->answer->ok = fields_bool(&f, "ok");
	text = fields_opt_str(&f, "text", PROTO_TEXT);
	data = fields_opt_obj(&f, "data");
	if (fields_end(&f) == -1)
		return;
	if (text != NULL && (s->answer->text = strdup(text)) == NULL)
		fatal("strdup");
	s->answer->data = json_object_get(data);
	s->done = 1;
	event_base_loopbreak(s->base);
}

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct session *s = arg;

	event_base_loopbreak(s->base);
}

/* Long waits show progress, to somebody who can see it. */
static void
on_progress(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	s->waited++;
	if (!isatty(STDERR_FILENO))
		;
	else if (s->total > 0 && s->sent < s->total)
		fprintf(stderr, "\ruploading, %lld %% of %.1f MB, %d s ",
		    (long long)(s->sent * 100 / s->total),
		    (double)s->total / 1e6, s->waited);
	else
		fprintf(stderr, "\rwaiting for the daemon, %d s ", s->waited);
	if (s->waited * PROGRESS_MS >= s->wait_ms)
		event_base_loopbreak(s->base);
	else
		loop_timer(s->progress, PROGRESS_MS);
}

static void
on_told(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct session *s = arg;
	struct fields f;

	fields_open(&f, msg);
	s->sent = fields_int(&f, "done", 0, INT64_MAX);
	s->total = fields_int(&f, "total", 0, INT64_MAX);
	if (fields_end(&f) == -1)
		s->total = 0;
}

static void
send_files(struct chan *c, const struct client_file *files, size_t n)
{
	struct json_object *msg;
	size_t i;

	for (i = 0; i < n; i++) {
		msg = chan_msg("file");
		add_str(msg, "name", files[i].name);
		chan_send(c, msg, files[i].fd);
	}
}

static int quiet; /* no answer is no news */

static int
converse(int fd, const char *verb, struct json_object *args,
    const struct client_file *files, size_t n, int wait_ms,
    struct answer *answer)
{
	struct session s = {.answer = answer, .wait_ms = wait_ms};
	struct json_object *msg = chan_msg("req");
	struct chan *c;

	s.base = loop_new();
	if ((s.progress = evtimer_new(s.base, on_progress, &s)) == NULL)
		fatalx("out of memory");
	c = chan_new(
	    s.base, fd, PROTO_CLIENT, SIDE_B, handlers, on_close, &s);
	send_files(c, files, n);
	add_str(msg, "verb", verb);
	add_obj(msg, "args", args);
	if (chan_request(c, msg, -1, wait_ms, on_answer, &s) == -1) {
		fprintf(stderr, "posternctl: the request is too large\n");
	} else {
		loop_timer(s.progress, PROGRESS_MS);
		event_base_dispatch(s.base);
		if (s.waited > 0 && isatty(STDERR_FILENO))
			fprintf(stderr, "\r%*s\r", 50, "");
		if (!s.done && !quiet)
			fprintf(stderr,
			    "posternctl: the daemon gave no answer\n");
	}
	chan_free(c);
	event_free(s.progress);
	event_base_free(s.base);
	return s.done ? 0 : -1;
}

int
client_ask_files(const char *path, const char *verb,
    struct json_object *args, const struct client_file *files, size_t n,
    int wait_ms, struct answer *answer)
{
	int fd = dial(path);
	size_t i;

	memset(answer, 0, sizeof(*answer));
	if (fd == -1) {
		json_object_put(args);
		explain_failure(path);
		for (i = 0; i < n; i++)
			close(files[i].fd);
		return -1;
	}
	return converse(fd, verb, args, files, n, wait_ms, answer);
}

void
client_free(struct answer *a)
{
	free(a->text);
	json_object_put(a->data);
	memset(a, 0, sizeof(*a));
}

struct json_object *
client_status(const char *path)
{
	struct json_object *data;
	struct answer a;
	int fd;

	memset(&a, 0, sizeof(a));
	if ((fd = dial(path)) == -1)
		return NULL;
	quiet = 1;
	if (converse(fd, "status", json_object_new_object(), NULL, 0,
		STATUS_MS, &a) == -1)
		memset(&a, 0, sizeof(a));
	quiet = 0;
	data = json_object_get(a.data);
	client_free(&a);
	return data;
}

int
client_is_there(const char *path)
{
	int fd = dial(path);

	if (fd == -1)
		return 0;
	close(fd);
	return 1;
}

int
client_wait_gone(const char *path)
{
	struct monotime end = monotime_add(monotime_now(), CLIENT_STOP_MS);
	struct timespec pause = {0, 20 * 1000 * 1000};

	while (client_is_there(path)) {
		if (monotime_left(end) == 0)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}
