#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "daemon/conf.h"
#include "daemon/ctlreq.h"
#include "daemon/reload.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade.h"

#define TEXT_MAX 16384
#define TOLD_MAX 16 /* our own: nobody reloads that often */

static void
add_text(struct json_object *o, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_object_add(o, key, json_object_new_string(value));
}

static void
add_health(struct json_object *o, const struct health *h)
{
	add_text(o, "state", health_name(h->state));
	add_int(o, "sinceMs", monotime_since(h->since));
	add_text(o, "reason", h->reason);
}

static struct json_object *
worker_status(const struct proc *p)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "role", role_name(p->role));
	add_text(o, "name", p->name);
	add_health(o, &p->health);
	add_int(o, "restarts", p->restarts);
	if (p->resident != 0) {
		add_int(o, "resident", p->resident);
		add_int(o, "private", p->private);
	}
	if (p->pid != 0) {
		add_int(o, "pid", p->pid);
		add_int(o, "upMs", monotime_since(p->started));
	}
	return o;
}

static void
add_time(struct json_object *o, const char *key, int64_t at)
{
	if (at != 0)
		add_int(o, key, at);
}

/* When it was connected last, and since when it is not. */
static void
add_past(struct json_object *o, const struct proc *p)
{
	struct json_object *d;

	add_bool(o, "running", p->pid != 0 && p->phase != PHASE_STOPPING);
	add_time(o, "lastStartAt", p->started_at);
	add_time(o, "lastStopAt", p->stopped_at);
	add_time(o, "lastConnectedAt", p->health.connected_at);
	if (p->health.disconnected_at == 0)
		return;
	d = json_object_new_object();
	add_int(d, "at", p->health.disconnected_at);
	add_text(d, "error", p->health.disconnected);
	add_obj(o, "lastDisconnect", d);
}

static struct json_object *
account_status(struct supervisor *sup, const struct config_account *ac)
{
	struct json_object *o = config_account_facts(ac);
	struct proc *p;

	p = proc_find(sup, ROLE_ACCOUNT, ac->id);
	if (p == NULL) {
		add_text(o, "state", ac->lacking ? "parked" : "disabled");
		if (ac->lacking)
			add_text(o, "reason", "it has no baseUrl");
		return o;
	}
	add_health(o, &p->health);
	add_text(o, "user", p->health.detail);
	if (p->health.last_error[0] != '\0') {
		add_text(o, "lastError", p->health.last_error);
		add_int(o, "lastErrorAt", p->health.last_error_at);
	}
	add_int(o, "restarts", p->restarts);
	add_past(o, p);
	return o;
}

static struct json_object *
reload_status(const struct reload_report *r)
{
	struct json_object *o;

	if (r->at == 0)
		return NULL;
	o = json_object_new_object();
	add_int(o, "at", r->at);
	add_bool(o, "ok", r->ok);
	add_text(o, "text", r->text);
	return o;
}

/* The supervisor's view: a new reference. */
static struct json_object *
ctlreq_status(struct supervisor *sup)
{
	struct json_object *o = json_object_new_object(), *list;
	struct proc *p;
	size_t i;

	add_text(o, "version", PACKAGE_VERSION);
	add_int(o, "pid", getpid());
	add_int(o, "upMs", monotime_since(sup->started));
	add_text(o, "config", sup->config_path);
	add_bool(o, "rootless", sup->rootless);
	add_text(o, "summary", sup->status);
	if (sup->config->default_account < sup->config->naccounts)
		add_text(o, "defaultAccount",
		    sup->config->accounts[sup->config->default_account].id);
	list = json_object_new_array();
	for (i = 0; i < sup->config->naccounts; i++)
		json_object_array_add(
		    list, account_status(sup, &sup->config->accounts[i]));
	add_obj(o, "accounts", list);
	list = json_object_new_array();
	RB_FOREACH (p, proc_tree, &sup->procs)
		json_object_array_add(list, worker_status(p));
	add_obj(o, "workers", list);
	if (sup->reload.at != 0)
		add_obj(o, "reload", reload_status(&sup->reload));
	return o;
}

static void
answer(struct proc *p, struct json_object *req, int ok, const char *text,
    struct json_object *data)
{
	struct json_object *msg = chan_reply_msg("ctl.reply", req);

	add_bool(msg, "ok", ok);
	add_text(msg, "text", text);
	if (data != NULL)
		add_obj(msg, "data", data);
	if (chan_send(p->chan, msg, -1) == 0)
		return;
	msg = chan_reply_msg("ctl.reply", req);
	add_bool(msg, "ok", 0);
	add_text(msg, "text", "the answer is too large");
	chan_send(p->chan, msg, -1);
}

