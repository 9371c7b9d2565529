#include "config.h"

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
#include "workers/account/conn.h"
#include "workers/account/gap/gap_int.h"
#include "workers/account/gap/gap_page.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/gap/reacted.h"
#include "workers/account/intake.h"
#include "workers/account/storelink.h"
#include "workers/account/users.h"

#define PAGE_LESS 5 /* times, when a page was too large */
/* Kept while walking back: GAP_AT_ONCE of them are fewer than seen.c knows. */
#define BACK_POSTS 800

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
		j->at = 0;
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
	gap_end(a, j);
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
		gap_run(a);
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

static void known_ask(struct account *, struct job *);

static void
known_told(struct account *a, struct json_object *reply, const char *err,
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
	known_ask(a, j);
}

/*
 * What was decided before the mark could follow stays as it is, also when by
 * the rules of today it would be another way; and is no second turn of a bot.
 */
static void
known_ask(struct account *a, struct job *j)
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
	msg = chan_msg("posts.find");
	add_obj(msg, "posts", ids);
	storelink_request(a, msg, known_told, serial);
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
	known_ask(a, j);
}

/* Where the next page begins, and whether there is one. */
static void
page_position(struct job *j, struct json_object *page)
{
	size_t i, n = json_object_array_length(page);
	int64_t at;

	j->pages++;
	if (n == 0) {
		/* The anchor is gone, or nothing is left. */
		j->last = j->backwards || j->pages > 1;
		j->backwards = 1;
		j->anchor[0] = '\0';
		j->at = 0;
		return;
	}
	j->last = n < (size_t)j->per_page;
	if (j->backwards) {
		j->walked += n;
		j->last |= page_at(page, 0) <= j->floor;
	}
	i = j->backwards ? 0 : n - 1;
	at = page_at(page, i);
	/* A server that gives the same again would be asked without end. */
	j->last |= j->at != 0 && (j->backwards ? at >= j->at : at <= j->at);
	j->at = at;
	page_anchor(j, page, i);
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
		gap_end(a, j); /* not ours any more */
		return;
	}
	/* Few posts can be as large as many: ask for fewer. */
	if (r->status == 200 && r->partial && j->per_page > 1) {
		j->per_page = j->per_page > PAGE_LESS ?
		    j->per_page / PAGE_LESS : 1;
		gap_run(a);
		return;
	}
	if (!api_ok(r, body, 200) || (j->page = page_sort(body)) == NULL) {
		gap_failed(a, r, body);
		return;
	}
	if (j->backwards && (at = page_joined(j->page, a->bot_id)) > j->floor)
		j->floor = at;
	page_position(j, j->page);
	if ((ids = page_strangers(a, j->page)) == NULL) {
		known_ask(a, j);
		return;
	}
	a->fill->running++;
	j->req = api_send(a, "POST", "/users/ids", ids, names_done, j);
}

void
gap_posts_ask(struct account *a, struct job *j)
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
