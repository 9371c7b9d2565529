#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/parse.h"

#define MESSAGE_MAX (48 * 1024) /* a frame of a client is 64 KiB, escaped */

static const char *
read_stdin(void)
{
	static char buf[MESSAGE_MAX + 2];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(buf) - 1 &&
	    (n = read(STDIN_FILENO, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	while (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return buf;
}

static int
dry_run(const struct invocation *inv, struct json_object *args)
{
	if (inv->given & OPT_JSON)
		output_json(args);
	else
		printf("would send %zu bytes to %s%s%s\n",
		    strlen(json_str(args, "text")), inv->target,
		    inv->account == NULL ? "" : " as ",
		    inv->account == NULL ? "" : inv->account);
	json_object_put(args);
	return 0;
}

int
cmd_message_send(const struct invocation *inv)
{
	struct json_object *args;
	const char *text = inv->message;
	struct answer a;

	if (strcmp(text, "-") == 0)
		text = read_stdin();
	if (text[0] == '\0' || strlen(text) > MESSAGE_MAX) {
		fprintf(stderr, "posternctl: the message is %s\n",
		    text[0] == '\0' ? "empty" : "too long");
		return 2;
	}
	args = json_object_new_object();
	ask_str(args, "account", inv->account);
	ask_str(args, "to", inv->target);
	ask_str(args, "text", text);
	ask_str(args, "root", inv->reply_to);
	if (inv->given & OPT_DRY_RUN)
		return dry_run(inv, args);
	if (ask_daemon(inv, "send", args, CLIENT_SEND_MS, &a) == -1)
		return 1;
	if (inv->given & OPT_JSON)
		output_json(a.data);
	else
		printf("post %s in channel %s\n", json_str(a.data, "post"),
		    json_str(a.data, "channel"));
	client_free(&a);
	return 0;
}

static void
print_verdict(struct json_object *o)
{
	const char *error = json_str(o, "error");
	struct json_object *posts = json_get(o, "answer_posts");
	size_t i;

	printf("account   %s\n", json_str(o, "account"));
	printf("received  %s as %s\n", output_time(json_int(o, "at")),
	    json_str(o, "kind"));
	printf("state     %s%s%s\n", json_str(o, "state"),
	    json_str(o, "outcome")[0] == '\0' ? "" : ", ",
	    json_str(o, "outcome"));
	printf("decided   stage %s, reason %s", json_str(o, "stage"),
	    json_str(o, "reason"));
	if (json_str(o, "rule")[0] != '\0')
		printf(", rule %s", json_str(o, "rule"));
	printf("\n");
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

int
cmd_explain(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *rows;
	struct answer a;
	size_t i, n;

	ask_str(args, "post", inv->operand);
	ask_str(args, "account", inv->account);
	if (ask_daemon(inv, "explain", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	rows = json_get(a.data, "rows");
	n = rows == NULL ? 0 : json_object_array_length(rows);
	if (inv->given & OPT_JSON)
		output_json(rows);
	for (i = 0; i < n && !(inv->given & OPT_JSON); i++) {
		if (i > 0)
			printf("\n");
		print_verdict(json_object_array_get_idx(rows, i));
	}
	client_free(&a);
	if (n > 0)
		return 0;
	fprintf(stderr, "posternctl: no account has seen post %s\n",
	    inv->operand);
	return 1;
}

static void
print_dead(struct json_object *rows)
{
	static const char *const head[] = {"ACCOUNT", "WHAT", "KIND", "GIVEN UP",
	    "TRIES", "STATUS", "POST", "ERROR", NULL};
	struct json_object *o;
	const char *error;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		error = json_str(o, "error");
		table_add(&t, json_str(o, "account"));
		table_add(&t, json_str(o, "what"));
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

int
cmd_dead_list(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *rows;
	const char *err = NULL;
	struct answer a;
	long long n;

	if (inv->limit != NULL) {
		n = strtonum(inv->limit, 1, 500, &err);
		if (err != NULL) {
			fprintf(stderr, "posternctl: --limit %s is %s\n",
			    inv->limit, err);
			json_object_put(args);
			return 2;
		}
		json_object_object_add(
		    args, "limit", json_object_new_int64(n));
	}
	ask_str(args, "account", inv->account);
	if (ask_daemon(inv, "dead-letters", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	rows = json_get(a.data, "rows");
	if (inv->given & OPT_JSON)
		output_json(rows);
	else if (rows == NULL || json_object_array_length(rows) == 0)
		printf("none\n");
	else
		print_dead(rows);
	client_free(&a);
	return 0;
}
