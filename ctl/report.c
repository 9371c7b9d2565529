#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "ctl/report.h"

struct json_object *
report_new(const struct invocation *inv, const char *action)
{
	struct json_object *o = json_object_new_object();
	int dry = (inv->given & OPT_DRY_RUN) != 0;

	ask_str(o, "action", action);
	ask_str(o, "channel", "mattermost");
	add_bool(o, "dryRun", dry);
	ask_str(o, "handledBy", dry ? "dry-run" : "core");
	return o;
}

static int
is_partial(const struct answer *a)
{
	return strcmp(json_str(a->data, "code"), "partial") == 0;
}

void
report_failure(struct json_object *o, const struct answer *a)
{
	add_bool(o, "ok", 0);
	ask_str(o, "error", a->text == NULL ? "refused" : a->text);
	if (is_partial(a))
		add_obj(o, "sentBeforeError",
		    json_object_get(json_get(a->data, "posts")));
}

/* The payload of a send that was posted. */
static struct json_object *
report_sent(const char *to, const struct answer *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *result = json_object_new_object();
	struct json_object *target = json_object_new_object();

	ask_str(o, "channel", "mattermost");
	ask_str(o, "to", to);
	ask_str(o, "via", "direct");
	add_obj(o, "mediaUrl", NULL);
	ask_str(target, "kind", "channel");
	ask_str(target, "id", json_str(a->data, "channel"));
	ask_str(result, "channel", "mattermost");
	if (json_get(a->data, "post") != NULL)
		ask_str(result, "messageId", json_str(a->data, "post"));
	if (json_get(a->data, "posts") != NULL)
		add_obj(result, "messageIds",
		    json_object_get(json_get(a->data, "posts")));
	add_obj(result, "target", target);
	if (json_get(a->data, "pinned") != NULL)
		add_obj(result, "pinned",
		    json_object_get(json_get(a->data, "pinned")));
	if (json_get(a->data, "pin_error") != NULL)
		ask_str(result, "pinError", json_str(a->data, "pin_error"));
	add_obj(o, "result", result);
	return o;
}

static void
send_json(const struct invocation *inv, const char *to,
    const struct answer *a)
{
	struct json_object *o = report_new(inv, "send"), *payload;
	const char *status = "sent";

	payload = report_sent(to, a);
	if (!a->ok) {
		report_failure(o, a);
		status = is_partial(a) ? "partial_failed" : "failed";
		ask_str(o, "deliveryStatus", status);
	} else if (json_get(a->data, "post") != NULL)
		ask_str(o, "messageId", json_str(a->data, "post"));
	if (!(inv->given & OPT_DRY_RUN))
		ask_str(payload, "deliveryStatus", status);
	add_obj(o, "payload", payload);
	output_json(o);
	json_object_put(o);
}

void
report_send(const struct invocation *inv, const char *to,
    const struct answer *a)
{
	struct json_object *posts = json_get(a->data, "posts");
	size_t n = posts == NULL ? 0 : json_object_array_length(posts);

	if (!a->ok)
		ask_complain("%s%s", is_partial(a) ?
			"only a part of the message was posted: " : "",
		    a->text == NULL ? "refused" : a->text);
	if (inv->given & OPT_JSON) {
		send_json(inv, to, a);
		return;
	}
	if (!a->ok)
		return;
	report_verbose(inv, "channel:%s", json_str(a->data, "channel"));
	if (inv->given & OPT_DRY_RUN) {
		printf("[dry-run] would run send via mattermost\n");
		return;
	}
	printf("✅ Sent via Mattermost. Message ID: %s (channel %s)\n",
	    json_str(a->data, "post"), json_str(a->data, "channel"));
	if (n > 1)
		printf("It became %zu posts.\n", n);
}

void
report_verbose(const struct invocation *inv, const char *fmt, ...)
{
	va_list ap;

	if (!(inv->given & OPT_VERBOSE))
		return;
	fprintf(stderr, "posternctl: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	if (inv->given & OPT_SILENT)
		fprintf(stderr, "posternctl: --silent changes nothing: "
		    "Mattermost notifies as each reader has it\n");
}
