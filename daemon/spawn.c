#include "config.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "daemon/spawn.h"

#define CHANNEL_FD 3
#define ARGS_MAX 20

static const char *const role_names[ROLE_MAX] = {
    [ROLE_STORE] = "store",
    [ROLE_DIALER] = "dialer",
    [ROLE_AGENT] = "agent",
    [ROLE_ACCOUNT] = "account",
    [ROLE_CALLBACK] = "callback",
    [ROLE_CONTROL] = "control",
};

static char libexec[PATH_MAX] = POSTERN_LIBEXECDIR;
static char self[PATH_MAX] = POSTERN_SBINDIR "/posternd";
static int detach_fd = -1;

const char *
role_name(enum role role)
{
	return role_names[role];
}

static int
program_path(char *buf, size_t len, const char *dir, enum role role)
{
	int n = snprintf(buf, len, "%s/postern-%s", dir, role_names[role]);

	if (n < 0 || (size_t)n >= len) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static int
holds_workers(const char *dir)
{
	char path[PATH_MAX];
	int r;

	for (r = 0; r < ROLE_MAX; r++)
		if (program_path(path, sizeof(path), dir, r) == 0 &&
		    access(path, X_OK) == 0)
			return 1;
	return 0;
}

/* Root must not run what somebody else could have put there. */
static int
is_trusted(const char *dir)
{
	struct stat sb;

	if (geteuid() != 0 && !sandbox_can_lock())
		return 1;
	return stat(dir, &sb) == 0 && sb.st_uid == 0 &&
	    (sb.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void
spawn_init(const char *argv0)
{
	char dir[PATH_MAX], *slash;

	if (strchr(argv0, '/') == NULL || realpath(argv0, dir) == NULL)
		return;
	strlcpy(self, dir, sizeof(self));
	slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return;
	*slash = '\0';
	if (!holds_workers(dir))
		return;
	if (!is_trusted(dir)) {
		log_warnx("%s can be written by others than root: its "
		    "programs are not used", dir);
		return;
	}
	if (strlcpy(libexec, dir, sizeof(libexec)) >= sizeof(libexec))
		fatalx("%s: name too long", dir);
}

const char *
spawn_self(void)
{
	char dir[PATH_MAX], *slash;
	struct stat sb;

	strlcpy(dir, self, sizeof(dir));
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (access(self, X_OK) == -1 || stat(self, &sb) == -1)
		return NULL;
	if (!is_trusted(dir) || !is_trusted(self)) {
		errno = EPERM;
		return NULL;
	}
	return self;
}

static void
reset_signals(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	/* A worker outlives a terminal; the supervisor orders its end. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
spawn_over(char *const argv[])
{
	if (spawn_self() != NULL)
		execv(self, argv);
}

int
spawn_has_workers(char *path, size_t len)
{
	int r;

	for (r = 0; r < ROLE_MAX; r++)
		if (program_path(path, len, libexec, r) == -1 ||
		    access(path, X_OK) == -1)
			return 0;
	return 1;
}

pid_t
spawn_check(char *const argv[], int out)
{
	char *check[ARGS_MAX] = {self, (char *)"-n"};
	sigset_t all, old;
	size_t i;
	pid_t pid;

	if (spawn_self() == NULL)
		return -1;
	for (i = 1; argv[i] != NULL && i + 2 < ARGS_MAX; i++)
		check[i + 1] = argv[i];
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0) {
		reset_signals();
		if (dup2(out, STDERR_FILENO) != -1) {
			closefrom(STDERR_FILENO + 1);
			execv(self, check);
		}
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* In the child: only the channel and three descriptors that go nowhere. */
static int
arrange_fds(int chan, int keep_stderr)
{
	int null;

	if (chan == CHANNEL_FD) {
		if (fcntl(chan, F_SETFD, 0) == -1)
			return -1;
	} else if (dup2(chan, CHANNEL_FD) == -1)
		return -1;
	if ((null = open("/dev/null", O_RDWR)) == -1)
		return -1;
	if (dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		return -1;
	if (!keep_stderr && dup2(null, STDERR_FILENO) == -1)
		return -1;
	closefrom(CHANNEL_FD + 1);
	return 0;
}

static void
run_program(const struct spawn *sp, int chan, const char *path, char *const
    argv[])
{
	static char tz[PATH_MAX + 8];
	char *env[] = {NULL, NULL};
	const char *zone = getenv("TZ");

	/* The jail has no zone files: name one, so that libc reads it first. */
	if (zone == NULL)
		zone = ":/etc/localtime";
	if ((size_t)snprintf(tz, sizeof(tz), "TZ=%s", zone) < sizeof(tz))
		env[0] = tz;
	reset_signals();
	umask(077);
	if (arrange_fds(chan, sp->keep_stderr) == 0)
		execve(path, argv, env);
	_exit(127);
}

pid_t
spawn_worker(const struct spawn *sp, int chan)
{
	char path[PATH_MAX], uid[16], gid[16], file_max[16], *argv[ARGS_MAX];
	sigset_t all, old;
	int argc = 0;
	pid_t pid;

	if (program_path(path, sizeof(path), libexec, sp->role) == -1)
		return -1;
	if (access(path, X_OK) == -1)
		return -1;
	snprintf(uid, sizeof(uid), "%u", (unsigned)sp->uid);
	snprintf(gid, sizeof(gid), "%u", (unsigned)sp->gid);
	argv[argc++] = strrchr(path, '/') + 1;
	argv[argc++] = (char *)"-n";
	argv[argc++] = (char *)sp->name;
	argv[argc++] = (char *)"-u";
	argv[argc++] = uid;
	argv[argc++] = (char *)"-g";
	argv[argc++] = gid;
	argv[argc++] = (char *)"-c";
	argv[argc++] = (char *)sp->dir;
	if (sp->file_max > 0) {
		snprintf(file_max, sizeof(file_max), "%u", sp->file_max);
		argv[argc++] = (char *)"-f";
		argv[argc++] = file_max;
	}
	if (sp->rootless)
		argv[argc++] = (char *)"-R";
	if (sp->verbose)
		argv[argc++] = (char *)"-v";
	if (log_get_json())
		argv[argc++] = (char *)"-j";
	if (sp->keep_root)
		argv[argc++] = (char *)"-k";
	argv[argc] = NULL;

	/* No handler of ours may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0)
		run_program(sp, chan, path, argv);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

void
spawn_detach(void)
{
	int fds[2], null;
	char c;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("pipe");
	if ((pid = fork()) == -1)
		fatal("fork");
	if (pid != 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 1 ? 0 : 1);
	}
	close(fds[0]);
	detach_fd = fds[1];
	if (setsid() == -1)
		fatal("setsid");
	if (chdir("/") == -1)
		fatal("chdir /");
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	if (dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		fatal("dup2");
	if (null > STDERR_FILENO)
		close(null);
}

void
spawn_detached(void)
{
	int null;

	if (detach_fd == -1)
		return;
	if (write(detach_fd, "", 1) == -1)
		log_warn("parent");
	close(detach_fd);
	detach_fd = -1;
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return;
	dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

const char *
spawn_status_text(int status)
{
	static char buf[64];
	int sig;

	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) == 127)
			return "program could not be run";
		snprintf(buf, sizeof(buf), "exit status %d",
		    WEXITSTATUS(status));
		return buf;
	}
	sig = WTERMSIG(status);
	snprintf(buf, sizeof(buf), "signal %d%s", sig,
	    sig == SIGSYS ? " (sandbox violation)" : "");
	return buf;
}
