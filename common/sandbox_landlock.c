#include "config.h"

#include "common/sandbox.h"

#if defined(HAVE_LINUX_LANDLOCK_H) && !defined(WITH_SANITIZERS)

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <unistd.h>

#include "common/log.h"

/*
 * The rights of the newest ABI that we know; older headers lack names, so
 * the numbers are spelled out (include/uapi/linux/landlock.h).
 */
#define FS_READ 0x000cull  /* read a file, read a directory */
#define FS_V1 0x1fffull    /* execute ... make a symlink */
#define FS_REFER 0x2000ull /* ABI 2 */
#define FS_TRUNC 0x4000ull /* ABI 3 */
#define FS_IOCTL 0x8000ull /* ABI 5 */
#define NET_BIND 0x1ull    /* ABI 4 */
#define NET_CONNECT 0x2ull /* ABI 4 */
#define SCOPE_ALL 0x3ull   /* ABI 6: abstract sockets, signals */
/* A database: read, write, list, remove, make and truncate plain files. */
#define FS_STORE (0x012eull | FS_TRUNC)

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static size_t
attr_fill(struct ruleset_attr *a, int abi, enum sandbox_role role)
{
	a->fs = FS_V1;
	a->net = 0;
	a->scoped = 0;
	if (abi >= 2)
		a->fs |= FS_REFER;
	if (abi >= 3)
		a->fs |= FS_TRUNC;
	if (abi >= 5)
		a->fs |= FS_IOCTL;
	if (abi >= 4)
		a->net = role == SANDBOX_DIALER ? NET_BIND :
						  NET_BIND | NET_CONNECT;
	if (abi >= 6)
		a->scoped = SCOPE_ALL;
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static void
allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr pb;

	pb.allowed_access = rights;
	pb.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (pb.parent_fd == -1) {
		if (errno == ENOENT)
			return;
		fatal("landlock: %s", path);
	}
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&pb, 0) == -1)
		fatal("landlock: %s", path);
	close(pb.parent_fd);
}

int
sandbox_landlock(enum sandbox_role role)
{
	struct ruleset_attr attr;
	size_t size;
	int abi, fd;

	/* It would be inherited by every worker. */
	if (role == SANDBOX_SUPERVISOR)
		return 0;
	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0; /* ENOSYS, EOPNOTSUPP: not on this kernel */
	size = attr_fill(&attr, abi, role);
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd == -1)
		fatal("landlock_create_ruleset");
	if (role == SANDBOX_STORE)
		allow(fd, ".", attr.fs & FS_STORE);
	if (role == SANDBOX_DIALER) {
		/* Where the resolver looks. */
		allow(fd, "/etc", FS_READ);
		allow(fd, "/run", FS_READ);
		allow(fd, "/usr", FS_READ);
		allow(fd, "/lib", FS_READ);
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		fatal("landlock_restrict_self");
	close(fd);
	return 1;
}

#else

int
sandbox_landlock(enum sandbox_role role)
{
	return 0;
}

#endif
