#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/add.h"
#include "common/monotime.h"
#include "common/zone.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/cron_row.h"
#include "ctl/output.h"
#include "ctl/parse.h"

/* cron list, run, rm, enable, disable */

/*
 * All jobs, or those of one account, page by page; the caller's. NULL after
 * a complaint.
 */
static struct json_object *
all_jobs(const struct invocation *inv, const char *account)
{
	struct json_object *all = json_object_new_array(), *args, *rows;
	struct json_object *last = NULL;
	struct answer a;
	size_t i;
	int more;

	do {
		args = json_object_new_object();
		ask_str(args, "account", account);
		if (last != NULL) {
			ask_str(args, "after_account",
			    json_str(last, "account"));
			ask_str(args, "after", json_str(last, "id"));
		}
		if (ask_daemon(inv, "cron-list", args, CLIENT_WAIT_MS, &a) ==
		    -1) {
			json_object_put(all);
			return NULL;
		}
		rows = json_get(a.data, "rows");
		for (i = 0; rows != NULL && i < json_object_array_length(rows);
		     i++) {
			last = json_object_array_get_idx(rows, i);
			json_object_array_add(all, json_object_get(last));
		}
		more = i > 0 && json_true(a.data, "more");
		client_free(&a);
	} while (more);
	return all;
}

static void
print_jobs(struct json_object *rows)
{
	static const char *const head[] = {"JOB", "ACCOUNT", "NAME",
	    "SCHEDULE", "NEXT RUN", "LAST RUN", "RESULT", "RUNS", "SKIPPED",
	    "TO", NULL};
	int64_t now = walltime_ms();
	struct json_object *o;
	struct table t;
	const char *to;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		to = json_str(o, "to");
		table_add(&t, json_str(o, "id"));
		table_add(&t, json_str(o, "account"));
		table_add(&t, json_str(o, "name"));
		table_add(&t, cron_row_schedule(o));
		table_add(&t, json_true(o, "enabled")
			? output_time(cron_row_next(o, now)) : "off");
		table_add(&t, output_time(json_int(o, "last_at")));
		table_add(&t, cron_row_state(o));
		table_add_int(&t, json_int(o, "runs"), 0);
		table_add_int(&t, json_int(o, "skipped"), 0);
		table_add(&t, *to != '\0' ? to : json_str(o, "session"));
	}
	table_print(&t);
	for (i = 0; i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		if (*cron_row_error(o) == '\0')
			continue;
		printf("%s: ", json_str(o, "id"));
		output_text(cron_row_error(o));
	}
}

int
cmd_cron_list(const struct invocation *inv)
{
	struct json_object *all = all_jobs(inv, inv->account), *list;
	size_t i;

	if (all == NULL)
		return 1;
	if (inv->given & OPT_JSON) {
		list = json_object_new_array();
		for (i = 0; i < json_object_array_length(all); i++)
			json_object_array_add(list, cron_row_json(
			    json_object_array_get_idx(all, i)));
		output_json(list);
		json_object_put(list);
	} else if (json_object_array_length(all) == 0)
		printf("No scheduled jobs.\n");
	else
		print_jobs(all);
	json_object_put(all);
	return 0;
}

/*
 * The one that the operand names; the caller's. NULL after a complaint. It
 * may be of an account that the file has no more, which is no reason to keep
 * it.
 */
static struct json_object *
find_job(const struct invocation *inv)
{
	struct json_object *all = all_jobs(inv, NULL), *o, *found = NULL;
	size_t i, n = 0;

	if (all == NULL)
		return NULL;
	for (i = 0; i < json_object_array_length(all); i++) {
		o = json_object_array_get_idx(all, i);
		if (strcmp(json_str(o, "id"), inv->operand) != 0 &&
		    strcmp(json_str(o, "name"), inv->operand) != 0)
			continue;
		if (inv->account != NULL &&
		    strcasecmp(json_str(o, "account"), inv->account) != 0)
			continue;
		n++;
		json_object_put(found);
		found = json_object_get(o);
	}
	json_object_put(all);
	if (n == 1)
		return found;
	json_object_put(found);
	found = NULL;
	if (n == 0 && inv->account != NULL &&
	    (found = all_jobs(inv, inv->account)) == NULL)
		return NULL; /* there is no such account */
	json_object_put(found);
	if (n == 0)
		ask_fail(inv, "there is no job \"%s\"; see \"cron list\"",
		    inv->operand);
	else
		ask_fail(inv, "several accounts have a job \"%s\": say which "
		    "with --account, or give its id", inv->operand);
	return NULL;
}

