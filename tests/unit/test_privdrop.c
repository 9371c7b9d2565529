#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/privdrop.h"

#define NOBODY 65534

static char dir[] = "/tmp/postern-privdrop.XXXXXX";

static int
setup(void **state)
{
	return mkdtemp(dir) == NULL || chmod(dir, 0755) == -1 ||
	    chdir("/") == -1;
}

static int
teardown(void **state)
{
	return rmdir(dir);
}

/* Run in a child, after privdrop(): 0 or the number of what was wrong. */
static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int
limit_is_zero(int what)
{
	struct rlimit rl;

	return getrlimit(what, &rl) == 0 && rl.rlim_cur == 0 &&
	    rl.rlim_max == 0;
}

static int
dropped_wrong(void)
{
	uid_t r, e, s;
	gid_t group;

	if (getresuid(&r, &e, &s) == -1 || r != NOBODY || e != NOBODY ||
	    s != NOBODY)
		return 10;
	if (getgroups(1, &group) != 1 || group != NOBODY ||
	    getegid() != NOBODY)
		return 11;
	if (setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		return 12;
	if (!limit_is_zero(RLIMIT_CORE))
		return 13;
	if (entries("/") != 2 || entries("/../..") != 2)
		return 14;
#ifndef WITH_SANITIZERS /* the leak check needs a thread */
	if (!limit_is_zero(RLIMIT_NPROC) || fork() != -1 || errno != EAGAIN)
		return 15;
#endif
	if (open("/made", O_WRONLY | O_CREAT, 0600) != -1)
		return 16;
	return 0;
}

static int
rootless_wrong(void)
{
	char cwd[64];

	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, dir) != 0)
		return 20;
	return limit_is_zero(RLIMIT_CORE) ? 0 : 21;
}

static int
child(const struct privdrop *p, int (*wrong)(void))
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		privdrop(p);
		_exit(wrong());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_drop(void **state)
{
	struct privdrop p = {.uid = NOBODY, .gid = NOBODY, .dir = dir};

	if (getuid() != 0)
		skip();
	assert_int_equal(child(&p, dropped_wrong), 0);
}

static void
test_refuses_root(void **state)
{
	struct privdrop p = {.uid = 0, .gid = NOBODY, .dir = dir};

	assert_int_equal(child(&p, dropped_wrong), 1);
	p.uid = NOBODY;
	p.gid = 0;
	assert_int_equal(child(&p, dropped_wrong), 1);
}

static void
test_no_directory(void **state)
{
	struct privdrop p = {.uid = NOBODY, .gid = NOBODY,
	    .dir = "/nonexistent/directory"};

	assert_int_equal(child(&p, dropped_wrong), 1);
	p.rootless = 1;
	assert_int_equal(child(&p, rootless_wrong), 1);
}

static void
test_rootless(void **state)
{
	struct privdrop p = {.dir = dir, .rootless = 1};

	assert_int_equal(child(&p, rootless_wrong), 0);
}

#define SENT 100 /* descriptors of one message */

static int
send_fds(int sock, int n)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int) * SENT)];
	} ctl = {.buf = ""};
	struct iovec iov = {(char[]){'x'}, 1};
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = ctl.buf,
	    .msg_controllen = CMSG_SPACE(sizeof(int) * n)};

	ctl.hdr.cmsg_level = SOL_SOCKET;
	ctl.hdr.cmsg_type = SCM_RIGHTS;
	ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int) * n);
	return sendmsg(sock, &mh, MSG_DONTWAIT) == 1; /* n times stdin */
}

static int unread[2], read_end[2];

/* They stay on their way: nobody reads them. */
static int
sends_all_it_can(void)
{
	int n = 0;

	while (send_fds(unread[0], SENT))
		n++;
	return n > 0 && errno == ETOOMANYREFS ? 0 : 30;
}

static int
can_pass_one(void)
{
	return send_fds(read_end[0], 1) ? 0 : 31;
}

/* Another worker of the same user. */
static void
test_sent_descriptors(void **state)
{
	struct privdrop p = {.uid = NOBODY, .gid = NOBODY, .dir = dir,
	    .rootless = getuid() != 0};
	struct rlimit old, low;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 4 * SENT;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, unread), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, read_end), 0);
	assert_int_equal(child(&p, sends_all_it_can), 0);
	p.passes = 1;
	assert_int_equal(child(&p, can_pass_one), 0);
	close(unread[0]);
	close(unread[1]);
	close(read_end[0]);
	close(read_end[1]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_drop),
	    cmocka_unit_test(test_refuses_root),
	    cmocka_unit_test(test_no_directory),
	    cmocka_unit_test(test_rootless),
	    cmocka_unit_test(test_sent_descriptors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
