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
