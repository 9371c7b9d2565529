#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callbacks.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/conn.h"
#include "workers/account/decode.h"
#include "workers/account/drops.h"
#include "workers/account/entry.h"
#include "workers/account/figures.h"
#include "workers/account/gapfill.h"
#include "workers/account/gates.h"
#include "workers/account/intake.h"
#include "workers/account/lanes.h"
#include "workers/account/media_in.h"
#include "workers/account/notes.h"
#include "workers/account/outbox.h"
#include "workers/account/pairing.h"
#include "workers/account/pipeline.h"
#include "workers/account/rowdata.h"
#include "workers/account/seen.h"
#include "workers/account/slash.h"
#include "workers/account/selftest.h"
#include "workers/account/standing.h"
#include "workers/account/storelink.h"
#include "workers/account/trim.h"
#include "workers/account/users.h"

struct intake {
	struct bot_identity bot;
	struct seen *seen;
	int putting; /* puts that are not answered */
};

/* An inbound on its way into the inbox, or waiting to be known better. */
struct entering {
	struct account *a;
	struct inbound *in;
	struct verdict v;
	struct json_object *data;
	int64_t epoch; /* of its put; 0 before */
	int missed;
};

static void enter(struct account *, struct inbound *, int missed);
static void take(struct account *, struct inbound *, int missed);
static void judge(struct account *, struct inbound *, int missed);

struct intake *
intake_new(struct account *a)
{
	struct intake *i;

	if ((i = calloc(1, sizeof(*i))) == NULL)
		fatal("calloc");
	i->seen = seen_new();
	a->put_epoch = 1;
	return i;
}

void
intake_identity(struct account *a)
{
	struct bot_identity *bot = &a->intake->bot;

	ID_COPY(bot->user_id, a->bot_id);
	ID_COPY(bot->username, a->bot_name);
	users_learn(a, a->bot_id, a->bot_name);
	outbox_kick(a);
	lanes_run(a);
	selftest_start(a);
	callbacks_identified(a);
}

const struct bot_identity *
intake_bot(const struct account *a)
{
	return &a->intake->bot;
}

/* Into the inbox */

static void
entering_free(struct entering *e)
{
	if (e->in != NULL)
		inbound_free(e->in);
	verdict_clear(&e->v);
	json_object_put(e->data);
	free(e);
}

static int
is_message(const struct inbound *in)
{
	return in->kind == INBOUND_POST || in->kind == INBOUND_EDIT;
}

static int
counts_as_turn(const struct inbound *in)
{
	return is_message(in) && inbound_of_bot(in);
}

/* It stays with the server's posts and is taken again. */
static void
refused(struct account *a, struct entering *e, const char *err)
{
	char key[EVENT_ID_SIZE];

	if (e->v.kind == VERDICT_ACCEPT && counts_as_turn(e->in))
		loops_count(a, e->in->channel_id, e->v.root, -1);
	if (e->epoch == a->put_epoch)
		a->put_epoch++;
	mark_failed(a, channel_get(a, e->in->channel_id));
	inbound_seen_key(e->in, key);
	seen_forget(a->intake->seen, key);
	log_event(LOG_ERR, "inbox.refused", "account", a->id, "event_id",
	    e->in->event_id, "error", err, NULL);
	conn_drop(a, "the store takes nothing");
	entering_free(e);
}

/* The store has been through with it before. */
static void
again(struct account *a, const struct inbound *in)
{
	if (in->kind == INBOUND_EDIT)
		drops_add(a, in, REASON_EDIT_ANSWERED, "accepted before");
	else
		drops_count(a, in->kind, REASON_DUPLICATE);
}

static void
put_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct entering *e = arg;
	struct channel *ch = channel_get(a, e->in->channel_id);
	struct json_object *dup = NULL;

	if (--a->intake->putting == 0)
		gapfill_kick(a);
	if (err != NULL) {
		refused(a, e, err);
		return;
	}
	mark_end(a, ch);
	json_object_object_get_ex(reply, "dup", &dup);
	if (json_object_get_boolean(dup) && counts_as_turn(e->in))
		loops_count(a, e->in->channel_id, e->v.root, -1);
	/*
	 * Also when it was there before: the answer to an earlier put may
	 * have been lost with the store. The lanes know what they have.
	 */
	if (!entry_stored(a, reply, e->in, &e->v, e->data))
		again(a, e->in);
	entering_free(e);
}

