#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lookup.h"
#include "workers/account/preview/sweep.h"

#define AGAIN_MS 2000
#define AGAIN_MAX_MS 60000

/* When to look, from the last time; a request has 30 s to end (net). */
static const int64_t looks[] = {0, 4000, 30000};
#define NLOOKS (sizeof(looks) / sizeof(looks[0]))

struct sweep {
	struct account *a;
	struct lookup *look;
	struct net_request *req;
	struct event *timer;
	struct json_object *props;
	char channel[MM_ID_SIZE];
	char event_id[EVENT_ID_SIZE];
	char found[LOOKUP_MAX][MM_ID_SIZE];
	size_t n;    /* of them still to be deleted */
	size_t done; /* looks */
	int64_t again_ms;
	sweep_fn fn;
	void *arg;
};

static void sweep_step(struct sweep *);

static int
is_kept(const struct sweep *s, const char *post)
{
	struct json_object *keep = NULL;
	const char *id;
	size_t i;

	json_object_object_get_ex(s->props, "keep", &keep);
	if (!json_object_is_type(keep, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(keep); i++) {
		id = json_object_get_string(json_object_array_get_idx(keep, i));
		if (id != NULL && strcmp(id, post) == 0)
			return 1;
	}
	return 0;
}

static void
later(struct sweep *s)
{
	loop_timer(s->timer, s->again_ms);
	s->again_ms *= 2;
	if (s->again_ms > AGAIN_MAX_MS)
		s->again_ms = AGAIN_MAX_MS;
}

static void
delete_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct sweep *s = arg;

	s->req = NULL;
	/* 403 and 404: it is gone. */
	if (r->ending != NET_ANSWERED || r->status >= 500 ||
	    r->status == 401 || r->status == 429) {
		later(s);
		return;
	}
	s->n--;
	sweep_step(s);
}

static void
look_done(struct account *a, const char (*posts)[MM_ID_SIZE], size_t n,
    const char *why, void *arg)
{
	struct sweep *s = arg;
	size_t i;

	s->look = NULL;
	if (why != NULL) {
		later(s);
		return;
	}
	s->done++;
	s->again_ms = AGAIN_MS;
	for (i = 0; i < n; i++)
		if (!is_kept(s, posts[i]))
			ID_COPY(s->found[s->n++], posts[i]);
	sweep_step(s);
}

static void
sweep_step(struct sweep *s)
{
	char path[64];

	if (s->n > 0) {
		snprintf(path, sizeof(path), "/posts/%s", s->found[s->n - 1]);
		s->req = api_send(s->a, "DELETE", path, NULL, delete_done, s);
		return;
	}
	loop_timer(s->timer, s->done < NLOOKS ? looks[s->done] : 0);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct sweep *s = arg;

	if (s->n > 0) {
		sweep_step(s);
		return;
	}
	if (s->done == NLOOKS) {
		s->fn(s->arg);
		sweep_cancel(s);
		return;
	}
	s->look = lookup_all(s->a, s->channel, api_int(s->props, "since"),
	    MARK_DRAFT, s->event_id, look_done, s);
}

struct sweep *
sweep_start(struct account *a, const char *channel, const char *event_id,
    struct json_object *props, sweep_fn fn, void *arg)
{
	struct sweep *s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->timer = evtimer_new(a->base, on_timer, s)) == NULL)
		fatal("calloc");
	s->a = a;
	ID_COPY(s->channel, channel);
	ID_COPY(s->event_id, event_id);
	s->props = json_object_get(props);
	s->again_ms = AGAIN_MS;
	s->fn = fn;
	s->arg = arg;
	sweep_step(s);
	return s;
}

void
sweep_cancel(struct sweep *s)
{
	if (s == NULL)
		return;
	lookup_cancel(s->look);
	if (s->req != NULL)
		net_request_cancel(s->req);
	event_free(s->timer);
	json_object_put(s->props);
	free(s);
}
