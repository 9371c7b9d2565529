/* What no worker may do to files, processes, memory and the kernel. */
#include "config.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/sandbox/probe.h"

static int
opened(int fd)
{
	return fd >= 0;
}

#define OPEN_ACT(fname, path, how)                                             \
	static int fname(struct scene *s)                                      \
	{                                                                      \
		return opened(open(path, how, 0600));                          \
	}
OPEN_ACT(open_passwd, "/etc/passwd", O_RDONLY)
OPEN_ACT(open_shadow, "/etc/shadow", O_RDONLY)
OPEN_ACT(open_passwd_up, "../../../../../../etc/passwd", O_RDONLY)
OPEN_ACT(open_environ, "/proc/1/environ", O_RDONLY)
OPEN_ACT(open_self_mem, "/proc/self/mem", O_RDWR)
OPEN_ACT(open_root_home, "/root", O_RDONLY | O_DIRECTORY)
OPEN_ACT(open_home, "/home", O_RDONLY | O_DIRECTORY)
OPEN_ACT(open_dot, ".", O_RDONLY | O_DIRECTORY)
OPEN_ACT(open_up, "..", O_RDONLY | O_DIRECTORY)
OPEN_ACT(open_var, "/var/log", O_RDONLY | O_DIRECTORY)
OPEN_ACT(create_here, "made", O_WRONLY | O_CREAT)
OPEN_ACT(create_tmp, "/tmp/postern-probe-made", O_WRONLY | O_CREAT)
OPEN_ACT(create_rdonly, "/tmp/postern-probe-made", O_RDONLY | O_CREAT)

/* Of the store: what lies above its directory. */
static int
open_beside(struct scene *s)
{
	return opened(open(s->outside, O_RDONLY)) ||
	    opened(open("../outside", O_RDONLY));
}

static int
open_by_link(struct scene *s)
{
	return symlink("/etc/passwd", "link") == 0 &&
	    opened(open("link", O_RDONLY));
}

/* One that somebody else has put there. */
static int
open_planted(struct scene *s)
{
	return opened(open("planted", O_RDONLY));
}

static int
open_sibling(struct scene *s)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)s->sibling);
	return opened(open(path, O_RDONLY));
}

static int
rename_file(struct scene *s)
{
	return rename("data", "made") == 0 && rename("made", "data") == 0;
}

static int
link_file(struct scene *s)
{
	return link("data", "made") == 0;
}

static int
make_fifo(struct scene *s)
{
	return mkfifo("fifo", 0600) == 0;
}

static int
make_dir(struct scene *s)
{
	return mkdir("dir", 0700) == 0;
}

static int
chmod_file(struct scene *s)
{
	return chmod("data", 0666) == 0;
}

static int
exec_true(struct scene *s)
{
	char *argv[] = {(char[]){"true"}, NULL};

	execv("/bin/true", argv);
	return 0;
}

static int
exec_fd(struct scene *s)
{
	char *argv[] = {(char[]){"true"}, NULL};

	fexecve(s->exec_fd, argv, argv + 1);
	return 0;
}

static int
exec_memfd(struct scene *s)
{
	char *argv[] = {(char[]){"x"}, NULL};
	int fd = memfd_create("x", 0);

	if (fd == -1)
		return 0;
	if (write(fd, "#!/bin/true\n", 12) != 12)
		return 0;
	fexecve(fd, argv, argv + 1);
	return 0;
}

static int
fork_it(struct scene *s)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int
clone_process(struct scene *s)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int
ptrace_sibling(struct scene *s)
{
	return ptrace(PTRACE_ATTACH, s->sibling, 0, 0) == 0;
}

static int
kill_sibling(struct scene *s)
{
	return kill(s->sibling, SIGKILL) == 0;
}

static int
tgkill_sibling(struct scene *s)
{
	return syscall(SYS_tgkill, s->sibling, s->sibling, SIGKILL) == 0;
}

static int
tkill_sibling(struct scene *s)
{
	return syscall(SYS_tkill, s->sibling, SIGKILL) == 0;
}

