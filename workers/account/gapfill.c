#include "config.h"

#include <sys/queue.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/conn.h"
#include "workers/account/decode.h"
#include "workers/account/gap_page.h"
#include "workers/account/gapfill.h"
#include "workers/account/intake.h"
#include "workers/account/reacted.h"
#include "workers/account/storelink.h"
#include "workers/account/users.h"

#define AT_ONCE 4    /* requests in flight */
#define PAGE 200     /* Mattermost's largest page */
#define PAGE_LESS 5  /* times, when a page was too large */
/* Kept while walking back: AT_ONCE of them are fewer than seen.c knows. */
#define BACK_POSTS 800

enum job_kind { JOB_TEAMS, JOB_CHANNELS, JOB_CHANNEL, JOB_POSTS };

struct job {
	TAILQ_ENTRY(job) entry;
	struct account *a;
	enum job_kind kind;
	struct net_request *req; /* NULL: waits */
	char id[MM_ID_SIZE];     /* team or channel */
	char anchor[MM_ID_SIZE]; /* posts: after or before this one */
	int backwards;           /* no anchor: walk back to the floor */
	int64_t floor;           /* posts of this time and older are known */
	int pages;
	int per_page;
	int64_t serial;            /* no other job has had it */
	size_t walked;             /* posts kept while walking back */
	int forgotten;             /* more were seen, and not kept */
	struct json_object *page;  /* waits for what must be known of it */
	size_t asked;              /* of the page: the store was asked */
	struct json_object *found; /* walking back: pages, newest first */
	int last;                  /* nothing comes after this page */
};

struct gapfill {
	TAILQ_HEAD(, job) jobs;
	int64_t serial;
	int running;
	int complete; /* the last start got to its end */
	int filled;   /* channels that had news */
	int posts;
};

static void jobs_run(struct account *);

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

/* A step of the job is over; it goes on, or the job ends. */
static void
job_end(struct account *a, struct job *j)
{
	job_free(a, j);
	if (!TAILQ_EMPTY(&a->fill->jobs)) {
		jobs_run(a);
		return;
	}
	a->fill->complete = 1;
	log_event(LOG_INFO, "account.filled", "account", a->id, "channels",
	    LOG_NUM(a->channels->n), "with_news", LOG_NUM(a->fill->filled),
	    "posts", LOG_NUM(a->fill->posts), NULL);
}

static void
job_failed(struct account *a, const struct net_result *r,
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
		job_failed(a, r, body);
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
	job_end(a, j);
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
		job_end(a, j); /* left the team meanwhile */
		return;
	}
	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		job_failed(a, r, body);
		return;
	}
	n = json_object_array_length(body);
	for (i = 0; i < n; i++) {
		ch = channel_learn(a, json_object_array_get_idx(body, i));
		if (ch != NULL)
			channel_check(a, ch);
	}
	job_end(a, j);
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
		job_end(a, j); /* not ours any more */
		return;
	}
	if (!api_ok(r, body, 200)) {
		job_failed(a, r, body);
		return;
	}
	if ((ch = channel_learn(a, body)) != NULL)
		channel_check(a, ch);
	job_end(a, j);
}

/* Posts */

static void
page_anchor(struct job *j, struct json_object *page, size_t i)
{
	strlcpy(j->anchor, api_str(json_object_array_get_idx(page, i), "id"),
	    sizeof(j->anchor));
}

static void
page_take(struct account *a, struct job *j, struct json_object *page)
{
	size_t i, n = json_object_array_length(page);

	for (i = 0; i < n; i++) {
		if (page_at(page, i) <= j->floor)
			continue;
		a->fill->posts++;
		intake_post(a, json_object_array_get_idx(page, i));
		reacted_missed(a, json_object_array_get_idx(page, i));
	}
}

/*
 * Pages of a walk back were found newest first; take them in order. When not
 * all could be kept, the oldest were: it goes forward from there.
 */
static int
found_take(struct account *a, struct job *j)
{
	struct json_object *page = NULL;
	size_t i;

	for (i = json_object_array_length(j->found); i > 0; i--) {
		page = json_object_array_get_idx(j->found, i - 1);
		page_take(a, j, page);
	}
	if (j->forgotten) {
		j->backwards = j->last = j->forgotten = 0;
		page_anchor(j, page, json_object_array_length(page) - 1);
	}
	json_object_put(j->found);
	j->found = NULL;
	return j->last;
}

static void
found_keep(struct job *j, struct json_object *page)
{
	size_t n = json_object_array_length(page);

	if (n == 0) {
		json_object_put(page);
		return;
	}
	if (j->walked > BACK_POSTS) {
		json_object_put(j->found);
		j->found = NULL;
		j->walked = n;
		j->forgotten = 1;
	}
	if (j->found == NULL)
		j->found = json_object_new_array();
	json_object_array_add(j->found, page);
}

static void
posts_end(struct account *a, struct job *j)
{
	struct channel *ch = channel_get(a, j->id);

	ch->filling = 0;
	channel_opened(a, ch);
	job_end(a, j);
}

