#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/history/cold.h"
#include "workers/account/history/pending.h"
#include "workers/account/history/recover.h"
#include "workers/account/history/thread_posts.h"
#include "workers/account/lanes.h"
#include "workers/account/policy.h"
#include "workers/account/rowdata.h"
#include "workers/account/users.h"

#define PAGE_MAX 200 /* Mattermost's largest page */

struct recover {
	struct account *a;
	struct row *row; /* NULL: cancelled */
	int answered;
	struct monotime until;
	struct json_object *list; /* waits for the names of its authors */
	void (*fn)(void *arg);
	void *arg;
};

static void
recover_end(struct recover *r)
{
	void (*fn)(void *) = r->row == NULL ? NULL : r->fn;
	void *arg = r->arg;

	cold_end(r->a->cold);
	json_object_put(r->list);
	free(r);
	if (fn != NULL)
		fn(arg);
}

static const char *
name_of(void *arg, const char *id)
{
	return users_name(arg, id);
}

static enum tri
bot_or_not(void *arg, const char *id)
{
	return users_is_bot(arg, id);
}

static void
ask_fill(struct recover *r, struct thread_ask *ask)
{
	memset(ask, 0, sizeof(*ask));
	ask->surface = surface_from(api_str(r->row->data, "surface"));
	ask->policy = r->a->policy;
	ask->bot_id = r->a->bot_id;
	ask->channel = r->row->channel;
	ask->root = r->row->root;
	ask->post = api_str(r->row->data, "post");
	ask->at = r->row->at;
	ask->answered = r->answered;
	ask->limit = (size_t)r->a->policy->history_limit;
	ask->name = name_of;
	ask->is_bot = bot_or_not;
	ask->arg = r->a;
}

static void
keep(const struct history_entry *h, void *arg)
{
	struct recover *r = arg;

	pending_add(r->a->pending, api_str(r->row->data, "session"), h);
}

static void
recover_keep(struct recover *r)
{
	struct account *a = r->a;
	struct thread_ask ask;

	ask_fill(r, &ask);
	pending_set_whole(a->pending, api_str(r->row->data, "session"));
	if (thread_posts(r->list, &ask, keep, r) == -1)
		log_event(LOG_INFO, "thread.malformed", "account", a->id,
		    "root", r->row->root, NULL);
	cold_read(a->cold, r->row->root);
}

/* Asked for again, later; or, when the server will never tell, not. */
static void
recover_failed(struct recover *r, const struct net_result *res,
    struct json_object *body)
{
	struct account *a = r->a;
	char buf[256];
	int lasting = res->ending == NET_ANSWERED && res->status >= 400 &&
	    res->status < 500 && res->status != 429 && res->status != 408;

	log_event(LOG_INFO, "thread.unread", "account", a->id, "root",
	    r->row->root, "error", api_error(res, body, buf, sizeof(buf)),
	    NULL);
	if (lasting)
		pending_set_whole(a->pending, api_str(r->row->data, "session"));
	else
		cold_failed(a->cold, r->row->root, monotime_now());
}

static void
on_names(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct recover *r = arg;

	if (r->row != NULL && api_ok(res, body, 200)) {
		users_learn_all(a, body);
		recover_keep(r);
	} else if (r->row != NULL)
		recover_failed(r, res, body);
	recover_end(r);
}

static void
add_author(const char *id, void *arg)
{
	json_object_array_add(arg, json_object_new_string(id));
}

/*
 * Where not everybody is shown, the policy has to know who they are, all
 * with one question; elsewhere an id that has no name is shown as it is.
 */
static int
need_names(struct recover *r)
{
	struct json_object *ids;
	struct thread_ask ask;
	int asked = 0;

	if (r->a->policy->visibility == VISIBLE_ALL)
		return 0;
	ids = json_object_new_array();
	ask_fill(r, &ask);
	if (thread_authors(r->list, &ask, add_author, ids) == 0 &&
	    json_object_array_length(ids) > 0)
		asked = api_send_within(r->a, "POST", "/users/ids",
		    json_object_get(ids), monotime_left(r->until) + 1,
		    on_names, r) != NULL;
	json_object_put(ids);
	return asked;
}

static void
on_thread(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct recover *r = arg;

	if (r->row != NULL && api_ok(res, body, 200)) {
		r->list = json_object_get(body);
		if (need_names(r))
			return;
		recover_keep(r);
	} else if (r->row != NULL)
		recover_failed(r, res, body);
	recover_end(r);
}

static int
is_cold(struct account *a, const struct row *r)
{
	if (r->root[0] == '\0' || a->policy->history_limit == 0 ||
	    strcmp(r->root, api_str(r->data, "post")) == 0 ||
	    !mm_id_valid(api_str(r->data, "post")) ||
	    !rowdata_bool(r->data, "history") ||
	    pending_is_whole(a->pending, api_str(r->data, "session")))
		return 0;
	return a->ep != NULL && cold_may(a->cold, r->root, monotime_now());
}

struct recover *
recover_start(struct account *a, struct row *row, int answered,
    void (*fn)(void *arg), void *arg)
{
	struct recover *r;
	char path[256];
	int page = a->policy->history_limit + 1;

	if (!is_cold(a, row))
		return NULL;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	*r = (struct recover){.a = a, .row = row, .answered = answered,
	    .fn = fn, .arg = arg};
	r->until = monotime_add(monotime_now(), RECOVER_MS);
	/* Older servers know no pages here and give all of it. */
	snprintf(path, sizeof(path), "/posts/%s/thread?perPage=%d&direction=up"
	    "&fromPost=%s&fromCreateAt=%lld", row->root,
	    page < PAGE_MAX ? page : PAGE_MAX, api_str(row->data, "post"),
	    (long long)row->at);
	cold_begin(a->cold);
	if (api_send_within(a, "GET", path, NULL, RECOVER_MS, on_thread, r) ==
	    NULL) {
		cold_end(a->cold);
		free(r);
		return NULL;
	}
	return r;
}

void
recover_cancel(struct recover *r)
{
	r->row = NULL;
}
