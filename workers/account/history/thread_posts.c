#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/decode.h"
#include "workers/account/history/pending_text.h"
#include "workers/account/history/thread_posts.h"
#include "workers/account/normalise.h"

/* The "posts" of a list, or NULL. */
static struct json_object *
posts_of(struct json_object *list)
{
	struct json_object *posts = NULL;

	if (!json_object_is_type(list, json_type_object) ||
	    !json_object_object_get_ex(list, "posts", &posts) ||
	    !json_object_is_type(posts, json_type_object) ||
	    json_object_object_length(posts) > THREAD_POSTS_MAX)
		return NULL;
	return posts;
}

static int
is_earlier(const struct inbound *in, const struct thread_ask *ask)
{
	return in->create_at < ask->at ||
	    (in->create_at == ask->at && strcmp(in->post_id, ask->post) < 0);
}

static int
is_of_thread(const struct inbound *in, const struct thread_ask *ask)
{
	return strcmp(in->channel_id, ask->channel) == 0 &&
	    (strcmp(in->root_id, ask->root) == 0 ||
		(in->root_id[0] == '\0' &&
		    strcmp(in->post_id, ask->root) == 0));
}

/* NULL when the post can be no part of it. */
static struct inbound *
take(struct json_object *post, const struct thread_ask *ask)
{
	struct inbound *in;
	enum reason why;
	const char *name;

	in = decode_post(post, INBOUND_POST, ask->policy->account, &why);
	if (in == NULL)
		return NULL;
	if (!is_of_thread(in, ask) || !is_earlier(in, ask) ||
	    strcmp(in->post_id, ask->post) == 0 || in->delete_at != 0 ||
	    !normalise_is_unseen(in->type) ||
	    (normalise_is_unseen(in->text) && in->n_files == 0)) {
		inbound_free(in);
		return NULL;
	}
	in->surface = ask->surface;
	if (in->actor_is_bot == TRI_UNKNOWN)
		in->actor_is_bot = ask->is_bot(ask->arg, in->actor_id);
	if ((name = ask->name(ask->arg, in->actor_id)) != NULL)
		inbound_set(&in->actor_name, name);
	return in;
}

static int
is_own(const struct inbound *in, const struct thread_ask *ask)
{
	return strcmp(in->actor_id, ask->bot_id) == 0;
}

static int
may_be_shown(const struct inbound *in, const struct thread_ask *ask)
{
	return is_own(in, ask) || ask->policy->visibility == VISIBLE_ALL ||
	    authorise(ask->policy, in).kind == DECISION_ALLOW;
}

static int
by_time(const void *va, const void *vb)
{
	const struct inbound *a = *(struct inbound *const *)va;
	const struct inbound *b = *(struct inbound *const *)vb;

	if (a->create_at != b->create_at)
		return a->create_at < b->create_at ? -1 : 1;
	return strcmp(a->post_id, b->post_id);
}

/* All of the thread, in order; the caller frees them and the list. */
static struct inbound **
collect(struct json_object *posts, const struct thread_ask *ask, size_t *n)
{
	struct inbound **all, *in;

	*n = 0;
	all = calloc((size_t)json_object_object_length(posts) + 1,
	    sizeof(*all));
	if (all == NULL)
		fatal("calloc");
	json_object_object_foreach(posts, id, post) {
		(void)id;
		if ((in = take(post, ask)) != NULL)
			all[(*n)++] = in;
	}
	qsort(all, *n, sizeof(*all), by_time);
	return all;
}

static void
show(const struct inbound *in, void (*fn)(const struct history_entry *, void *),
    void *arg)
{
	char *text = pending_text(in->text, in->n_files);
	struct history_entry h = {.post_id = in->post_id,
	    .sender = in->actor_name[0] != '\0' ? in->actor_name :
	    in->actor_id, .text = text, .at = in->create_at};

	fn(&h, arg);
	free(text);
}

int
thread_posts(struct json_object *list, const struct thread_ask *ask,
    void (*fn)(const struct history_entry *, void *arg), void *arg)
{
	struct json_object *posts = posts_of(list);
	struct inbound **all;
	size_t i, n, first = 0, kept = 0;

	if (posts == NULL)
		return -1;
	all = collect(posts, ask, &n);
	for (i = 0; i < n && ask->answered; i++)
		if (is_own(all[i], ask))
			first = i + 1;
	for (i = n; i > first && kept < ask->limit; i--)
		kept += may_be_shown(all[i - 1], ask) != 0;
	for (; i < n; i++)
		if (may_be_shown(all[i], ask))
			show(all[i], fn, arg);
	for (i = 0; i < n; i++)
		inbound_free(all[i]);
	free(all);
	return 0;
}

int
thread_authors(struct json_object *list, const struct thread_ask *ask,
    void (*fn)(const char *user_id, void *arg), void *arg)
{
	struct json_object *posts = posts_of(list);
	struct inbound **all;
	size_t i, k, n;

	if (posts == NULL)
		return -1;
	all = collect(posts, ask, &n);
	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(all[k]->actor_id, all[i]->actor_id) == 0)
				break;
		if (k == i && !is_own(all[i], ask) &&
		    (all[i]->actor_is_bot == TRI_UNKNOWN ||
			(ask->policy->by_name &&
			    all[i]->actor_name[0] == '\0')))
			fn(all[i]->actor_id, arg);
	}
	for (i = 0; i < n; i++)
		inbound_free(all[i]);
	free(all);
	return 0;
}
