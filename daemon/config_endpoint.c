#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "daemon/config_private.h"

/*
 * The ids that were given in this process. Never freed and never reused:
 * the index + 1 is the id, the text is "owner scheme://host:port".
 */
static char **known;
static unsigned nknown;

unsigned
config_endpoint_id(const char *owner, const char *host, uint16_t port, int tls)
{
	char *name = config_printf("%s %s://%s:%u", owner,
	    tls ? "https" : "http", host, port);
	unsigned i;

	for (i = 0; i < nknown; i++)
		if (strcmp(known[i], name) == 0) {
			free(name);
			return i + 1;
		}
	known = grow(known, nknown, sizeof(*known));
	known[nknown++] = name;
	return nknown;
}
