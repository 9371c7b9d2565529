#include "config.h"

#include <sys/resource.h>

#include <grp.h>
#include <unistd.h>

#include "common/log.h"
#include "common/privdrop.h"
#include "common/sandbox.h"

static void
limit_to(int what, rlim_t soft, rlim_t hard, const char *name)
{
	struct rlimit rl = {soft, hard};

	if (setrlimit(what, &rl) == -1)
		fatal("setrlimit %s", name);
}

static void
limit(int what, rlim_t n, const char *name)
{
	limit_to(what, n, n, name);
}

/*
 * Descriptors that were sent and not received count for the user, and who
 * is at its own limit by that count can send none. One worker must not
 * bring the dialer there by sending what nobody reads.
 */
static void
limit_sent(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	rl.rlim_cur /= 2;
#if defined(WITH_SECCOMP) || !defined(__linux__)
	/* Else it is a build for memcheck, which keeps the other for itself. */
	rl.rlim_max = rl.rlim_cur;
#endif
	limit_to(RLIMIT_NOFILE, rl.rlim_cur, rl.rlim_max, "nofile");
}

static void
ids_set(const struct privdrop *p)
{
	if (setgroups(1, &p->gid) == -1)
		fatal("setgroups");
	if (setresgid(p->gid, p->gid, p->gid) == -1)
		fatal("setresgid %u", (unsigned)p->gid);
	if (setresuid(p->uid, p->uid, p->uid) == -1)
		fatal("setresuid %u", (unsigned)p->uid);
}

static void
prove(const struct privdrop *p)
{
	/* There is no way back. */
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1 ||
	    getuid() != p->uid || geteuid() != p->uid || getgid() != p->gid)
		fatalx("privileges could be regained");
}

static void
enter_dir(const struct privdrop *p)
{
	int stay = p->rootless || p->keep_root_dir;

	if (p->dir == NULL)
		return;
	if (!stay && chroot(p->dir) == -1)
		fatal("chroot %s", p->dir);
	if (chdir(stay ? p->dir : "/") == -1)
		fatal("chdir %s", p->dir);
}

void
privdrop(const struct privdrop *p)
{
	limit(RLIMIT_CORE, 0, "core");
	if (!p->passes)
		limit_sent();
	if (p->file_max > 0)
		limit(RLIMIT_FSIZE, (rlim_t)p->file_max, "fsize");
	if (!p->rootless && (p->uid == 0 || p->gid == 0))
		fatalx("refusing to run a worker as root");
	/*
	 * Without root but with capabilities, they last until they are given
	 * up, and only its owner may enter the store's directory.
	 */
	if (!p->rootless && geteuid() != 0) {
		ids_set(p);
		enter_dir(p);
	} else {
		enter_dir(p);
		if (!p->rootless)
			ids_set(p);
	}
	sandbox_drop_caps();
	if (!p->rootless)
		prove(p);
#ifndef WITH_SANITIZERS /* the leak check is a thread */
	if (!p->threads)
		limit(RLIMIT_NPROC, 0, "nproc");
#endif
}
