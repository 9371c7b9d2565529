#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "common/fields.h"
#include "workers/control/control.h"
#include "workers/worker.h"

void
ask_add(struct json_object *o, const char *key, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, key, json_object_new_string(value));
}

struct json_object *
call_members(struct json_object *msg)
{
	struct json_object *o = json_object_new_object();

	json_object_object_foreach(msg, key, value)
		if (strcmp(key, "t") != 0 && strcmp(key, "id") != 0)
			json_object_object_add(
			    o, key, json_object_get(value));
	return o;
}

/* Answer with what a peer said: "data", or "err" with code and text. */
static void
on_peer(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *call = arg;
	const char *text;
	struct fields f;
	char late[64];

	if (msg == NULL) {
		snprintf(late, sizeof(late), "%s gave no answer in time",
		    call->asked == NULL ? "the worker" : call->asked);
		call_answer(call, 0, late, NULL);
	} else if (strcmp(type, "data") == 0) {
		call_answer(call, 1, NULL, call_members(msg));
	} else {
		fields_open(&f, msg);
		text = fields_opt_str(&f, "text", PROTO_NORMAL);
		call_answer(call, 0, text == NULL ? "refused" : text,
		    call_members(msg));
	}
}

void
ask_peer(struct call *call, struct chan *c, struct json_object *msg, int ms)
{
	if (chan_full(c)) {
		json_object_put(msg);
		call_answer(call, 0, "busy, try again", NULL);
	} else if (chan_request(c, msg, -1, ms, on_peer, call) == -1)
		call_answer(call, 0, "too large", NULL);
}

void
ask_store(struct call *call, struct json_object *msg)
{
	struct chan *c = peers_chan(call->control, "store", "");

	if (c == NULL) {
		json_object_put(msg);
		call_answer(call, 0, "the store is not running", NULL);
		return;
	}
	call->asked = "the store";
	ask_peer(call, c, msg, CONTROL_STORE_MS);
}

/* What the supervisor answers by itself. */

void
supervisor_answered(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *call = arg;
	struct fields f;
	const char *text;
	int ok;

	if (msg == NULL) {
		call_answer(call, 0, "no answer from the supervisor", NULL);
		return;
	}
	fields_open(&f, msg);
	ok = fields_bool(&f, "ok");
	text = fields_opt_str(&f, "text", PROTO_TEXT);
	call_answer(call, ok, text,
	    json_object_get(fields_opt_obj(&f, "data")));
}

void
ask_supervisor(struct call *call, const char *verb, const char *arg,
    chan_reply_fn fn)
{
	struct json_object *msg = chan_msg("ctl");
	int64_t ms = CONTROL_SUPERVISOR_MS;

	if (strcmp(verb, "reload") == 0 || strcmp(verb, "check") == 0 ||
	    strcmp(verb, "upgrade") == 0)
		ms = CONTROL_FILE_MS;
	add_str(msg, "verb", verb);
	ask_add(msg, "arg", arg);
	if (worker_ctl(call->control->worker, msg, ms, fn, call) == -1)
		call_answer(call, 0, "the supervisor cannot be asked", NULL);
}
