#include "config.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
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
#include "workers/account/conn.h"
#include "workers/account/lanes.h"
#include "workers/account/lookup.h"
#include "workers/account/outbox.h"
#include "workers/account/outbox_int.h"
#include "workers/account/preview/sweep.h"
#include "workers/account/standing.h"
#include "workers/account/storelink.h"

#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 60000
#define STRANGE_MAX 10 /* some minutes */
#define CLOCK_SLACK_MS 600000 /* our clock against the server's */
#define TEXT_MAX (512u * 1024)
#define TOLD_MAX 256
#define KEY_SCHEDULED 's' /* the first letter of such a key */

struct outbox {
	struct out_rows rows; /* in order */
	int pending;
	/*
	 * The last ends told to the store. Nobody answers them, so those a
	 * dying store may not have written are told to the next one.
	 */
	struct json_object *told[TOLD_MAX];
	size_t n_told;
};

struct outbox *
outbox_new(struct account *a)
{
	struct outbox *o;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		fatal("calloc");
	TAILQ_INIT(&o->rows);
	return o;
}

struct out_rows *
outbox_rows(struct account *a)
{
	return &a->outbox->rows;
}

void
outbox_key(char *buf, int64_t seq, int n)
{
	uint64_t random;

	arc4random_buf(&random, sizeof(random));
	snprintf(buf, OUTBOX_KEY_SIZE, "p%llx.%d.%016llx", (long long)seq, n,
	    (unsigned long long)random);
}

/* The key tells, for it is known after a restart, too. */
void
outbox_scheduled(struct json_object *items)
{
	size_t i, n = json_object_array_length(items);
	struct json_object *o;
	char key[OUTBOX_KEY_SIZE];

	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(items, i);
		(void)strlcpy(key, api_str(o, "key"), sizeof(key));
		key[0] = KEY_SCHEDULED;
		add_str(o, "key", key);
	}
}

struct json_object *
outbox_item(const char *key, const char *op, const char *channel,
    const char *root, const char *post, const char *text)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "key", key);
	add_str(o, "op", op);
	add_str(o, "channel", channel);
	add_str(o, "root", root);
	add_str(o, "post", post);
	add_str(o, "text", text);
	add_obj(o, "props", json_object_new_object());
	return o;
}

void
outbox_item_props(struct json_object *item, struct json_object *props)
{
	add_obj(item, "props", props);
}

/* The next row of the same lane goes when this one is gone. */
static struct out_row *
lane_first(struct account *a, const char *lane_key)
{
	struct out_row *r;

	TAILQ_FOREACH(r, &a->outbox->rows, entry)
		if (strcmp(r->lane_key, lane_key) == 0)
			return r;
	return NULL;
}

static void
row_end(struct out_row *r, const char *post, const char *failed)
{
	struct account *a = r->a;
	struct lane *lane = r->lane;
	struct out_row *next = NULL;

	TAILQ_REMOVE(&a->outbox->rows, r, entry);
	a->outbox->pending--;
	if (r->lane_key[0] != '\0')
		next = lane_first(a, r->lane_key);
	if (r->fn != NULL)
		r->fn(a, post, failed, r->arg);
	if (r->timer != NULL)
		event_free(r->timer);
	json_object_put(r->props);
	free(r->text);
	json_object_put(r->files);
	free(r);
	if (next != NULL)
		outrow_go(next);
	lanes_release(a, lane);
}

static void
tell(struct account *a, struct json_object *msg)
{
	struct json_object **slot =
	    &a->outbox->told[a->outbox->n_told++ % TOLD_MAX];

	json_object_put(*slot);
	*slot = msg;
	storelink_tell(a, json_object_get(msg));
}

void
outbox_retell(struct account *a)
{
	struct outbox *o = a->outbox;
	size_t i, n = o->n_told < TOLD_MAX ? o->n_told : TOLD_MAX;

	for (i = o->n_told - n; i < o->n_told; i++)
		storelink_tell(a, json_object_get(o->told[i % TOLD_MAX]));
}

/*
 * An answer in a thread, of a channel: there the bot takes part from now
 * on. What was sent by an operator or a program is no answer.
 */
static int
takes_part(const struct out_row *r)
{
	const struct channel *ch = channel_find(r->a, r->channel);

	return r->seq != 0 && r->key[0] != KEY_SCHEDULED &&
	    (r->op == OUT_POST || r->op == OUT_EDIT) &&
	    r->root[0] != '\0' &&
	    (ch == NULL || ch->type != 'D');
}

