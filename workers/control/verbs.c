#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/control/control.h"
#include "workers/worker.h"

#define ID_MAX 128
#define TO_MAX 512

/* What a verb's args may have; ACCOUNT, ROOT and LIMIT may be absent. */
#define ARG_ACCOUNT 0x01u
#define ARG_POST 0x02u
#define ARG_TO 0x04u
#define ARG_TEXT 0x08u
#define ARG_ROOT 0x10u
#define ARG_LIMIT 0x20u
#define ARG_ON 0x40u

struct args {
	const char *account, *post, *to, *text, *root;
	int64_t limit;
	int on;
};

static void
add_opt(struct json_object *o, const char *key, const char *value)
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

	if (msg == NULL) {
		call_answer(call, 0, "no answer in time", NULL);
	} else if (strcmp(type, "data") == 0) {
		call_answer(call, 1, NULL, call_members(msg));
	} else {
		fields_open(&f, msg);
		text = fields_opt_str(&f, "text", PROTO_NORMAL);
		call_answer(call, 0, text == NULL ? "refused" : text,
		    call_members(msg));
	}
}

static void
ask_peer(struct call *call, struct chan *c, struct json_object *msg, int ms)
{
	if (chan_full(c)) {
		json_object_put(msg);
		call_answer(call, 0, "busy, try again", NULL);
	} else if (chan_request(c, msg, -1, ms, on_peer, call) == -1)
		call_answer(call, 0, "too large", NULL);
}

static void
ask_store(struct call *call, struct json_object *msg)
{
	struct chan *c = peers_chan(call->control, "store", "");

	if (c == NULL) {
		json_object_put(msg);
		call_answer(call, 0, "the store is not running", NULL);
		return;
	}
	ask_peer(call, c, msg, CONTROL_STORE_MS);
}

/* What the supervisor answers by itself. */

static void
on_supervisor(void *arg, const char *type, struct json_object *msg, int fd)
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

static void
ask_supervisor(struct call *call, const char *verb, const char *arg,
    chan_reply_fn fn)
{
	struct json_object *msg = chan_msg("ctl");

	json_object_object_add(msg, "verb", json_object_new_string(verb));
	add_opt(msg, "arg", arg);
	if (worker_ctl(call->control->worker, msg, fn, call) == -1)
		call_answer(call, 0, "the supervisor cannot be asked", NULL);
}

static void
do_reload(struct call *call, const struct args *a)
{
	ask_supervisor(call, "reload", NULL, on_supervisor);
}

static void
do_check(struct call *call, const struct args *a)
{
	ask_supervisor(call, "check", NULL, on_supervisor);
}

static void
do_stop(struct call *call, const struct args *a)
{
	ask_supervisor(call, "stop", NULL, on_supervisor);
}

static void
do_verbose(struct call *call, const struct args *a)
{
	ask_supervisor(
	    call, "verbose", a->on ? "on" : "off", on_supervisor);
}

static void
do_status(struct call *call, const struct args *a)
{
	ask_supervisor(call, "status", NULL, status_answered);
}

/* What the store knows. */

static void
do_explain(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("explain");

	add_opt(msg, "post", a->post);
	add_opt(msg, "account", a->account);
	ask_store(call, msg);
}

static void
do_dead(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("dead.list");

	json_object_object_add(msg, "limit", json_object_new_int64(a->limit));
	add_opt(msg, "account", a->account);
	ask_store(call, msg);
}

/* What an account does. */

static void
do_send(struct call *call, const struct args *a)
{
	struct control *co = call->control;
	const char *account = a->account;
	struct json_object *msg;
	struct chan *c;
	char text[256];

	if (account == NULL)
		account = peers_default_account(co);
	if (account == NULL) {
		call_answer(call, 0, "which account? There is more than one, "
		    "or none is running", NULL);
		return;
	}
	if ((c = peers_chan(co, "account", account)) == NULL) {
		snprintf(text, sizeof(text), "account %s is not running",
		    account);
		call_answer(call, 0, text, NULL);
		return;
	}
	msg = chan_msg("send");
	add_opt(msg, "to", a->to);
	add_opt(msg, "text", a->text);
	add_opt(msg, "root", a->root);
	ask_peer(call, c, msg, CONTROL_SEND_MS);
}

static const struct verb {
	const char *name;
	void (*fn)(struct call *, const struct args *);
	unsigned args;
	int logged; /* it changes something */
} verbs[] = {
    {"status", do_status, 0, 0},
    {"reload", do_reload, 0, 1},
    {"check", do_check, 0, 0},
    {"stop", do_stop, 0, 1},
    {"verbose", do_verbose, ARG_ON, 1},
    {"explain", do_explain, ARG_POST | ARG_ACCOUNT, 0},
    {"dead-letters", do_dead, ARG_ACCOUNT | ARG_LIMIT, 0},
    {"send", do_send, ARG_ACCOUNT | ARG_TO | ARG_TEXT | ARG_ROOT, 1},
};

static int
args_take(const struct verb *v, struct json_object *o, struct args *a,
    struct fields *f)
{
	memset(a, 0, sizeof(*a));
	fields_open(f, o);
	if (v->args & ARG_ACCOUNT)
		a->account = fields_opt_str(f, "account", ID_MAX);
	if (v->args & ARG_POST)
		a->post = fields_str(f, "post", ID_MAX);
	if (v->args & ARG_TO)
		a->to = fields_str(f, "to", TO_MAX);
	if (v->args & ARG_TEXT)
		a->text = fields_str(f, "text", PROTO_NORMAL);
	if (v->args & ARG_ROOT)
		a->root = fields_opt_str(f, "root", ID_MAX);
	if (v->args & ARG_LIMIT)
		a->limit = fields_opt_int(
		    f, "limit", 1, CONTROL_DEAD_MAX, CONTROL_DEAD_ROWS);
	if (v->args & ARG_ON)
		a->on = fields_bool(f, "on");
	return fields_end(f);
}

static const struct verb *
verb_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int
verbs_handle(struct call *call)
{
	struct json_object *args;
	const struct verb *v;
	const char *name;
	struct args a;
	struct fields f;

	fields_open(&f, call->req);
	fields_int(&f, "id", 0, INT64_MAX);
	name = fields_str(&f, "verb", 32);
	args = fields_obj(&f, "args");
	if (fields_end(&f) == -1)
		return -1;
	if ((v = verb_find(name)) == NULL) {
		call_answer(call, 0, "the daemon has no such verb", NULL);
		return 0;
	}
	if (args_take(v, args, &a, &f) == -1) {
		call_answer(call, 0, fields_error(&f), NULL);
		return 0;
	}
	if (v->logged)
		log_event(LOG_INFO, "control.request", "verb", v->name, "uid",
		    LOG_NUM(call->client->uid), NULL);
	v->fn(call, &a);
	return 0;
}
