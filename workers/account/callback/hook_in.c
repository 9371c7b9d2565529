#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/command/directive.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/inbound.h"
#include "workers/account/lanes.h"
#include "workers/account/pipeline.h"
#include "workers/account/route.h"
#include "workers/account/rowdata.h"
#include "workers/account/storelink.h"
#include "workers/account/trim.h"

/*
 * Hooks: a message of another program, whose token the callback worker has
 * checked. It becomes an inbound of its own kind; where the answer goes is
 * looked up by its turn (turn_place.c), so that nothing of the network
 * stands between the message and the store.
 */

#define KEY_MAX 128 /* bytes of an idempotency key */
#define RUN_MAX 64

struct hook {
	struct account *a;
	struct cb_call *call;
	struct inbound *in;
	struct verdict v;
	struct json_object *data;
	const char *name, *to; /* of the call's message */
	const char *model, *think;
	int64_t timeout; /* s; 0: the agent's own */
	char run[RUN_MAX + 1];
};

static void
hook_free(struct hook *h)
{
	inbound_free(h->in);
	verdict_clear(&h->v);
	json_object_put(h->data);
	free(h);
}

static void
refuse(struct hook *h, int status, const char *error)
{
	struct json_object *body = json_object_new_object();

	add_bool(body, "ok", 0);
	add_str(body, "error", error);
	callback_reply(h->call, status, body, NULL);
	hook_free(h);
}

static void
stored(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct hook *h = arg;
	struct json_object *body, *v = NULL;

	if (err != NULL) {
		refuse(h, 503, store_err_words(err));
		return;
	}
	if (json_object_object_get_ex(reply, "open", &v) &&
	    json_object_get_boolean(v)) {
		a->n_accepted++;
		figures_accepted(a, h->in->kind);
		lanes_add(a, api_int(reply, "seq"), h->v.lane, "", "",
		    h->in->event_id, h->in->create_at,
		    json_object_get(h->data));
	}
	body = json_object_new_object();
	add_bool(body, "ok", 1);
	add_str(body, "runId", h->run);
	callback_reply(h->call, 200, body, NULL);
	hook_free(h);
}

static void
add(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

/* What the turn of a hook may choose for itself; NULL when that is fine. */
static const char *
choices(struct hook *h, struct json_object *d)
{
	const struct agent *g =
	    route_find_agent(h->a->policy, h->v.agent);

	if (h->model != NULL) {
		if (strcasecmp(h->model, "default") != 0 &&
		    (g == NULL || rowdata_model(g, h->model) == NULL))
			return "model: there is no such model";
		add(d, "model", h->model);
	}
	if (h->think != NULL) {
		if (directive_thinking(h->think) == NULL)
			return "thinking: there is no such level";
		add(d, "think", h->think);
	}
	if (h->timeout > 0 && h->timeout < TURN_DEADLINE_MAX_MS / 1000)
		add_int(d, "deadline_ms", h->timeout * 1000);
	return NULL;
}

static void
put(struct hook *h)
{
	struct json_object *msg, *d = json_object_new_object();
	struct verdict *v = &h->v;
	const char *wrong;

	h->data = d;
	if ((wrong = choices(h, d)) != NULL) {
		refuse(h, 400, wrong);
		return;
	}

	add(d, "agent", v->agent);
	add(d, "session", v->session.key);
	add(d, "text", v->text);
	add(d, "context", v->context);
	add(d, "sender", h->name);
	add_bool(d, "addressed", *h->to != '\0');
	add(d, "post", "");
	add(d, "to", h->to);
	msg = chan_msg("inbox.put");
	add(msg, "kind", inbound_kind_name(h->in->kind));
	add(msg, "event", h->in->event_id);
	add(msg, "lane", v->lane);
	add(msg, "channel", "");
	add(msg, "root", "");
	add(msg, "rule", v->rule);
	add_int(msg, "at", h->in->create_at);
	add_obj(msg, "data", json_object_get(d));
	storelink_request(h->a, msg, stored, h);
}

static void
judge(struct hook *h)
{
	struct account *a = h->a;
	struct facts facts = {.now = walltime_ms()};
	struct bot_identity bot;

	if (a->bot_id[0] == '\0') {
		refuse(h, 503, "the account has not connected yet");
		return;
	}
	ID_COPY(bot.user_id, a->bot_id);
	ID_COPY(bot.username, a->bot_name);
	trim_event(a);
	decide(a->policy, &bot, NULL, &facts, h->in, &h->v);
	if (h->v.kind == VERDICT_ACCEPT) {
		a->last_in = walltime_ms();
		put(h);
		return;
	}
	drops_add(a, h->in, h->v.reason, h->v.rule);
	log_event(LOG_NOTICE, "hook.refused", "account", a->id, "reason",
	    reason_name(h->v.reason), NULL);
	refuse(h, 400, h->v.reason == REASON_NO_AGENT ?
		"agentId: there is no such agent" : reason_name(h->v.reason));
}

void
hook_in(struct account *a, struct cb_call *call)
{
	const char *kind, *text, *run, *agent, *session, *key;
	struct hook *h;
	struct fields f;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		fatal("calloc");
	h->a = a;
	h->call = call;
	h->in = inbound_new(INBOUND_HOOK);

	fields_open(&f, callback_msg(call));
	kind = fields_str(&f, "kind", 16);
	text = fields_str(&f, "text", MM_TEXT_MAX + 1);
	run = fields_str(&f, "run", RUN_MAX);
	h->name = fields_opt_str(&f, "name", MM_NAME_MAX);
	agent = fields_opt_str(&f, "agent", ACCOUNT_ID_SIZE - 1);
	session = fields_opt_str(&f, "session", 256);
	h->to = fields_opt_str(&f, "to", 512);
	key = fields_opt_str(&f, "key", KEY_MAX);
	h->model = fields_opt_str(&f, "model", 256);
	h->think = fields_opt_str(&f, "think", 32);
	h->timeout = fields_opt_int(&f, "timeout", 0, INT32_MAX, 0);
	if (fields_end(&f) == -1) {
		log_warnx("cb.hook: %s", fields_error(&f));
		refuse(h, 400, "malformed");
		return;
	}
	strlcpy(h->run, run, sizeof(h->run));
	ID_COPY(h->in->account, a->id);
	snprintf(h->in->event_id, sizeof(h->in->event_id), "%s:%s",
	    key != NULL ? "key" : "run", key != NULL ? key : run);
	h->in->create_at = walltime_ms();
	inbound_set(&h->in->text, text);
	inbound_set(&h->in->agent, agent);
	if (strcmp(kind, "wake") == 0)
		session = a->policy->main_key;
	inbound_set(&h->in->session, session);
	if (h->name == NULL)
		h->name = "";
	if (h->to == NULL)
		h->to = "";
	judge(h);
}
