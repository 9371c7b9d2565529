#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/doctor.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/conf.h"

static void
check_user(struct doctor *d, const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		doctor_say(d, FINDING_ERROR, "user.missing",
		    "there is no user %s", name);
	else if (pw->pw_uid == 0)
		doctor_say(d, FINDING_ERROR, "user.root",
		    "user %s is root", name);
}

/* A directory that only its owner may enter. */
static void
check_private(struct doctor *d, const char *path, const char *owner)
{
	const struct passwd *pw;
	struct stat sb;

	if (stat(path, &sb) == -1) {
		/* The daemon makes it when it starts. */
		if (errno != ENOENT)
			doctor_say(d, FINDING_WARNING, "dir.unreadable",
			    "%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(sb.st_mode))
		doctor_say(d, FINDING_ERROR, "dir.not",
		    "%s is not a directory", path);
	else if (sb.st_mode & 077)
		doctor_say(d, FINDING_ERROR, "dir.mode",
		    "%s can be entered by others than its owner: chmod 700",
		    path);
	else if (owner != NULL && (pw = getpwnam(owner)) != NULL &&
	    pw->pw_uid != sb.st_uid)
		doctor_say(d, FINDING_ERROR, "dir.owner",
		    "%s does not belong to %s", path, owner);
}

static void
check_run_dir(struct doctor *d, const char *path)
{
	struct stat sb;

	if (stat(path, &sb) == -1)
		return;
	if (sb.st_mode & 022)
		doctor_say(d, FINDING_ERROR, "dir.mode",
		    "%s can be written by others than its owner", path);
}

void
doctor_host(struct doctor *d, const struct config *cfg)
{
	int root = geteuid() == 0;

	if (root) {
		check_user(d, cfg->user);
		check_user(d, cfg->store_user);
		if (strcmp(cfg->user, cfg->store_user) == 0)
			doctor_say(d, FINDING_ERROR, "user.same",
			    "the database needs a user of its own, not %s",
			    cfg->user);
		if (getgrnam(cfg->group) == NULL)
			doctor_say(d, FINDING_ERROR, "group.missing",
			    "there is no group %s", cfg->group);
	} else
		doctor_say(d, FINDING_NOTE, "host.not-root",
		    "not root: users were not looked at");
	if (cfg->store_path != NULL)
		check_private(d, cfg->store_path,
		    root ? cfg->store_user : NULL);
	if (cfg->run_dir != NULL)
		check_run_dir(d, cfg->run_dir);
}

/* The daemon */

static int
is_one_of(const char *state, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, state) == 0)
			return 1;
	return 0;
}

static void
check_account(struct doctor *d, struct json_object *o)
{
	static const char *const coming[] = {
	    "connecting", "starting", "up", NULL};
	const char *state = json_str(o, "state"), *id = json_str(o, "id");
	const char *why = json_str(o, "reason");
	char code[64];

	if (strcmp(state, "connected") == 0)
		return;
	if (strcmp(state, "disabled") == 0) {
		doctor_say(d, FINDING_NOTE, "account.disabled",
		    "account %s is switched off", id);
		return;
	}
	snprintf(code, sizeof(code), "account.%s", state);
	doctor_say(d, is_one_of(state, coming) ? FINDING_WARNING :
						 FINDING_ERROR,
	    code, "account %s is %s%s%s", id, state,
	    *why == '\0' ? "" : ": ", why);
}

/* Accounts have been told of. */
static void
check_worker(struct doctor *d, struct json_object *o)
{
	static const char *const bad[] = {
	    "backoff", "down", "full", "parked", NULL};
	const char *role = json_str(o, "role"), *name = json_str(o, "name");
	const char *state = json_str(o, "state"), *why = json_str(o, "reason");
	const char *gap = *name == '\0' ? "" : " ";
	long long restarts = json_int(o, "restarts");
	char code[64];

	snprintf(code, sizeof(code), "worker.%s", state);
	if (strcmp(state, "down") == 0 ||
	    (strcmp(role, "account") != 0 && is_one_of(state, bad)))
		doctor_say(d, FINDING_ERROR, code, "%s%s%s is %s%s%s", role,
		    gap, name, state, *why == '\0' ? "" : ": ", why);
	else if (restarts > 0)
		doctor_say(d, FINDING_WARNING, "worker.restarts",
		    "%s%s%s was restarted %lld time%s", role, gap, name,
		    restarts, restarts == 1 ? "" : "s");
}

static void
check_status(struct doctor *d, struct json_object *data)
{
	struct json_object *list = json_get(data, "accounts");
	struct json_object *workers = json_get(data, "workers");
	struct json_object *reload = json_get(data, "reload");
	size_t i;

	if (strcmp(json_str(data, "version"), PACKAGE_VERSION) != 0)
		doctor_say(d, FINDING_WARNING, "version.stale",
		    "posternd %s runs, posternctl is %s: posternctl upgrade",
		    json_str(data, "version"), PACKAGE_VERSION);
	if (json_true(data, "rootless"))
		doctor_say(d, FINDING_WARNING, "daemon.rootless",
		    "posternd runs without root: workers are not chrooted "
		    "and share a user");
	if (reload != NULL && !json_true(reload, "ok"))
		doctor_say(d, FINDING_ERROR, "config.not-loaded",
		    "the last reload failed, the configuration before it is "
		    "in use");
	for (i = 0; list != NULL && i < json_object_array_length(list); i++)
		check_account(d, json_object_array_get_idx(list, i));
	for (i = 0; workers != NULL && i < json_object_array_length(workers);
	     i++)
		check_worker(d, json_object_array_get_idx(workers, i));
	if (json_get(data, "store") == NULL)
		doctor_say(d, FINDING_ERROR, "store.silent",
		    "the store does not answer: nothing is taken in until it "
		    "does");
}

static void
check_dead_letters(struct doctor *d)
{
	struct json_object *rows;
	struct answer a;

	if (ask_anyway(d->inv, "dead-letters", NULL, NULL, 0, CLIENT_WAIT_MS,
		&a) == -1)
		return;
	rows = json_get(a.data, "rows");
	if (a.ok && rows != NULL && json_object_array_length(rows) > 0)
		doctor_say(d, FINDING_WARNING, "dead-letters",
		    "%zu messages were given up: posternctl channels "
		    "dead-letters list", json_object_array_length(rows));
	client_free(&a);
}

void
doctor_daemon(struct doctor *d)
{
	const char *sock = client_socket(d->inv->socket);
	struct answer a;

	if (!client_is_there(sock)) {
		if (errno == EACCES || errno == EPERM)
			doctor_say(d, FINDING_ERROR, "socket.permission",
			    "you may not use %s: that takes root or a member "
			    "of group %s", sock, client_group(sock));
		else
			doctor_say(d, FINDING_ERROR, "daemon.down",
			    "posternd is not running: nobody answers at %s",
			    sock);
		return;
	}
	if (ask_anyway(d->inv, "status", NULL, NULL, 0, CLIENT_WAIT_MS, &a) ==
	    -1) {
		doctor_say(d, FINDING_ERROR, "daemon.silent",
		    "posternd does not answer");
		return;
	}
	check_status(d, a.data);
	client_free(&a);
	check_dead_letters(d);
}
