#include "config.h"

#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"

#ifdef HAVE_PLEDGE

static const char *
promises(enum sandbox_role role)
{
	switch (role) {
	case SANDBOX_ACCOUNT:
	case SANDBOX_AGENT:
		/* getpeername() of libcurl needs "unix" on older kernels. */
		return "stdio unix recvfd";
	case SANDBOX_CONTROL:
		return "stdio unix sendfd recvfd";
	case SANDBOX_CALLBACK:
		return "stdio inet recvfd";
	case SANDBOX_STORE:
		return "stdio rpath wpath cpath flock sendfd recvfd";
	case SANDBOX_DIALER:
		return "stdio inet dns sendfd recvfd";
	case SANDBOX_SUPERVISOR:
		return "stdio rpath wpath cpath fattr chown unix inet sendfd proc "
		       "exec id getpw flock";
	}
	return "";
}

int
sandbox_pledge(enum sandbox_role role)
{
	if (role == SANDBOX_STORE) {
		if (unveil(".", "rwc") == -1)
			fatal("unveil");
	} else if (role != SANDBOX_SUPERVISOR && role != SANDBOX_DIALER) {
		if (unveil("/", "") == -1)
			fatal("unveil");
	}
	if (role != SANDBOX_SUPERVISOR && role != SANDBOX_DIALER &&
	    unveil(NULL, NULL) == -1)
		fatal("unveil");
	if (pledge(promises(role), NULL) == -1)
		fatal("pledge");
	return 1;
}

#else

int
sandbox_pledge(enum sandbox_role role)
{
	return 0;
}

#endif
