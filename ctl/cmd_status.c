#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/reason.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/offline.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "ctl/snapshot.h"

#define PROBE_MS 10000 /* OpenClaw's */
#define PROBE_MAX_MS 60000

/* What the store counts for one account. */
static struct json_object *
counts_of(struct json_object *data, const char *id)
{
	return json_get(json_get(json_get(data, "store"), "accounts"), id);
}

static void
print_head(struct json_object *data)
{
	struct json_object *reload = json_get(data, "reload");

	printf("posternd %s, process %lld, up %s, %s\n",
	    json_str(data, "version"), (long long)json_int(data, "pid"),
	    output_duration(json_int(data, "upMs")),
	    json_str(data, "summary"));
	if (json_true(data, "rootless"))
		printf("not root: workers are not chrooted and share a user\n");
	if (json_get(data, "store") == NULL)
		printf("the store does not answer\n");
	if (reload != NULL) {
		printf("last reload %s, %s\n",
		    output_time(json_int(reload, "at")),
		    json_true(reload, "ok") ? "ok" :
		    "failed; the configuration before it is in force:");
		output_text(json_str(reload, "text"));
	}
}

static void
add_counts(struct table *t, struct json_object *data, const char *id)
{
	struct json_object *c = counts_of(data, id);

	if (json_get(data, "store") == NULL) {
		table_add(t, "?");
		table_add(t, "?");
		return;
	}
	table_add_int(t, json_int(c, "inbox_pending") +
		json_int(c, "outbox_pending"), 0);
	table_add_int(t, json_int(c, "dead"), 0);
}

/* What the account itself counted since it was started. */
static void
add_live(struct table *t, struct json_object *live)
{
	if (live == NULL) {
		table_add(t, "?");
		table_add(t, "?");
		return;
	}
	table_add_int(t, json_int(live, "events"), 0);
	table_add_int(t, json_int(live, "posts"), 0);
}

static void
print_accounts(struct json_object *data)
{
	static const char *const head[] = {"ACCOUNT", "STATE", "FOR", "USER",
	    "EVENTS", "POSTS", "PENDING", "DEAD", "REASON", NULL};
	struct json_object *list = json_get(data, "accounts"), *o;
	const char *why;
	struct table t;
	size_t i;

	if (list == NULL || json_object_array_length(list) == 0) {
		printf("\nno accounts\n");
		return;
	}
	table_init(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		why = json_str(o, "reason");
		if (why[0] == '\0' && strcmp(json_str(o, "state"),
			"connected") != 0)
			why = json_str(o, "lastError");
		table_add(&t, json_str(o, "id"));
		table_add(&t, json_str(o, "state"));
		table_add(&t, json_get(o, "sinceMs") == NULL ? "-" :
			output_duration(json_int(o, "sinceMs")));
		table_add(&t, json_str(o, "user"));
		add_live(&t, json_get(o, "live"));
		add_counts(&t, data, json_str(o, "id"));
		table_add(&t, why);
	}
	printf("\n");
	table_print(&t);
}

static void
add_drops(struct table *t, const char *id, struct json_object *live,
    struct json_object *ever)
{
	int i;

	for (i = REASON_NONE + 1; i < REASON_MAX; i++) {
		const char *name = reason_name((enum reason)i);

		if (json_int(live, name) == 0 && json_int(ever, name) == 0)
			continue;
		table_add(t, id);
		table_add(t, stage_name(reason_stage((enum reason)i)));
		table_add(t, name);
		table_add_int(t, json_int(live, name), 0);
		/* What is repeated or our own is counted, but not kept. */
		table_add_int(t, json_int(ever, name), 1);
	}
}

/* What was not answered, by the reason; "explain" tells of one. */
static void
print_drops(struct json_object *data)
{
	static const char *const head[] = {
	    "ACCOUNT", "STAGE", "IGNORED FOR", "SINCE START", "EVER", NULL};
	struct json_object *list = json_get(data, "accounts"), *o;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		add_drops(&t, json_str(o, "id"),
		    json_get(json_get(o, "live"), "drops"),
		    json_get(counts_of(data, json_str(o, "id")), "drops"));
	}
	if (t.rows == 0)
		return;
	printf("\n");
	table_print(&t);
}

