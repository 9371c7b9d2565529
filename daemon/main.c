#include "config.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "daemon/conf.h"
#include "daemon/listeners.h"
#include "daemon/logsink.h"
#include "daemon/online.h"
#include "daemon/reload.h"
#include "daemon/rundir.h"
#include "daemon/sdnotify.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade.h"
#include "daemon/upgrade_look.h"

#define DEFAULT_FILE POSTERN_SYSCONFDIR "/postern/postern.json5"
/* Each worker costs one; while links are handed out a few more. */
#define WANTED_FDS 65536

struct options {
	int foreground;
	int check;
	int json;
	int verbose;
	const char *file;
};

static void
usage(void)
{
	fprintf(stderr, "usage: posternd [-dnVv] [-f file]\n       posternd -nn [--json] [-v] [-f file]\n");
	exit(2);
}

static void
options_parse(struct options *o, int argc, char *argv[])
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	int ch;

	memset(o, 0, sizeof(*o));
	o->file = DEFAULT_FILE;
	while ((ch = getopt_long(argc, argv, "df:nVv", longs, NULL)) != -1) {
		switch (ch) {
		case 'd':
			o->foreground = 1;
			break;
		case 'f':
			o->file = optarg;
			break;
		case 'n':
			o->check++;
			break;
		case 'j':
			o->json = 1;
			break;
		case 'V':
			printf("posternd %s\n", PACKAGE_VERSION);
			exit(0);
		case 'v':
			o->verbose++;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || (o->json && o->check < 2))
		usage();
}

/*
 * Descriptors 0 to 2 are taken, whatever we were started with, so that
 * nothing of ours becomes somebody's standard output; none above is, but
 * for the sockets of a service manager.
 */
static void
standard_fds(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			fatal("/dev/null");
	} while (fd <= STDERR_FILENO);
	closefrom(STDERR_FILENO + 1 + (upgrade_inherited() > 0 ?
		upgrade_inherited() : listeners_inherited()));
}

/* A later reload happens in another directory. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX], *s;

	if (path[0] == '/')
		s = strdup(path);
	else if (getcwd(cwd, sizeof(cwd)) == NULL)
		fatal("getcwd");
	else if (asprintf(&s, "%s/%s", cwd, path) == -1)
		s = NULL;
	if (s == NULL)
		fatal("strdup");
	return s;
}

/* How an upgrade starts the next program: as we were, from anywhere. */
static char *const *
successor(const struct options *o, char *name, char *path)
{
	static char *argv[8];
	int n = 0, i;

	argv[n++] = strchr(name, '/') == NULL ? name : absolute(name);
	if (o->foreground)
		argv[n++] = (char *)"-d";
	for (i = 0; i < o->verbose && i < 2; i++)
		argv[n++] = (char *)"-v";
	argv[n++] = (char *)"-f";
	argv[n++] = path;
	return argv;
}

static void
raise_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	if (rl.rlim_cur >= WANTED_FDS)
		return;
	rl.rlim_cur = rl.rlim_max < WANTED_FDS ? rl.rlim_max : WANTED_FDS;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_warn("setrlimit");
}

/* All that is fatal in main() and can be had twice. */
static void
try_start(
    struct config *cf, const struct options *o, char *argv0, const char *left)
{
	static struct supervisor sup;
	char path[PATH_MAX];

	upgrade_check_schema();
	supervisor_init(&sup);
	sup.config = cf;
	spawn_init(argv0);
	if (!spawn_has_workers(path, sizeof(path)))
		fatal("%s", path);
	if (logsink_try(cf, o->foreground) == -1)
		fatalx("no log");
	rundir_try(&sup, left);
}

static int
check_only(const struct options *o, char *argv0)
{
	const char *left = upgrade_would_leave();
	struct config_errors e;
	struct config *cf;
	int bad;

	config_errors_init(&e);
	cf = config_load(o->file, &e);
	config_errors_print(
	    &e, stderr, left == NULL ? CONFIG_INFO : CONFIG_PARKED);
	bad = cf == NULL || e.parked > 0;
	config_errors_free(&e);
	if (!bad && left != NULL)
		try_start(cf, o, argv0, left);
	config_free(cf);
	if (bad)
		return 1;
	fprintf(stderr, "configuration OK\n");
	return 0;
}

/* As check_only(), and then the servers are asked. */
static int
check_online(const struct options *o, const char *argv0)
{
	struct supervisor sup;
	struct config_errors e;
	int bad;

	supervisor_init(&sup);
	sup.foreground = 1;
	sup.config_path = absolute(o->file);
	spawn_init(argv0);
	raise_limits();
	config_errors_init(&e);
	sup.config = config_load(sup.config_path, &e);
	config_errors_print(&e, stderr, CONFIG_INFO);
	bad = sup.config == NULL || e.parked > 0;
	config_errors_free(&e);
	if (sup.config == NULL)
		return 1;
	log_set_verbose(o->verbose);
	if (!o->verbose)
		sup.config->log.prio = LOG_CRIT;
	if (logsink_setup(sup.config, 1) == -1)
		fatalx("no log");
	bad |= online_run(&sup, o->json);
	supervisor_free(&sup);
	return bad;
}

static void
first_load(struct supervisor *sup, const struct options *o)
{
	struct config_errors e;

	config_errors_init(&e);
	sup->config = config_load(sup->config_path, &e);
	if (sup->config == NULL) {
		config_errors_print(&e, stderr, CONFIG_WARNING);
		exit(1);
	}
	log_set_verbose(o->verbose > sup->config->log.trace ?
		o->verbose : sup->config->log.trace);
	if (logsink_setup(sup->config, o->foreground) == -1)
		fatalx("no log");
	reload_log(&e);
	config_errors_free(&e);
}

int
main(int argc, char *argv[])
{
	struct supervisor sup;
	struct options o;
	char why[256];

	standard_fds();
	log_init("posternd", 0);
	options_parse(&o, argc, argv);
	if (o.check > 1)
		return check_online(&o, argv[0]);
	if (o.check)
		return check_only(&o, argv[0]);

	supervisor_init(&sup);
	sup.foreground = o.foreground;
	sup.config_path = absolute(o.file);
	sup.argv = successor(&o, argv[0], sup.config_path);
	spawn_init(argv[0]);
	sdnotify_init();
	raise_limits();
	first_load(&sup, &o);
	rundir_users(&sup);
	if (sup.rootless)
		log_event(LOG_NOTICE, "daemon.rootless", "note",
		    "not root: workers keep this user and are not chrooted",
		    NULL);
	rundir_make(&sup);
	rundir_lock(&sup);
	rundir_listen(&sup);
	if (listeners_open(&sup, sup.config, why, sizeof(why)) == -1) {
		rundir_leave(&sup);
		fatalx("%s", why);
	}
	if (!o.foreground && upgrade_inherited() == 0)
		spawn_detach();
	rundir_write_pid(&sup);
	sandbox_enter(SANDBOX_SUPERVISOR);
	supervisor_run(&sup);

	listeners_close();
	rundir_leave(&sup);
	log_event(LOG_INFO, "daemon.stopped", NULL);
	supervisor_free(&sup);
	return 0;
}
