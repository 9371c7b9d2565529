#include "config.h"

#include <json-c/json.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "ctl/config_file.h"
#include "ctl/offline.h"
#include "daemon/conf.h"

static struct json_object *
account(const struct config_account *a)
{
	struct json_object *o = config_account_facts(a);

	ask_str(o, "state", a->enabled ? "not running" : "disabled");
	return o;
}

struct json_object *
offline_accounts(const struct invocation *inv)
{
	const char *path = config_file_path(inv);
	struct json_object *list;
	struct config_errors errs;
	struct config *cfg;
	size_t i;

	if (access(path, R_OK) == -1)
		return NULL;
	config_errors_init(&errs);
	cfg = config_load(path, &errs);
	config_errors_free(&errs);
	if (cfg == NULL)
		return NULL;
	list = json_object_new_array();
	for (i = 0; i < cfg->naccounts; i++)
		json_object_array_add(list, account(&cfg->accounts[i]));
	config_free(cfg);
	return list;
}
