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
#include "workers/account/callback/entry.h"
#include "workers/account/channels.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/gates.h"
#include "workers/account/intake.h"
#include "workers/account/judge.h"
#include "workers/account/lanes.h"
#include "workers/account/pairing.h"
#include "workers/account/pipeline.h"
#include "workers/account/sessinfo.h"
#include "workers/account/storelink.h"
#include "workers/account/trim.h"
#include "workers/account/users.h"

struct entry {
	struct inbound *in;
	struct json_object *more;
	struct json_object *data; /* of the row */
	struct verdict v;
	entry_fn fn;
	void *arg;
	int only;  /* the decision alone */
	int asked; /* channel and user: not a second time */
	unsigned doubts; /* of its channel, when asked */
};

#define ASKED_CHANNEL 1
#define ASKED_USER 2

static void entry_go(struct account *, struct entry *);

static void
entry_end(
    struct account *a, struct entry *e, enum entry_end end, const char *code)
{
	e->fn(a, end, e->in, &e->v, code, e->arg);
	inbound_free(e->in);
	verdict_clear(&e->v);
	json_object_put(e->more);
	json_object_put(e->data);
	free(e);
}

int
entry_stored(struct account *a, struct json_object *reply,
    const struct inbound *in, const struct verdict *v, struct json_object *data)
{
	struct json_object *open = NULL;
	struct row *r;

	json_object_object_get_ex(reply, "open", &open);
	if (!json_object_get_boolean(open)) {
		gates_settled(in->event_id);
		return 0;
	}
	a->n_accepted++;
	figures_accepted(a, in->kind);
	r = lanes_add(a, api_int(reply, "seq"), v->lane, in->channel_id,
	    v->root, in->event_id, in->create_at, json_object_get(data));
	if (r != NULL && lanes_is_first(r))
		sessinfo_told(r, reply);
	return 1;
}

static void
put_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct json_object *dup = NULL;
	struct entry *e = arg;

	if (err != NULL) {
		gates_settled(e->in->event_id);
		log_event(LOG_ERR, "inbox.refused", "account", a->id,
		    "event_id", e->in->event_id, "error", err, NULL);
		entry_end(a, e, ENTRY_FAILED, NULL);
		return;
	}
	json_object_object_get_ex(reply, "dup", &dup);
	entry_stored(a, reply, e->in, &e->v, e->data);
	if (json_object_get_boolean(dup))
		drops_count(a, e->in->kind, REASON_DUPLICATE);
	entry_end(a, e,
	    json_object_get_boolean(dup) ? ENTRY_TWICE : ENTRY_STORED, NULL);
}

static void
put(struct account *a, struct entry *e)
{
	struct json_object *msg = chan_msg("inbox.put");
	struct inbound *in = e->in;

	e->data = judge_data(a, in, &e->v);
	if (e->more != NULL) {
		json_object_object_foreach(e->more, key, value)
			json_object_object_add(
			    e->data, key, json_object_get(value));
	}
	gates_expect(in->channel_id, in->event_id, e->data);
	add_str(msg, "kind", inbound_kind_name(in->kind));
	add_str(msg, "event", in->event_id);
	add_str(msg, "lane", e->v.lane);
	add_str(msg, "channel", in->channel_id);
	add_str(msg, "root", e->v.root);
	add_str(msg, "rule", e->v.rule);
	if (in->kind == INBOUND_BUTTON) /* its event is not the post */
		add_str(msg, "post", in->post_id);
	add_int(msg, "at", in->create_at);
	add_obj(msg, "data", json_object_get(e->data));
	storelink_request(a, msg, put_done, e);
}

static void
paired(struct account *a, enum pairing_end end, const char *code, void *arg)
{
	struct entry *e = arg;

	switch (end) {
	case PAIRING_NO_STORE:
		entry_end(a, e, ENTRY_FAILED, NULL);
		return;
	case PAIRING_LET_IN:
		verdict_clear(&e->v);
		entry_go(a, e);
		return;
	case PAIRING_TOO_MANY:
		e->v.reason = REASON_PAIRING_FULL;
		break;
	default:
		break;
	}
	drops_add(a, e->in, e->v.reason, e->v.rule);
	entry_end(a, e, ENTRY_DENIED, code);
}

static void
judge(struct account *a, struct entry *e)
{
	struct channel *ch = channel_get(a, e->in->channel_id);
	struct channel_info info = {ch->type, ch->name, ch->display,
	    ch->team_id};
	struct facts facts = {.now = walltime_ms()};

	decide(a->policy, intake_bot(a), &info, &facts, e->in, &e->v);
	if (e->v.kind == VERDICT_PAIR) {
		pairing_start(a, e->in, 0, paired, e);
		return;
	}
	if (e->v.kind != VERDICT_ACCEPT || !e->v.runs) {
		drops_add(a, e->in, e->v.reason, e->v.rule);
		entry_end(a, e, ENTRY_DENIED, NULL);
		return;
	}
	if (e->only) {
		entry_end(a, e, ENTRY_STORED, NULL);
		return;
	}
	a->last_in = walltime_ms();
	put(a, e);
}

static void
channel_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct entry *e = arg;

	if (api_ok(r, body, 200)) {
		channel_learn(a, body);
		channel_get(a, e->in->channel_id)->settled = e->doubts;
	}
	entry_go(a, e);
}

static void
user_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct entry *e = arg;

	if (api_ok(r, body, 200)) {
		users_learn_one(a, body);
		inbound_set(&e->in->actor_name, api_str(body, "username"));
	}
	entry_go(a, e);
}

/* What cannot be found out stays unknown, which denies. */
static void
entry_go(struct account *a, struct entry *e)
{
	struct channel *ch = channel_get(a, e->in->channel_id);
	struct inbound *in = e->in;
	char path[64];

	in->actor_is_bot = users_is_bot(a, in->actor_id);
	if ((ch->type == 0 || ch->type == '?' || channel_in_doubt(ch)) &&
	    !(e->asked & ASKED_CHANNEL)) {
		e->asked |= ASKED_CHANNEL;
		e->doubts = ch->doubts;
		snprintf(path, sizeof(path), "/channels/%s", ch->id);
		if (api_get(a, path, channel_done, e) != NULL)
			return;
	}
	if (in->actor_is_bot == TRI_UNKNOWN && !(e->asked & ASKED_USER)) {
		e->asked |= ASKED_USER;
		snprintf(path, sizeof(path), "/users/%s", in->actor_id);
		if (api_get(a, path, user_done, e) != NULL)
			return;
	}
	judge(a, e);
}

static void
enter(struct account *a, struct inbound *in, struct json_object *more,
    int only, entry_fn fn, void *arg)
{
	struct entry *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal("calloc");
	*e = (struct entry){
	    .in = in, .more = more, .only = only, .fn = fn, .arg = arg};
	trim_event(a);
	if (mm_id_valid(in->channel_id) && mm_id_valid(in->actor_id)) {
		entry_go(a, e);
		return;
	}
	e->v.kind = VERDICT_DROP;
	e->v.reason = REASON_MALFORMED;
	e->v.stage = STAGE_DECODE;
	drops_add(a, in, e->v.reason, "");
	entry_end(a, e, ENTRY_DENIED, NULL);
}

void
entry_start(struct account *a, struct inbound *in, struct json_object *more,
    entry_fn fn, void *arg)
{
	enter(a, in, more, 0, fn, arg);
}

void
entry_allow(struct account *a, struct inbound *in, entry_fn fn, void *arg)
{
	enter(a, in, NULL, 1, fn, arg);
}
