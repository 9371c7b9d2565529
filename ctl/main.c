#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/ctl.h"
#include "ctl/parse.h"

const char *ctl_argv0;

void
ctl_help(const struct keyword *table, FILE *f)
{
	fprintf(f, "usage: posternctl [-s socket] verb ...\n");
	keyword_help(table, f);
}

int
main(int argc, char *argv[])
{
	const struct keyword *at;
	struct invocation inv;
	char error[256];

	log_init("posternctl", 0);
	ctl_argv0 = argv[0];
	if (argc < 2) {
		ctl_help(NULL, stderr);
		return 2;
	}
	switch (parse(argv + 1, &inv, &at, error, sizeof(error))) {
	case PARSE_OK:
		return inv.cmd->run(&inv);
	case PARSE_HELP:
		if (at == NULL && inv.cmd != NULL)
			verb_help(inv.cmd, stdout);
		else
			ctl_help(at, stdout);
		return 0;
	default:
		fprintf(stderr, "posternctl: %s\n", error);
		if (at != NULL)
			keyword_help(at, stderr);
		return 2;
	}
}
