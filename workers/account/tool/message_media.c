#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/media/media_out.h"
#include "workers/account/media/media_url.h"
#include "workers/account/tool/message_tool_int.h"

/*
 * The file of a call: fetched from its URL, uploaded, and then the call goes
 * on with its id. A URL of a host that cannot be reached is put behind the
 * text.
 */

static void
failed(struct tool_op *op, const char *why)
{
	char text[400];

	snprintf(text, sizeof(text), "%s%.300s",
	    strncmp(why, "Mattermost media", 16) == 0 ? "" :
	    "Mattermost media upload failed: ", why);
	tool_op_end(op, 0, text);
}

static void
on_uploaded(struct account *a, struct json_object *ids, const char *why,
    void *arg)
{
	struct tool_op *op = arg;

	if (op->t == NULL)
		tool_op_end(op, 0, "");
	else if (ids == NULL)
		failed(op, why);
	else {
		op->files = json_object_get(ids);
		tool_send(op);
	}
}

static void
on_fetched(struct account *a, const struct media_file *file, const char *why,
    void *arg)
{
	struct tool_op *op = arg;
	struct media_file named;

	if (op->t == NULL) {
		if (file != NULL)
			media_file_drop(file);
		tool_op_end(op, 0, "");
	} else if (file == NULL)
		failed(op, why);
	else {
		named = *file;
		if (op->args.filename != NULL)
			media_name(named.name, op->args.filename);
		media_out_start(
		    a, op->channel, &named, 1, NULL, on_uploaded, op);
	}
}

void
tool_media(struct tool_op *op)
{
	char *text;

	op->media_seen = 1;
	switch (media_url_known(op->a, op->args.media)) {
	case 1:
		media_url_fetch(op->a, op->args.media, on_fetched, op);
		return;
	case 0:
		if (asprintf(&text, "%s%s%s", op->args.text,
			op->args.text[0] == '\0' ? "" : "\n",
			op->args.media) == -1)
			fatal("asprintf");
		free(op->args.text);
		op->args.text = text;
		tool_send(op);
		return;
	default:
		failed(op, "only files of http and https URLs can be sent");
	}
}
