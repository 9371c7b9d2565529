#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/conn.h"
#include "workers/account/decode.h"
#include "workers/account/gap/gap_int.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/intake.h"
#include "workers/account/storelink.h"

#define PAGE 200     /* Mattermost's largest page */

struct gapfill *
gapfill_new(struct account *a)
{
	struct gapfill *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("calloc");
	TAILQ_INIT(&g->jobs);
	return g;
}

static struct job *
job_add(struct account *a, enum job_kind kind, const char *id)
{
	struct job *j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		fatal("calloc");
	j->a = a;
	j->serial = ++a->fill->serial;
	j->kind = kind;
	j->per_page = PAGE;
	ID_COPY(j->id, id);
	TAILQ_INSERT_TAIL(&a->fill->jobs, j, entry);
	return j;
}

static void
job_free(struct account *a, struct job *j)
{
	if (j->req != NULL) {
		net_request_cancel(j->req);
		a->fill->running--;
	}
	TAILQ_REMOVE(&a->fill->jobs, j, entry);
	json_object_put(j->page);
	json_object_put(j->found);
	free(j);
}

/*
 * Channels that have come up meanwhile, in no list, and whose events could
 * not say so: of a team that was joined the server tells of one channel only.
 */
static void
unlisted(struct account *a)
{
	struct channel *ch;

	for (ch = channel_first(a); ch != NULL; ch = channel_next(ch))
		if (!STAILQ_EMPTY(&ch->held) && !ch->open && !ch->filling)
			gapfill_channel(a, ch->id);
}

/* A step of the job is over; it goes on, or the job ends. */
void
gap_end(struct account *a, struct job *j)
{
	int first = !a->fill->complete;

	job_free(a, j);
	if (!TAILQ_EMPTY(&a->fill->jobs)) {
		gap_run(a);
		return;
	}
	a->fill->complete = 1;
	log_event(LOG_INFO, "account.filled", "account", a->id, "channels",
	    LOG_NUM(a->channels->n), "with_news", LOG_NUM(a->fill->filled),
	    "posts", LOG_NUM(a->fill->posts), NULL);
	if (first)
		unlisted(a);
}

void
gap_failed(struct account *a, const struct net_result *r,
    struct json_object *body)
{
	char buf[256], why[300];

	if (r->ending == NET_ANSWERED && r->status == 401) {
		conn_unauthorised(a);
		return;
	}
	/* A hole would stay behind: only a new connection can be trusted. */
	snprintf(why, sizeof(why), "gap fill: %s",
	    api_error(r, body, buf, sizeof(buf)));
	conn_drop(a, why);
}

void
channel_opened(struct account *a, struct channel *ch)
{
	mark_open(a, ch);
	intake_open(a, ch);
}

/* A channel has news when it was written to after its mark. */
static void
channel_check(struct account *a, struct channel *ch)
{
	struct job *j;
	int64_t base, age;

	if (ch->filling)
		return;
	mark_doubt(a, ch);
	base = ch->mark_at != 0 ? ch->mark_at :
				  a->channels->first_at + clock_offset(a);
	if (ch->last_post_at <= base) {
		ch->base_at = ch->last_post_at;
		channel_opened(a, ch);
		return;
	}
	ch->base_at = base;
	ch->filling = 1;
	a->fill->filled++;
	j = job_add(a, JOB_POSTS, ch->id);
	j->floor = base;
	if (ch->mark_post[0] != '\0') {
		ID_COPY(j->anchor, ch->mark_post);
		return;
	}
	j->backwards = 1;
	age = clock_now(a) - a->fill_age_ms;
	/* A mark-less channel: what is too old need not even be fetched. */
	if (ch->mark_at == 0 && age > j->floor)
		j->floor = age;
}

