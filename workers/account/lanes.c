#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/cmd.h"
#include "workers/account/command/picker.h"
#include "workers/account/gates.h"
#include "workers/account/lanes_int.h"
#include "workers/account/preview/preview.h"
#include "workers/account/rowdata.h"

#define WAIT_MAX_MS 3600000 /* for a retry, whatever the clocks say */

static int
lane_cmp(const struct lane *a, const struct lane *b)
{
	return strcmp(a->key, b->key);
}

RB_GENERATE(lane_tree, lane, entry, lane_cmp)

static struct lane *
lane_find(const struct account *a, const char *key)
{
	struct lane *l = RB_ROOT(&a->lanes->tree);
	int c;

	while (l != NULL && (c = strcmp(key, l->key)) != 0)
		l = c < 0 ? RB_LEFT(l, entry) : RB_RIGHT(l, entry);
	return l;
}

int
lanes_idle(const struct account *a, const char *lane)
{
	return lane_find(a, lane) == NULL;
}

static struct lane *
lane_get(struct account *a, const char *key)
{
	struct lane *l = lane_find(a, key);
	size_t len = strlen(key) + 1;

	if (l != NULL)
		return l;
	if ((l = calloc(1, sizeof(*l) + len)) == NULL)
		fatal("calloc");
	memcpy(l->key, key, len);
	TAILQ_INIT(&l->rows);
	RB_INSERT(lane_tree, &a->lanes->tree, l);
	return l;
}

static void
row_free(struct account *a, struct row *r)
{
	struct row *m;

	while ((m = TAILQ_FIRST(&r->merged)) != NULL) {
		TAILQ_REMOVE(&r->merged, m, entry);
		row_free(a, m);
	}
	a->lanes->waiting--;
	gates_settled(r->event);
	preview_free(r->preview);
	json_object_put(r->data);
	json_object_put(r->media);
	json_object_put(r->told);
	free(r);
}

/* A lane that nobody is in is forgotten. */
static void
lane_check(struct account *a, struct lane *l)
{
	if (l->held > 0)
		return;
	if (!TAILQ_EMPTY(&l->rows)) {
		lane_ready(a, l);
		return;
	}
	if (l->list != NULL)
		TAILQ_REMOVE(l->list, l, ready);
	RB_REMOVE(lane_tree, &a->lanes->tree, l);
	free(l);
}

struct lane *
lanes_hold(struct account *a, const char *key)
{
	struct lane *l;

	if (*key == '\0')
		return NULL;
	l = lane_get(a, key);
	l->held++;
	return l;
}

void
lanes_release(struct account *a, struct lane *l)
{
	if (l == NULL)
		return;
	l->held--;
	lane_check(a, l);
}

/* 1 when it is answered together with another row already. */
static int
is_merged(const struct lane *l, int64_t seq)
{
	const struct row *r, *m;

	TAILQ_FOREACH(r, &l->rows, entry)
		TAILQ_FOREACH(m, &r->merged, entry)
			if (m->seq == seq)
				return 1;
	return 0;
}

static struct row *
row_add(struct account *a, int64_t seq, const char *key)
{
	struct lane *l = lane_get(a, key);
	struct row *r, *after;

	/* Nearly always the newest; a restored one may not be. */
	TAILQ_FOREACH_REVERSE(after, &l->rows, rowhead, entry)
		if (after->seq <= seq)
			break;
	if ((after != NULL && after->seq == seq) ||
	    (seq <= l->newest && is_merged(l, seq)))
		return NULL;
	if (seq > l->newest)
		l->newest = seq;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->lane = l;
	r->seq = seq;
	r->came = monotime_now();
	TAILQ_INIT(&r->merged);
	if (after == NULL)
		TAILQ_INSERT_HEAD(&l->rows, r, entry);
	else
		TAILQ_INSERT_AFTER(&l->rows, after, r, entry);
	a->lanes->waiting++;
	return r;
}

static void
row_data(struct account *a, struct row *r, struct json_object *data)
{
	r->data = data;
	ID_COPY(r->actor, api_str(data, "actor"));
	r->cmd = picker_wants(data) ? COMMAND_NONE : rowdata_command(data);
	r->at_once = cmd_at_once(r->cmd);
	a->lanes->urgent += r->at_once;
}

struct row *
lanes_add(struct account *a, int64_t seq, const char *lane,
    const char *channel, const char *root, const char *event, int64_t at,
    struct json_object *data)
{
	struct row *r = row_add(a, seq, lane);

	if (r == NULL) {
		json_object_put(data);
		return NULL;
	}
	r->at = at;
	ID_COPY(r->channel, channel);
	ID_COPY(r->root, root);
	ID_COPY(r->event, event);
	row_data(a, r, data);
	lane_ready(a, r->lane);
	return r;
}

struct row *
lanes_next(struct row *r)
{
	struct row *n = TAILQ_NEXT(r, entry);

	return n != NULL && !n->busy && n->cmd == COMMAND_NONE ? n : NULL;
}

int
lanes_is_first(const struct row *r)
{
	return TAILQ_FIRST(&r->lane->rows) == r && r->lane->held == 0;
}

