#include "config.h"

#include "common/sandbox.h"

#ifdef WITH_SECCOMP

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

#define ROLE(r) (1u << (r))
#define FETCHERS (ROLE(SANDBOX_ACCOUNT) | ROLE(SANDBOX_AGENT))
#define LISTENERS (ROLE(SANDBOX_CONTROL) | ROLE(SANDBOX_CALLBACK))
#define STORE ROLE(SANDBOX_STORE)
#define DIALER ROLE(SANDBOX_DIALER)
#define WORKERS (FETCHERS | LISTENERS | STORE | DIALER)

struct name_rule {
	const char *name;
	unsigned roles;
};

/*
 * Allowed whatever the arguments. Names that this CPU or libseccomp does
 * not know are passed over, so both spellings of a call may stand here.
 */
static const struct name_rule allowed[] = {
    /* the loop */
    {"epoll_wait", WORKERS},
    {"epoll_pwait", WORKERS},
    {"epoll_pwait2", WORKERS},
    {"epoll_ctl", WORKERS},
    {"poll", WORKERS},
    {"ppoll", WORKERS},
    {"timerfd_settime", WORKERS},
    {"clock_gettime", WORKERS},
    {"clock_gettime64", WORKERS},
    {"gettimeofday", WORKERS},
    {"clock_nanosleep", WORKERS},
    {"nanosleep", WORKERS},
    /* descriptors it already has */
    {"read", WORKERS},
    {"readv", WORKERS},
    {"pread64", WORKERS},
    {"recvfrom", WORKERS},
    {"recvmsg", WORKERS},
    {"close", WORKERS},
    {"fstat", WORKERS},
    {"shutdown", WORKERS},
    {"getsockname", WORKERS},
    {"getpeername", WORKERS},
    /* memory and life */
    {"brk", WORKERS},
    {"munmap", WORKERS},
    {"mremap", WORKERS},
    {"madvise", WORKERS},
    {"mlock", WORKERS},
    {"mlock2", WORKERS},
    {"munlock", WORKERS},
    {"futex", WORKERS},
    {"futex_time64", WORKERS},
    {"getrandom", WORKERS},
    {"getpid", WORKERS},
    {"gettid", WORKERS},
    {"getuid", WORKERS},
    {"geteuid", WORKERS},
    {"tgkill", WORKERS}, /* abort() shall show as SIGABRT */
    {"rt_sigreturn", WORKERS},
    {"rt_sigprocmask", WORKERS},
    {"rt_sigaction", WORKERS},
    {"sigaltstack", WORKERS},
    {"restart_syscall", WORKERS},
    {"sched_yield", WORKERS},
    {"exit", WORKERS},
    {"exit_group", WORKERS},
    /* new connections on the sockets that were passed in */
    {"accept", LISTENERS},
    {"accept4", LISTENERS},
    /* the database */
    {"open", STORE | DIALER},
    {"openat", STORE | DIALER},
    {"write", STORE},
    {"writev", STORE},
    {"pwrite64", STORE},
    {"fsync", STORE},
    {"fdatasync", STORE},
    {"ftruncate", STORE},
    {"fallocate", STORE},
    {"unlink", STORE},
    {"unlinkat", STORE},
    {"stat", STORE | DIALER},
    {"lstat", STORE | DIALER},
    {"newfstatat", STORE | DIALER},
    {"statx", STORE | DIALER},
    {"access", STORE | DIALER},
    {"faccessat", STORE | DIALER},
    {"faccessat2", STORE | DIALER},
    {"lseek", STORE | DIALER},
    {"getcwd", STORE},
    {"readlink", STORE | DIALER},
    {"fchmod", STORE},
    {"umask", STORE},
    {"fstatfs", STORE | DIALER},
    {"statfs", STORE | DIALER},
    /* the resolver and its threads */
    {"connect", DIALER},
    {"bind", DIALER},
    {"sendmmsg", DIALER},
    {"recvmmsg", DIALER},
    {"setsockopt", DIALER},
    {"getsockopt", DIALER},
    {"getdents64", DIALER},
    {"uname", DIALER},
    {"sysinfo", DIALER | STORE},
    {"set_robust_list", DIALER},
    {"rseq", DIALER},
    {"sched_getaffinity", DIALER},
    {"get_robust_list", DIALER},
    {"getresuid", DIALER},
    {"pipe2", DIALER},
    {"eventfd2", DIALER},
};

