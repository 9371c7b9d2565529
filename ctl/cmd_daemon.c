#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/add.h"
#include "common/log.h"
#include "common/monotime.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/config_keys.h"

#define UPGRADE_SETTLE_MS 5000

int
cmd_help(const struct invocation *inv)
{
	ctl_help(NULL, stdout);
	return 0;
}

static int
simple(const struct invocation *inv, const char *verb,
    struct json_object *args)
{
	struct answer a;

	if (ask_daemon(inv, verb, args, CLIENT_FILE_MS, &a) == -1)
		return 1;
	if (a.text != NULL)
		output_text(a.text);
	client_free(&a);
	return 0;
}

int
cmd_reload(const struct invocation *inv)
{
	return simple(inv, "reload", NULL);
}

int
cmd_stop(const struct invocation *inv)
{
	struct answer a;

	if (ask_daemon(inv, "stop", NULL, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	client_free(&a);
	if (client_wait_gone(client_socket(inv->socket)) == -1) {
		fprintf(stderr, "posternctl: it is still there\n");
		return 1;
	}
	printf("stopped\n");
	return 0;
}

/*
 * Are as many accounts connected as before? Not waited for without end: a
 * server may have gone just now. *back: since when the daemon is.
 */
static int
is_back(struct json_object *before, struct json_object *now,
    struct monotime *back)
{
	if (back->ms == 0)
		*back = monotime_now();
	return monotime_since(*back) > UPGRADE_SETTLE_MS ||
	    strcmp(json_str(before, "summary"), json_str(now, "summary")) == 0;
}

/*
 * The daemon that answers now is another one when it is younger than our
 * question.
 */
int
cmd_upgrade(const struct invocation *inv)
{
	const char *socket = client_socket(inv->socket);
	struct json_object *before = client_status(socket), *now;
	struct monotime asked = monotime_now();
	struct monotime end = monotime_add(asked, CLIENT_UPGRADE_MS);
	struct timespec pause = {0, 20 * 1000 * 1000};
	struct monotime back = {0};
	struct answer a;

	if (ask_daemon(inv, "upgrade", NULL, CLIENT_FILE_MS, &a) == -1) {
		json_object_put(before);
		return 1;
	}
	client_free(&a);
	while (monotime_left(end) > 0) {
		now = client_status(socket);
		if (now != NULL &&
		    json_int(now, "upMs") < monotime_since(asked) &&
		    is_back(before, now, &back)) {
			printf("posternd %s, %s, after %s ms\n",
			    json_str(now, "version"),
			    json_str(now, "summary"),
			    log_num((char[24]){0},
				monotime_diff(asked, back)));
			json_object_put(before);
			json_object_put(now);
			return 0;
		}
		/* Its socket stays open all the time, unless it is gone. */
		if (now == NULL && !client_is_there(socket)) {
			fprintf(stderr, "posternctl: posternd has ended: see "
			    "the log\n");
			return 1;
		}
		json_object_put(now);
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "posternctl: the new program does not answer: see "
	    "the log\n");
	return 1;
}

static int
verbose(const struct invocation *inv, int on)
{
	struct json_object *args = json_object_new_object();

	add_bool(args, "on", on);
	return simple(inv, "verbose", args);
}

int
cmd_log_debug(const struct invocation *inv)
{
	return verbose(inv, 1);
}

int
cmd_log_info(const struct invocation *inv)
{
	return verbose(inv, 0);
}

/* posternd from beside ourselves, else the installed one. */
static void
daemon_path(char *buf, size_t len)
{
	const char *slash = strrchr(ctl_argv0, '/');

	if (slash != NULL &&
	    (size_t)snprintf(buf, len, "%.*s/posternd",
		(int)(slash - ctl_argv0), ctl_argv0) < len &&
	    access(buf, X_OK) == 0)
		return;
	strlcpy(buf, POSTERN_SBINDIR "/posternd", len);
}

static int
check_by_exec(const struct invocation *inv)
{
	char path[PATH_MAX];
	char *argv[5];
	int n = 0;

	daemon_path(path, sizeof(path));
	argv[n++] = path;
	argv[n++] = (char *)"-n";
	if (inv->file != NULL) {
		argv[n++] = (char *)"-f";
		argv[n++] = (char *)(uintptr_t)inv->file;
	}
	argv[n] = NULL;
	execv(path, argv);
	fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
	return 1;
}

/*
 * The daemon itself checks. One that runs is asked for its own file, which
 * we may not even be allowed to read.
 */
int
cmd_config_check(const struct invocation *inv)
{
	if (inv->file == NULL && client_is_there(client_socket(inv->socket)))
		return simple(inv, "check", NULL);
	return check_by_exec(inv);
}

int
cmd_config_explain(const struct invocation *inv)
{
	return config_keys_explain(inv->operand, stdout) == 0 ? 0 : 1;
}
