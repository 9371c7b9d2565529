#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "common/chan.h"
#include "tests/unit/net_proc.h"

static const char *
str(struct json_object *msg, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(msg, key, &v))
		return "";
	return json_object_get_string(v);
}

static void
on_hello(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;

	strlcpy(p->sandbox, str(msg, "sandbox"), sizeof(p->sandbox));
}

static void
on_ready(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	((struct proc *)arg)->ready = 1;
}

static void
on_state(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;

	p->states++;
	strlcpy(p->state, str(msg, "state"), sizeof(p->state));
	strlcpy(p->reason, str(msg, "reason"), sizeof(p->reason));
}

static void
on_log(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;
	struct json_object *prio = NULL;

	json_object_object_get_ex(msg, "prio", &prio);
	if (json_object_get_int(prio) > 4)
		return;
	p->warnings++;
	strlcpy(p->warning, str(msg, "line"), sizeof(p->warning));
}

static void
on_ctl(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	fail_msg("a request to the supervisor");
}

static void
on_broken(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;

	p->broken++;
	strlcpy(p->broke, str(msg, "peer"), sizeof(p->broke));
}

static void
on_closed(struct chan *c, const char *why, void *arg)
{
	((struct proc *)arg)->closed = 1;
}

static const struct chan_handler handlers[] = {
    {"hello", on_hello},
    {"ready", on_ready},
    {"state", on_state},
    {"log", on_log},
    {"ctl", on_ctl},
    {"broken", on_broken},
    {"check", on_ctl},
    {"check.end", on_ctl},
    {NULL, NULL},
};

static void
proc_exec(int fd, const char *program, const char *const argv[])
{
	if (fd != 3 && dup2(fd, 3) == -1)
		_exit(120);
	fcntl(3, F_SETFD, 0);
	closefrom(4);
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(121);
}

void
proc_start(struct proc *p, struct event_base *base, const char *program,
    const char *config)
{
	const char *const argv[] = {program, "-R", "-n", "test", NULL};

	proc_run(p, base, program, argv, config);
}

void
proc_run(struct proc *p, struct event_base *base, const char *program,
    const char *const argv[], const char *config)
{
	struct json_object *msg;
	int sv[2];

	memset(p, 0, sizeof(*p));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	p->pid = fork();
	assert_true(p->pid != -1);
	if (p->pid == 0)
		proc_exec(sv[1], program, argv);
	close(sv[1]);
	p->sup = chan_new(
	    base, sv[0], PROTO_SUPERVISOR, SIDE_A, handlers, on_closed, p);
	chan_set_state(p->sup, PROTO_ANY);
	msg = chan_msg("init");
	json_object_object_add(msg, "config", json_tokener_parse(config));
	chan_send(p->sup, msg, -1);
}

void
proc_fd(struct proc *p, const char *name, int fd)
{
	struct json_object *msg = chan_msg("fd");

	json_object_object_add(msg, "name", json_object_new_string(name));
	chan_send(p->sup, msg, fd);
}

void
proc_link(struct proc *p, const char *kind, const char *peer, const char *opts,
    int fd)
{
	struct json_object *msg = chan_msg("link");

	json_object_object_add(msg, "kind", json_object_new_string(kind));
	json_object_object_add(msg, "peer", json_object_new_string(peer));
	if (opts != NULL)
		json_object_object_add(msg, "opts", json_tokener_parse(opts));
	chan_send(p->sup, msg, fd);
}

void
proc_unlink(struct proc *p, const char *kind, const char *peer)
{
	struct json_object *msg = chan_msg("unlink");

	json_object_object_add(msg, "kind", json_object_new_string(kind));
	json_object_object_add(msg, "peer", json_object_new_string(peer));
	chan_send(p->sup, msg, -1);
}

void
proc_go(struct proc *p)
{
	chan_send(p->sup, chan_msg("start"), -1);
}

int
proc_end(struct proc *p)
{
	chan_send(p->sup, chan_msg("stop"), -1);
	chan_flush(p->sup, 1000);
	return proc_wait(p, NULL);
}

int
proc_wait(struct proc *p, struct rusage *ru)
{
	int status;

	assert_int_equal(wait4(p->pid, &status, 0, ru), p->pid);
	chan_free(p->sup);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

long
proc_private(const struct proc *p)
{
	char path[64], line[256];
	long kib, sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)p->pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		/* Clean pages are the libraries': shared by the next one. */
		if (sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			sum += kib;
	fclose(f);
	return sum;
}
