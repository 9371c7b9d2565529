#include "config.h"

#ifdef __linux__
#include <sys/prctl.h>

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>
#endif

#include "common/log.h"
#include "common/sandbox.h"

#ifdef __linux__

/* Of libc, which declares it nowhere. */
extern int capset(cap_user_header_t, const cap_user_data_t);
extern int capget(cap_user_header_t, cap_user_data_t);

int
sandbox_can_lock(void)
{
	static const int needed[] = {
	    CAP_SYS_CHROOT, CAP_SETUID, CAP_SETGID, CAP_KILL};
	size_t i;

	if (geteuid() == 0)
		return 0;
	/* Ambient: what the programs that we start get, too. */
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, needed[i], 0,
			0) != 1)
			return 0;
	return 1;
}

void
sandbox_drop_caps(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	size_t i;

	/* A change between two users that are not root keeps them all. */
	memset(data, 0, sizeof(data));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		fatal("ambient capabilities");
	if (capset(&head, data) == -1)
		fatal("capset");
	memset(data, 0xff, sizeof(data));
	head.pid = 0;
	if (capget(&head, data) == -1)
		fatal("capget");
	for (i = 0; i < 2; i++)
		if (data[i].effective != 0 || data[i].permitted != 0 ||
		    data[i].inheritable != 0)
			fatalx("capabilities are left");
}

#else

int
sandbox_can_lock(void)
{
	return 0;
}

void
sandbox_drop_caps(void)
{
}

#endif