/* Names in allowlists, and the ids that they were found to be. */
static void
print_names(struct json_object *data)
{
	static const char *const head[] = {
	    "ACCOUNT", "NAME IN AN ALLOWLIST", "USER", NULL};
	struct json_object *list = json_get(data, "accounts"), *o, *names;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		names = json_get(json_get(o, "live"), "names");
		if (!json_object_is_type(names, json_type_object))
			continue;
		json_object_object_foreach(names, name, id)
		{
			table_add(&t, json_str(o, "id"));
			table_add(&t, name);
			table_add(&t, json_object_get_string(id));
		}
	}
	if (t.rows == 0)
		return;
	printf("\n");
	table_print(&t);
}

/* How those that were not accepted have ended. */
static void
print_refused(struct json_object *results)
{
	const char *gap = "\nnot accepted: ";

	if (!json_object_is_type(results, json_type_object))
		return;
	json_object_object_foreach(results, name, n)
	{
		if (strcmp(name, "accepted") == 0 ||
		    strcmp(name, "health") == 0 || strcmp(name, "probe") == 0)
			continue;
		printf("%s%s %lld", gap, name,
		    (long long)json_object_get_int64(n));
		gap = ", ";
	}
}

/* Who calls, and whether our public addresses lead to us. */
static void
print_callbacks(struct json_object *data)
{
	static const char *const head[] = {
	    "ACCOUNT", "CALLED FOR", "AT", "STATE", "WHY", NULL};
	struct json_object *c = json_get(data, "callbacks"), *list, *o, *p;
	struct table t;
	size_t i, k;

	if (c != NULL) {
		printf("\ncallbacks: %lld socket%s%s, %lld requests, "
		    "%lld accepted", (long long)json_int(c, "listening"),
		    json_int(c, "listening") == 1 ? "" : "s",
		    json_true(c, "tls") ? " with TLS" : "",
		    (long long)json_int(c, "requests"),
		    (long long)json_int(json_get(c, "results"), "accepted"));
		print_refused(json_get(c, "results"));
		printf("\n");
	}
	table_init(&t, head);
	list = json_get(data, "accounts");
	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		c = json_get(json_get(o, "live"), "callbacks");
		for (k = 0; json_object_is_type(c, json_type_array) &&
		     k < json_object_array_length(c); k++) {
			p = json_object_array_get_idx(c, k);
			table_add(&t, json_str(o, "id"));
			table_add(&t, json_str(p, "what"));
			table_add(&t, json_str(p, "url"));
			table_add(&t, json_str(p, "state"));
			table_add(&t, json_str(p, "error"));
		}
	}
	if (t.rows == 0)
		return;
	printf("\n");
	table_print(&t);
}

/* Slash commands, and what keeps them from being there. */
static void
print_slash(struct json_object *data)
{
	static const char *const head[] = {
	    "ACCOUNT", "SLASH COMMANDS", "WHY NOT ALL", NULL};
	struct json_object *list = json_get(data, "accounts"), *o, *s;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		s = json_get(json_get(o, "live"), "slash");
		if (s == NULL)
			continue;
		table_add(&t, json_str(o, "id"));
		table_add_int(&t, json_int(s, "commands"), 0);
		table_add(&t, json_str(s, "problem"));
	}
	if (t.rows == 0)
		return;
	printf("\n");
	table_print(&t);
}

static void
print_workers(struct json_object *data)
{
	static const char *const head[] = {"PROCESS", "NAME", "PID", "STATE",
	    "UP", "RESTARTS", "REASON", NULL};
	struct json_object *list = json_get(data, "workers"), *o;
	struct table t;
	size_t i;

	if (list == NULL || json_object_array_length(list) == 0)
		return;
	table_init(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		table_add(&t, json_str(o, "role"));
		table_add(&t, json_str(o, "name"));
		table_add_int(&t, json_int(o, "pid"), 1);
		table_add(&t, json_str(o, "state"));
		table_add(&t, json_get(o, "upMs") == NULL ? "-" :
			output_duration(json_int(o, "upMs")));
		table_add_int(&t, json_int(o, "restarts"), 0);
		table_add(&t, json_str(o, "reason"));
	}
	printf("\n");
	table_print(&t);
}

