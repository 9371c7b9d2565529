/*
 * The pledges of every role: words that OpenBSD knows, no more of them than
 * the role's work needs, and after all unveils.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "tests/openbsd/standin.h"

/* pledge(2) of OpenBSD 7.5. */
static const char known[] =
    " audio bpf chown cpath disklabel dns dpath drm error exec fattr flock "
    "getpw id inet mcast pf proc prot_exec ps recvfd route rpath sendfd "
    "settime stdio tape tmppath tty unix unveil video vminfo vmm wpath "
    "wroute ";

static char pledged[256];
static char unveiled[256];
static int locked, late;

int
pledge(const char *promises, const char *execpromises)
{
	if (execpromises != NULL)
		late = 1;
	snprintf(pledged, sizeof(pledged), " %s ", promises);
	return 0;
}

int
unveil(const char *path, const char *permissions)
{
	size_t n = strlen(unveiled);

	if (pledged[0] != '\0' || locked)
		late = 1;
	if (path == NULL)
		locked = 1;
	else
		snprintf(unveiled + n, sizeof(unveiled) - n, "%s=%s ", path,
		    permissions);
	return 0;
}

void
fatal(const char *fmt, ...)
{
	printf("fatal: %s\n", fmt);
	exit(1);
}

static int
has(const char *list, const char *word)
{
	char padded[64];

	snprintf(padded, sizeof(padded), " %s ", word);
	return strstr(list, padded) != NULL;
}

static const struct {
	enum sandbox_role role;
	const char *name;
	const char *unveiled; /* NULL: all that it may open, by its pledge */
	const char *never;    /* words that it must not have */
} roles[] = {
    {SANDBOX_ACCOUNT, "account", "/= ",
	"inet dns rpath wpath cpath proc exec sendfd id fattr chown getpw"},
    {SANDBOX_AGENT, "agent", "/= ",
	"inet dns rpath wpath cpath proc exec sendfd id fattr chown getpw"},
    {SANDBOX_CALLBACK, "callback", "/= ",
	"unix dns rpath wpath cpath proc exec sendfd id fattr chown getpw"},
    /* It passes on the files of posternctl. */
    {SANDBOX_CONTROL, "control", "/= ",
	"inet dns rpath wpath cpath proc exec id fattr chown getpw"},
    {SANDBOX_STORE, "store", ".=rwc ",
	"inet dns unix proc exec id fattr chown getpw"},
    {SANDBOX_DIALER, "dialer", NULL,
	"unix rpath wpath cpath proc exec id fattr chown getpw"},
    {SANDBOX_SUPERVISOR, "supervisor", NULL, "dns recvfd"},
};

static int
check(size_t i)
{
	char words[256], *w, *s;
	int bad = 0;

	pledged[0] = unveiled[0] = '\0';
	locked = late = 0;
	sandbox_pledge(roles[i].role);
	printf("%-10s pledge%s unveil %s%s\n", roles[i].name, pledged,
	    unveiled, locked ? "locked" : "");
	strlcpy(words, pledged, sizeof(words));
	for (s = words; (w = strsep(&s, " ")) != NULL;)
		if (*w != '\0' && !has(known, w))
			bad = printf("  no such promise: %s\n", w);
	strlcpy(words, roles[i].never, sizeof(words));
	for (s = words; (w = strsep(&s, " ")) != NULL;)
		if (has(pledged, w))
			bad = printf("  must not promise: %s\n", w);
	if (!has(pledged, "stdio") || late)
		bad = printf("  wrong order, or no stdio\n");
	if (roles[i].unveiled != NULL &&
	    (strcmp(unveiled, roles[i].unveiled) != 0 || !locked))
		bad = printf("  wrong unveil\n");
	return bad != 0;
}

int
main(void)
{
	size_t i, bad = 0;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		bad += check(i);
	return bad > 0;
}
