#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"

#define PER_PAGE 60
#define PER_PAGE_MAX 200
#define SINCE_MAX 1000

/* What GET /channels/{id}/posts answers with. */
struct list {
	struct post **order; /* newest first */
	size_t n;
	struct tombstone **tomb; /* by time: traces of edits */
	size_t ntombs;
	const char *next;
	const char *prev;
};

static struct post *
newer(const struct channel *c, size_t idx)
{
	for (idx++; idx < c->nposts; idx++)
		if (c->post[idx]->delete_at == 0)
			return c->post[idx];
	return NULL;
}

static struct post *
older(const struct channel *c, size_t idx)
{
	while (idx-- > 0)
		if (c->post[idx]->delete_at == 0)
			return c->post[idx];
	return NULL;
}

static void
list_page(const struct channel *c, struct list *l, size_t page, size_t per)
{
	size_t i = c->nposts, skip = page * per;
	struct post *p;

	while (i > 0 && l->n < per) {
		p = c->post[--i];
		if (p->delete_at || (skip > 0 && skip-- > 0))
			continue;
		l->order[l->n++] = p;
	}
	if (l->n == 0)
		return;
	p = older(c, l->order[l->n - 1]->idx);
	l->prev = p ? p->id : "";
	p = page > 0 ? newer(c, l->order[0]->idx) : NULL;
	l->next = p ? p->id : "";
}

static void
list_after(const struct channel *c, struct list *l, const struct post *a,
    size_t page, size_t per)
{
	size_t i, skip = page * per, k;
	struct post *p;

	for (i = a->idx + 1; i < c->nposts && l->n < per; i++) {
		p = c->post[i];
		if (p->delete_at || (skip > 0 && skip-- > 0))
			continue;
		l->order[l->n++] = p;
	}
	for (k = 0; k < l->n / 2; k++) {
		p = l->order[k];
		l->order[k] = l->order[l->n - 1 - k];
		l->order[l->n - 1 - k] = p;
	}
	l->prev = a->id;
	p = l->n ? newer(c, l->order[0]->idx) : NULL;
	l->next = p ? p->id : "";
}

static void
list_before(const struct channel *c, struct list *l, const struct post *a,
    size_t page, size_t per)
{
	size_t i = a->idx, skip = page * per;
	struct post *p;

	while (i > 0 && l->n < per) {
		p = c->post[--i];
		if (p->delete_at || (skip > 0 && skip-- > 0))
			continue;
		l->order[l->n++] = p;
	}
	l->next = a->id;
	p = l->n ? older(c, l->order[l->n - 1]->idx) : NULL;
	l->prev = p ? p->id : "";
}

/*
 * All that changed after t, deleted posts and traces of edits included, at
 * most 1000 rows: the oldest ones, as the query has no order of its own.
 */
static void
list_since(const struct channel *c, struct list *l, int64_t t)
{
	size_t i, k, rows = 0;
	struct post *p;

	l->order = xrealloc(l->order, SINCE_MAX * sizeof(*l->order));
	l->tomb = xcalloc(SINCE_MAX, sizeof(struct tombstone *));
	for (i = 0; i < c->nposts && rows < SINCE_MAX; i++)
		if (c->post[i]->update_at > t) {
			l->order[l->n++] = c->post[i];
			rows++;
		}
	for (i = 0; i < c->ntombs && rows < SINCE_MAX; i++)
		if (c->tomb[i].at > t) {
			l->tomb[l->ntombs++] = &c->tomb[i];
			rows++;
		}
	for (k = 0; k < l->n / 2; k++) {
		p = l->order[k];
		l->order[k] = l->order[l->n - 1 - k];
		l->order[l->n - 1 - k] = p;
	}
}

static void
put_post(struct buf *b, struct hmap *done, struct post *p)
{
	if (hmap_get(done, p->id) != NULL)
		return;
	hmap_put(done, p->id, p);
	buf_fmt(b, "%s\"%s\":", done->n > 1 ? "," : "", p->id);
	render_post(b, p, RENDER_STORED);
}

/* The post with its whole thread, as 5.37 adds them to a list. */
static void
put_thread(struct buf *b, struct hmap *done, struct post *p)
{
	struct post *root = p->root ? p->root : p;
	size_t i;

	put_post(b, done, p);
	if (root->delete_at == 0)
		put_post(b, done, root);
	for (i = 0; i < root->nreplies; i++)
		if (root->reply[i]->delete_at == 0)
			put_post(b, done, root->reply[i]);
}

/*
 * order by create_at, newest first; a trace of an edit has its post's time
 * and comes right after it.
 */
static void
put_order(struct buf *b, const struct list *l)
{
	size_t i, k, n = 0;

	for (i = 0; i < l->n; i++) {
		buf_fmt(b, "%s\"%s\"", n++ ? "," : "", l->order[i]->id);
		for (k = 0; k < l->ntombs; k++)
			if (l->tomb[k]->post == l->order[i])
				buf_fmt(b, ",\"%s\"", l->tomb[k]->id);
	}
}

