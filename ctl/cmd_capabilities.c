#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/config_file.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/conf.h"

/*
 * What an account can do, by its configuration: that is the same whether or
 * not the daemon runs.
 */

static void
add_words(struct json_object *o, const char *key, const char *const *words)
{
	struct json_object *list = json_object_new_array();

	for (; *words != NULL; words++)
		json_object_array_add(list, json_object_new_string(*words));
	json_object_object_add(o, key, list);
}

static struct json_object *
actions_of(struct json_object *json)
{
	struct json_object *list = json_object_new_array();
	struct json_object *on = json_get(json, "actions");

	json_object_array_add(list, json_object_new_string("send"));
	if (json_true(on, "reactions"))
		json_object_array_add(list, json_object_new_string("react"));
	if (json_true(on, "messages"))
		json_object_array_add(list, json_object_new_string("read"));
	return list;
}

static struct json_object *
capabilities_of(const struct config *cfg, const struct config_account *a)
{
	static const char *const chats[] = {
	    "direct", "group", "channel", "thread", NULL};
	static const char *const not[] = {"edit", "delete", "unsend", "poll",
	    "search", "member-info", NULL};
	struct json_object *o = json_object_new_object();
	struct json_object *json = config_account_json(cfg, a);

	ask_str(o, "channel", "mattermost");
	ask_str(o, "account", a->id);
	add_bool(o, "enabled", a->enabled);
	add_bool(o, "configured", config_account_is_configured(a));
	add_words(o, "chatTypes", chats);
	add_obj(o, "actions", actions_of(json));
	add_words(o, "unsupported", not);
	add_bool(o, "buttons", a->buttons);
	add_bool(o, "nativeCommands", a->commands);
	add_bool(o, "textCommands", json_true(json, "textCommands"));
	ask_str(o, "streaming",
	    json_str(json_get(json, "streaming"), "mode"));
	add_obj(o, "mediaMaxMb", json_object_get(json_get(json, "mediaMaxMb")));
	json_object_put(json);
	return o;
}

static const char *
yes_no(struct json_object *o, const char *key)
{
	return json_true(o, key) ? "yes" : "no";
}

static void
print(struct json_object *list)
{
	static const char *const head[] = {"ACCOUNT", "SEND", "REACT", "READ",
	    "BUTTONS", "COMMANDS", "PREVIEW", "MEDIA", NULL};
	struct json_object *o;
	struct table t;
	const char *actions;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		actions = json_object_to_json_string(json_get(o, "actions"));
		table_add(&t, json_str(o, "account"));
		table_add(&t, yes_no(o, "configured"));
		table_add(&t, strstr(actions, "react") ? "yes" : "no");
		table_add(&t, strstr(actions, "read") ? "yes" : "no");
		table_add(&t, yes_no(o, "buttons"));
		table_add(&t, yes_no(o, "nativeCommands"));
		table_add(&t, json_str(o, "streaming"));
		table_add(&t, json_object_to_json_string(
			json_get(o, "mediaMaxMb")));
	}
	table_print(&t);
	printf("\nchats: direct messages, group messages, private and public "
	    "channels, threads\nmedia: MiB of one file\n");
}

int
cmd_channels_capabilities(const struct invocation *inv)
{
	struct json_object *list = json_object_new_array();
	const struct config_account *only = NULL;
	struct config_errors errs;
	struct config *cfg;
	char why[2048] = "";
	size_t i;

	config_errors_init(&errs);
	cfg = config_load(config_file_path(inv), &errs);
	config_errors_free(&errs);
	if (cfg == NULL) {
		ask_complain("%s cannot be used: posternctl config check",
		    config_file_path(inv));
		json_object_put(list);
		return 1;
	}
	if (inv->account != NULL)
		only = config_account_named(
		    cfg, inv->account, why, sizeof(why));
	for (i = 0; i < cfg->naccounts; i++)
		if (inv->account == NULL || only == &cfg->accounts[i])
			json_object_array_add(
			    list, capabilities_of(cfg, &cfg->accounts[i]));
	config_free(cfg);
	if (json_object_array_length(list) == 0 && inv->account != NULL) {
		ask_complain("%s", why);
		json_object_put(list);
		return 1;
	}
	if (inv->given & OPT_JSON)
		output_json(list);
	else
		print(list);
	json_object_put(list);
	return 0;
}
