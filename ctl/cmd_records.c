#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/explain.h"
#include "ctl/output.h"
#include "ctl/parse.h"

/* What the store knows: decisions, dead letters, sessions. */

static void
print_part(const char *before, const char *text)
{
	if (text[0] != '\0')
		printf("%s%s", before, text);
}

static void
print_verdict(struct json_object *o)
{
	const char *error = json_str(o, "error");
	struct json_object *posts = json_get(o, "answer_posts");
	size_t i;

	output_text(json_str(o, "sentence"));
	printf("account   %s\n", json_str(o, "account"));
	printf("received  %s as %s\n", output_time(json_int(o, "at")),
	    json_str(o, "kind"));
	printf("state     %s", json_str(o, "state"));
	print_part(", ", json_str(o, "outcome"));
	printf("\n");
	printf("decided   %s, stage %s", output_time(json_int(o, "decided_at")),
	    json_str(o, "stage"));
	print_part(", reason ", json_str(o, "reason"));
	printf("\n");
	print_part("rule      ", json_str(o, "rule"));
	print_part("", *json_str(o, "rule") == '\0' ? "" : "\n");
	if (json_int(o, "attempts") > 0)
		printf("attempts  %lld\n",
		    (long long)json_int(o, "attempts"));
	for (i = 0; posts != NULL && i < json_object_array_length(posts); i++)
		printf("answer    %s\n", json_object_get_string(
			json_object_array_get_idx(posts, i)));
	if (error[0] != '\0') {
		printf("error     ");
		output_text(error);
	}
}

static int
never_seen(const char *id)
{
	fprintf(stderr, "posternctl: no account has seen post %s; or it was "
	    "longer ago than store.retentionDays, or \"message send\" made "
	    "it\nclicks and slash commands that were turned away at the "
	    "port are only in the log, as callback.refused\n", id);
	return 1;
}

/* Has this account taken it, at one time or another? */
static int
took(struct json_object *rows, const char *account)
{
	struct json_object *o;
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		if (strcmp(json_str(o, "account"), account) == 0 &&
		    strcmp(json_str(o, "state"), "ignored") != 0)
			return 1;
	}
	return 0;
}

/* Among twenty accounts that ignored it, the one that did not comes first. */
static struct json_object *
taken_first(struct json_object *rows)
{
	struct json_object *out = json_object_new_array(), *o;
	size_t i, n = rows == NULL ? 0 : json_object_array_length(rows);
	int pass;

	for (pass = 1; pass >= 0; pass--)
		for (i = 0; i < n; i++) {
			o = json_object_array_get_idx(rows, i);
			if (took(rows, json_str(o, "account")) == pass)
				json_object_array_add(out, json_object_get(o));
		}
	return out;
}

int
cmd_explain(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *rows, *o;
	struct answer a;
	size_t i, n;
	char *text;

	ask_str(args, "post", inv->operand);
	ask_str(args, "account", inv->account);
	if (ask_daemon(inv, "explain", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	rows = taken_first(json_get(a.data, "rows"));
	n = json_object_array_length(rows);
	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(rows, i);
		text = explain_sentence(o);
		add_str(o, "sentence", text);
		free(text);
		if (inv->given & OPT_JSON)
			continue;
		if (i > 0)
			printf("\n");
		print_verdict(o);
	}
	if (inv->given & OPT_JSON)
		output_json(rows);
	json_object_put(rows);
	client_free(&a);
	return n > 0 ? 0 : never_seen(inv->operand);
}

static void
print_dead(struct json_object *rows)
{
	static const char *const head[] = {"ACCOUNT", "ID", "KIND",
	    "GIVEN UP", "TRIES", "STATUS", "POST", "ERROR", NULL};
	struct json_object *o;
	const char *error;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		error = json_str(o, "error");
		table_add(&t, json_str(o, "account"));
		/* What "resubmit" takes. */
		if (json_str(o, "key")[0] != '\0')
			table_add(&t, json_str(o, "key"));
		else
			table_add_int(&t, json_int(o, "seq"), 0);
		table_add(&t, json_str(o, "kind"));
		table_add(&t, output_time(json_int(o, "dead_at")));
		table_add_int(&t, json_int(o, "attempts"), 1);
		table_add_int(&t, json_int(o, "status"), 1);
		table_add(&t, json_str(o, "event"));
		table_add(&t,
		    error[0] == '\0' ? json_str(o, "reason") : error);
	}
	table_print(&t);
}

