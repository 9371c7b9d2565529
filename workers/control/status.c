#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/control/control.h"

/* The supervisor's view, and what the others can add to it in time. */

static void
status_part(struct call *call)
{
	struct json_object *data;

	if (--call->waiting > 0)
		return;
	data = call->data;
	call->data = NULL;
	call_answer(call, 1, NULL, data);
}

/* One account's answer: where it belongs was decided when it was asked. */
struct part {
	struct call *call;
	struct json_object *into; /* borrowed from call->data */
	const char *key;
};

static void
on_part(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct part *part = arg;
	struct call *call = part->call;

	if (msg != NULL && strcmp(type, "data") == 0)
		json_object_object_add(part->into, part->key,
		    call_members(msg));
	free(part);
	status_part(call);
}

/* msg is consumed. */
static void
send_part(struct call *call, struct chan *c, struct json_object *msg, int ms,
    struct json_object *into, const char *key)
{
	struct part *part;

	if ((part = calloc(1, sizeof(*part))) == NULL)
		fatal("calloc");
	part->call = call;
	part->into = into;
	part->key = key;
	call->waiting++;
	if (chan_request(c, msg, -1, ms, on_part, part) == -1) {
		call->waiting--;
		free(part);
	}
}

static void
ask_part(struct call *call, struct chan *c, const char *type,
    struct json_object *into, const char *key)
{
	if (c != NULL && !chan_full(c))
		send_part(call, c, chan_msg(type), CONTROL_STATUS_MS, into,
		    key);
}

/* Its server is asked, now. */
static void
ask_probe(struct call *call, struct chan *c, struct json_object *into)
{
	struct json_object *msg;

	if (call->probe == 0 || c == NULL || chan_full(c))
		return;
	msg = chan_msg("probe");
	add_int(msg, "timeout", call->probe);
	send_part(call, c, msg, call->probe + CONTROL_STATUS_MS, into,
	    "probe");
}

void
status_answered(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *call = arg;
	struct control *co = call->control;
	struct json_object *data, *list, *o, *id;
	struct chan *c;
	struct fields f;
	size_t i;

	data = NULL;
	if (msg != NULL) {
		fields_open(&f, msg);
		data = fields_opt_obj(&f, "data");
	}
	if (data == NULL) {
		call_answer(call, 0, "no answer from the supervisor", NULL);
		return;
	}
	call->data = json_object_get(data);
	call->waiting = 1;
	ask_part(call, peers_chan(co, "store", ""), "stats", data, "store");
	ask_part(call, peers_chan(co, "callback", ""), "status", data,
	    "callbacks");
	list = json_object_object_get(data, "accounts");
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!json_object_object_get_ex(o, "id", &id))
			continue;
		c = peers_chan(co, "account", json_object_get_string(id));
		ask_part(call, c, "status", o, "live");
		ask_probe(call, c, o);
	}
	status_part(call);
}

void
status_gather(struct control *co,
    void (*done)(void *arg, struct json_object *data), void *arg)
{
	struct call *call;

	if ((call = calloc(1, sizeof(*call))) == NULL)
		fatal("calloc");
	call->control = co;
	call->done = done;
	call->arg = arg;
	ask_supervisor(call, "status", NULL, status_answered);
}