static void
reply_list(struct req *r, const struct channel *c, const struct list *l,
    int threads)
{
	struct hmap done = {0};
	struct buf b = {0};
	size_t i;

	buf_str(&b, "{\"order\":[");
	put_order(&b, l);
	buf_str(&b, "],\"posts\":{");
	for (i = 0; i < l->n; i++) {
		if (threads)
			put_thread(&b, &done, l->order[i]);
		else
			put_post(&b, &done, l->order[i]);
	}
	for (i = 0; i < l->ntombs; i++) {
		buf_fmt(&b, "%s\"%s\":", done.n + i ? "," : "",
		    l->tomb[i]->id);
		render_tombstone(&b, l->tomb[i]);
	}
	buf_str(&b, "}");
	buf_kstr(&b, "next_post_id", l->next);
	buf_kstr(&b, "prev_post_id", l->prev);
	buf_str(&b, "}");
	hmap_free(&done);
	api_json(r, 200, &b);
}

/* One Etag per channel for every query, as the real server (a trap). */
static int
etag_matches(struct req *r, const struct channel *c)
{
	const char *match = req_header(r, "If-None-Match");
	struct buf etag = {0};
	int same;

	buf_fmt(&etag, SIM_VERSION ".%lld", (long long)c->etag_at);
	api_etag(r, etag.p);
	same = match != NULL && !strcmp(match, etag.p);
	buf_free(&etag);
	return same;
}

static const struct post *
anchor(const char *id, const struct channel *c)
{
	const struct post *p = post_by_id(id);

	return p != NULL && p->channel == c ? p : NULL;
}

static void
list_run(struct req *r, const struct channel *c, struct list *l)
{
	size_t per = (size_t)query_num(r, "per_page", PER_PAGE);
	size_t page = (size_t)query_num(r, "page", 0);
	const char *after, *before;
	char id[ID_LEN + 1] = "";
	const struct post *a;

	if (per > PER_PAGE_MAX)
		per = PER_PAGE_MAX;
	l->order = xcalloc(per, sizeof(struct post *));
	after = req_query(r, "after");
	if (after != NULL && *after != '\0') {
		snprintf(id, sizeof(id), "%s", after);
		if ((a = anchor(id, c)) != NULL)
			list_after(c, l, a, page, per);
		else
			l->prev = req_query(r, "after");
		return;
	}
	before = req_query(r, "before");
	if (before != NULL && *before != '\0') {
		snprintf(id, sizeof(id), "%s", before);
		if ((a = anchor(id, c)) != NULL)
			list_before(c, l, a, page, per);
		else
			l->next = req_query(r, "before");
		return;
	}
	list_page(c, l, page, per);
}

static void
channel_posts(struct req *r)
{
	struct channel *c;
	struct list l = {.next = "", .prev = ""};
	int64_t since;

	c = api_channel_arg(r, r->arg[0]);
	if (c == NULL)
		return;
	if (req_query(r, "after") && *req_query(r, "after") &&
	    !id_valid(req_query(r, "after"))) {
		api_bad_url(r, "after");
		return;
	}
	if (req_query(r, "before") && *req_query(r, "before") &&
	    !id_valid(req_query(r, "before"))) {
		api_bad_url(r, "before");
		return;
	}
	since = query_num(r, "since", 0);
	if (since == 0 && etag_matches(r, c)) {
		api_headers(r);
		http_reply(r, 304, NULL, NULL, 0);
		return;
	}
	if (since > 0)
		list_since(c, &l, since);
	else
		list_run(r, c, &l);
	reply_list(r, c, &l, since == 0);
	free(l.order);
	free(l.tomb);
}

/* 5.37 names the root twice in order: root, replies, root. */
static void
thread(struct req *r)
{
	struct post *p, *root;
	struct hmap done = {0};
	struct buf b = {0};
	size_t i;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "post_id");
		return;
	}
	p = post_by_id(r->arg[0]);
	if (p == NULL || p->delete_at) {
		api_error(r, 404, "app.post.get.app_error",
		    "Unable to get the post.");
		return;
	}
	if (channel_member(p->channel, r->user) == NULL &&
	    !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	root = p->root ? p->root : p;
	buf_fmt(&b, "{\"order\":[\"%s\"", p->id);
	for (i = 0; i < root->nreplies; i++)
		if (root->reply[i]->delete_at == 0)
			buf_fmt(&b, ",\"%s\"", root->reply[i]->id);
	buf_fmt(&b, ",\"%s\"],\"posts\":{", root->id);
	put_thread(&b, &done, p);
	buf_str(&b, "},\"next_post_id\":\"\",\"prev_post_id\":\"\"}");
	hmap_free(&done);
	api_json(r, 200, &b);
}

const struct route routes_list[] = {
    {"GET", "/api/v4/channels/{id}/posts", channel_posts, 0},
    {"GET", "/api/v4/posts/{id}/thread", thread, 0},
    {NULL, NULL, NULL, 0}};