void
ctlreq_answer_late(struct supervisor *sup, struct json_object *req, int ok,
    const char *text)
{
	struct proc *p = proc_find(sup, ROLE_CONTROL, "");

	/* Who asked may have gone: then nobody waits for this id. */
	if (p != NULL && p->chan != NULL && p->phase == PHASE_UP)
		answer(p, req, ok, text, NULL);
	json_object_put(req);
}

struct told {
	struct supervisor *sup;
	struct json_object *req;
	char *text;
};

static int told_waiting; /* answers that a stopping worker holds up */

static void
on_switched(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct told *t = arg;

	told_waiting--;
	ctlreq_answer_late(t->sup, t->req, 1, t->text);
	free(t->text);
	free(t);
}

/*
 * Whoever is told that a secret is no more may count on it: the callback
 * worker that goes has by then read that it lets nobody in.
 */
static void
do_reload(struct proc *p, struct json_object *req, const char *arg)
{
	struct proc *callback;
	struct told *t;
	char text[TEXT_MAX];
	int ok;

	if (told_waiting >= TOLD_MAX) {
		answer(p, req, 0, "too many reloads at once", NULL);
		return;
	}
	ok = reload_now(p->sup, text, sizeof(text)) == 0;
	callback = proc_find(p->sup, ROLE_CALLBACK, "");
	if (!ok || callback == NULL || callback->chan == NULL ||
	    callback->phase != PHASE_STOPPING) {
		answer(p, req, ok, text, NULL);
		return;
	}
	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->text = strdup(text)) == NULL)
		fatal("calloc");
	t->sup = p->sup;
	t->req = json_object_get(req);
	told_waiting++;
	if (chan_request(callback->chan, chan_msg("ping"), -1, PROC_STOP_MS,
		on_switched, t) == -1)
		on_switched(t, "", NULL, -1);
}

static void
do_check(struct proc *p, struct json_object *req, const char *arg)
{
	char text[TEXT_MAX];
	int ok;

	ok = reload_check(p->sup->config_path, text, sizeof(text)) == 0;
	answer(p, req, ok, text, NULL);
}

static void
do_status(struct proc *p, struct json_object *req, const char *arg)
{
	answer(p, req, 1, NULL, ctlreq_status(p->sup));
}

/*
 * Whom a request is for that names arg, or nobody. Where nothing can be sent
 * through the account, the peer's words for it go along.
 */
static void
do_account(struct proc *p, struct json_object *req, const char *arg)
{
	const struct config_account *a;
	struct json_object *data;
	char text[TEXT_MAX];

	a = config_account_named(p->sup->config, arg, text, sizeof(text));
	if (a == NULL) {
		answer(p, req, 0, text, NULL);
		return;
	}
	data = json_object_new_object();
	if (!a->enabled && !a->lacking) {
		snprintf(text, sizeof(text),
		    "Mattermost account \"%s\" is disabled", a->id);
		add_text(data, "refusal", text);
	} else if (!config_account_is_configured(a))
		add_text(data, "refusal",
		    "Mattermost botToken/baseUrl missing.");
	answer(p, req, 1, a->id, data);
}

static void
do_stop(struct proc *p, struct json_object *req, const char *arg)
{
	answer(p, req, 1, "stopping", NULL);
	supervisor_stop(p->sup, "control request");
}

static void
do_verbose(struct proc *p, struct json_object *req, const char *arg)
{
	int on = strcmp(arg, "on") == 0;

	if (!on && strcmp(arg, "off") != 0) {
		answer(p, req, 0, "on or off", NULL);
		return;
	}
	supervisor_verbose(p->sup, on);
	answer(p, req, 1, on ? "the level is debug" : "the level is info", NULL);
}

static void
do_upgrade(struct proc *p, struct json_object *req, const char *arg)
{
	char text[256];

	if (upgrade_start(p->sup, req, text, sizeof(text)) == -1)
		answer(p, req, 0, text, NULL);
}

static const struct {
	const char *verb;
	void (*fn)(struct proc *, struct json_object *req, const char *arg);
} verbs[] = {
    {"status", do_status},
    {"account", do_account},
    {"reload", do_reload},
    {"check", do_check},
    {"stop", do_stop},
    {"verbose", do_verbose},
    {"upgrade", do_upgrade},
};

void
ctlreq_handle(struct proc *p, struct json_object *msg)
{
	const char *verb, *arg;
	struct fields f;
	size_t i;

	fields_open(&f, msg);
	fields_int(&f, "id", 0, INT64_MAX);
	verb = fields_str(&f, "verb", 32);
	arg = fields_opt_str(&f, "arg", 256);
	if (fields_end(&f) == -1) {
		chan_violation(p->chan, "badly formed message");
		return;
	}
	/* Its answer could not be queued: it reads nothing any more. */
	if (chan_full(p->chan)) {
		chan_violation(p->chan, "does not read its answers");
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, verb) == 0) {
			verbs[i].fn(p, msg, arg == NULL ? "" : arg);
			return;
		}
	chan_violation(p->chan, "unknown ctl verb");
}
