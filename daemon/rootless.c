#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/rootless.h"

static const char *
absolute_env(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && v[0] == '/' ? v : NULL;
}

static int
fits(int n, size_t len)
{
	return n >= 0 && (size_t)n < len ? 0 : -1;
}

int
rootless_run_dir(char *buf, size_t len)
{
	const char *dir = absolute_env("XDG_RUNTIME_DIR");

	if (dir != NULL)
		return fits(snprintf(buf, len, "%s/postern", dir), len);
	return fits(snprintf(buf, len, "/tmp/postern-%u",
			(unsigned)geteuid()), len);
}

int
rootless_store_dir(char *buf, size_t len)
{
	const char *dir = absolute_env("XDG_STATE_HOME");

	if (dir != NULL)
		return fits(snprintf(buf, len, "%s/postern", dir), len);
	if ((dir = absolute_env("HOME")) == NULL)
		return -1;
	return fits(snprintf(buf, len, "%s/.local/state/postern", dir), len);
}