/* What the turn needs to know, also after a restart. */
struct json_object *
intake_data(
    struct account *a, const struct inbound *in, const struct verdict *v)
{
	const char *name = in->actor_name;
	struct json_object *d;

	if (*name == '\0')
		name = users_name(a, in->actor_id);
	d = rowdata_make(a->policy, in, v, name == NULL ? "" : name);
	media_in_note(d, in);
	return d;
}

static void
put(struct account *a, struct entering *e)
{
	struct inbound *in = e->in;
	struct json_object *msg = chan_msg("inbox.put");
	/*
	 * An edit that adds a mention answers the post: the same identity,
	 * so that neither comes twice, whatever comes first.
	 */
	enum inbound_kind kind =
	    in->kind == INBOUND_EDIT ? INBOUND_POST : in->kind;
	const char *id = in->kind == INBOUND_EDIT ? in->post_id : in->event_id;

	e->data = intake_data(a, in, &e->v);
	add_str(msg, "kind", inbound_kind_name(kind));
	add_str(msg, "event", id);
	add_str(msg, "lane", e->v.lane);
	add_str(msg, "channel", in->channel_id);
	if (e->v.root[0] != '\0')
		add_str(msg, "root", e->v.root);
	add_str(msg, "rule", e->v.rule);
	add_int(msg, "at", in->create_at);
	add_obj(msg, "data", json_object_get(e->data));
	a->intake->putting++;
	e->epoch = a->put_epoch;
	add_int(msg, "epoch", e->epoch);
	/* Its turn will begin at once. */
	if (a->debounce_ms == 0 && lanes_idle(a, e->v.lane))
		add_bool(msg, "tell", 1);
	if (counts_as_turn(in)) {
		loops_count(a, in->channel_id, e->v.root, 1);
		add_bool(msg, "bots", 1);
	}
	storelink_request(a, msg, put_done, e);
}

/* Deciding */

/* Once for a channel: who wonders why nobody answers looks into the log. */
static void
hint(struct account *a, struct channel *ch)
{
	if (ch->hinted)
		return;
	ch->hinted = 1;
	log_event(LOG_INFO, "channel.needs_mention", "account", a->id,
	    "channel", ch->id, "hint",
	    "groups.<channel>.requireMention: false answers all", NULL);
}

static void
dropped(struct account *a, struct entering *e)
{
	if (e->v.reason == REASON_NO_MENTION)
		hint(a, channel_get(a, e->in->channel_id));
	if (e->v.kind == VERDICT_ACCEPT) {
		notes_put(a, e->in, &e->v);
		drops_noted(a, e->in, e->v.rule);
	} else
		drops_add(a, e->in, e->v.reason, e->v.rule);
	if (e->v.history)
		notes_history(a, e->in, &e->v);
	if (is_message(e->in))
		mark_end(a, channel_get(a, e->in->channel_id));
	entering_free(e);
}

static void
paired(struct account *a, enum pairing_end end, const char *code, void *arg)
{
	struct entering *e = arg;

	switch (end) {
	case PAIRING_NO_STORE:
		refused(a, e, "pairing");
		return;
	case PAIRING_LET_IN:
		judge(a, e->in, e->missed);
		e->in = NULL;
		entering_free(e);
		return;
	case PAIRING_TOO_MANY:
		e->v.reason = REASON_PAIRING_FULL;
		break;
	default:
		break;
	}
	dropped(a, e);
}

/* A person ends what bots alone have been at, answered or not. */
static void
end_loop(struct account *a, const struct inbound *in)
{
	char root[MM_ID_SIZE];

	if (!is_message(in) || inbound_of_bot(in) ||
	    strcmp(in->actor_id, a->bot_id) == 0)
		return;
	inbound_root(a->policy, in, root);
	loops_human(a, in->channel_id, root);
}

