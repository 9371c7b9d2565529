#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/control/control.h"
#include "workers/worker.h"

#define ID_MAX 128
#define ID_KEPT 64 /* as the store has them */
#define TO_MAX 512
#define SESSION_MAX 512
#define SHOW_BYTES (512 * 1024) /* of one transcript, the newest part */

/* What a verb's args may have; ACCOUNT, ROOT, LIMIT, AGENT may be absent. */
#define ARG_ACCOUNT 0x01u
#define ARG_POST 0x02u
#define ARG_TO 0x04u
#define ARG_TEXT 0x08u
#define ARG_ROOT 0x10u
#define ARG_LIMIT 0x20u
#define ARG_ON 0x40u
#define ARG_DEAD 0x80u    /* seq or key */
#define ARG_SESSION 0x100u
#define ARG_AGENT 0x200u
#define ARG_CODE 0x400u
#define ARG_NOTIFY 0x800u
#define ARG_WHO 0x1000u
#define ARG_BUTTONS 0x4000u /* and presentation */
#define ARG_CONTEXT 0x8000u
#define ARG_IMPORT 0x2000u /* grants and requests */
#define ARG_DRY 0x10000u
#define ARG_PROBE 0x20000u
#define ARG_JOB 0x80000u
#define ARG_AFTER 0x100000u
#define ARG_PIN 0x200000u
#define ARG_ONE 0x40000u /* one account: the default when none is said */
#define ARG_LIVE 0x200000u /* one that something can be sent through */
#define ARG_GONE 0x400000u /* it may be one that the file has no more */

struct args {
	const char *account, *post, *to, *text, *root, *key, *session, *agent;
	const char *code, *who;
	struct json_object *grants, *requests;
	struct json_object *buttons, *presentation, *context, *job;
	const char *after_account, *after;
	int64_t limit, seq;
	int on, notify, dry, pin, probe;
};

static void
do_reload(struct call *call, const struct args *a)
{
	ask_supervisor(call, "reload", NULL, supervisor_answered);
}

static void
do_check(struct call *call, const struct args *a)
{
	ask_supervisor(call, "check", NULL, supervisor_answered);
}

static void
do_stop(struct call *call, const struct args *a)
{
	ask_supervisor(call, "stop", NULL, supervisor_answered);
}

static void
do_upgrade(struct call *call, const struct args *a)
{
	ask_supervisor(call, "upgrade", NULL, supervisor_answered);
}

static void
do_verbose(struct call *call, const struct args *a)
{
	ask_supervisor(
	    call, "verbose", a->on ? "on" : "off", supervisor_answered);
}

static void
do_status(struct call *call, const struct args *a)
{
	call->probe = a->probe;
	ask_supervisor(call, "status", NULL, status_answered);
}

/* What the store knows. */

static void
do_explain(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("explain");

	ask_add(msg, "post", a->post);
	ask_add(msg, "account", a->account);
	ask_store(call, msg);
}

static void
do_dead(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("dead.list");

	add_int(msg, "limit", a->limit);
	ask_add(msg, "account", a->account);
	ask_store(call, msg);
}

static void
do_sessions(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("session.list");

	add_int(msg, "limit", a->limit);
	ask_add(msg, "agent", a->agent);
	ask_store(call, msg);
}

static void
do_session_show(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("session.show");

	ask_add(msg, "session", a->session);
	add_int(msg, "max_bytes", SHOW_BYTES);
	ask_store(call, msg);
}

static void
do_session_reset(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("session.reset");

	ask_add(msg, "session", a->session);
	ask_store(call, msg);
}

/* What is for one account. */

static void
do_dead_retry(struct call *call, const struct args *a)
{
	const char *account = a->account;
	struct json_object *msg;

	msg = chan_msg("dead.retry");
	ask_add(msg, "account", account);
	ask_add(msg, "key", a->key);
	if (a->seq != 0)
		add_int(msg, "seq", a->seq);
	ask_store(call, msg);
}

/* Who may talk. Without an account, all of them are meant. */

static void
do_pairing_list(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("pairing.list");

	ask_add(msg, "account", a->account);
	ask_store(call, msg);
}

static void
do_pairing_approve(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("pairing.approve");

	ask_add(msg, "code", a->code);
	ask_add(msg, "account", a->account);
	add_bool(msg, "notify", a->notify);
	ask_store(call, msg);
}

static void
do_pairing_revoke(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("pairing.revoke");

	ask_add(msg, "who", a->who);
	ask_add(msg, "account", a->account);
	ask_store(call, msg);
}

/* A frame to the store is flat: what a client nests goes no further. */
static int
is_flat(struct json_object *list)
{
	struct json_object *o;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (json_object_is_type(o, json_type_array))
			return 0;
		if (!json_object_is_type(o, json_type_object))
			continue;
		json_object_object_foreach(o, key, v)
		{
			(void)key;
			if (json_object_is_type(v, json_type_object) ||
			    json_object_is_type(v, json_type_array))
				return 0;
		}
	}
	return 1;
}