/* The authors of the page are known as far as they can be. */
static void
page_ready(struct account *a, struct job *j)
{
	struct json_object *page = j->page;

	j->page = NULL;
	j->asked = 0;
	if (j->backwards)
		found_keep(j, page);
	else {
		page_take(a, j, page);
		json_object_put(page);
	}
	if (j->last && (j->found == NULL || found_take(a, j)))
		posts_end(a, j);
	else
		jobs_run(a);
}

/* The store's requests outlive a job. */
static struct job *
job_find(struct account *a, int64_t serial)
{
	struct job *j;

	TAILQ_FOREACH(j, &a->fill->jobs, entry)
		if (j->serial == serial)
			return j;
	return NULL;
}

static void drops_ask(struct account *, struct job *);

static void
drops_told(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct json_object *list = NULL;
	int64_t *serial = arg;
	struct job *j = job_find(a, *serial);
	size_t i, n;

	free(serial);
	if (j == NULL)
		return;
	if (err != NULL) {
		conn_drop(a, "gap fill: the store does not answer");
		return;
	}
	json_object_object_get_ex(reply, "posts", &list);
	n = list == NULL ? 0 : json_object_array_length(list);
	for (i = 0; i < n; i++)
		intake_known(a, json_object_get_string(
		    json_object_array_get_idx(list, i)));
	drops_ask(a, j);
}

/*
 * What was decided against before the mark could follow stays as it is, also
 * when by the rules of today it would be taken.
 */
static void
drops_ask(struct account *a, struct job *j)
{
	struct json_object *msg, *ids = page_ids(j->page, j->floor, &j->asked);
	int64_t *serial;

	if (json_object_array_length(ids) == 0) {
		json_object_put(ids);
		page_ready(a, j);
		return;
	}
	if ((serial = malloc(sizeof(*serial))) == NULL)
		fatal("malloc");
	*serial = j->serial;
	msg = chan_msg("drops.find");
	add_obj(msg, "posts", ids);
	storelink_request(a, msg, drops_told, serial);
}

static void
names_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct job *j = arg;

	a->fill->running--;
	j->req = NULL;
	if (api_ok(r, body, 200))
		users_learn_all(a, body);
	/* Without names it goes on: they are only for people. */
	drops_ask(a, j);
}

/* Where the next page begins, and whether there is one. */
static void
page_position(struct job *j, struct json_object *page)
{
	size_t n = json_object_array_length(page);

	j->pages++;
	if (n == 0) {
		/* The anchor is gone, or nothing is left. */
		j->last = j->backwards || j->pages > 1;
		j->backwards = 1;
		j->anchor[0] = '\0';
		return;
	}
	j->last = n < (size_t)j->per_page;
	if (j->backwards) {
		j->walked += n;
		j->last |= page_at(page, 0) <= j->floor;
	}
	page_anchor(j, page, j->backwards ? 0 : n - 1);
}

static void
posts_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct job *j = arg;
	struct json_object *ids;
	int64_t at;

	a->fill->running--;
	j->req = NULL;
	if (r->ending == NET_ANSWERED &&
	    (r->status == 403 || r->status == 404)) {
		channel_get(a, j->id)->filling = 0;
		job_end(a, j); /* not ours any more */
		return;
	}
	/* Few posts can be as large as many: ask for fewer. */
	if (r->status == 200 && r->partial && j->per_page > 1) {
		j->per_page = j->per_page > PAGE_LESS ?
		    j->per_page / PAGE_LESS : 1;
		jobs_run(a);
		return;
	}
	if (!api_ok(r, body, 200) || (j->page = page_sort(body)) == NULL) {
		job_failed(a, r, body);
		return;
	}
	if (j->backwards && (at = page_joined(j->page, a->bot_id)) > j->floor)
		j->floor = at;
	page_position(j, j->page);
	if ((ids = page_strangers(a, j->page)) == NULL) {
		drops_ask(a, j);
		return;
	}
	a->fill->running++;
	j->req = api_send(a, "POST", "/users/ids", ids, names_done, j);
}

static void
posts_ask(struct account *a, struct job *j)
{
	char path[160], from[64] = "";

	if (j->anchor[0] != '\0')
		snprintf(from, sizeof(from), "&%s=%s",
		    j->backwards ? "before" : "after", j->anchor);
	snprintf(path, sizeof(path), "/channels/%s/posts?per_page=%d%s", j->id,
	    j->per_page, from);
	/* One post alone may be larger than a page of them should be. */
	j->req = j->per_page > 1 ? api_get(a, path, posts_done, j) :
				   api_get_large(a, path, posts_done, j);
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
		posts_ask(a, j);
		break;
	}
}

static void
jobs_run(struct account *a)
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
		if (a->fill->running >= AT_ONCE)
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
	jobs_run(a);
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
	jobs_run(a);
}

void
gapfill_stop(struct account *a)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&a->fill->jobs)) != NULL)
		job_free(a, j);
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
		jobs_run(a);
}
