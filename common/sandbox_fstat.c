#include "config.h"

#include "common/sandbox.h"

#include <sys/stat.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <sys/syscall.h>

#include <unistd.h>

/*
 * Since 2.33 fstat() of glibc is newfstatat(), by which any file could be
 * looked at: the jail has only the plain call. Its struct is the library's
 * on these machines.
 */
int
sandbox_fstat(int fd, struct stat *sb)
{
	return (int)syscall(SYS_fstat, fd, sb);
}

#else

int
sandbox_fstat(int fd, struct stat *sb)
{
	return fstat(fd, sb);
}

#endif
