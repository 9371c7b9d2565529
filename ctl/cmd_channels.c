#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/config_edit.h"
#include "ctl/config_file.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/conf.h"
#include "daemon/config_private.h"

/*
 * Accounts are added and removed in the configuration file, by whoever may
 * write it: no interface of the daemon does. What is written is what the
 * daemon would accept, or nothing.
 */

#define TOKEN_MAX 4096

static char *
token_of(const struct invocation *inv)
{
	char buf[TOKEN_MAX], *copy;
	ssize_t n;

	if (inv->bot_token == NULL)
		return NULL;
	if (strcmp(inv->bot_token, "-") != 0) {
		copy = strdup(inv->bot_token);
		/* Others see our arguments: not longer than need be. */
		explicit_bzero((char *)(uintptr_t)inv->bot_token,
		    strlen(inv->bot_token));
	} else {
		n = read(STDIN_FILENO, buf, sizeof(buf) - 1);
		buf[n < 0 ? 0 : n] = '\0';
		buf[strcspn(buf, "\r\n")] = '\0';
		copy = strdup(buf);
		explicit_bzero(buf, sizeof(buf));
	}
	if (copy == NULL)
		fatal("strdup");
	return copy;
}

static int
is_url(const char *text)
{
	struct config_url u;
	int good;

	memset(&u, 0, sizeof(u));
	good = config_url_parse(text, &u) == NULL;
	config_url_free(&u);
	return good;
}

/* NULL, or what is wrong with what was said, as the peer puts it. */
static const char *
add_wrong(const struct invocation *inv, const struct edit_account *a)
{
	int env = (inv->given & OPT_USE_ENV) != 0;

	if (env && strcmp(a->id, "default") != 0)
		return "Mattermost env vars can only be used for the default "
		       "account.";
	if (!env && (a->token == NULL || *a->token == '\0' || a->url == NULL))
		return "Mattermost requires --bot-token and --http-url (or "
		       "--use-env).";
	if (!env && !is_url(a->url))
		return "Mattermost --http-url must include a valid base URL.";
	return NULL;
}

/* The id that is meant, normalised, in buf. -1 after a complaint. */
static int
id_of(const struct invocation *inv, char *buf, size_t len)
{
	const char *id = inv->account == NULL ? "default" : inv->account;

	if (config_id_normalise(id, buf, len) == 0)
		return 0;
	ask_complain("\"%s\" cannot be the name of an account", id);
	return -1;
}

/* The daemon, when it runs, takes the file over. */
static int
reload(const struct invocation *inv)
{
	struct answer a;

	if (!client_is_there(client_socket(inv->socket))) {
		printf("posternd is not running: it will be used when it is "
		       "started\n");
		return 0;
	}
	if (ask_daemon(inv, "reload", NULL, CLIENT_FILE_MS, &a) == -1)
		return 1;
	if (a.text != NULL)
		output_text(a.text);
	client_free(&a);
	return 0;
}

static void
say_by_hand(const struct edit_account *a, const char *path, const char *why)
{
	char *shown = edit_show(a);

	ask_complain("%s: %s", path, why);
	fprintf(stderr, "nothing was changed; what belongs there is\n  %s\n",
	    shown);
	free(shown);
}

static int
add(const struct invocation *inv, struct edit_account *a)
{
	const char *path = config_file_path(inv);
	char *text, *new, *shown, why[256];
	const char *wrong;
	int rc;

	if ((wrong = add_wrong(inv, a)) != NULL) {
		ask_complain("%s", wrong);
		return 1;
	}
	if (inv->given & OPT_USE_ENV)
		a->token = a->url = NULL;
	if ((text = config_file_read(path, 1)) == NULL)
		return 1;
	new = edit_add(text, a, why, sizeof(why));
	freezero(text, strlen(text));
	if (new == NULL) {
		say_by_hand(a, path, why);
		return 1;
	}
	if (inv->given & OPT_DRY_RUN) {
		shown = edit_show(a);
		printf("[dry-run] %s would get\n  %s\n", path, shown);
		free(shown);
		rc = 0;
	} else if ((rc = config_file_write(path, new)) == 0) {
		printf("Added Mattermost account \"%s\".\n", a->id);
		rc = reload(inv);
	}
	freezero(new, strlen(new));
	return rc;
}

int
cmd_channels_add(const struct invocation *inv)
{
	struct edit_account a = {.name = inv->name, .url = inv->http_url};
	char id[65], *token;
	int rc = 1;

	token = token_of(inv);
	a.token = token;
	a.id = id;
	if (id_of(inv, id, sizeof(id)) == 0)
		rc = add(inv, &a);
	if (token != NULL)
		freezero(token, strlen(token));
	return rc;
}

int
cmd_channels_remove(const struct invocation *inv)
{
	enum edit_kind kind =
	    inv->given & OPT_DELETE ? EDIT_DELETE : EDIT_DISABLE;
	const char *path = config_file_path(inv);
	char id[65], *text, *new, why[256];
	int rc;

	if (id_of(inv, id, sizeof(id)) == -1 ||
	    (text = config_file_read(path, 0)) == NULL)
		return 1;
	new = edit_remove(text, id, kind, why, sizeof(why));
	freezero(text, strlen(text));
	if (new == NULL) {
		ask_complain("%s: %s", path, why);
		return 1;
	}
	if (inv->given & OPT_DRY_RUN) {
		printf("[dry-run] account \"%s\" would be %s\n", id,
		    kind == EDIT_DELETE ? "deleted" : "switched off");
		rc = 0;
	} else if ((rc = config_file_write(path, new)) == 0) {
		printf(kind == EDIT_DELETE ?
			"Deleted Mattermost account \"%s\".\n" :
			"Disabled Mattermost account \"%s\".\n", id);
		rc = reload(inv);
	}
	freezero(new, strlen(new));
	return rc;
}
