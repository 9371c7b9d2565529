#include "config.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"

static char in_force[64] = "none";

static void
note(int active, const char *name, int *n)
{
	if (!active)
		return;
	snprintf(in_force + *n, sizeof(in_force) - *n, "%s%s",
	    *n > 0 ? "+" : "", name);
	*n += snprintf(NULL, 0, "%s%s", *n > 0 ? "+" : "", name);
}

void
sandbox_enter(enum sandbox_role role)
{
	struct rlimit none = {0, 0};
	int n = 0;

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		fatal("no core files");
#ifdef __linux__
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("no_new_privs");
#ifndef WITH_SANITIZERS /* the leak check is a ptrace of oneself */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal("not dumpable");
#endif
#endif
	note(sandbox_landlock(role), "landlock", &n);
	note(sandbox_seccomp(role), "seccomp", &n);
	note(sandbox_pledge(role), "pledge", &n);
}

void
sandbox_selftest(enum sandbox_role role)
{
#if defined(WITH_SECCOMP)
	int fd;

	if ((fd = open("/etc/shadow", O_RDWR | O_CLOEXEC)) != -1)
		fatalx("the sandbox does not hold: a file could be opened");
	/* Landlock stops files alone: is there a filter? */
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != -1)
		fatalx("the sandbox does not hold: a system call was "
		       "answered");
	if (role == SANDBOX_DIALER)
		return;
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1)
		fatalx("the sandbox does not hold: a socket could be made");
#endif
}

const char *
sandbox_describe(void)
{
	return in_force;
}