static void
judge(struct account *a, struct inbound *in, int missed)
{
	struct channel *ch = channel_get(a, in->channel_id);
	struct channel_info info = {ch->type, ch->name, ch->display,
	    ch->team_id};
	struct facts facts = {.now = clock_now(a), .missed = missed,
	    .participates = threads_participates, .bot_turns = loops_turns,
	    .arg = a, .mention = gates_get(a, in->channel_id)};
	struct entering *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal("calloc");
	e->a = a;
	e->in = in;
	e->missed = missed;
	decide(a->policy, &a->intake->bot, &info, &facts, in, &e->v);
	end_loop(a, in);
	if (e->v.kind == VERDICT_PAIR) {
		pairing_start(a, in, is_message(in), paired, e);
		return;
	}
	if (e->v.kind != VERDICT_ACCEPT || !e->v.runs) {
		dropped(a, e);
		return;
	}
	a->last_in = walltime_ms();
	put(a, e);
}

/* What must be known before a decision is asked for by REST. */

/* It cannot be told now: the post stays with the server's. */
static int
may_pass(const struct net_result *r)
{
	return r->ending != NET_ANSWERED || r->status == 429 ||
	    r->status == 401 || r->status >= 500;
}

static void
not_told(struct account *a, struct entering *e, const struct net_result *r,
    struct json_object *body)
{
	char buf[256], why[300];

	snprintf(why, sizeof(why), "look-up: %s",
	    api_error(r, body, buf, sizeof(buf)));
	refused(a, e, why);
}

/* What came behind the post that was asked about. */
static void
go_on(struct account *a, struct channel *ch)
{
	struct inbound *in;
	int missed;

	while (!ch->asking &&
	    (in = channel_unhold(&ch->behind, &missed)) != NULL)
		enter(a, in, missed);
}

static void
user_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct entering *e = arg;
	struct channel *ch = channel_get(a, e->in->channel_id);

	ch->asking = 0;
	if (may_pass(r)) {
		not_told(a, e, r, body);
		return;
	}
	/* Unknown stays unknown, which denies. */
	if (api_ok(r, body, 200)) {
		users_learn_one(a, body);
		e->in->actor_is_bot = users_is_bot(a, e->in->actor_id);
		inbound_set(&e->in->actor_name, api_str(body, "username"));
	}
	judge(a, e->in, e->missed);
	free(e);
	go_on(a, ch);
}

static void
channel_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct entering *e = arg;
	struct channel *ch = channel_get(a, e->in->channel_id);

	ch->asking = 0;
	if (may_pass(r)) {
		not_told(a, e, r, body);
		return;
	}
	if (api_ok(r, body, 200))
		channel_learn(a, body);
	else
		ch->type = '?'; /* denied */
	take(a, e->in, e->missed);
	free(e);
	go_on(a, ch);
}

static void
ask(struct account *a, struct inbound *in, int missed, const char *what,
    const char *id, api_fn fn)
{
	struct entering *e;
	char path[64];

	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal("calloc");
	e->a = a;
	e->in = in;
	e->missed = missed;
	channel_get(a, in->channel_id)->asking = 1;
	snprintf(path, sizeof(path), "/%s/%s", what, id);
	api_get(a, path, fn, e);
}

static void
take(struct account *a, struct inbound *in, int missed)
{
	struct channel *ch = channel_get(a, in->channel_id);

	if (in->actor_is_bot == TRI_UNKNOWN)
		in->actor_is_bot = users_is_bot(a, in->actor_id);
	if (ch->type == 0)
		ask(a, in, missed, "channels", ch->id, channel_done);
	else if (in->actor_is_bot == TRI_UNKNOWN &&
	    strcmp(in->actor_id, a->bot_id) != 0)
		ask(a, in, missed, "users", in->actor_id, user_done);
	else
		judge(a, in, missed);
}

static void
enter(struct account *a, struct inbound *in, int missed)
{
	struct channel *ch = channel_get(a, in->channel_id);
	char key[EVENT_ID_SIZE];

	if (ch->asking) {
		channel_hold(&ch->behind, in, missed);
		return;
	}
	trim_event(a);
	inbound_seen_key(in, key);
	if (seen_add(a->intake->seen, key)) {
		drops_count(a, in->kind, REASON_DUPLICATE);
		if (is_message(in))
			mark_again(a, ch, in);
		inbound_free(in);
		return;
	}
	if (is_message(in))
		mark_begin(a, ch, in);
	take(a, in, missed);
}