static int
print_done(const struct invocation *inv, struct json_object *job,
    const char *what, const char *event)
{
	struct json_object *o;

	if ((inv->given & OPT_JSON) == 0) {
		printf("%s job %s.\n", what, json_str(job, "id"));
		if (event != NULL)
			printf("\"explain %s\" tells what becomes of it.\n",
			    event);
		return 0;
	}
	o = json_object_new_object();
	add_bool(o, "ok", 1);
	ask_str(o, "id", json_str(job, "id"));
	ask_str(o, "account", json_str(job, "account"));
	ask_str(o, "event", event);
	output_json(o);
	json_object_put(o);
	return 0;
}

/* job is consumed. */
static int
change(const struct invocation *inv, const char *verb,
    struct json_object *job, struct json_object *members, const char *what)
{
	struct json_object *args = json_object_new_object();
	struct answer a;
	int rc = 1;

	ask_str(args, "account", json_str(job, "account"));
	ask_str(members, "id", json_str(job, "id"));
	add_obj(args, "job", members);
	if (ask_daemon(inv, verb, args, CLIENT_WAIT_MS, &a) == 0) {
		if (json_true(a.data, "done"))
			rc = print_done(inv, job, what, NULL);
		else
			ask_fail(inv, "there is no job \"%s\" any more",
			    inv->operand);
		client_free(&a);
	}
	json_object_put(job);
	return rc;
}

static int
set(const struct invocation *inv, int enabled)
{
	struct json_object *job = find_job(inv), *members;
	char rules[ZONE_TEXT_MAX + 1];
	const char *why;

	if (job == NULL)
		return 1;
	if (enabled && strcmp(json_str(job, "kind"), "at") == 0 &&
	    json_int(job, "at") <= walltime_ms()) {
		ask_complain("its time is past: %s",
		    output_time(json_int(job, "at")));
		json_object_put(job);
		return 1;
	}
	members = json_object_new_object();
	add_bool(members, "enabled", enabled);
	/* The rules of the zone may have changed since. */
	if (enabled && strcmp(json_str(job, "kind"), "cron") == 0) {
		if (cron_zone(json_str(job, "zone"), rules, sizeof(rules),
			&why) == 0)
			ask_str(members, "rules", rules);
		else
			ask_complain("%s: %s; its old rules stay",
			    json_str(job, "zone"), why);
	}
	return change(inv, "cron-set", job, members,
	    enabled ? "Enabled" : "Disabled");
}

int
cmd_cron_enable(const struct invocation *inv)
{
	return set(inv, 1);
}

int
cmd_cron_disable(const struct invocation *inv)
{
	return set(inv, 0);
}

int
cmd_cron_rm(const struct invocation *inv)
{
	struct json_object *job = find_job(inv);

	if (job == NULL)
		return 1;
	return change(inv, "cron-rm", job, json_object_new_object(),
	    "Removed");
}

int
cmd_cron_run(const struct invocation *inv)
{
	struct json_object *job = find_job(inv), *args;
	struct answer a;
	int rc = 1;

	if (job == NULL)
		return 1;
	args = json_object_new_object();
	ask_str(args, "account", json_str(job, "account"));
	ask_str(args, "job", json_str(job, "id"));
	if (ask_daemon(inv, "cron.run", args, CLIENT_WAIT_MS, &a) == 0) {
		rc = print_done(
		    inv, job, "Started", json_str(a.data, "event"));
		client_free(&a);
	}
	json_object_put(job);
	return rc;
}