int
cmd_status(const struct invocation *inv)
{
	struct answer a;

	if (ask_daemon(inv, "status", NULL, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	if (inv->given & OPT_JSON)
		output_json(a.data);
	else {
		print_head(a.data);
		print_accounts(a.data);
		print_drops(a.data);
		print_names(a.data);
		print_callbacks(a.data);
		print_slash(a.data);
		print_workers(a.data);
	}
	client_free(&a);
	return 0;
}

/* What the servers say now. */
static void
print_probes(struct json_object *data)
{
	static const char *const head[] = {
	    "ACCOUNT", "SERVER", "STATUS", "MS", "BOT", "ERROR", NULL};
	struct json_object *list = json_get(data, "accounts"), *o, *p;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		p = json_get(o, "probe");
		table_add(&t, json_str(o, "id"));
		if (p != NULL)
			table_add(&t, json_true(p, "ok") ? "ok" : "failed");
		else
			table_add(&t, strcmp(json_str(o, "state"),
			    "disabled") == 0 ? "not asked" : "no answer");
		table_add_int(&t, json_int(p, "status"), 1);
		table_add_int(&t, json_int(p, "elapsedMs"), p == NULL);
		table_add(&t, json_str(json_get(p, "bot"), "username"));
		table_add(&t, json_str(p, "error"));
	}
	printf("\n");
	table_print(&t);
}

/* 0, or -1 after a complaint. */
static int
add_probe(const struct invocation *inv, struct json_object *args, int *ms)
{
	const char *err = NULL;

	*ms = PROBE_MS;
	if (inv->timeout != NULL)
		*ms = (int)strtonum(inv->timeout, 1, PROBE_MAX_MS, &err);
	if (err != NULL) {
		ask_complain("--timeout %s is %s", inv->timeout, err);
		return -1;
	}
	if (inv->given & OPT_PROBE)
		add_int(args, "probe", *ms);
	return 0;
}

/* Those that are switched off are left out. */
static struct json_object *
list_enabled(struct json_object *list)
{
	struct json_object *out = json_object_new_array(), *o;
	size_t i;

	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(json_str(o, "state"), "disabled") != 0)
			json_object_array_add(out, json_object_get(o));
	}
	return out;
}

static void
print_list(struct json_object *list)
{
	static const char *const head[] = {
	    "ACCOUNT", "NAME", "USER", "STATE", "SERVER", NULL};
	struct json_object *o;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		table_add(&t, json_str(o, "id"));
		table_add(&t, json_str(o, "name"));
		table_add(&t, json_str(o, "user"));
		table_add(&t, json_str(o, "state"));
		table_add(&t, json_str(o, "server"));
	}
	table_print(&t);
}

static void
show_list(const struct invocation *inv, struct json_object *list)
{
	list = inv->given & OPT_ALL ?
	    json_object_get(list) : list_enabled(list);
	if (inv->given & OPT_JSON)
		output_json(list);
	else if (list != NULL)
		print_list(list);
	json_object_put(list);
}

static void
show_snapshots(struct json_object *list)
{
	struct json_object *peers = snapshots(list);

	output_json(peers);
	json_object_put(peers);
}

/* Without a daemon, which was said: what its file has. It failed all the same. */
static int
list_offline(const struct invocation *inv, int status)
{
	struct json_object *list;

	if (client_is_there(client_socket(inv->socket)) ||
	    (list = offline_accounts(inv)) == NULL)
		return 1;
	if (status && inv->given & OPT_JSON)
		show_snapshots(list);
	else
		show_list(inv, list);
	json_object_put(list);
	return 1;
}

int
cmd_channels_status(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();
	struct answer a;
	int ms;

	if (add_probe(inv, args, &ms) == -1) {
		json_object_put(args);
		return 2;
	}
	if (ask_daemon(inv, "status", args, CLIENT_WAIT_MS + ms, &a) == -1)
		return list_offline(inv, 1);
	if (inv->given & OPT_JSON)
		show_snapshots(json_get(a.data, "accounts"));
	else {
		print_accounts(a.data);
		if (inv->given & OPT_PROBE)
			print_probes(a.data);
	}
	client_free(&a);
	return 0;
}

int
cmd_channels_list(const struct invocation *inv)
{
	struct answer a;

	if (ask_daemon(inv, "status", NULL, CLIENT_WAIT_MS, &a) == -1)
		return list_offline(inv, 0);
	show_list(inv, json_get(a.data, "accounts"));
	client_free(&a);
	return 0;
}