void
intake_known(struct account *a, const char *post_id)
{
	seen_add(a->intake->seen, post_id);
}

int
intake_putting(const struct account *a)
{
	return a->intake->putting > 0;
}

/* It says nothing of how far the channel was read, and waits for nothing. */
void
intake_reaction(struct account *a, struct inbound *in, int missed)
{
	char opposite[EVENT_ID_SIZE];
	const char *name = users_name(a, in->actor_id);

	if (name != NULL)
		inbound_set(&in->actor_name, name);
	notes_opposite(in, opposite, sizeof(opposite));
	seen_forget(a->intake->seen, opposite);
	enter(a, in, missed);
}

void
intake_post(struct account *a, struct json_object *post)
{
	struct inbound *in;
	enum reason why;
	const char *name;

	if ((in = decode_post(post, INBOUND_POST, a->id, &why)) == NULL) {
		char id[MM_ID_SIZE] = "", channel[MM_ID_SIZE] = "";

		decode_post_ids(post, id, channel);
		drops_bad(a, INBOUND_POST, NULL, id, channel, why);
		return;
	}
	if ((name = users_name(a, in->actor_id)) != NULL)
		inbound_set(&in->actor_name, name);
	enter(a, in, 1);
}

/*
 * A live post or edit. Older ones of its channel may still be on their way
 * from the gap fill, and are to be answered first.
 */
static void
enter_live(struct account *a, struct inbound *in)
{
	struct channel *ch;

	channel_learn_event(a, in);
	ch = channel_get(a, in->channel_id);
	if (ch->open) {
		enter(a, in, 0);
		return;
	}
	channel_hold(&ch->held, in, 0);
	/* A channel that no list has told us of. */
	if (!ch->filling && gapfill_complete(a))
		gapfill_channel(a, ch->id);
}

void
intake_open(struct account *a, struct channel *ch)
{
	struct inbound *in;
	int missed;

	while ((in = channel_unhold(&ch->held, &missed)) != NULL)
		enter(a, in, missed);
}

static void
lifecycle(struct account *a, const struct event *ev)
{
	int own = strcmp(ev->user_id, a->bot_id) == 0;

	switch (ev->type) {
	case EVENT_DIRECT_ADDED:
	case EVENT_GROUP_ADDED:
	case EVENT_CHANNEL_CREATED:
		gapfill_channel(a, ev->channel_id);
		break;
	case EVENT_USER_ADDED:
		if (own)
			gapfill_channel(a, ev->channel_id);
		break;
	case EVENT_ADDED_TO_TEAM:
	case EVENT_LEAVE_TEAM:
	case EVENT_TEAM_ROLE: /* perhaps it may create commands now */
		if (own)
			slash_sync(a);
		break;
	case EVENT_USER_UPDATED:
		/* Disabled, enabled, a new token: the old socket is deaf. */
		if (own && ev->update_at > a->bot_update_at)
			conn_drop(a, "the bot account was changed");
		break;
	default:
		break;
	}
}

void
intake_event(struct account *a, struct event *ev)
{
	struct inbound *in = ev->in;

	switch (ev->type) {
	case EVENT_POSTED:
		users_learn(a, in->actor_id, in->actor_name);
		ev->in = NULL;
		enter_live(a, in);
		break;
	case EVENT_EDITED:
		ev->in = NULL;
		enter_live(a, in);
		break;
	case EVENT_REACTION_ADDED:
	case EVENT_REACTION_REMOVED:
		ev->in = NULL;
		intake_reaction(a, in, 0);
		break;
	case EVENT_BAD:
		drops_bad(a, ev->kind, ev->name, ev->post_id, ev->channel_id,
		    ev->reason);
		break;
	default:
		lifecycle(a, ev);
		break;
	}
}

void
intake_flush(struct account *a)
{
	drops_flush(a);
	marks_flush(a);
}
