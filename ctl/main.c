#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/parse.h"

const char *ctl_argv0;

void
ctl_help(const struct keyword *table, FILE *f)
{
	fprintf(f, "usage: posternctl [-s socket] verb ...\n"
		   "       posternctl -V\n");
	keyword_help(table, f);
}

/* A name as the file has it becomes the id that the daemon knows. */
static const char *
id_of(const char *name, char id[TEXT_ID_SIZE])
{
	if (name == NULL)
		return NULL;
	text_id(name, id);
	return id[0] != '\0' ? id : name;
}

int
main(int argc, char *argv[])
{
	const struct keyword *at;
	struct invocation inv;
	char error[256], account[TEXT_ID_SIZE], agent[TEXT_ID_SIZE];

	log_init("posternctl", 0);
	ctl_argv0 = argv[0];
	if (argc < 2) {
		ctl_help(NULL, stderr);
		return 2;
	}
	if (argc == 2 && (strcmp(argv[1], "-V") == 0 ||
	    strcmp(argv[1], "--version") == 0)) {
		printf("posternctl %s\n", PACKAGE_VERSION);
		return 0;
	}
	switch (parse(argv + 1, &inv, &at, error, sizeof(error))) {
	case PARSE_OK:
		inv.account = id_of(inv.account, account);
		inv.agent = id_of(inv.agent, agent);
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
