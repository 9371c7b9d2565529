#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/decode_impl.h"
#include "workers/account/history/pending.h"
#include "workers/account/session_key.h"
#include "workers/account/storelink.h"
#include "workers/account/surface.h"

#define FLUSH_MS 100
#define LOOK_MS (MARK_SETTLE_MS + 50) /* timers fire a little early */

static int
channel_cmp(const struct channel *a, const struct channel *b)
{
	return strcmp(a->id, b->id);
}

RB_GENERATE_STATIC(channel_tree, channel, entry, channel_cmp)

static void on_settle(int, short, void *);

static void
on_flush(int fd, short what, void *arg)
{
	marks_flush(arg);
}

struct channels *
channels_new(struct account *a)
{
	struct channels *cs;

	if ((cs = calloc(1, sizeof(*cs))) == NULL ||
	    (cs->timer = evtimer_new(a->base, on_flush, a)) == NULL ||
	    (cs->settle = evtimer_new(a->base, on_settle, a)) == NULL)
		fatal("calloc");
	RB_INIT(&cs->tree);
	return cs;
}

struct channel *
channel_find(struct account *a, const char *id)
{
	struct channel key;

	if (!mm_id_valid(id))
		return NULL;
	ID_COPY(key.id, id);
	return RB_FIND(channel_tree, &a->channels->tree, &key);
}

int
channel_is_known(struct account *a, const char *id)
{
	const struct channel *ch = channel_find(a, id);

	return ch != NULL && ch->type != 0 && ch->type != '?';
}

struct channel *
channel_get(struct account *a, const char *id)
{
	struct channel *ch = channel_find(a, id);

	if (ch != NULL)
		return ch;
	if ((ch = calloc(1, sizeof(*ch))) == NULL)
		fatal("calloc");
	ID_COPY(ch->id, id);
	STAILQ_INIT(&ch->held);
	STAILQ_INIT(&ch->behind);
	RB_INSERT(channel_tree, &a->channels->tree, ch);
	a->channels->n++;
	return ch;
}

struct channel *
channel_first(struct account *a)
{
	return RB_MIN(channel_tree, &a->channels->tree);
}

struct channel *
channel_next(struct channel *ch)
{
	return RB_NEXT(channel_tree, NULL, ch);
}

static void
set_text(char **dst, const char *src)
{
	if (*src == '\0' || (*dst != NULL && strcmp(*dst, src) == 0))
		return;
	decode_short(dst, src, MM_NAME_MAX);
}

/* The words of session_key.c for what it was and is. */
static void
history_follows(struct account *a, const struct channel *ch, char type)
{
	char part[SESSION_PART_SIZE], now[SESSION_PART_SIZE];
	enum surface s = surface_of(ch->type), t = surface_of(type);

	if (s == t || s == SURFACE_UNKNOWN || t == SURFACE_UNKNOWN ||
	    a->pending == NULL)
		return;
	session_part(s, ch->id, part);
	session_part(t, ch->id, now);
	pending_renamed(a->pending, part, now);
}

static void
set_type(struct account *a, struct channel *ch, char type)
{
	history_follows(a, ch, type);
	ch->type = type;
}

void
channel_doubt(struct account *a, const char *id)
{
	struct channel *ch = channel_find(a, id);

	if (ch != NULL)
		ch->doubts++;
}

int
channel_in_doubt(const struct channel *ch)
{
	return ch->doubts != ch->settled;
}

struct channel *
channel_learn(struct account *a, struct json_object *obj)
{
	const char *type = api_str(obj, "type");
	struct channel *ch;

	if (!mm_id_valid(api_str(obj, "id")))
		return NULL;
	ch = channel_get(a, api_str(obj, "id"));
	set_type(a, ch, strlen(type) == 1 ? type[0] : 0);
	set_text(&ch->name, api_str(obj, "name"));
	set_text(&ch->display, api_str(obj, "display_name"));
	if (mm_id_valid(api_str(obj, "team_id")))
		ID_COPY(ch->team_id, api_str(obj, "team_id"));
	if (api_int(obj, "last_post_at") > ch->last_post_at)
		ch->last_post_at = api_int(obj, "last_post_at");
	return ch;
}

void
channel_learn_event(struct account *a, const struct inbound *in)
{
	struct channel *ch = channel_get(a, in->channel_id);

	if (ch->type == 0)
		ch->type = in->channel_type;
	set_text(&ch->name, in->channel_name);
	set_text(&ch->display, in->channel_display);
	if (ch->team_id[0] == '\0' && in->team_id[0] != '\0')
		ID_COPY(ch->team_id, in->team_id);
}

/* Marks */

int
marks_restore(struct account *a, struct json_object *row)
{
	const char *id, *post;
	struct channel *ch;
	struct fields f;
	int64_t at;

	fields_open(&f, row);
	id = fields_str(&f, "channel", 64);
	post = fields_str(&f, "post", 64);
	at = fields_int(&f, "at", 0, INT64_MAX);
	if (fields_end(&f) == -1 || !mm_id_valid(id) ||
	    (*post != '\0' && !mm_id_valid(post)))
		return -1;
	ch = channel_get(a, id);
	ch->mark_at = at;
	ID_COPY(ch->mark_post, post);
	return 0;
}

void
marks_set_first(struct account *a, int64_t at)
{
	a->channels->first_at = at != 0 ? at : walltime_ms();
}

