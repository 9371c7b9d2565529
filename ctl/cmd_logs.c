#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/config_file.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/conf.h"

#define LINES 200
#define LINES_MAX 10000
#define LOOK_BACK (16L * 1024 * 1024) /* bytes of a long file, from its end */

/* The newest lines, the oldest of them at next when it is full. */
struct tail {
	char **lines;
	size_t n, max, next;
};

static void
tail_add(struct tail *t, const char *line)
{
	free(t->lines[t->next]);
	if ((t->lines[t->next] = strdup(line)) == NULL)
		fatal("strdup");
	t->next = (t->next + 1) % t->max;
	if (t->n < t->max)
		t->n++;
}

static const char *
tail_get(const struct tail *t, size_t i)
{
	return t->lines[(t->next + t->max - t->n + i) % t->max];
}

static void
tail_free(struct tail *t)
{
	size_t i;

	for (i = 0; i < t->max; i++)
		free(t->lines[i]);
	free(t->lines);
}

/* "account=work" as a word, or "account":"work". Without an id: any. */
static int
is_about(const char *line, const char *account)
{
	static const char *const keys[] = {" account=", "\"account\":\""};
	const char *p;
	size_t i, len = account == NULL ? 0 : strlen(account);

	for (i = 0; i < 2; i++) {
		if ((p = strstr(line, keys[i])) == NULL)
			continue;
		p += strlen(keys[i]);
		if (account == NULL || (strncmp(p, account, len) == 0 &&
			strchr(" \"\n", p[len]) != NULL))
			return 1;
	}
	return 0;
}

static int
read_log(const char *path, const char *account, struct tail *t)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *f;

	if ((f = fopen(path, "re")) == NULL) {
		ask_complain("%s: %s", path, strerror(errno));
		return -1;
	}
	/* What is left of the first line is one that is about nobody. */
	if (fseek(f, 0, SEEK_END) == -1 || ftell(f) <= LOOK_BACK ||
	    fseek(f, -LOOK_BACK, SEEK_END) == -1)
		rewind(f);
	while ((n = getline(&line, &cap, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (is_about(line, account))
			tail_add(t, line);
	}
	free(line);
	fclose(f);
	return 0;
}

static void
print(const struct invocation *inv, const struct tail *t)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < t->n; i++)
		if (inv->given & OPT_JSON)
			json_object_array_add(
			    list, json_object_new_string(tail_get(t, i)));
		else
			output_text(tail_get(t, i));
	if (inv->given & OPT_JSON)
		output_json(list);
	json_object_put(list);
}

/*
 * The file that the log goes to, the caller's; NULL after a complaint.
 * unknown: that there is no such account, which the log may have all the
 * same.
 */
static char *
log_path(const struct invocation *inv, char *unknown, size_t len)
{
	const char *file = config_file_path(inv);
	struct config_errors errs;
	struct config *cfg;
	char *path = NULL;

	config_errors_init(&errs);
	cfg = config_load(file, &errs);
	config_errors_free(&errs);
	if (cfg == NULL)
		ask_complain("%s cannot be used: posternctl config check",
		    file);
	else if (*cfg->log.destination != '/')
		ask_complain("the log goes to %s and not to a file: what keeps "
		    "that shows it (journalctl -u postern); log.destination "
		    "can name a file", cfg->log.destination);
	else if ((path = strdup(cfg->log.destination)) == NULL)
		fatal("strdup");
	if (path != NULL && inv->account != NULL)
		config_account_named(cfg, inv->account, unknown, len);
	config_free(cfg);
	return path;
}

int
cmd_channels_logs(const struct invocation *inv)
{
	struct tail t = {.max = LINES};
	const char *err = NULL;
	char *path, unknown[2048] = "";
	int rc;

	if (inv->lines != NULL)
		t.max = (size_t)strtonum(inv->lines, 1, LINES_MAX, &err);
	if (err != NULL) {
		ask_complain("--lines %s is %s", inv->lines, err);
		return 2;
	}
	if ((path = log_path(inv, unknown, sizeof(unknown))) == NULL)
		return 1;
	if ((t.lines = calloc(t.max, sizeof(*t.lines))) == NULL)
		fatal("calloc");
	if ((rc = read_log(path, inv->account, &t)) == 0) {
		if (t.n == 0 && *unknown != '\0') {
			ask_complain("%s", unknown);
			rc = -1;
		} else
			print(inv, &t);
	}
	tail_free(&t);
	free(path);
	return rc == 0 ? 0 : 1;
}
