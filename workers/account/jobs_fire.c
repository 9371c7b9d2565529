#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/ctl/ctl_op.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/intake.h"
#include "workers/account/jobs_int.h"
#include "workers/account/lanes.h"
#include "workers/account/pipeline.h"
#include "workers/account/session_place.h"
#include "workers/account/storelink.h"
#include "workers/account/trim.h"

/* A firing on its way into the inbox. The job may go meanwhile. */
struct firing {
	char job[JOB_ID_MAX + 1];
	int64_t when;
	enum fire how;
	struct inbound *in;
	struct verdict v;
	struct json_object *data;
	char lane[LANE_KEY_SIZE];
	struct ctl_op *op; /* or NULL */
};

static void
firing_free(struct firing *f)
{
	inbound_free(f->in);
	verdict_clear(&f->v);
	json_object_put(f->data);
	free(f->op);
	free(f);
}

static void
op_fail(struct firing *f, const char *code, const char *text)
{
	if (f->op != NULL)
		ctl_op_err(f->op, code, text);
}

static void
op_done(struct firing *f)
{
	struct json_object *msg;

	if (f->op == NULL)
		return;
	msg = ctl_op_data(f->op);
	add_str(msg, "event", f->in->event_id);
	ctl_op_answer(f->op, msg);
}

static int
flag(struct json_object *reply, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(reply, key, &v);
	return json_object_get_boolean(v);
}

static void
stored(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct firing *f = arg;

	if (err != NULL) {
		log_event(LOG_ERR, "inbox.refused", "account", a->id,
		    "event_id", f->in->event_id, "error", err, NULL);
		op_fail(f, "store", store_err_words(err));
		job_not_fired(a, f->job);
		firing_free(f);
		return;
	}
	/* Also when it was there before, as in put_done() of the intake. */
	if (flag(reply, "open")) {
		a->n_accepted++;
		figures_accepted(a, f->in->kind);
		lanes_add(a, api_int(reply, "seq"), f->lane, "", "",
		    f->in->event_id, f->in->create_at,
		    json_object_get(f->data));
	}
	op_done(f);
	job_fired(a, f->job, f->how == FIRE_HAND ? 0 : f->when);
	firing_free(f);
}

static void
add(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

/*
 * A session that was not named is this run's alone, and nothing of it is
 * kept. The answer goes to the target, else to where the session is.
 */
static void
make_data(struct account *a, struct firing *f, struct json_object *row)
{
	struct json_object *d = json_object_new_object();
	const char *to = api_str(row, "to"), *root = api_str(row, "thread");
	int alone = *api_str(row, "session") == '\0';
	struct session_place place;

	lane_key(a->id, "cron", f->job, f->lane);
	if (!alone && session_place(f->v.session.key, &place) == 0) {
		if (place.channel[0] != '\0')
			lane_key(a->id, place.channel, place.root, f->lane);
		if (*to == '\0') {
			to = place.target;
			root = place.root;
		}
	}
	add(d, "agent", f->v.agent);
	add(d, "session", f->v.session.key);
	add(d, "text", f->v.text);
	add(d, "context", f->v.context);
	add(d, "sender", "");
	add_bool(d, "addressed", 0);
	add(d, "post", "");
	add(d, "to", to);
	add(d, "thread", root);
	add_bool(d, "quiet", 1);
	add_bool(d, "alone", alone);
	f->data = d;
}

static void
put(struct account *a, struct job *j, struct firing *f)
{
	struct json_object *msg = chan_msg("cron.fire");
	int skip = f->how == FIRE_SKIP;

	j->putting = 1;
	add(msg, "job", f->job);
	add(msg, "event", f->in->event_id);
	add_int(msg, "at", f->when);
	add_bool(msg, "manual", f->how == FIRE_HAND);
	add_bool(msg, "skip", skip);
	add(msg, "lane", skip ? "" : f->lane);
	if (!skip)
		add(msg, "rule", f->v.rule);
	add_obj(msg, "data",
	    skip ? json_object_new_object() : json_object_get(f->data));
	storelink_request(a, msg, stored, f);
}

/* Nobody can do it: that is noted as a message that was dropped would be. */
static void
dropped(struct account *a, struct job *j, struct firing *f)
{
	char text[160];

	drops_add(a, f->in, f->v.reason, f->v.rule);
	snprintf(text, sizeof(text), "it cannot run: %s",
	    reason_name(f->v.reason));
	op_fail(f, reason_name(f->v.reason), text);
	if (f->how == FIRE_HAND) {
		firing_free(f);
		return;
	}
	f->how = FIRE_SKIP;
	put(a, j, f);
}

static struct inbound *
make_inbound(struct account *a, struct job *j, int64_t when, enum fire how)
{
	struct inbound *in = inbound_new(INBOUND_CRON);

	ID_COPY(in->account, a->id);
	snprintf(in->event_id, sizeof(in->event_id), "%s%s%lld", j->prefix,
	    how == FIRE_HAND ? "run-" : "", (long long)when);
	in->create_at = when;
	inbound_set(&in->text, api_str(j->row, "message"));
	inbound_set(&in->agent, api_str(j->row, "agent"));
	inbound_set(&in->session, api_str(j->row, "session"));
	return in;
}

void
job_fire(struct account *a, struct job *j, int64_t when, enum fire how,
    struct ctl_op *op)
{
	struct facts facts = {.now = walltime_ms()};
	struct firing *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		fatal("calloc");
	ID_COPY(f->job, j->id);
	f->when = when;
	f->how = how;
	f->op = op;
	f->in = make_inbound(a, j, when, how);
	log_event(LOG_INFO, how == FIRE_SKIP ? "cron.skipped" : "cron.due",
	    "account", a->id, "job", j->id, "event_id", f->in->event_id, NULL);
	if (how == FIRE_SKIP) {
		put(a, j, f);
		return;
	}
	trim_event(a);
	decide(a->policy, intake_bot(a), NULL, &facts, f->in, &f->v);
	if (f->v.kind != VERDICT_ACCEPT) {
		dropped(a, j, f);
		return;
	}
	a->last_in = walltime_ms();
	make_data(a, f, j->row);
	put(a, j, f);
}