static int
read_sibling(struct scene *s)
{
	char buf[8];
	struct iovec l = {buf, sizeof(buf)}, r = {
	    (void *)(uintptr_t)probe_forbidden, sizeof(buf)};

	return process_vm_readv(s->sibling, &l, 1, &r, 1, 0) > 0;
}

static int
write_sibling(struct scene *s)
{
	static char there[8]; /* at the same place in both */
	char buf[8] = "";
	struct iovec l = {buf, sizeof(buf)}, r = {there, sizeof(there)};

	return process_vm_writev(s->sibling, &l, 1, &r, 1, 0) > 0;
}

static int
pidfd_sibling(struct scene *s)
{
	return opened((int)syscall(SYS_pidfd_open, s->sibling, 0));
}

static int
mmap_wx(struct scene *s)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANON, -1, 0) != MAP_FAILED;
}

static int
mmap_exec_file(struct scene *s)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE,
		   s->exec_fd, 0) != MAP_FAILED;
}

static int
mprotect_exec(struct scene *s)
{
	return mprotect(s->page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static int
exec_personality(struct scene *s)
{
	return syscall(SYS_personality, 0x0400000) != -1;
}

#define SYSCALL_ACT(fname, ...)                                                \
	static int fname(struct scene *s)                                      \
	{                                                                      \
		return syscall(__VA_ARGS__) != -1;                             \
	}
SYSCALL_ACT(io_uring, SYS_io_uring_setup, 8, (char[256]){0})
/* Make a map: an array of one. */
SYSCALL_ACT(bpf, SYS_bpf, 0, ((uint32_t[32]){2, 4, 4, 1}), 128)
SYSCALL_ACT(userfault, SYS_userfaultfd, O_CLOEXEC)
SYSCALL_ACT(key_ctl, SYS_keyctl, 0, -3, 1)
SYSCALL_ACT(unshare_user, SYS_unshare, CLONE_NEWUSER)
SYSCALL_ACT(mount_tmpfs, SYS_mount, "none", "/", "tmpfs", 0, NULL)
SYSCALL_ACT(change_root, SYS_chroot, ".")
SYSCALL_ACT(set_root, SYS_setuid, 0)
SYSCALL_ACT(set_groups, SYS_setgroups, 0, NULL)
SYSCALL_ACT(inotify, SYS_inotify_init1, 0)
SYSCALL_ACT(landlock_more, SYS_landlock_create_ruleset, NULL, 0, 1)
SYSCALL_ACT(mem_fd, SYS_memfd_create, "x", 0)
SYSCALL_ACT(name_handle, SYS_open_by_handle_at, -1, NULL, 0)
SYSCALL_ACT(set_time, SYS_settimeofday, NULL, NULL)

static int
perf_open(struct scene *s)
{
	/* type: software, size, config: the clock */
	uint32_t attr[28] = {1, sizeof(attr), 0};

	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0) != -1;
}

static int
raise_limit(struct scene *s)
{
	struct rlimit rl = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_CORE, &rl) == 0;
}

static int
raise_prlimit(struct scene *s)
{
	struct rlimit rl = {100, 100};

	return syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &rl, NULL) == 0;
}

static int
dumpable(struct scene *s)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static int
filter_more(struct scene *s)
{
	return prctl(PR_SET_SECCOMP, 1, 0, 0, 0) == 0;
}

/* The entry of 32-bit programs sees other numbers: 11 is execve there. */
static int
other_abi(struct scene *s)
{
#ifdef __x86_64__
	long rc;

	__asm__ volatile("int $0x80"
			 : "=a"(rc)
			 : "a"(20 /* getpid */)
			 : "memory");
	return rc > 0;
#else
	return 0;
#endif
}

static int
x32_abi(struct scene *s)
{
#ifdef __x86_64__
	return syscall(0x40000000 | SYS_getpid) > 0;
#else
	return 0;
#endif
}