/* Libraries try these; an error answers them better than death. */
static const char *const refused[] = {"open", "openat", "stat", "lstat",
    "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "lseek", "getcwd", "socket", "uname", "sysinfo",
    "setsockopt", "sched_getaffinity", "prctl", "ioctl", "getdents64",
    "prlimit64", "statfs", "fstatfs", "getrusage", "times"};

static scmp_filter_ctx ctx;

static void
must(int rc, const char *what)
{
	/* EDOM, EFAULT: the call does not exist on this architecture. */
	if (rc < 0 && rc != -EDOM && rc != -EFAULT) {
		errno = -rc;
		fatal("seccomp: %s", what);
	}
}

static void
add(uint32_t action, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		return;
	must(seccomp_rule_add(ctx, action, nr, 0), name);
}

static void
add_if(uint32_t action, const char *name, unsigned n,
    const struct scmp_arg_cmp *cmp)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		return;
	must(seccomp_rule_add_array(ctx, action, nr, n, cmp), name);
}

static int
is_allowed(const char *name, enum sandbox_role role)
{
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if ((allowed[i].roles & ROLE(role)) != 0 &&
		    strcmp(allowed[i].name, name) == 0)
			return 1;
	return 0;
}

/* Calls whose arguments decide, the same for every worker. */
static void
rules_shared(void)
{
	struct scmp_arg_cmp cmp[2];

	cmp[0] = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	add_if(SCMP_ACT_ALLOW, "mmap", 1, cmp);
	add_if(SCMP_ACT_ALLOW, "mmap2", 1, cmp);
	add_if(SCMP_ACT_ALLOW, "mprotect", 1, cmp);
	cmp[0] = SCMP_A1(SCMP_CMP_EQ, F_GETFL);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	cmp[0] = SCMP_A1(SCMP_CMP_EQ, F_SETFL);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	cmp[0] = SCMP_A1(SCMP_CMP_EQ, F_SETFD);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	/*
	 * A socket that has lost its peer could be dialled anew with
	 * MSG_FASTOPEN or, for datagrams, an address.
	 */
	cmp[0] = SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
	add_if(SCMP_ACT_ALLOW, "sendmsg", 1, cmp);
	/* glibc's abort() and thread start. */
	add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
}

static void
rules_sendto(enum sandbox_role role)
{
	struct scmp_arg_cmp cmp[2];

	if (role == SANDBOX_DIALER) {
		add(SCMP_ACT_ALLOW, "sendto"); /* DNS */
		return;
	}
	cmp[0] = SCMP_A4(SCMP_CMP_EQ, 0);
	cmp[1] = SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
	add_if(SCMP_ACT_ALLOW, "sendto", 2, cmp);
	/* Only the last words of a dying process. */
	cmp[0] = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO);
	if (role != SANDBOX_STORE)
		add_if(SCMP_ACT_ALLOW, "write", 1, cmp);
	cmp[0] = SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET);
	cmp[1] = SCMP_A2(SCMP_CMP_EQ, SO_ERROR);
	add_if(SCMP_ACT_ALLOW, "getsockopt", 2, cmp);
	if (role == SANDBOX_CONTROL) {
		cmp[1] = SCMP_A2(SCMP_CMP_EQ, SO_PEERCRED);
		add_if(SCMP_ACT_ALLOW, "getsockopt", 2, cmp);
	}
}

static void
rules_fetcher(void)
{
	/*
	 * libcurl 7.88 connects a socket that is connected already. The
	 * call is never executed, and reported as done.
	 */
	add(SCMP_ACT_ERRNO(0), "connect");
}