static void
mark_write(struct account *a, struct channel *ch)
{
	ch->dirty = 1;
	if (!evtimer_pending(a->channels->timer, NULL))
		loop_timer(a->channels->timer, FLUSH_MS);
}

/*
 * What was told of when the mark was last looked at becomes the mark: by now
 * all that is dated before it has been told of, and nothing of it is under
 * way.
 */
static void
mark_move(struct account *a, struct channel *ch)
{
	struct channels *cs = a->channels;

	if (!ch->open || ch->inflight > 0 || ch->next_at <= ch->mark_at)
		return;
	if (!evtimer_pending(cs->settle, NULL))
		loop_timer(cs->settle, LOOK_MS);
	if (ch->ripe_at > ch->mark_at) {
		if (monotime_since(ch->ripe_since) < MARK_SETTLE_MS)
			return;
		ch->mark_at = ch->ripe_at;
		ID_COPY(ch->mark_post, ch->ripe_post);
		mark_write(a, ch);
	}
	ch->ripe_at = ch->next_at;
	ID_COPY(ch->ripe_post, ch->next_post);
	ch->ripe_since = monotime_now();
}

static void
on_settle(int fd, short what, void *arg)
{
	struct account *a = arg;
	struct channel *ch;

	RB_FOREACH(ch, channel_tree, &a->channels->tree)
		mark_move(a, ch);
}

/* What was seen beyond the mark will be seen again. */
static void
mark_back(struct channel *ch)
{
	ch->open = 0;
	ch->next_at = ch->ripe_at = ch->mark_at;
}

/* The first mark is at once, by time alone: the server's, not ours. */
static void
mark_first(struct account *a, struct channel *ch, int64_t at)
{
	int64_t mark = at - MARK_SETTLE_MS;

	if (mark < ch->base_at)
		mark = ch->base_at < at ? ch->base_at : at - 1;
	if (mark <= 0)
		return;
	ch->mark_at = mark;
	mark_write(a, ch);
}

/* By the time that it could be a mark it would still lie ahead. */
static int
mark_ahead(struct account *a, int64_t at)
{
	return at > clock_now(a) + MARK_SETTLE_MS;
}

static void
mark_note(struct account *a, struct channel *ch, const struct inbound *in)
{
	int64_t at = in->create_at;
	int ahead = mark_ahead(a, at);

	if (ahead)
		at = clock_now(a);
	if (ch->mark_at == 0)
		mark_first(a, ch, at);
	if (at <= ch->next_at)
		return;
	ch->next_at = at;
	ID_COPY(ch->next_post, ahead ? "" : in->post_id);
}

void
mark_doubt(struct account *a, struct channel *ch)
{
	if (!mark_ahead(a, ch->mark_at))
		return;
	log_event(LOG_WARNING, "mark.ahead", "account", a->id, "channel",
	    ch->id, "at", LOG_NUM(ch->mark_at), NULL);
	ch->mark_at = clock_now(a) - a->fill_age_ms;
	ch->mark_post[0] = '\0';
	mark_back(ch);
}

void
mark_begin(struct account *a, struct channel *ch, const struct inbound *in)
{
	ch->inflight++;
	mark_note(a, ch, in);
}

void
mark_again(struct account *a, struct channel *ch, const struct inbound *in)
{
	mark_note(a, ch, in);
	mark_move(a, ch);
}

void
mark_end(struct account *a, struct channel *ch)
{
	ch->inflight--;
	mark_move(a, ch);
}

void
mark_failed(struct account *a, struct channel *ch)
{
	ch->inflight--;
	mark_back(ch);
}

void
channel_hold(struct held_list *list, struct inbound *in, int missed)
{
	struct held *h;

	if ((h = malloc(sizeof(*h))) == NULL)
		fatal("malloc");
	h->in = in;
	h->missed = missed;
	STAILQ_INSERT_TAIL(list, h, entry);
}

struct inbound *
channel_unhold(struct held_list *list, int *missed)
{
	struct held *h = STAILQ_FIRST(list);
	struct inbound *in;

	if (h == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(list, entry);
	in = h->in;
	*missed = h->missed;
	free(h);
	return in;
}

/* How many. */
static int
held_forget(struct held_list *list)
{
	struct inbound *in;
	int missed, n;

	for (n = 0; (in = channel_unhold(list, &missed)) != NULL; n++)
		inbound_free(in);
	return n;
}

int
marks_close(struct account *a)
{
	struct channel *ch;
	int n = 0;

	RB_FOREACH(ch, channel_tree, &a->channels->tree) {
		ch->filling = 0;
		mark_back(ch);
		n += held_forget(&ch->held) + held_forget(&ch->behind);
	}
	return n > 0;
}

void
mark_open(struct account *a, struct channel *ch)
{
	ch->open = 1;
	mark_move(a, ch);
}

void
marks_flush(struct account *a)
{
	struct json_object *msg;
	struct channel *ch;

	RB_FOREACH(ch, channel_tree, &a->channels->tree) {
		if (!ch->dirty)
			continue;
		ch->dirty = 0;
		msg = chan_msg("mark");
		add_str(msg, "channel", ch->id);
		add_str(msg, "post", ch->mark_post);
		add_int(msg, "at", ch->mark_at);
		storelink_tell(a, msg);
	}
}