void
outrow_done(struct out_row *r, const char *post)
{
	struct json_object *msg = chan_msg("outbox.done");

	if (takes_part(r))
		add_bool(msg, "thread", 1);
	add_str(msg, "key", r->key);
	add_str(msg, "post", post);
	tell(r->a, msg);
	if (r->op == OUT_POST || r->op == OUT_EDIT) {
		r->a->n_answers++;
		r->a->last_out = walltime_ms();
	}
	row_end(r, post, NULL);
}

static void
row_dead(struct out_row *r, int status, const char *why)
{
	struct json_object *msg = chan_msg("outbox.dead");

	log_event(LOG_WARNING, "outbox.dead", "account", r->a->id, "channel",
	    r->channel, "error", why, NULL);
	add_str(msg, "key", r->key);
	add_str(msg, "reason", "refused");
	add_int(msg, "status", status);
	add_str(msg, "text", why);
	tell(r->a, msg);
	row_end(r, "", why);
}

static void
on_timer(int fd, short what, void *arg)
{
	outrow_go(arg);
}

/* at_least: what the server asked for, or -1. */
void
outrow_later(struct out_row *r, int64_t at_least)
{
	int64_t ms = loop_backoff(r->tries++, BACKOFF_MS, BACKOFF_MAX_MS);

	if (ms < at_least)
		ms = at_least;
	if (r->timer == NULL &&
	    (r->timer = evtimer_new(r->a->base, on_timer, r)) == NULL)
		fatalx("evtimer_new");
	loop_timer(r->timer, ms);
}

void
outrow_failed(struct out_row *r, const struct net_result *res,
    struct json_object *body)
{
	char why[256];
	int64_t wait = -1;

	api_error(res, body, why, sizeof(why));
	if (res->ending == NET_ANSWERED && res->status == 401) {
		/* Not the row's fault: it waits until the token is good. */
		conn_unauthorised(r->a);
		outrow_later(r, BACKOFF_MAX_MS);
		return;
	}
	if (res->ending == NET_ANSWERED && res->status >= 400 &&
	    res->status < 500 && res->status != 429 && res->status != 408) {
		row_dead(r, res->status, why);
		return;
	}
	/* Meant for this very post, perhaps: the others must not wait. */
	if (res->status == API_STRANGER && ++r->strange == STRANGE_MAX) {
		row_dead(r, res->status, why);
		return;
	}
	/* A 5xx may have been too late: the post can be there. */
	if (res->ending == NET_MAYBE ||
	    (res->ending == NET_ANSWERED && res->status >= 500))
		r->unclear = 1;
	if (res->ratelimit_reset_ms > wait)
		wait = res->ratelimit_reset_ms;
	if (res->retry_after_ms > wait)
		wait = res->retry_after_ms;
	log_event(LOG_INFO, "outbox.retry", "account", r->a->id, "channel",
	    r->channel, "error", why, "tries", LOG_NUM(r->tries + 1), NULL);
	outrow_later(r, wait);
}

static void
look_done(struct account *a, const char *post, const char *failed, void *arg)
{
	struct out_row *r = arg;

	r->look = NULL;
	if (failed != NULL) {
		outrow_later(r, -1);
		return;
	}
	if (*post != '\0') {
		outrow_posted(r, post);
		return;
	}
	/* Unclear it stays: should this one fail, an earlier may be late. */
	outrow_post(r);
}

/* An earlier life wrote it down by the clock of this host. */
static int64_t
created_at(const struct out_row *r)
{
	return r->created + (r->created_here ? clock_offset(r->a) : 0);
}

static void
sweep_done(void *arg)
{
	struct out_row *r = arg;

	r->sweep = NULL;
	outrow_done(r, "");
}

