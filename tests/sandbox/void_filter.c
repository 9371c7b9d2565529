#include "config.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef WITH_SECCOMP
#include <seccomp.h>
#endif

/*
 * void_filter [-l] PROGRAM ARGUMENT...: run it where a system call filter
 * can be loaded and does nothing, and with -l Landlock does nothing either.
 * So does a sandbox look that somebody, or a kernel, has broken.
 */
int
main(int argc, char *argv[])
{
#ifdef WITH_SECCOMP
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int landlock = argc > 1 && strcmp(argv[1], "-l") == 0;

	argv += 1 + landlock;
	if (argv[0] == NULL)
		errx(2, "usage: void_filter [-l] program ...");
	if (ctx == NULL ||
	    /* A filter, and not the library's questions about this kernel. */
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(seccomp), 2,
		SCMP_A0(SCMP_CMP_EQ, 1 /* SECCOMP_SET_MODE_FILTER */),
		SCMP_A2(SCMP_CMP_NE, 0)) ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(prctl), 1,
		SCMP_A0(SCMP_CMP_EQ, 22 /* PR_SET_SECCOMP */)))
		errx(1, "rules");
	if (landlock && seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0),
			    SCMP_SYS(landlock_restrict_self), 0))
		errx(1, "landlock");
	if (seccomp_load(ctx) != 0)
		errx(1, "load");
	execv(argv[0], argv);
	err(1, "%s", argv[0]);
#else
	return 77;
#endif
}
