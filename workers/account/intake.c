#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/callback/selftest.h"
#include "workers/account/channels.h"
#include "workers/account/command/slash.h"
#include "workers/account/conn.h"
#include "workers/account/decode.h"
#include "workers/account/drops.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/history/notes.h"
#include "workers/account/intake_int.h"
#include "workers/account/judge.h"
#include "workers/account/lanes.h"
#include "workers/account/outbox.h"
#include "workers/account/seen.h"
#include "workers/account/trim.h"
#include "workers/account/users.h"

/* An inbound that waits to be known better. */
struct asked {
	struct inbound *in;
	int missed;
	unsigned doubts; /* of its channel, when asked */
};

static void enter(struct account *, struct inbound *, int missed);
static void take(struct account *, struct inbound *, int missed);

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

int
intake_is_message(const struct inbound *in)
{
	return in->kind == INBOUND_POST || in->kind == INBOUND_EDIT;
}

const struct bot_identity *
intake_bot(const struct account *a)
{
	return &a->intake->bot;
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
not_told(struct account *a, struct asked *q, const struct net_result *r,
    struct json_object *body)
{
	char buf[256], why[300];

	snprintf(why, sizeof(why), "look-up: %s",
	    api_error(r, body, buf, sizeof(buf)));
	judge_failed(a, q->in, why);
	free(q);
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
	struct asked *q = arg;
	struct channel *ch = channel_get(a, q->in->channel_id);

	ch->asking = 0;
	if (may_pass(r)) {
		not_told(a, q, r, body);
		return;
	}
	/* Unknown stays unknown, which denies. */
	if (api_ok(r, body, 200)) {
		users_learn_one(a, body);
		q->in->actor_is_bot = users_is_bot(a, q->in->actor_id);
		inbound_set(&q->in->actor_name, api_str(body, "username"));
	}
	judge_inbound(a, q->in, q->missed);
	free(q);
	go_on(a, ch);
}

static void
channel_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct asked *q = arg;
	struct channel *ch = channel_get(a, q->in->channel_id);

	ch->asking = 0;
	if (may_pass(r)) {
		not_told(a, q, r, body);
		return;
	}
	ch->settled = q->doubts;
	if (api_ok(r, body, 200))
		channel_learn(a, body);
	else
		ch->type = '?'; /* denied */
	take(a, q->in, q->missed);
	free(q);
	go_on(a, ch);
}

static void
ask(struct account *a, struct inbound *in, int missed, const char *what,
    const char *id, api_fn fn)
{
	struct channel *ch = channel_get(a, in->channel_id);
	struct asked *q;
	char path[64];

	if ((q = calloc(1, sizeof(*q))) == NULL)
		fatal("calloc");
	q->in = in;
	q->missed = missed;
	q->doubts = ch->doubts;
	ch->asking = 1;
	snprintf(path, sizeof(path), "/%s/%s", what, id);
	api_get(a, path, fn, q);
}

static void
take(struct account *a, struct inbound *in, int missed)
{
	struct channel *ch = channel_get(a, in->channel_id);

	if (in->actor_is_bot == TRI_UNKNOWN)
		in->actor_is_bot = users_is_bot(a, in->actor_id);
	if (ch->type == 0 || channel_in_doubt(ch))
		ask(a, in, missed, "channels", ch->id, channel_done);
	else if (in->actor_is_bot == TRI_UNKNOWN &&
	    strcmp(in->actor_id, a->bot_id) != 0)
		ask(a, in, missed, "users", in->actor_id, user_done);
	else
		judge_inbound(a, in, missed);
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
		if (intake_is_message(in))
			mark_again(a, ch, in);
		inbound_free(in);
		return;
	}
	if (intake_is_message(in))
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
	case EVENT_CHANNEL_UPDATED: /* made private, perhaps, or public */
		channel_doubt(a, ev->channel_id);
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

/*
 * A webhook may call itself anything, and what the server says is by
 * "System": both in the name of the user whose post it is.
 */
static int
is_own_name(const struct inbound *in)
{
	return !in->from_webhook && strncmp(in->type, "system_", 7) != 0;
}

void
intake_event(struct account *a, struct event *ev)
{
	struct inbound *in = ev->in;

	switch (ev->type) {
	case EVENT_POSTED:
		if (is_own_name(in))
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
