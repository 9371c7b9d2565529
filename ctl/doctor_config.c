#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/config_file.h"
#include "ctl/doctor.h"
#include "daemon/conf.h"
#include "daemon/config_keys.h"
#include "daemon/json5.h"

/* What the daemon says of a file, as codes: the first that fits. */
static const struct {
	const char *part, *code;
} codes[] = {
    {"can read it", "file.mode"},
    {"everybody can", "file.mode"},
    {"others", "file.mode"},
    {"will match nobody", "allowlist.no-match"},
    {"lets nobody in", "allowlist.no-match"},
    {"lets everybody in", "allowlist.everybody"},
    {"drops every message in channels", "group-policy.never"},
    {"with an empty allowFrom drops", "dm-policy.never"},
    {"will answer twice", "accounts.same-bot"},
    {"old spelling", "config.legacy"},
    {"an old way to name", "config.legacy"},
    {"no longer a choice", "config.legacy"},
    {"defaultAccount", "accounts.default"},
    {"channels.mattermost is missing", "accounts.none"},
    {"botToken", "account.token"},
    {"baseUrl", "account.url"},
    {"unresolved", "secret.unresolved"},
};

const char *
doctor_code(const struct config_message *m)
{
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strstr(m->text, codes[i].part) != NULL)
			return codes[i].code;
	switch (m->severity) {
	case CONFIG_ERROR:
		return "config.error";
	case CONFIG_PARKED:
		return "account.parked";
	case CONFIG_WARNING:
		return "config.warning";
	default:
		return "config.note";
	}
}

static enum finding_level
level_of(const struct config_message *m)
{
	switch (m->severity) {
	case CONFIG_INFO:
		return FINDING_NOTE;
	case CONFIG_WARNING:
		return FINDING_WARNING;
	default:
		return FINDING_ERROR;
	}
}

static void
say_message(struct doctor *d, const struct config_message *m)
{
	char line[32] = "";

	if (m->line > 0)
		snprintf(line, sizeof(line), "line %d: ", m->line);
	doctor_say(d, level_of(m), doctor_code(m), "%s%s", line, m->text);
}

/* Old spellings are taken, and better not written any more. */
static void
legacy_scope(struct doctor *d, const struct cval *scope, const char *where)
{
	const struct config_key *top =
	    config_key_find("channels.mattermost"), *k;
	const struct cval *m;

	if (scope == NULL || scope->type != CVAL_OBJ)
		return;
	for (m = scope->first; m != NULL; m = m->next) {
		k = config_key_member(top, m->key);
		if (k != NULL && k->flags & KEY_LEGACY)
			doctor_say(d, FINDING_WARNING, "config.legacy",
			    "line %d: %s.%s is an old spelling of %s",
			    m->key_line, where, m->key, k->fallback);
		else if (strcmp(m->key, "streaming") == 0 &&
		    m->type != CVAL_OBJ)
			doctor_say(d, FINDING_WARNING, "config.legacy",
			    "line %d: %s.streaming is written as a value: "
			    "streaming.mode has it now", m->key_line, where);
	}
}

static void
legacy(struct doctor *d, const char *path)
{
	struct json5_error err;
	struct cval *root, *top, *accounts, *m;
	char *text, where[128];

	if ((text = config_file_read(path, 1)) == NULL)
		return;
	root = json5_parse(text, strlen(text), &err);
	freezero(text, strlen(text));
	top = cval_path(root, "channels.mattermost");
	legacy_scope(d, top, "channels.mattermost");
	accounts = cval_get(top, "accounts");
	for (m = accounts == NULL ? NULL : accounts->first; m != NULL;
	     m = m->next) {
		snprintf(where, sizeof(where),
		    "channels.mattermost.accounts.%s", m->key);
		legacy_scope(d, m, where);
	}
	cval_free(root);
}

static void
mode(struct doctor *d, const char *path, const struct stat *sb)
{
	if (sb->st_mode & 022)
		doctor_say(d, FINDING_ERROR, "file.mode",
		    "%s can be written by others than its owner: chmod 600",
		    path);
	if (sb->st_uid != 0 && sb->st_uid != geteuid())
		doctor_say(d, FINDING_WARNING, "file.owner",
		    "%s belongs to user %u, who may change what the daemon "
		    "does", path, (unsigned)sb->st_uid);
}

struct config *
doctor_config(struct doctor *d, const char *path)
{
	struct config_errors errs;
	struct config *cfg;
	struct stat sb;
	size_t i;

	if (stat(path, &sb) == -1 || access(path, R_OK) == -1) {
		doctor_say(d, FINDING_ERROR,
		    errno == ENOENT ? "file.missing" : "file.unreadable",
		    "%s: %s", path, strerror(errno));
		return NULL;
	}
	mode(d, path, &sb);
	config_errors_init(&errs);
	cfg = config_load(path, &errs);
	for (i = 0; i < errs.len; i++)
		say_message(d, &errs.msgs[i]);
	config_errors_free(&errs);
	legacy(d, path);
	return cfg;
}