/* Edits and deletions may be repeated; a post must be looked for first. */
void
outrow_go(struct out_row *r)
{
	if (r->req != NULL || r->look != NULL || r->sweep != NULL)
		return;
	if (r->lane_key[0] != '\0' && lane_first(r->a, r->lane_key) != r)
		return;
	/* Without an identity our posts cannot be told from others. */
	if (r->a->bot_id[0] == '\0')
		return;
	/* Somebody may answer to it before we are told that it is there. */
	if (takes_part(r))
		threads_note(r->a, r->channel, r->root);
	if (r->op == OUT_EDIT)
		outrow_edit(r);
	else if (r->op == OUT_DELETE)
		outrow_delete(r);
	else if (r->op == OUT_SWEEP)
		r->sweep = sweep_start(
		    r->a, r->channel, r->text, r->props, sweep_done, r);
	else if (r->unclear)
		r->look = lookup_start(r->a, r->channel,
		    created_at(r) - CLOCK_SLACK_MS, MARK_OUTBOX, r->key,
		    look_done, r);
	else
		outrow_post(r);
}

/* Takes the members that turn.commit and outbox.row have in common. */
static struct out_row *
row_new(struct account *a, struct fields *f, const char *lane, int64_t seq)
{
	const char *key, *op, *channel, *root, *post, *text;
	struct json_object *props, *files;
	struct out_row *r;

	key = fields_str(f, "key", OUTBOX_KEY_SIZE - 1);
	op = fields_str(f, "op", 16);
	channel = fields_str(f, "channel", MM_ID_LEN);
	root = fields_str(f, "root", MM_ID_LEN);
	post = fields_str(f, "post", MM_ID_LEN);
	text = fields_str(f, "text", TEXT_MAX);
	props = fields_opt_obj(f, "props");
	files = fields_opt_arr(f, "files", MM_FILES_MAX);
	if (fields_end(f) == -1 || strlen(lane) >= LANE_KEY_SIZE) {
		log_warnx("outbox row: %s", fields_error(f));
		return NULL;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL ||
	    (r->text = strdup(text)) == NULL)
		fatal("calloc");
	r->a = a;
	r->op = strcmp(op, "edit") == 0 ? OUT_EDIT :
	    strcmp(op, "delete") == 0   ? OUT_DELETE :
	    strcmp(op, "sweep") == 0    ? OUT_SWEEP :
					  OUT_POST;
	/* A sweep takes its time: nobody waits for it. */
	if (r->op == OUT_SWEEP)
		lane = "";
	r->seq = seq;
	if (json_object_is_type(props, json_type_object))
		r->props = json_object_get(props);
	r->files = json_object_get(files);
	ID_COPY(r->key, key);
	ID_COPY(r->lane_key, lane);
	ID_COPY(r->channel, channel);
	ID_COPY(r->root, root);
	ID_COPY(r->post, post);
	r->created = clock_now(a);
	r->lane = lanes_hold(a, lane);
	TAILQ_INSERT_TAIL(&a->outbox->rows, r, entry);
	a->outbox->pending++;
	return r;
}

void
outbox_add(struct account *a, struct json_object *items, const char *lane,
    int64_t seq, outbox_fn fn, void *arg)
{
	size_t i, n = json_object_array_length(items);
	struct out_row *r;
	struct fields f;

	for (i = 0; i < n; i++) {
		fields_open(&f, json_object_array_get_idx(items, i));
		if ((r = row_new(a, &f, lane, seq)) == NULL)
			fatalx("outbox: a row of our own is wrong");
		if (i == 0) {
			r->fn = fn;
			r->arg = arg;
		}
		outrow_go(r);
	}
}

int
outbox_restore(struct account *a, struct json_object *msg)
{
	struct out_row *r, *old;
	const char *lane;
	int64_t seq, created;
	struct fields f;

	fields_open(&f, msg);
	lane = fields_str(&f, "lane", LANE_KEY_SIZE - 1);
	seq = fields_int(&f, "seq", 0, INT64_MAX);
	created = fields_int(&f, "created", 0, INT64_MAX);
	TAILQ_FOREACH(old, &a->outbox->rows, entry)
		if (strcmp(old->key, api_str(msg, "key")) == 0)
			return 0;
	if ((r = row_new(a, &f, lane, seq)) == NULL)
		return -1;
	r->created = created;
	r->created_here = 1;
	r->unclear = 1; /* an earlier life may have sent it */
	return 0;
}

void
outbox_kick(struct account *a)
{
	struct out_row *r, *next;

	for (r = TAILQ_FIRST(&a->outbox->rows); r != NULL; r = next) {
		next = TAILQ_NEXT(r, entry);
		outrow_go(r);
	}
}

int
outbox_pending(const struct account *a)
{
	return a->outbox->pending;
}