static void
do_pairing_import(struct call *call, const struct args *a)
{
	struct json_object *msg;

	if (!is_flat(a->grants) || !is_flat(a->requests)) {
		call_answer(call, 0, "malformed entries", NULL);
		return;
	}
	msg = chan_msg("pairing.import");
	ask_add(msg, "account", a->account);
	add_obj(msg, "grants", json_object_get(a->grants));
	add_obj(msg, "requests", json_object_get(a->requests));
	ask_store(call, msg);
}

static void
do_send(struct call *call, const struct args *a)
{
	const char *account = a->account;
	struct json_object *msg;
	struct chan *c;
	int ms;

	if ((c = call_account(call, account)) == NULL)
		return;
	msg = chan_msg("send");
	ask_add(msg, "to", a->to);
	ask_add(msg, "text", a->text);
	ask_add(msg, "root", a->root);
	if (a->dry)
		add_bool(msg, "dry", 1);
	if (a->pin)
		add_bool(msg, "pin", 1);
	if (a->buttons != NULL)
		add_obj(msg, "buttons", json_object_get(a->buttons));
	if (a->presentation != NULL)
		add_obj(msg, "presentation", json_object_get(a->presentation));
	ms = files_pass(call, c, account, msg);
	ask_peer(call, c, msg, ms);
}

static void
do_sign(struct call *call, const struct args *a)
{
	const char *account = a->account;
	struct json_object *msg;
	struct chan *c;

	if ((c = call_account(call, account)) == NULL)
		return;
	msg = chan_msg("sign");
	add_obj(msg, "context", json_object_get(a->context));
	ask_peer(call, c, msg, CONTROL_SEND_MS);
}

/* Scheduled jobs */

static void
do_cron_list(struct call *call, const struct args *a)
{
	struct json_object *msg = chan_msg("cron.list");

	ask_add(msg, "account", a->account);
	ask_add(msg, "after_account",
	    a->after_account == NULL ? "" : a->after_account);
	ask_add(msg, "after", a->after == NULL ? "" : a->after);
	ask_store(call, msg);
}

static void
do_cron_add(struct call *call, const struct args *a)
{
	cron_add(call, a->account, a->job);
}

static void
do_cron_set(struct call *call, const struct args *a)
{
	cron_set(call, a->account, a->job);
}

static void
do_cron_rm(struct call *call, const struct args *a)
{
	cron_rm(call, a->account, a->job);
}

static const struct verb {
	const char *name;
	void (*fn)(struct call *, const struct args *);
	unsigned args;
	int logged; /* it changes something */
} verbs[] = {
    {"status", do_status, ARG_PROBE, 0},
    {"reload", do_reload, 0, 1},
    {"check", do_check, 0, 0},
    {"stop", do_stop, 0, 1},
    {"upgrade", do_upgrade, 0, 1},
    {"verbose", do_verbose, ARG_ON, 1},
    {"explain", do_explain, ARG_POST | ARG_ACCOUNT, 0},
    {"dead-letters", do_dead, ARG_ACCOUNT | ARG_LIMIT, 0},
    {"dead-retry", do_dead_retry, ARG_ACCOUNT | ARG_ONE | ARG_DEAD, 1},
    {"sessions", do_sessions, ARG_AGENT | ARG_LIMIT, 0},
    {"session-show", do_session_show, ARG_SESSION, 0},
    {"session-reset", do_session_reset, ARG_SESSION, 1},
    {"pairing-list", do_pairing_list, ARG_ACCOUNT, 0},
    {"pairing-approve", do_pairing_approve,
	ARG_ACCOUNT | ARG_CODE | ARG_NOTIFY, 1},
    {"pairing-revoke", do_pairing_revoke, ARG_ACCOUNT | ARG_WHO, 1},
    {"pairing-import", do_pairing_import,
	ARG_ACCOUNT | ARG_ONE | ARG_IMPORT, 1},
    {"send", do_send,
	ARG_ACCOUNT | ARG_ONE | ARG_LIVE | ARG_TO | ARG_TEXT | ARG_ROOT |
	    ARG_BUTTONS | ARG_DRY | ARG_PIN, 1},
    {"cron-list", do_cron_list, ARG_ACCOUNT | ARG_AFTER, 0},
    {"cron-add", do_cron_add,
	ARG_ACCOUNT | ARG_ONE | ARG_LIVE | ARG_JOB, 1},
    {"cron-set", do_cron_set, ARG_ACCOUNT | ARG_ONE | ARG_JOB, 1},
    {"cron-rm", do_cron_rm,
	ARG_ACCOUNT | ARG_ONE | ARG_GONE | ARG_JOB, 1},
    {"sign", do_sign,
	ARG_ACCOUNT | ARG_ONE | ARG_LIVE | ARG_CONTEXT, 1},
};

