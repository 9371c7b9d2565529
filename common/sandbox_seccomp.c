#include "config.h"

#include "common/sandbox.h"

#ifdef WITH_SECCOMP

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

#define ROLE(r) (1u << (r))
#define FETCHERS (ROLE(SANDBOX_ACCOUNT) | ROLE(SANDBOX_AGENT))
#define LISTENERS (ROLE(SANDBOX_CONTROL) | ROLE(SANDBOX_CALLBACK))
#define ACCOUNT ROLE(SANDBOX_ACCOUNT)
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
    {"open", STORE},
    {"openat", STORE},
    {"write", STORE | LISTENERS},
    {"writev", STORE | LISTENERS},
    {"pwrite64", STORE | ACCOUNT}, /* attachments: never a socket */
    {"fsync", STORE},
    {"fdatasync", STORE | ACCOUNT},
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
    {"getsockopt", DIALER},
    {"getdents64", DIALER | STORE},
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
    "prlimit64", "statfs", "fstatfs", "getrusage", "times", "fchown",
    "shutdown"};

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

/* The comparison of one argument; for MASKED_EQ a is the mask, b the value. */
static struct scmp_arg_cmp
arg(unsigned n, enum scmp_compare op, uint64_t a, uint64_t b)
{
	struct scmp_arg_cmp cmp;

	memset(&cmp, 0, sizeof(cmp));
	cmp.arg = n;
	cmp.op = op;
	cmp.datum_a = a;
	cmp.datum_b = b;
	return cmp;
}

/*
 * Argument n is a number of 16 bits that is not but: for each bit of it one
 * rule for those that differ there and not above, so that what the kernel
 * would cut off cannot be used to say the same in other words.
 */
static void
add_if_not(const char *name, unsigned n, uint64_t but,
    const struct scmp_arg_cmp *and)
{
	struct scmp_arg_cmp cmp[2];
	unsigned bit;

	if (and != NULL)
		cmp[1] = *and;
	for (bit = 0; bit < 16; bit++) {
		cmp[0] = arg(n, SCMP_CMP_MASKED_EQ, ~0ULL << bit,
		    (but ^ 1ULL << bit) & ~0ULL << bit);
		add_if(SCMP_ACT_ALLOW, name, and == NULL ? 1 : 2, cmp);
	}
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

	cmp[0] = arg(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	add_if(SCMP_ACT_ALLOW, "mmap", 1, cmp);
	add_if(SCMP_ACT_ALLOW, "mmap2", 1, cmp);
	add_if(SCMP_ACT_ALLOW, "mprotect", 1, cmp);
	cmp[0] = arg(1, SCMP_CMP_EQ, F_GETFL, 0);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	cmp[0] = arg(1, SCMP_CMP_EQ, F_SETFL, 0);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	cmp[0] = arg(1, SCMP_CMP_EQ, F_SETFD, 0);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	/*
	 * A socket that has lost its peer could be dialled anew with
	 * MSG_FASTOPEN or, for datagrams, an address.
	 */
	cmp[0] = arg(2, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
	add_if(SCMP_ACT_ALLOW, "sendmsg", 1, cmp);
	/* abort() shall show as SIGABRT; siblings have the same uid. */
	cmp[0] = arg(0, SCMP_CMP_EQ, (uint64_t)getpid(), 0);
	add_if(SCMP_ACT_ALLOW, "tgkill", 1, cmp);
	/* glibc falls back to clone(), whose flags can be seen. */
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
	cmp[0] = arg(4, SCMP_CMP_EQ, 0, 0);
	cmp[1] = arg(3, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
	add_if(SCMP_ACT_ALLOW, "sendto", 2, cmp);
	/* Only the last words of a dying process. */
	cmp[0] = arg(0, SCMP_CMP_EQ, STDERR_FILENO, 0);
	if (ROLE(role) & FETCHERS)
		add_if(SCMP_ACT_ALLOW, "write", 1, cmp);
	cmp[0] = arg(1, SCMP_CMP_EQ, SOL_SOCKET, 0);
	cmp[1] = arg(2, SCMP_CMP_EQ, SO_ERROR, 0);
	add_if(SCMP_ACT_ALLOW, "getsockopt", 2, cmp);
	if (role == SANDBOX_CONTROL) {
		cmp[1] = arg(2, SCMP_CMP_EQ, SO_PEERCRED, 0);
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
	    F_OFD_GETLK, F_OFD_SETLK, F_DUPFD_CLOEXEC,
	    F_SETLEASE /* who writes to a file? */};
	size_t i;

	for (i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		cmp[0] = arg(1, SCMP_CMP_EQ, (uint64_t)locks[i], 0);
		add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	}
}

/* libevent's evhttp. */
static void
rules_listener(void)
{
	struct scmp_arg_cmp cmp[1];

	cmp[0] = arg(1, SCMP_CMP_EQ, FIONREAD, 0);
	add_if(SCMP_ACT_ALLOW, "ioctl", 1, cmp);
	/* The other way would end a listening socket for who comes next. */
	cmp[0] = arg(1, SCMP_CMP_EQ, SHUT_WR, 0);
	add_if(SCMP_ACT_ALLOW, "shutdown", 1, cmp);
}

static void
rules_dialer_sockets(void)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	struct scmp_arg_cmp cmp[2];
	size_t i, j;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		cmp[0] = arg(0, SCMP_CMP_EQ, (uint64_t)families[i], 0);
		for (j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
			cmp[1] = arg(1, SCMP_CMP_MASKED_EQ,
			    ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK) &
				UINT32_MAX, (uint64_t)types[j]);
			add_if(SCMP_ACT_ALLOW, "socket", 2, cmp);
		}
	}
	/* The resolver asks which address families the host has. */
	cmp[0] = arg(0, SCMP_CMP_EQ, AF_NETLINK, 0);
	cmp[1] = arg(2, SCMP_CMP_EQ, NETLINK_ROUTE, 0);
	add_if(SCMP_ACT_ALLOW, "socket", 2, cmp);
}

