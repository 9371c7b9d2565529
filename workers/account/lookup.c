#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lookup.h"

#define PAGE 200
#define PAGE_LESS 5     /* times, when a page was too large */
#define POSTS_MAX 10000 /* beyond that nobody will miss it */

struct lookup {
	struct account *a;
	struct net_request *req;
	char channel[MM_ID_SIZE];
	char before[MM_ID_SIZE];
	int64_t since;
	const char *mark;
	char *value;
	lookup_fn fn;      /* one of these two */
	lookup_all_fn all;
	void *arg;
	int per_page;
	size_t seen;
	size_t n;
	char found[LOOKUP_MAX][MM_ID_SIZE];
};

static void lookup_page(struct lookup *);

static void
lookup_free(struct lookup *l)
{
	free(l->value);
	free(l);
}

static void
lookup_end(struct lookup *l, const char *failed)
{
	if (l->all != NULL)
		l->all(l->a, (const char(*)[MM_ID_SIZE])l->found,
		    failed == NULL ? l->n : 0, failed, l->arg);
	else
		l->fn(l->a, failed == NULL && l->n > 0 ? l->found[0] : "",
		    failed, l->arg);
	lookup_free(l);
}

static int
is_it(const struct lookup *l, struct json_object *post)
{
	struct json_object *props = NULL;

	if (strcmp(api_str(post, "user_id"), l->a->bot_id) != 0 ||
	    api_int(post, "delete_at") != 0)
		return 0;
	json_object_object_get_ex(post, "props", &props);
	return strcmp(api_str(props, l->mark), l->value) == 0;
}

/* 1: over, found or not. */
static int
page_search(struct lookup *l, struct json_object *body)
{
	struct json_object *order = NULL, *posts = NULL, *post;
	size_t i, n;

	if (!json_object_object_get_ex(body, "order", &order) ||
	    !json_object_is_type(order, json_type_array) ||
	    !json_object_object_get_ex(body, "posts", &posts) ||
	    !json_object_is_type(posts, json_type_object)) {
		lookup_end(l, "not a list of posts");
		return 1;
	}
	n = json_object_array_length(order);
	for (i = 0; i < n; i++) {
		const char *id = json_object_get_string(
		    json_object_array_get_idx(order, i));

		if (!mm_id_valid(id) ||
		    !json_object_object_get_ex(posts, id, &post))
			continue;
		if (is_it(l, post)) {
			ID_COPY(l->found[l->n], id);
			if (l->all == NULL || ++l->n == LOOKUP_MAX) {
				l->n += l->all == NULL;
				lookup_end(l, NULL);
				return 1;
			}
		}
		ID_COPY(l->before, id);
		if (api_int(post, "create_at") < l->since) {
			lookup_end(l, NULL);
			return 1;
		}
	}
	l->seen += n;
	if (n < (size_t)l->per_page || l->seen >= POSTS_MAX) {
		lookup_end(l, NULL);
		return 1;
	}
	return 0;
}

static void
page_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct lookup *l = arg;
	char buf[256];

	l->req = NULL;
	if (r->ending == NET_ANSWERED &&
	    (r->status == 403 || r->status == 404)) {
		lookup_end(l, NULL); /* nothing of ours to be seen */
		return;
	}
	if (r->status == 200 && r->partial && l->per_page > 1) {
		l->per_page = l->per_page > PAGE_LESS ?
		    l->per_page / PAGE_LESS : 1;
		lookup_page(l);
		return;
	}
	if (!api_ok(r, body, 200)) {
		lookup_end(l, api_error(r, body, buf, sizeof(buf)));
		return;
	}
	if (!page_search(l, body))
		lookup_page(l);
}

static void
lookup_page(struct lookup *l)
{
	char path[160];

	snprintf(path, sizeof(path), "/channels/%s/posts?per_page=%d%s%s",
	    l->channel, l->per_page, l->before[0] != '\0' ? "&before=" : "",
	    l->before);
	l->req = l->per_page > 1 ? api_get(l->a, path, page_done, l) :
				   api_get_large(l->a, path, page_done, l);
}

static struct lookup *
lookup_new(struct account *a, const char *channel, int64_t since,
    const char *mark, const char *value, void *arg)
{
	struct lookup *l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->value = strdup(value)) == NULL)
		fatal("calloc");
	l->a = a;
	ID_COPY(l->channel, channel);
	l->since = since;
	l->per_page = PAGE;
	l->mark = mark;
	l->arg = arg;
	lookup_page(l);
	return l;
}

struct lookup *
lookup_start(struct account *a, const char *channel, int64_t since,
    const char *mark, const char *value, lookup_fn fn, void *arg)
{
	struct lookup *l = lookup_new(a, channel, since, mark, value, arg);

	l->fn = fn;
	return l;
}

struct lookup *
lookup_all(struct account *a, const char *channel, int64_t since,
    const char *mark, const char *value, lookup_all_fn fn, void *arg)
{
	struct lookup *l = lookup_new(a, channel, since, mark, value, arg);

	l->all = fn;
	return l;
}

void
lookup_cancel(struct lookup *l)
{
	if (l == NULL)
		return;
	if (l->req != NULL)
		net_request_cancel(l->req);
	lookup_free(l);
}
