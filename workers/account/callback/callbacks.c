#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/signed_context.h"
#include "workers/account/account.h"
#include "workers/account/callback/callbacks.h"
#include "workers/worker.h"

#define LEAVE_MS 2000 /* for the callback worker to let go */
#define CALLS_MAX 256 /* under way: an honest worker has fewer by far */

struct callbacks {
	struct chan *chan;            /* NULL: the worker is down */
	struct json_object *commands; /* the present set, with tokens */
	int64_t gen;                  /* of that set; 0: never was one */
	unsigned link;                /* counts links, to tell them apart */
	int leaving;                  /* until cb.left: more may come */
	unsigned calls;               /* not yet answered */
};

struct cb_call {
	struct account *a;
	unsigned link; /* over which it came; that may be gone */
	struct json_object *msg;
};

/* One for each worker process, as the account itself. */
static struct callbacks self;

/* Overwrite the strings below o; the objects themselves stay. */
static void
wipe(struct json_object *o)
{
	size_t i;

	if (json_object_is_type(o, json_type_string)) {
		explicit_bzero(
		    (char *)(uintptr_t)json_object_get_string(o),
		    (size_t)json_object_get_string_len(o));
	} else if (json_object_is_type(o, json_type_array)) {
		for (i = 0; i < json_object_array_length(o); i++)
			wipe(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, v) {
			(void)key;
			wipe(v);
		}
	}
}

static void
tell_secret(struct account *a)
{
	struct json_object *msg, *v;
	char key[SIGNED_HEX_SIZE];

	/* Until we know who we are nothing can be decided for a caller. */
	if (self.chan == NULL || a->token == NULL || a->problem != NULL ||
	    a->bot_id[0] == '\0')
		return;
	signed_context_secret(
	    secret_bytes(a->token), secret_len(a->token), key);
	msg = chan_msg("cb.secret");
	v = json_object_new_string(key);
	add_obj(msg, "key", v);
	json_object_get(v);
	chan_send(self.chan, msg, -1);
	wipe(v);
	json_object_put(v);
	explicit_bzero(key, sizeof(key));
}

static void
tell_commands(void)
{
	struct json_object *msg;

	if (self.chan == NULL || self.gen == 0)
		return;
	msg = chan_msg("cb.commands");
	add_int(msg, "gen", self.gen);
	add_obj(msg, "commands",
	    self.commands != NULL ? json_object_get(self.commands)
				  : json_object_new_array());
	chan_send(self.chan, msg, -1);
}

void
callbacks_identified(struct account *a)
{
	tell_secret(a);
}

void
callbacks_commands(struct account *a, struct json_object *commands)
{
	wipe(self.commands);
	json_object_put(self.commands);
	self.commands = commands;
	self.gen++;
	tell_commands();
}

struct json_object *
callback_msg(const struct cb_call *call)
{
	return call->msg;
}

void
callback_reply(struct cb_call *call, int status, struct json_object *body,
    const char *text)
{
	struct json_object *r = chan_reply_msg("cb.reply", call->msg);

	add_int(r, "status", status);
	if (body != NULL)
		add_obj(r, "body", body);
	if (text != NULL)
		add_str(r, "text", text);
	/* The worker may have gone meanwhile; what was stored stays. */
	if (self.chan != NULL && self.link == call->link)
		chan_send(self.chan, r, -1);
	else
		json_object_put(r);
	json_object_put(call->msg);
	free(call);
	self.calls--;
}

static struct cb_call *
call_new(struct account *a, struct json_object *msg)
{
	struct cb_call *call;

	if ((call = calloc(1, sizeof(*call))) == NULL)
		fatal("calloc");
	call->a = a;
	call->link = self.link;
	call->msg = json_object_get(msg);
	self.calls++;
	return call;
}

/* The call that asks is one of them already. */
static int
is_refused(const struct account *a)
{
	return (a->stopping && !self.leaving) || self.calls > CALLS_MAX;
}

static void
left(void *arg, const char *type, struct json_object *msg, int fd)
{
	self.leaving = 0;
}

void
callbacks_leave(struct account *a)
{
	if (self.chan == NULL || self.leaving)
		return;
	self.leaving = 1;
	if (chan_request(self.chan, chan_msg("cb.bye"), -1, LEAVE_MS, left,
		NULL) == -1)
		self.leaving = 0;
}

int
callbacks_busy(const struct account *a)
{
	return self.leaving || self.calls > 0;
}

static void
on_command(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct cb_call *call = call_new(a, msg);
	struct json_object *gen = NULL;

	json_object_object_get_ex(msg, "gen", &gen);
	if (is_refused(a))
		callback_reply(call, 503, NULL, NULL);
	else if (json_object_get_int64(gen) != self.gen)
		/* Known to a set that is not in force any more. */
		callback_reply(call, 401, NULL, NULL);
	else
		slash_in(a, call);
}

static void
on_action(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct cb_call *call = call_new(a, msg);

	if (is_refused(a))
		callback_reply(call, 503, NULL, NULL);
	else
		action_in(a, call);
}

static void
on_hook(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct cb_call *call = call_new(a, msg);

	if (is_refused(a))
		callback_reply(call, 503, NULL, NULL);
	else
		hook_in(a, call);
}

static const struct chan_handler handlers[] = {
    {"cb.command", on_command},
    {"cb.action", on_action},
    {"cb.hook", on_hook},
    {NULL, NULL},
};

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct account *a = arg;

	worker_broken(a->worker, "callback", "", why);
	self.chan = NULL;
	chan_free(c);
}

void
callbacks_set(struct account *a, int fd)
{
	struct chan *old = self.chan;

	self.chan = chan_new(a->base, fd, PROTO_CALLBACK_ACCOUNT, SIDE_B,
	    handlers, on_close, a);
	chan_set_secret(self.chan);
	self.link++;
	chan_free(old);
	tell_secret(a);
	tell_commands();
}