static void
teams_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct job *j = arg;
	size_t i, n;

	a->fill->running--;
	j->req = NULL;
	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		gap_failed(a, r, body);
		return;
	}
	n = json_object_array_length(body);
	for (i = 0; i < n; i++) {
		const char *id =
		    api_str(json_object_array_get_idx(body, i), "id");

		if (mm_id_valid(id))
			job_add(a, JOB_CHANNELS, id);
	}
	if (n == 0) {
		struct channel *ch;

		/* Without a team there is no list: ask for each we know. */
		for (ch = channel_first(a); ch != NULL; ch = channel_next(ch))
			job_add(a, JOB_CHANNEL, ch->id);
	}
	gap_end(a, j);
}

static void
channels_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct job *j = arg;
	struct channel *ch;
	size_t i, n;

	a->fill->running--;
	j->req = NULL;
	if (r->ending == NET_ANSWERED && r->status == 403) {
		gap_end(a, j); /* left the team meanwhile */
		return;
	}
	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		gap_failed(a, r, body);
		return;
	}
	n = json_object_array_length(body);
	for (i = 0; i < n; i++) {
		ch = channel_learn(a, json_object_array_get_idx(body, i));
		if (ch != NULL)
			channel_check(a, ch);
	}
	gap_end(a, j);
}

static void
channel_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct job *j = arg;
	struct channel *ch;

	a->fill->running--;
	j->req = NULL;
	if (r->ending == NET_ANSWERED &&
	    (r->status == 403 || r->status == 404)) {
		gap_end(a, j); /* not ours any more */
		return;
	}
	if (!api_ok(r, body, 200)) {
		gap_failed(a, r, body);
		return;
	}
	if ((ch = channel_learn(a, body)) != NULL)
		channel_check(a, ch);
	gap_end(a, j);
}

static void
job_start(struct account *a, struct job *j)
{
	char path[128];

	a->fill->running++;
	switch (j->kind) {
	case JOB_TEAMS:
		j->req = api_get(a, "/users/me/teams", teams_done, j);
		break;
	case JOB_CHANNELS:
		snprintf(path, sizeof(path), "/users/me/teams/%s/channels",
		    j->id);
		j->req = api_get_large(a, path, channels_done, j);
		break;
	case JOB_CHANNEL:
		snprintf(path, sizeof(path), "/channels/%s", j->id);
		j->req = api_get(a, path, channel_done, j);
		break;
	case JOB_POSTS:
		gap_posts_ask(a, j);
		break;
	}
}

void
gap_run(struct account *a)
{
	struct job *j;

	/* What was found must be put away before more is fetched. */
	if (storelink_full(a))
		return;
	/* A put of before that may be refused is fetched again, in order. */
	j = TAILQ_FIRST(&a->fill->jobs);
	if (j != NULL && j->kind == JOB_TEAMS && intake_putting(a))
		return;
	TAILQ_FOREACH(j, &a->fill->jobs, entry) {
		if (a->fill->running >= GAP_AT_ONCE)
			break;
		if (j->req == NULL && j->page == NULL)
			job_start(a, j);
	}
}

void
gapfill_start(struct account *a)
{
	gapfill_stop(a);
	a->fill->complete = 0;
	a->fill->filled = a->fill->posts = 0;
	job_add(a, JOB_TEAMS, "");
	gap_run(a);
}

void
gapfill_channel(struct account *a, const char *channel_id)
{
	struct job *j;

	if (!conn_live(a) || !mm_id_valid(channel_id))
		return;
	TAILQ_FOREACH(j, &a->fill->jobs, entry)
		if (j->kind == JOB_CHANNEL && strcmp(j->id, channel_id) == 0)
			return;
	job_add(a, JOB_CHANNEL, channel_id);
	gap_run(a);
}

void
gapfill_stop(struct account *a)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&a->fill->jobs)) != NULL) {
		job_free(a, j);
		a->fill->complete = 0;
	}
}

void
gapfill_doubt(struct account *a)
{
	a->fill->complete = 0;
}

int
gapfill_complete(const struct account *a)
{
	return a->fill->complete;
}

void
gapfill_kick(struct account *a)
{
	if (!TAILQ_EMPTY(&a->fill->jobs))
		gap_run(a);
}