const struct act probe_forbidden[] = {
    {"open /etc/passwd", R_NOT_DIALER, open_passwd, 1},
    {"open /etc/shadow", R_WORKERS, open_shadow, 0},
    {"open ../../etc/passwd", R_NOT_DIALER, open_passwd_up, 0},
    {"open /proc/1/environ", R_WORKERS, open_environ, 0},
    {"open /proc/self/mem", R_WORKERS, open_self_mem, 1},
    {"open /root", R_WORKERS, open_root_home, 0},
    {"open /home", R_NOT_DIALER, open_home, 0},
    {"open /var/log", R_NOT_DIALER, open_var, 0},
    {"open .", R_NOT_DIALER & ~R_STORE, open_dot, 1},
    {"open ..", R_NOT_DIALER & ~R_STORE, open_up, 1},
    {"open beside its directory", R_WORKERS, open_beside, 0},
    {"open by a symbolic link", R_WORKERS, open_by_link, 0},
    {"open by a planted link", R_NOT_DIALER, open_planted, 1},
    {"open a sibling's memory", R_WORKERS, open_sibling, 0},
    {"rename a file", R_WORKERS, rename_file, 1},
    {"link a file", R_WORKERS, link_file, 1},
    {"create a file here", R_WORKERS & ~R_STORE, create_here, 0},
    {"create a file in /tmp", R_WORKERS, create_tmp, 1},
    {"create a file, read only", R_WORKERS, create_rdonly, 0},
    {"make a fifo", R_WORKERS, make_fifo, 1},
    {"make a directory", R_WORKERS, make_dir, 1},
    {"chmod", R_WORKERS, chmod_file, 1},
    {"execve", R_WORKERS, exec_true, 1},
    {"fexecve", R_WORKERS, exec_fd, 1},
    {"memfd_create and exec", R_WORKERS, exec_memfd, 0},
    {"fork", R_WORKERS, fork_it, 1},
    {"clone", R_WORKERS, clone_process, 1},
    {"ptrace a sibling", R_WORKERS, ptrace_sibling, 0},
    {"kill a sibling", R_WORKERS, kill_sibling, 1},
    {"tgkill a sibling", R_WORKERS, tgkill_sibling, 1},
    {"tkill a sibling", R_WORKERS, tkill_sibling, 1},
    {"process_vm_readv", R_WORKERS, read_sibling, 0},
    {"process_vm_writev", R_WORKERS, write_sibling, 0},
    {"pidfd_open", R_WORKERS, pidfd_sibling, 1},
    {"mmap W+X", R_WORKERS, mmap_wx, 1},
    {"mmap a file X", R_WORKERS, mmap_exec_file, 1},
    {"mprotect X", R_WORKERS, mprotect_exec, 1},
    {"personality", R_WORKERS, exec_personality, 1},
    {"memfd_create", R_WORKERS, mem_fd, 1},
    {"io_uring_setup", R_WORKERS, io_uring, 0},
    {"bpf", R_WORKERS, bpf, 0},
    {"userfaultfd", R_WORKERS, userfault, 0},
    {"keyctl", R_WORKERS, key_ctl, 0},
    {"perf_event_open", R_WORKERS, perf_open, 0},
    {"unshare", R_WORKERS, unshare_user, 0},
    {"mount", R_WORKERS, mount_tmpfs, 0},
    {"chroot", R_WORKERS, change_root, 0},
    {"inotify_init", R_WORKERS, inotify, 1},
    {"landlock", R_WORKERS, landlock_more, 0},
    {"open_by_handle_at", R_WORKERS, name_handle, 0},
    {"settimeofday", R_WORKERS, set_time, 0},
    {"setuid 0", R_WORKERS, set_root, 0},
    {"setgroups", R_WORKERS, set_groups, 0},
    {"setrlimit core", R_WORKERS, raise_limit, 0},
    {"prlimit nproc", R_WORKERS, raise_prlimit, 0},
    {"prctl dumpable", R_WORKERS, dumpable, 1},
    {"prctl seccomp", R_WORKERS, filter_more, 0},
    {"int 0x80", R_WORKERS, other_abi, 0},
    {"x32 call", R_WORKERS, x32_abi, 0},
    {NULL, 0, NULL, 0},
};
