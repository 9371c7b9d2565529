#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
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

/* A JSON value of an option. -1: it is not one of that kind. */
static int
add_json(struct json_object *args, const char *key, const char *text,
    enum json_type type)
{
	struct json_object *v;

	if (text == NULL)
		return 0;
	v = json_tokener_parse(text);
	if (!json_object_is_type(v, type)) {
		fprintf(stderr, "posternctl: %s: must be %s in JSON\n", key,
		    type == json_type_array ? "a list" : "an object");
		json_object_put(v);
		return -1;
	}
	json_object_object_add(args, key, v);
	return 0;
}

/*
 * Opened here, with the rights of who asks: the daemon gets descriptors and
 * no names of files. 0, or -1 after a complaint.
 */
static int
open_files(const struct invocation *inv, struct client_file *files)
{
	const char *slash;
	struct stat sb;
	size_t i;

	for (i = 0; i < inv->n_media; i++) {
		slash = strrchr(inv->media[i], '/');
		files[i].name = slash == NULL ? inv->media[i] : slash + 1;
		/* A pipe without a writer is not to be waited for. */
		files[i].fd = open(
		    inv->media[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (files[i].fd == -1 || fstat(files[i].fd, &sb) == -1) {
			fprintf(stderr, "posternctl: %s: %s\n",
			    inv->media[i], strerror(errno));
			return -1;
		}
		if (!S_ISREG(sb.st_mode)) {
			fprintf(stderr, "posternctl: %s: not a plain file\n",
			    inv->media[i]);
			return -1;
		}
	}
	return 0;
}

static int
dry_run(const struct invocation *inv, struct json_object *args)
{
	if (inv->given & OPT_JSON)
		output_json(args);
	else
		printf("would send %zu bytes%s to %s%s%s\n",
		    strlen(json_str(args, "text")),
		    inv->n_media == 0 ? "" : " and files", inv->target,
		    inv->account == NULL ? "" : " as ",
		    inv->account == NULL ? "" : inv->account);
	json_object_put(args);
	return 0;
}

int
cmd_message_send(const struct invocation *inv)
{
	struct json_object *args;
	const char *text = inv->message == NULL ? "" : inv->message;
	struct client_file files[MEDIA_MAX];
	struct answer a;

	if (strcmp(text, "-") == 0)
		text = read_stdin();
	if ((text[0] == '\0' && inv->n_media == 0 &&
		inv->presentation == NULL) ||
	    strlen(text) > MESSAGE_MAX) {
		fprintf(stderr, "posternctl: the message is %s\n",
		    text[0] == '\0' ? "empty" : "too long");
		return 2;
	}
	args = json_object_new_object();
	ask_str(args, "account", inv->account);
	ask_str(args, "to", inv->target);
	ask_str(args, "text", text);
	ask_str(args, "root", inv->reply_to);
	if (add_json(args, "buttons", inv->buttons, json_type_array) == -1 ||
	    add_json(args, "presentation", inv->presentation,
		json_type_object) == -1) {
		json_object_put(args);
		return 2;
	}
	if (inv->given & OPT_DRY_RUN)
		return dry_run(inv, args);
	if (open_files(inv, files) == -1) {
		json_object_put(args);
		return 1;
	}
	if (ask_with_files(inv, "send", args, files, inv->n_media,
		inv->n_media == 0 ? CLIENT_SEND_MS : CLIENT_UPLOAD_MS, &a) ==
	    -1)
		return 1;
	if (inv->given & OPT_JSON)
		output_json(a.data);
	else
		printf("post %s in channel %s\n", json_str(a.data, "post"),
		    json_str(a.data, "channel"));
	client_free(&a);
	return 0;
}

int
cmd_message_sign(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object(), *context;
	struct answer a;

	if (add_json(args, "context", read_stdin(), json_type_object) == -1) {
		json_object_put(args);
		return 2;
	}
	json_object_object_get_ex(args, "context", &context);
	if (*json_str(context, "action_id") == '\0') {
		fprintf(stderr, "posternctl: the context has no action_id, "
		    "which every click must have\n");
		json_object_put(args);
		return 2;
	}
	ask_str(args, "account", inv->account);
	if (ask_daemon(inv, "sign", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	output_json(json_get(a.data, "context"));
	client_free(&a);
	return 0;
}