/*
 * All but SO_LINGER: whoever closed such a socket last would be held, and
 * it may be handed to anybody, to the supervisor, too.
 */
static void
rules_dialer_options(void)
{
	struct scmp_arg_cmp of_socket = arg(1, SCMP_CMP_EQ, SOL_SOCKET, 0);

	add_if_not("setsockopt", 1, SOL_SOCKET, NULL);
	add_if_not("setsockopt", 2, SO_LINGER, &of_socket);
}

/* To read, that is, and an error for the rest. */
static void
rules_dialer_open(void)
{
	struct scmp_arg_cmp cmp[1];

	cmp[0] = arg(2, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC,
	    O_RDONLY);
	add_if(SCMP_ACT_ALLOW, "openat", 1, cmp);
	cmp[0] = arg(2, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY);
	add_if(SCMP_ACT_ERRNO(EACCES), "openat", 1, cmp);
	cmp[0] = arg(2, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR);
	add_if(SCMP_ACT_ERRNO(EACCES), "openat", 1, cmp);
}

static void
rules_dialer(void)
{
	struct scmp_arg_cmp cmp[1];

	rules_dialer_sockets();
	rules_dialer_options();
	rules_dialer_open();
	/* Threads only: never a process of its own. */
	cmp[0] = arg(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
	    CLONE_THREAD | CLONE_VM);
	add_if(SCMP_ACT_ALLOW, "clone", 1, cmp);
	/* A resolver module that was not loaded in time is not there. */
	cmp[0] = arg(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
	add_if(SCMP_ACT_ERRNO(EACCES), "mmap", 1, cmp);
	add_if(SCMP_ACT_ERRNO(EACCES), "mmap2", 1, cmp);
	add(SCMP_ACT_ALLOW, "write"); /* wakes the loop from a thread */
	cmp[0] = arg(1, SCMP_CMP_EQ, F_GETFD, 0);
	add_if(SCMP_ACT_ALLOW, "fcntl", 1, cmp);
	cmp[0] = arg(1, SCMP_CMP_EQ, FIONREAD, 0);
	add_if(SCMP_ACT_ALLOW, "ioctl", 1, cmp);
}

/* Has this role rules of its own for a call that others are refused? */
static int
is_special(const char *name, enum sandbox_role role)
{
	if (strcmp(name, "shutdown") == 0)
		return (ROLE(role) & LISTENERS) != 0;
	if (strcmp(name, "ioctl") == 0)
		return (ROLE(role) & (DIALER | LISTENERS)) != 0;
	if (strcmp(name, "socket") == 0 || strcmp(name, "openat") == 0 ||
	    strcmp(name, "setsockopt") == 0)
		return role == SANDBOX_DIALER;
	return 0;
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
	if (ROLE(role) & LISTENERS)
		rules_listener();
	if (role == SANDBOX_STORE)
		rules_store();
	if (role == SANDBOX_DIALER)
		rules_dialer();
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (is_allowed(refused[i], role) ||
		    is_special(refused[i], role))
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
		cmp[0] = arg(0, SCMP_CMP_EQ, (uint64_t)families[i], 0);
		add_if(SCMP_ACT_ERRNO(EPERM), "socket", 1, cmp);
	}
	/* As unshare; clone3 hides its flags, and everyone falls back. */
	cmp[0] = arg(0, SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);
	add_if(SCMP_ACT_ERRNO(EPERM), "clone", 1, cmp);
	add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
}

int
sandbox_seccomp(enum sandbox_role role)
{
	ctx = seccomp_init(role == SANDBOX_SUPERVISOR ? SCMP_ACT_ALLOW :
							SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		fatalx("seccomp_init");
	must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize");
	must(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		 SCMP_ACT_KILL_PROCESS), "architecture");
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
