#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/strbuf.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/batch.h"
#include "workers/account/lanes.h"
#include "workers/account/rowdata.h"

/* What is left of a window after a restart is over. */
static struct monotime
due(const struct account *a, const struct row *first, const struct row *last)
{
	struct monotime idle = monotime_add(last->came, a->debounce_ms);
	struct monotime limit =
	    monotime_add(first->came, BATCH_WINDOWS * a->debounce_ms);

	if (first->recovered || last->recovered)
		return (struct monotime){0};
	return monotime_diff(idle, limit) < 0 ? limit : idle;
}

static int
waits(const struct row *r)
{
	return !r->busy && !r->ended && !r->at_once;
}

static int
merges(const struct row *r)
{
	return r->cmd == COMMAND_NONE && r->tries == 0 &&
	    r->attempts == 0 && TAILQ_EMPTY(&r->merged) &&
	    rowdata_bool(r->data, "merge");
}

static int
same_actor(const struct row *a, const struct row *b)
{
	return strcmp(a->actor, b->actor) == 0;
}

/*
 * The batch that begins with first: its last row, and whether something
 * follows that cannot be part of it, which ends the waiting.
 */
static struct row *
batch_last(struct row *first, int *flush)
{
	size_t bytes = strlen(api_str(first->data, "text")), n = 1;
	struct row *r, *last = first;

	*flush = 0;
	for (r = TAILQ_NEXT(first, entry); r != NULL;
	     r = TAILQ_NEXT(r, entry)) {
		if (r->busy || r->ended || !same_actor(r, first))
			continue;
		bytes += strlen(api_str(r->data, "text"));
		if (!merges(r) || ++n > BATCH_MAX || bytes > BATCH_BYTES) {
			*flush = 1;
			break;
		}
		last = r;
	}
	return last;
}

/* 1 when an earlier row of the same person waits. */
static int
is_behind(struct rowhead *rows, const struct row *r)
{
	struct row *e;

	TAILQ_FOREACH(e, rows, entry) {
		if (e == r)
			return 0;
		if (waits(e) && same_actor(e, r))
			return 1;
	}
	return 0;
}

static void
look_at(struct monotime *when, struct monotime at)
{
	if (when->ms == 0 || monotime_diff(at, *when) > 0)
		*when = at;
}

struct row *
batch_pick(struct account *a, struct rowhead *rows, struct monotime *when)
{
	struct row *r, *last;
	struct monotime at;
	int flush;

	TAILQ_FOREACH(r, rows, entry) {
		if (!waits(r))
			continue;
		if (monotime_left(r->ready_at) > 0) {
			look_at(when, r->ready_at);
			return NULL; /* a retry keeps its place */
		}
		if (a->debounce_ms == 0)
			return r;
		if (is_behind(rows, r))
			continue;
		if (!merges(r) || lanes_waiting(a) > BATCH_LANES)
			return r;
		last = batch_last(r, &flush);
		at = due(a, r, last);
		if (flush || monotime_left(at) == 0)
			return last;
		look_at(when, at);
	}
	return NULL;
}

/* What all of them said, in their order, under the last one's envelope. */
static void
merge(struct row *r)
{
	struct json_object *d = NULL, *ids = json_object_new_array();
	struct strbuf text = STRBUF_INIT;
	int addressed = rowdata_bool(r->data, "addressed");
	struct row *m;

	TAILQ_FOREACH(m, &r->merged, entry) {
		strbuf_puts(&text, api_str(m->data, "text"));
		strbuf_putc(&text, '\n');
		json_object_array_add(ids,
		    json_object_new_string(api_str(m->data, "post")));
		addressed |= rowdata_bool(m->data, "addressed");
	}
	strbuf_puts(&text, api_str(r->data, "text"));
	json_object_array_add(
	    ids, json_object_new_string(api_str(r->data, "post")));
	if (json_object_deep_copy(r->data, &d, NULL) == 0) {
		add_str(d, "text", text.s);
		add_bool(d, "addressed", addressed);
		add_obj(d, "ids", ids);
		json_object_put(r->data);
		r->data = d;
	} else
		json_object_put(ids);
	strbuf_free(&text);
}

void
batch_take(struct account *a, struct rowhead *rows, struct row *r)
{
	struct row *m, *next;

	if (a->debounce_ms == 0 || !merges(r))
		return;
	for (m = TAILQ_FIRST(rows); m != NULL && m != r; m = next) {
		next = TAILQ_NEXT(m, entry);
		if (!waits(m) || !same_actor(m, r) || !merges(m))
			continue;
		TAILQ_REMOVE(rows, m, entry);
		TAILQ_INSERT_TAIL(&r->merged, m, entry);
	}
	if (!TAILQ_EMPTY(&r->merged))
		merge(r);
}
