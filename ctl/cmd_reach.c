#include "config.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "ctl/report.h"

/* message react, read and broadcast */

#define READ_MAX 200

static void
add_dry(const struct invocation *inv, struct json_object *args)
{
	if (inv->given & OPT_DRY_RUN)
		add_bool(args, "dry", 1);
}

/* The end of an action that is no send; payload is consumed. */
static int
finish(const struct invocation *inv, const char *action,
    const struct answer *a, struct json_object *payload)
{
	struct json_object *o;

	if (!a->ok)
		ask_complain("%s", a->text == NULL ? "refused" : a->text);
	else if (inv->given & OPT_DRY_RUN && !(inv->given & OPT_JSON))
		printf("[dry-run] would run %s via mattermost\n", action);
	if (inv->given & OPT_JSON) {
		o = report_new(inv, action);
		if (!a->ok)
			report_failure(o, a);
		add_obj(o, "payload", json_object_get(payload));
		output_json(o);
		json_object_put(o);
	}
	json_object_put(payload);
	return a->ok ? 0 : 1;
}

int
cmd_message_react(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *payload;
	int remove = (inv->given & OPT_REMOVE) != 0, rc;
	struct answer a;

	ask_str(args, "account", inv->account);
	ask_str(args, "post", inv->message_id);
	ask_str(args, "emoji", inv->emoji);
	ask_str(args, "to", inv->target);
	add_bool(args, "remove", remove);
	add_dry(inv, args);
	report_verbose(inv, "reacting to %s", inv->message_id);
	if (ask_anyway(inv, "react", args, NULL, 0, CLIENT_SEND_MS, &a) == -1)
		return 1;
	payload = json_object_new_object();
	add_bool(payload, "ok", a.ok);
	if (a.ok)
		ask_str(payload, remove ? "removed" : "added", inv->emoji);
	if (a.ok && !(inv->given & (OPT_JSON | OPT_DRY_RUN)))
		printf("✅ %s\n", json_str(a.data, "text"));
	rc = finish(inv, "react", &a, payload);
	client_free(&a);
	return rc;
}

static void
print_posts(struct json_object *list)
{
	struct json_object *o;
	size_t i;

	for (i = 0; list != NULL && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		printf("%s  %s  user:%s\n",
		    output_time(json_int(o, "create_at")),
		    json_str(o, "id"), json_str(o, "user_id"));
		output_text(json_str(o, "message"));
		printf("\n");
	}
}

/* 0, or -1 after a complaint. */
static int
read_limit(const struct invocation *inv, struct json_object *args)
{
	const char *err;
	long long n;

	if (inv->limit == NULL)
		return 0;
	n = strtonum(inv->limit, 1, INT_MAX, &err);
	if (err != NULL) {
		ask_complain("Mattermost read limit must be a positive "
			     "integer.");
		return -1;
	}
	add_int(args, "limit", n > READ_MAX ? READ_MAX : n);
	return 0;
}

int
cmd_message_read(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *payload;
	struct answer a;
	int rc;

	ask_str(args, "account", inv->account);
	ask_str(args, "to", inv->target);
	ask_str(args, "before", inv->before);
	ask_str(args, "after", inv->after);
	add_dry(inv, args);
	if (read_limit(inv, args) == -1) {
		json_object_put(args);
		return 2;
	}
	if (inv->before != NULL && inv->after != NULL) {
		ask_complain("Mattermost read accepts either before or "
			     "after, not both.");
		json_object_put(args);
		return 2;
	}
	report_verbose(inv, "reading %s", inv->target);
	if (ask_anyway(inv, "read", args, NULL, 0, CLIENT_SEND_MS, &a) == -1)
		return 1;
	payload = json_object_new_object();
	add_bool(payload, "ok", a.ok);
	if (a.ok)
		ask_str(payload, "channelId", json_str(a.data, "channel"));
	if (a.ok && !(inv->given & OPT_DRY_RUN)) {
		add_obj(payload, "messages",
		    json_object_get(json_get(a.data, "messages")));
		add_bool(payload, "hasMore", json_true(a.data, "hasMore"));
		if (!(inv->given & OPT_JSON))
			print_posts(json_get(a.data, "messages"));
	}
	rc = finish(inv, "read", &a, payload);
	client_free(&a);
	return rc;
}

/* One of a broadcast: what became of it, for results. */
static struct json_object *
send_one(const struct invocation *inv, const char *to, const char *text,
    int *failed)
{
	struct json_object *args = json_object_new_object();
	struct json_object *o = json_object_new_object();
	struct answer a;
	int answered;

	ask_str(o, "channel", "mattermost");
	ask_str(o, "to", to);
	ask_str(args, "account", inv->account);
	ask_str(args, "to", to);
	ask_str(args, "text", text);
	add_dry(inv, args);
	answered = ask_anyway(
	    inv, "send", args, NULL, 0, CLIENT_SEND_MS, &a) == 0;
	if (answered && a.ok) {
		add_bool(o, "ok", 1);
		if (json_get(a.data, "post") != NULL)
			ask_str(o, "messageId", json_str(a.data, "post"));
		if (!(inv->given & OPT_JSON))
			printf(inv->given & OPT_DRY_RUN ?
				"[dry-run] would run send via mattermost: %s\n"
			      : "✅ %s: %s\n", to, json_str(a.data, "post"));
		client_free(&a);
		return o;
	}
	*failed = 1;
	if (answered) {
		ask_complain("%s: %s", to,
		    a.text == NULL ? "refused" : a.text);
		report_failure(o, &a);
		client_free(&a);
	} else {
		add_bool(o, "ok", 0);
		ask_str(o, "error", "no answer");
	}
	return o;
}

int
cmd_message_broadcast(const struct invocation *inv)
{
	struct json_object *o, *payload, *results;
	const char *text = message_text(inv);
	int failed = 0;
	size_t i;

	if (text == NULL)
		return 2;
	if (text[strspn(text, " \t\r\n")] == '\0') {
		ask_complain("send requires text or media or location: "
			     "the message is empty");
		return 2;
	}
	report_verbose(inv, "sending to %zu targets", inv->n_targets);
	results = json_object_new_array();
	for (i = 0; i < inv->n_targets; i++)
		json_object_array_add(results,
		    send_one(inv, inv->targets[i], text, &failed));
	o = report_new(inv, "broadcast");
	add_bool(o, "ok", !failed);
	payload = json_object_new_object();
	add_obj(payload, "results", results);
	add_obj(o, "payload", payload);
	if (inv->given & OPT_JSON)
		output_json(o);
	json_object_put(o);
	return failed;
}

/* The peer's way to get its Mattermost plugin. */
int
cmd_plugins_install(const struct invocation *inv)
{
	printf("Mattermost is built in: there is nothing to install\n");
	return 0;
}
