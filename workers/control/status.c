#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

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

static void
ask_part(struct call *call, struct chan *c, const char *type,
    struct json_object *into, const char *key)
{
	struct part *part;

	if (c == NULL || chan_full(c))
		return;
	if ((part = calloc(1, sizeof(*part))) == NULL)
		fatal("calloc");
	part->call = call;
	part->into = into;
	part->key = key;
	call->waiting++;
	if (chan_request(c, chan_msg(type), -1, CONTROL_STATUS_MS, on_part,
		part) == -1) {
		call->waiting--;
		free(part);
	}
}

void
status_answered(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *call = arg;
	struct control *co = call->control;
	struct json_object *data, *list, *o, *id;
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
		if (json_object_object_get_ex(o, "id", &id))
			ask_part(call, peers_chan(co, "account",
				json_object_get_string(id)), "status", o,
			    "live");
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
