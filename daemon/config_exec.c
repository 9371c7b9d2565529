#include "config.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/monotime.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define ENV_MAX 32

struct run {
	pid_t pid;
	int in, out; /* our ends; -1: closed */
	const char *input;
	size_t left;
	char *buf;
	size_t len, max;
};

/*
 * The supervisor is root: what it runs must belong to root or to itself,
 * and nobody else may be able to change it.
 */
static int
check_program(const char *path, char *why, size_t why_len)
{
	struct stat st;

	if (path[0] != '/') {
		snprintf(why, why_len, "%s: not an absolute path", path);
		return -1;
	}
	if (stat(path, &st) == -1) {
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		snprintf(why, why_len, "%s: not a program", path);
		return -1;
	}
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		snprintf(why, why_len, "%s: others can change it", path);
		return -1;
	}
	return 0;
}

/* PATH, LANG, HOME and what was asked for; nothing else. */
static void
make_env(const char *const *names, char *env[ENV_MAX + 1])
{
	size_t n = 0;
	const char *value;

	env[n++] = text_dup("PATH=/usr/local/bin:/usr/bin:/bin");
	env[n++] = text_dup("LANG=C.UTF-8");
	env[n++] = text_dup("HOME=/");
	for (; names != NULL && *names != NULL && n < ENV_MAX; names++)
		if ((value = getenv(*names)) != NULL)
			env[n++] = config_printf("%s=%s", *names, value);
	env[n] = NULL;
}

static int
pipe_pair(int fds[2])
{
	return pipe2(fds, O_CLOEXEC);
}

/*
 * posix_spawn() and not fork(): the child never has a copy of our memory,
 * where the secrets are.
 */
static int
spawn(struct run *r, const struct config_exec *x, int in, int out)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	char *env[ENV_MAX + 1];
	int error, i;

	make_env(x->env, env);
	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
	    &fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
	posix_spawn_file_actions_addclosefrom_np(&fa, STDERR_FILENO + 1);
#endif
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	error = posix_spawn(&r->pid, x->argv[0], &fa, &attr,
	    (char *const *)x->argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	for (i = 0; env[i] != NULL; i++)
		freezero(env[i], strlen(env[i]));
	return error;
}

static int
start(struct run *r, const struct config_exec *x, char *why, size_t why_len)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, error;

	if (pipe_pair(in) == -1 || pipe_pair(out) == -1) {
		snprintf(why, why_len, "pipe: %s", strerror(errno));
		error = -1;
	} else if ((error = spawn(r, x, in[0], out[1])) != 0) {
		snprintf(why, why_len, "%s: %s", x->argv[0], strerror(error));
	}
	if (in[0] != -1)
		close(in[0]);
	if (out[1] != -1)
		close(out[1]);
	r->in = in[1];
	r->out = out[0];
	if (r->in != -1)
		fcntl(r->in, F_SETFL, O_NONBLOCK);
	if (r->out != -1)
		fcntl(r->out, F_SETFL, O_NONBLOCK);
	return error == 0 ? 0 : -1;
}

static void
close_in(struct run *r)
{
	if (r->in != -1)
		close(r->in);
	r->in = -1;
}

static void
feed(struct run *r)
{
	ssize_t n;

	n = r->left == 0 ? 0 : write(r->in, r->input, r->left);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		r->input += n;
		r->left -= (size_t)n;
	}
	if (n == -1 || r->left == 0)
		close_in(r);
}

/* 1: go on, 0: it has ended, -1: it wrote too much. */
static int
drain(struct run *r)
{
	ssize_t n = read(r->out, r->buf + r->len, r->max + 1 - r->len);

	if (n == -1)
		return errno == EAGAIN || errno == EINTR;
	r->len += (size_t)n;
	if (r->len > r->max)
		return -1;
	return n != 0;
}

/* NULL, or what went wrong. */
static const char *
talk(struct run *r, struct monotime deadline)
{
	struct pollfd fds[2];
	int more = 1;

	while (more > 0) {
		fds[0] = (struct pollfd){.fd = r->out, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = r->in, .events = POLLOUT};
		if (poll(fds, 2, (int)monotime_left(deadline)) == -1 &&
		    errno != EINTR)
			return "poll failed";
		if (monotime_left(deadline) == 0)
			return "took too long";
		if (r->in != -1 && fds[1].revents != 0)
			feed(r);
		if (fds[0].revents != 0)
			more = drain(r);
	}
	return more == 0 ? NULL : "wrote too much";
}

/* Wait until the deadline; the status, or -1. */
static int
reap(struct run *r, struct monotime deadline)
{
	struct timespec nap = {0, 5 * 1000 * 1000};
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(r->pid, &status, WNOHANG);
		if (pid == r->pid)
			return status;
		if ((pid == -1 && errno != EINTR) ||
		    monotime_left(deadline) == 0)
			return -1;
		nanosleep(&nap, NULL);
	}
}

static const char *
finish(struct run *r, const char *why, struct monotime deadline, int *status)
{
	*status = why == NULL ? reap(r, deadline) : -1;
	if (*status == -1) {
		kill(-r->pid, SIGKILL);
		waitpid(r->pid, status, 0);
		return why != NULL ? why : "took too long";
	}
	return NULL;
}

char *
config_exec_run(const struct config_exec *x, size_t max, size_t *len,
    char *why, size_t why_len)
{
	struct run r = {.in = -1, .out = -1, .input = x->input,
	    .left = x->input_len, .max = max};
	const char *failed;
	struct sigaction ign = {.sa_handler = SIG_IGN}, was;
	int status;

	if (check_program(x->argv[0], why, why_len) == -1)
		return NULL;
	if ((r.buf = calloc(1, max + 2)) == NULL)
		fatal("calloc");
	sigaction(SIGPIPE, &ign, &was);
	if (start(&r, x, why, why_len) == 0) {
		if (r.left == 0)
			close_in(&r);
		failed = talk(&r, x->deadline);
		failed = finish(&r, failed, x->deadline, &status);
		if (failed != NULL)
			snprintf(why, why_len, "%s: %s", x->argv[0], failed);
		else if (WIFSIGNALED(status))
			snprintf(why, why_len, "%s: ended by signal %d",
			    x->argv[0], WTERMSIG(status));
		else if (WEXITSTATUS(status) != 0)
			snprintf(why, why_len, "%s: exit status %d",
			    x->argv[0], WEXITSTATUS(status));
		else
			why = NULL;
	}
	close_in(&r);
	if (r.out != -1)
		close(r.out);
	sigaction(SIGPIPE, &was, NULL);
	*len = r.len;
	if (why == NULL)
		return r.buf;
	freezero(r.buf, max + 2);
	return NULL;
}