/* 0, or -1 when --limit was given and is wrong. */
static int
add_limit(const struct invocation *inv, struct json_object *args)
{
	const char *err;
	long long n;

	if (inv->limit == NULL)
		return 0;
	n = strtonum(inv->limit, 1, 500, &err);
	if (err != NULL) {
		fprintf(stderr, "posternctl: --limit %s is %s\n", inv->limit,
		    err);
		return -1;
	}
	add_int(args, "limit", n);
	return 0;
}

/* A list of rows: JSON, or a table by print. */
static int
list_rows(const struct invocation *inv, const char *verb, struct json_object *args,
    void (*print)(struct json_object *rows))
{
	struct json_object *rows;
	struct answer a;

	if (add_limit(inv, args) == -1) {
		json_object_put(args);
		return 2;
	}
	if (ask_daemon(inv, verb, args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	rows = json_get(a.data, "rows");
	if (inv->given & OPT_JSON)
		output_json(rows);
	else if (rows == NULL || json_object_array_length(rows) == 0)
		printf("none\n");
	else
		print(rows);
	client_free(&a);
	return 0;
}

int
cmd_dead_list(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();

	ask_str(args, "account", inv->account);
	return list_rows(inv, "dead-letters", args, print_dead);
}

/* One question with a yes or no in member key of the answer. */
static int
done_or_not(const struct invocation *inv, const char *verb,
    struct json_object *args, const char *key, const char *no)
{
	struct answer a;
	int done;

	if (ask_daemon(inv, verb, args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	done = json_true(a.data, key);
	client_free(&a);
	if (!done)
		fprintf(stderr, "posternctl: %s\n", no);
	else
		printf("done\n");
	return done ? 0 : 1;
}

int
cmd_dead_retry(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();
	const char *err;
	long long seq;

	ask_str(args, "account", inv->account);
	/* Events have numbers, posts of ours have keys. */
	seq = strtonum(inv->operand, 1, INT64_MAX, &err);
	if (err == NULL)
		add_int(args, "seq", seq);
	else
		ask_str(args, "key", inv->operand);
	return done_or_not(inv, "dead-retry", args, "retried",
	    "there is no such dead letter");
}

static void
print_sessions(struct json_object *rows)
{
	static const char *const head[] = {
	    "SESSION", "MESSAGES", "LAST USED", NULL};
	struct json_object *o;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		table_add(&t, json_str(o, "session"));
		table_add_int(&t, json_int(o, "messages"), 0);
		table_add(&t, output_time(json_int(o, "updated")));
	}
	table_print(&t);
}

int
cmd_session_list(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();

	ask_str(args, "agent", inv->agent);
	return list_rows(inv, "sessions", args, print_sessions);
}

int
cmd_session_reset(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();

	ask_str(args, "session", inv->operand);
	return done_or_not(inv, "session-reset", args, "reset",
	    "there is no such session");
}

static void
print_message(struct json_object *o)
{
	struct json_object *content = json_get(o, "content");

	printf("%s: ", json_str(o, "role"));
	/* A tool call is an object; it is shown as it is. */
	if (json_object_is_type(content, json_type_string))
		output_text(json_object_get_string(content));
	else
		output_text(json_object_to_json_string_ext(
		    o, JSON_C_TO_STRING_PLAIN));
}

int
cmd_session_show(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *list;
	struct answer a;
	size_t i, n;

	ask_str(args, "session", inv->operand);
	if (ask_daemon(inv, "session-show", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	list = json_get(a.data, "messages");
	n = list == NULL ? 0 : json_object_array_length(list);
	if (inv->given & OPT_JSON)
		output_json(list);
	else
		for (i = 0; i < n; i++)
			print_message(json_object_array_get_idx(list, i));
	client_free(&a);
	if (n > 0)
		return 0;
	fprintf(stderr, "posternctl: there is no session %s\n",
	    inv->operand);
	return 1;
}