static void
rules_store(void)
{
	struct scmp_arg_cmp cmp[1];
	static const int locks[] = {F_GETLK, F_SETLK, F_SETLKW, F_GETFD,
	    F_OFD_GETLK, F_OFD_SETLK, F_DUPFD_CLOEXEC};
	size_t i;

	for (i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		cmp[0] = SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)locks[i]);
		add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	}
}

static void
rules_dialer(void)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
	struct scmp_arg_cmp cmp[1];
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		cmp[0] = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]);
		add_if(SCMP_ACT_ALLOW, "socket", 1, cmp);
	}
	/* Threads only: never a process of its own. */
	cmp[0] = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
	    CLONE_THREAD | CLONE_VM);
	add_if(SCMP_ACT_ALLOW, "clone", 1, cmp);
	cmp[0] = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO);
	add(SCMP_ACT_ALLOW, "write"); /* wakes the loop from a thread */
	cmp[0] = SCMP_A1(SCMP_CMP_EQ, F_GETFD);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	cmp[0] = SCMP_A1(SCMP_CMP_EQ, 0x541b); /* FIONREAD */
	add_if(SCMP_ACT_ALLOW, "ioctl", 1, cmp);
}

static void
rules_worker(enum sandbox_role role)
{
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i].roles & ROLE(role))
			add(SCMP_ACT_ALLOW, allowed[i].name);
	rules_shared();
	rules_sendto(role);
	if (ROLE(role) & FETCHERS)
		rules_fetcher();
	if (role == SANDBOX_STORE)
		rules_store();
	if (role == SANDBOX_DIALER)
		rules_dialer();
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (is_allowed(refused[i], role) ||
		    (role == SANDBOX_DIALER &&
			(strcmp(refused[i], "socket") == 0 ||
			    strcmp(refused[i], "ioctl") == 0)))
			continue;
		add(SCMP_ACT_ERRNO(EACCES), refused[i]);
	}
}

/*
 * The supervisor's filter is inherited by every worker it starts, so it can
 * only take away what none of them needs.
 */
static void
rules_supervisor(void)
{
	static const char *const banned[] = {"ptrace", "process_vm_readv",
	    "process_vm_writev", "bpf", "perf_event_open", "userfaultfd",
	    "io_uring_setup", "io_uring_enter", "io_uring_register",
	    "init_module", "finit_module", "delete_module", "kexec_load",
	    "kexec_file_load", "mount", "umount2", "pivot_root", "unshare",
	    "setns", "keyctl", "add_key", "request_key", "personality",
	    "open_by_handle_at", "swapon", "swapoff", "reboot",
	    "settimeofday", "clock_settime", "adjtimex", "iopl", "ioperm"};
	static const int families[] = {AF_PACKET, AF_KEY, AF_VSOCK, AF_ALG,
	    AF_BLUETOOTH, AF_CAN, AF_RDS, AF_TIPC};
	struct scmp_arg_cmp cmp[1];
	size_t i;

	for (i = 0; i < sizeof(banned) / sizeof(banned[0]); i++)
		add(SCMP_ACT_ERRNO(EPERM), banned[i]);
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		cmp[0] = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]);
		add_if(SCMP_ACT_ERRNO(EPERM), "socket", 1, cmp);
	}
}

int
sandbox_seccomp(enum sandbox_role role)
{
	ctx = seccomp_init(role == SANDBOX_SUPERVISOR ? SCMP_ACT_ALLOW :
							SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		fatalx("seccomp_init");
	must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize");
	if (role == SANDBOX_SUPERVISOR)
		rules_supervisor();
	else
		rules_worker(role);
	must(seccomp_load(ctx), "load");
	seccomp_release(ctx);
	ctx = NULL;
	return 1;
}

#else

int
sandbox_seccomp(enum sandbox_role role)
{
	return 0;
}

#endif
