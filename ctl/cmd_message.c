#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "ctl/report.h"

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

/*
 * The two characters "\\n" are a new line, as the peer has it. The caller's
 * to free.
 */
static char *
new_lines(const char *text)
{
	char *copy = strdup(text), *to, *from;

	if (copy == NULL)
		fatal("strdup");
	for (from = to = copy; *from != '\0'; from++)
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from++;
		} else
			*to++ = *from;
	*to = '\0';
	return copy;
}

const char *
message_text(const struct invocation *inv)
{
	static char *text;

	if (inv->message == NULL)
		return "";
	free(text);
	if (strcmp(inv->message, "-") != 0)
		text = new_lines(inv->message);
	else if ((text = strdup(read_stdin())) == NULL)
		fatal("strdup");
	if (strlen(text) > MESSAGE_MAX) {
		ask_complain("the message is too long: %d bytes are the most",
		    MESSAGE_MAX);
		return NULL;
	}
	return text;
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
static void
close_files(const struct client_file *files, size_t n)
{
	while (n-- > 0)
		close(files[n].fd);
}

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

/* {"pin": true} or {"pin": {"enabled": true, "required": true}} */
static int
take_delivery(struct json_object *o, int *on, int *required)
{
	json_object_object_foreach(o, key, v) {
		if (strcmp(key, "pin") != 0) {
			ask_complain("--delivery: %s is not supported for "
				     "channel mattermost", key);
			return -1;
		}
		if (json_object_is_type(v, json_type_boolean)) {
			*on |= json_object_get_boolean(v);
			continue;
		}
		if (!json_object_is_type(v, json_type_object)) {
			ask_complain("--delivery: pin is true, false or an "
				     "object");
			return -1;
		}
		*required = json_true(v, "required");
		*on |= *required || json_get(v, "enabled") == NULL ||
		    json_true(v, "enabled");
		/* Mattermost posts a note of its own, always. */
	}
	return 0;
}

/* Is it to be pinned, and has that to be? 0, or -1 after a complaint. */
static int
pin_wanted(const struct invocation *inv, int *on, int *required)
{
	struct json_object *o;
	int rc;

	*on = (inv->given & OPT_PIN) != 0;
	*required = 0;
	if (inv->delivery == NULL)
		return 0;
	o = json_tokener_parse(inv->delivery);
	if (!json_object_is_type(o, json_type_object)) {
		ask_complain("--delivery: must be an object in JSON");
		json_object_put(o);
		return -1;
	}
	rc = take_delivery(o, on, required);
	json_object_put(o);
	return rc;
}

/* 0, or the exit status after a complaint. */
static int
send_args(const struct invocation *inv, struct json_object *args)
{
	const char *text = message_text(inv), *root = inv->reply_to;
	int pin, required;

	if (text == NULL)
		return 2;
	if (*text == '\0' && inv->n_media == 0 && inv->presentation == NULL) {
		ask_complain("send requires text or media or location: "
			     "the message is empty");
		return 2;
	}
	if (root != NULL && inv->thread_id != NULL &&
	    strcmp(root, inv->thread_id) != 0) {
		ask_complain("--reply-to and --thread-id name two threads");
		return 2;
	}
	ask_str(args, "account", inv->account);
	ask_str(args, "to", inv->target);
	ask_str(args, "text", text);
	ask_str(args, "root", root != NULL ? root : inv->thread_id);
	if (inv->given & OPT_DRY_RUN)
		add_bool(args, "dry", 1);
	if (pin_wanted(inv, &pin, &required) == -1)
		return 2;
	if (pin)
		add_bool(args, "pin", 1);
	if (add_json(args, "buttons", inv->buttons, json_type_array) == -1 ||
	    add_json(args, "presentation", inv->presentation,
		json_type_object) == -1)
		return 2;
	return 0;
}

/* The message is there: it fails for that only who has required it. */
static int
pin_result(const struct invocation *inv, const struct answer *a)
{
	int on, required;

	if (json_get(a->data, "pin_error") == NULL)
		return 0;
	ask_complain("sent, but not pinned: %s", json_str(a->data, "pin_error"));
	return pin_wanted(inv, &on, &required) == 0 && required ? 1 : 0;
}

int
cmd_message_send(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();
	struct client_file files[MEDIA_MAX];
	size_t n = inv->n_media;
	struct answer a;
	int rc;

	if ((rc = send_args(inv, args)) != 0 ||
	    (rc = open_files(inv, files)) != 0) {
		json_object_put(args);
		return rc < 0 ? 1 : rc;
	}
	if (inv->given & OPT_DRY_RUN) {
		close_files(files, n);
		n = 0;
	}
	report_verbose(inv, "sending to %s", inv->target);
	if (ask_anyway(inv, "send", args, files, n,
		n == 0 ? CLIENT_SEND_MS : CLIENT_UPLOAD_MS, &a) == -1)
		return 1;
	report_send(inv, inv->target, &a);
	rc = a.ok ? pin_result(inv, &a) : 1;
	client_free(&a);
	return rc;
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
