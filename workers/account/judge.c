#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/callback/entry.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/conn.h"
#include "workers/account/drops.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/gates.h"
#include "workers/account/history/notes.h"
#include "workers/account/intake_int.h"
#include "workers/account/judge.h"
#include "workers/account/lanes.h"
#include "workers/account/media/media_in.h"
#include "workers/account/pairing.h"
#include "workers/account/rowdata.h"
#include "workers/account/seen.h"
#include "workers/account/standing.h"
#include "workers/account/storelink.h"
#include "workers/account/users.h"

/* On its way into the inbox, or waiting to be let in. */
struct entering {
	struct inbound *in;
	struct verdict v;
	struct json_object *data;
	int64_t epoch; /* of its put; 0 before */
	int missed;
};

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
counts_as_turn(const struct inbound *in)
{
	return intake_is_message(in) && inbound_of_bot(in);
}

/* It stays with the server's posts and is taken again. */
void
judge_failed(struct account *a, struct inbound *in, const char *err)
{
	char key[EVENT_ID_SIZE];

	mark_failed(a, channel_get(a, in->channel_id));
	inbound_seen_key(in, key);
	seen_forget(a->intake->seen, key);
	log_event(LOG_ERR, "inbox.refused", "account", a->id, "event_id",
	    in->event_id, "error", err, NULL);
	conn_drop(a, store_err_words(err));
	inbound_free(in);
}

static void
refused(struct account *a, struct entering *e, const char *err)
{
	if (e->v.kind == VERDICT_ACCEPT && counts_as_turn(e->in))
		loops_count(a, e->in->channel_id, e->v.root, -1);
	gates_settled(e->in->event_id);
	if (e->epoch == a->put_epoch)
		a->put_epoch++;
	judge_failed(a, e->in, err);
	e->in = NULL;
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

struct json_object *
judge_data(
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

	e->data = judge_data(a, in, &e->v);
	gates_expect(in->channel_id, in->event_id, e->data);
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
	if (intake_is_message(e->in))
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
		judge_inbound(a, e->in, e->missed);
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

	if (!intake_is_message(in) || inbound_of_bot(in) ||
	    strcmp(in->actor_id, a->bot_id) == 0)
		return;
	inbound_root(a->policy, in, root);
	loops_human(a, in->channel_id, root);
}

void
judge_inbound(struct account *a, struct inbound *in, int missed)
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
	e->in = in;
	e->missed = missed;
	decide(a->policy, &a->intake->bot, &info, &facts, in, &e->v);
	end_loop(a, in);
	if (e->v.kind == VERDICT_PAIR) {
		pairing_start(a, in, intake_is_message(in), paired, e);
		return;
	}
	if (e->v.kind != VERDICT_ACCEPT || !e->v.runs) {
		dropped(a, e);
		return;
	}
	a->last_in = walltime_ms();
	put(a, e);
}