/* not_before: ms since the epoch by our clock; from now on it may be set. */
static void
row_wait_until(struct row *r, int64_t not_before)
{
	int64_t ms = not_before - walltime_ms();

	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	r->ready_at = (struct monotime){0};
	if (ms > 0)
		r->ready_at = monotime_add(monotime_now(), ms);
}

/*
 * Turns of a lane run one after the other, so the earlier life can only have
 * been at its first row, or at one with a batch: the others left nothing
 * behind that would have to be looked for. (The store counts attempts only
 * when it outlives the account.)
 */
static int
may_have_begun(const struct account *a, const struct row *r)
{
	const struct row *e;

	if (r->attempts > 0 || a->debounce_ms > 0)
		return 1;
	TAILQ_FOREACH(e, &r->lane->rows, entry)
		if (!e->at_once)
			return e == r;
	return 0;
}

int
lanes_restore(struct account *a, struct json_object *msg)
{
	const char *lane, *channel, *root, *event;
	struct json_object *data;
	int64_t seq, at, not_before, attempts;
	struct fields f;
	struct row *r;

	fields_open(&f, msg);
	seq = fields_int(&f, "seq", 1, INT64_MAX);
	fields_str(&f, "kind", 32);
	event = fields_str(&f, "event", EVENT_ID_SIZE - 1);
	lane = fields_str(&f, "lane", LANE_KEY_SIZE - 1);
	channel = fields_str(&f, "channel", MM_ID_LEN);
	root = fields_str(&f, "root", MM_ID_LEN);
	at = fields_int(&f, "at", 0, INT64_MAX);
	attempts = fields_int(&f, "attempts", 0, INT32_MAX);
	not_before = fields_int(&f, "not_before", 0, INT64_MAX);
	data = fields_obj(&f, "data");
	if (fields_end(&f) == -1) {
		log_warnx("inbox.row: %s", fields_error(&f));
		return -1;
	}
	if ((r = row_add(a, seq, lane)) == NULL)
		return 0;
	r->at = at;
	r->attempts = (int)attempts;
	row_wait_until(r, not_before);
	r->recovered = 1;
	ID_COPY(r->channel, channel);
	ID_COPY(r->root, root);
	ID_COPY(r->event, event);
	row_data(a, r, json_object_get(data));
	gates_expect(channel, event, data);
	r->begun = may_have_begun(a, r);
	return 0;
}

struct lanes *
lanes_new(struct account *a)
{
	struct lanes *ls;

	if ((ls = calloc(1, sizeof(*ls))) == NULL)
		fatal("calloc");
	RB_INIT(&ls->tree);
	lanes_run_new(a, ls);
	return ls;
}

void
lanes_row_done(struct account *a, struct row *r)
{
	struct lane *l = r->lane;

	lanes_row_stopped(a, r);
	TAILQ_REMOVE(&l->rows, r, entry);
	row_free(a, r);
	lane_check(a, l);
}

static void
lane_each(struct lane *l, void (*fn)(struct row *, void *), void *arg)
{
	struct row *r, *next;

	for (r = TAILQ_FIRST(&l->rows); r != NULL; r = next) {
		next = TAILQ_NEXT(r, entry);
		fn(r, arg);
	}
}

void
lanes_each(struct account *a, struct row *of, int all,
    void (*fn)(struct row *, void *), void *arg)
{
	struct row *first;
	struct lane *l;

	if (!all) {
		lane_each(of->lane, fn, arg);
		return;
	}
	RB_FOREACH(l, lane_tree, &a->lanes->tree)
		if ((first = TAILQ_FIRST(&l->rows)) != NULL &&
		    strcmp(first->channel, of->channel) == 0)
			lane_each(l, fn, arg);
}

void
lanes_row_ended(struct account *a, int64_t seq)
{
	struct lane *l;
	struct row *r;

	RB_FOREACH(l, lane_tree, &a->lanes->tree)
		TAILQ_FOREACH(r, &l->rows, entry) {
			if (r->seq != seq || r->busy)
				continue;
			TAILQ_REMOVE(&l->rows, r, entry);
			row_free(a, r);
			lane_check(a, l);
			return;
		}
}

void
lanes_load(struct row *of, int *waiting, int *busy)
{
	struct row *r;

	*waiting = 0;
	*busy = 0;
	TAILQ_FOREACH(r, &of->lane->rows, entry) {
		if (r == of)
			continue;
		*busy |= r->turn != NULL;
		*waiting += !r->busy;
	}
}

void
lanes_row_again(struct account *a, struct row *r, int64_t not_before)
{
	lanes_row_stopped(a, r);
	row_wait_until(r, not_before);
	lane_ready(a, r->lane);
}

const char *
lanes_key(const struct row *r)
{
	return r->lane->key;
}

int
lanes_has_event(const struct account *a, const char *prefix)
{
	size_t n = strlen(prefix);
	struct lane *l;
	struct row *r;

	RB_FOREACH(l, lane_tree, &a->lanes->tree)
		TAILQ_FOREACH(r, &l->rows, entry)
			if (strncmp(r->event, prefix, n) == 0)
				return 1;
	return 0;
}

int
lanes_waiting(const struct account *a)
{
	return a->lanes->waiting;
}

int
lanes_running(const struct account *a)
{
	return a->lanes->running;
}