static void
args_take_more(const struct verb *v, struct args *a, struct fields *f)
{
	if (v->args & ARG_CODE)
		a->code = fields_str(f, "code", ID_KEPT);
	if (v->args & ARG_NOTIFY)
		a->notify = fields_bool(f, "notify");
	if (v->args & ARG_WHO)
		a->who = fields_str(f, "who", ID_KEPT);
	if (v->args & ARG_BUTTONS) {
		a->buttons = fields_opt_arr(f, "buttons", CONTROL_ROWS_MAX);
		a->presentation = fields_opt_obj(f, "presentation");
	}
	if (v->args & ARG_JOB)
		a->job = fields_obj(f, "job");
	if (v->args & ARG_AFTER) {
		a->after_account =
		    fields_opt_str(f, "after_account", ID_KEPT);
		a->after = fields_opt_str(f, "after", ID_KEPT);
	}
	if (v->args & ARG_DRY)
		a->dry = fields_opt_bool(f, "dry", 0);
	if (v->args & ARG_PIN)
		a->pin = fields_opt_bool(f, "pin", 0);
	if (v->args & ARG_PROBE)
		a->probe = (int)fields_opt_int(
		    f, "probe", 1, CONTROL_PROBE_MAX_MS, 0);
	if (v->args & ARG_CONTEXT)
		a->context = fields_obj(f, "context");
	if (v->args & ARG_IMPORT) {
		a->grants = fields_arr(f, "grants", CONTROL_ROWS_MAX);
		a->requests = fields_arr(f, "requests", CONTROL_ROWS_MAX);
	}
}

static int
args_take(const struct verb *v, struct json_object *o, struct args *a,
    struct fields *f)
{
	memset(a, 0, sizeof(*a));
	fields_open(f, o);
	if (v->args & ARG_ACCOUNT)
		a->account = fields_opt_str(f, "account", ID_KEPT);
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
		    f, "limit", 1, CONTROL_ROWS_MAX, CONTROL_ROWS);
	if (v->args & ARG_DEAD) {
		a->seq = fields_opt_int(f, "seq", 1, INT64_MAX, 0);
		a->key = fields_opt_str(f, "key", ID_MAX);
	}
	if (v->args & ARG_SESSION)
		a->session = fields_str(f, "session", SESSION_MAX);
	if (v->args & ARG_AGENT)
		a->agent = fields_opt_str(f, "agent", ID_MAX);
	if (v->args & ARG_ON)
		a->on = fields_bool(f, "on");
	args_take_more(v, a, f);
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

/* args names an account, if that is needed. */
static void
verb_run(struct call *call, const char *name, struct json_object *args)
{
	const struct verb *v = verb_find(name);
	struct args a;
	struct fields f;

	if (v == NULL) {
		reach_handle(call, name, args);
		return;
	}
	if (args_take(v, args, &a, &f) == -1) {
		call_answer(call, 0, fields_error(&f), NULL);
		return;
	}
	if (v->logged)
		log_event(LOG_INFO, "control.request", "verb", v->name, "uid",
		    LOG_NUM(call->client->uid), NULL);
	v->fn(call, &a);
}

/* The account that is meant, from who has read the configuration. */
static void
account_known(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct call *call = arg;
	struct json_object *args, *verb, *data = NULL;
	const char *id = NULL, *refusal = NULL;
	const struct verb *v;
	struct fields f;
	int ok = 0;

	if (msg != NULL) {
		fields_open(&f, msg);
		ok = fields_bool(&f, "ok");
		id = fields_opt_str(&f, "text", PROTO_TEXT);
		if ((data = fields_opt_obj(&f, "data")) != NULL) {
			fields_open(&f, data);
			refusal = fields_opt_str(&f, "refusal", ID_MAX);
		}
	}
	json_object_object_get_ex(call->req, "args", &args);
	json_object_object_get_ex(call->req, "verb", &verb);
	v = verb_find(json_object_get_string(verb));
	if (!ok && id != NULL && v != NULL && v->args & ARG_GONE &&
	    json_object_object_get_ex(args, "account", NULL))
		ok = 1;
	else if (ok && id != NULL)
		add_str(args, "account", id);
	if (!ok || id == NULL || call->client == NULL)
		call_answer(call, 0,
		    id == NULL ? "no answer from the supervisor" : id, NULL);
	else if (refusal != NULL && (v == NULL || v->args & ARG_LIVE))
		call_answer(call, 0, refusal, NULL);
	else
		verb_run(call, json_object_get_string(verb), args);
}

int
verbs_handle(struct call *call)
{
	struct json_object *args, *account = NULL;
	const struct verb *v;
	const char *name, *id = "";
	struct fields f;

	fields_open(&f, call->req);
	fields_int(&f, "id", 0, INT64_MAX);
	name = fields_str(&f, "verb", 32);
	args = fields_obj(&f, "args");
	if (fields_end(&f) == -1)
		return -1;
	v = verb_find(name);
	if (v == NULL && !reach_knows(name)) {
		call_answer(call, 0, "the daemon has no such verb", NULL);
		return 0;
	}
	json_object_object_get_ex(args, "account", &account);
	if (json_object_is_type(account, json_type_string) &&
	    json_object_get_string_len(account) <= ID_KEPT)
		id = json_object_get_string(account);
	if (account == NULL ? v == NULL || v->args & ARG_ONE : *id != '\0')
		ask_supervisor(call, "account", id, account_known);
	else
		verb_run(call, name, args);
	return 0;
}
