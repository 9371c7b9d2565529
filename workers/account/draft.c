#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/draft.h"
#include "workers/account/draft_text.h"
#include "workers/account/lookup.h"

#define LOOKS_MAX 5
#define LOOK_AGAIN_MS 2000

struct draft {
	struct account *a;
	struct net_request *req;
	struct lookup *look;
	struct event *timer;
	char channel[MM_ID_SIZE];
	char root[MM_ID_SIZE];
	char event_id[EVENT_ID_SIZE];
	char post[MM_ID_SIZE]; /* "" before it exists */
	char *text;            /* newest, not sent yet; NULL none */
	char *shown;           /* what the post says */
	int64_t since;
	struct monotime last;  /* when the last request began */
	int failed;            /* no more requests this turn */
	int unclear;           /* a create had no clear end */
	int adopt;             /* an earlier life may have left one: look */
	int looks;             /* that could not tell */
	int finishing;
	draft_fn fn;
	void *arg;
};

static void draft_step(struct draft *);

static void
on_timer(int fd, short what, void *arg)
{
	draft_step(arg);
}

struct draft *
draft_new(struct account *a, const char *channel, const char *root,
    const char *event_id, int64_t since, int recovered)
{
	struct draft *d;

	if ((d = calloc(1, sizeof(*d))) == NULL ||
	    (d->timer = evtimer_new(a->base, on_timer, d)) == NULL)
		fatal("calloc");
	d->a = a;
	ID_COPY(d->channel, channel);
	ID_COPY(d->root, root);
	ID_COPY(d->event_id, event_id);
	d->since = since;
	d->adopt = recovered;
	d->last = monotime_add(monotime_now(), -DRAFT_THROTTLE_MS);
	return d;
}

static void
draft_failed(struct draft *d, const struct net_result *r,
    struct json_object *body)
{
	char buf[256];

	d->failed = 1;
	log_event(LOG_INFO, "draft.failed", "account", d->a->id, "channel",
	    d->channel, "error", api_error(r, body, buf, sizeof(buf)), NULL);
}

static void
create_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct draft *d = arg;
	const char *id = api_str(body, "id");

	d->req = NULL;
	if (r->ending == NET_ANSWERED && r->status == 201 && mm_id_valid(id))
		ID_COPY(d->post, id);
	else {
		d->unclear = r->ending == NET_MAYBE ||
		    (r->ending == NET_ANSWERED &&
			(r->status == 201 || r->status >= 500));
		draft_failed(d, r, body);
	}
	draft_step(d);
}

static void
edit_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct draft *d = arg;

	d->req = NULL;
	if (r->ending != NET_ANSWERED || r->status != 200)
		draft_failed(d, r, body);
	draft_step(d);
}

static struct json_object *
create_body(const struct draft *d)
{
	struct json_object *msg = json_object_new_object();
	struct json_object *props = json_object_new_object();
	char pending[64];

	snprintf(pending, sizeof(pending), "pd%08x%08x%08x", arc4random(),
	    arc4random(), arc4random());
	json_object_object_add(
	    props, MARK_DRAFT, json_object_new_string(d->event_id));
	json_object_object_add(
	    msg, "channel_id", json_object_new_string(d->channel));
	if (d->root[0] != '\0')
		json_object_object_add(
		    msg, "root_id", json_object_new_string(d->root));
	json_object_object_add(
	    msg, "message", json_object_new_string(d->text));
	json_object_object_add(
	    msg, "pending_post_id", json_object_new_string(pending));
	json_object_object_add(msg, "props", props);
	return msg;
}

static void
send_text(struct draft *d)
{
	struct json_object *msg;
	char path[64];

	if (d->post[0] == '\0')
		d->req = api_send(d->a, "POST", "/posts", create_body(d),
		    create_done, d);
	else {
		msg = json_object_new_object();
		json_object_object_add(
		    msg, "message", json_object_new_string(d->text));
		snprintf(path, sizeof(path), "/posts/%s/patch", d->post);
		d->req =
		    api_send(d->a, "PUT", path, msg, edit_done, d);
	}
	free(d->shown);
	d->shown = d->text;
	d->text = NULL;
	d->last = monotime_now();
}

static void
look_done(struct account *a, const char *post, const char *failed, void *arg)
{
	struct draft *d = arg;

	d->look = NULL;
	if (failed != NULL && ++d->looks < LOOKS_MAX) {
		loop_timer(d->timer, LOOK_AGAIN_MS);
		return;
	}
	d->unclear = d->adopt = 0;
	if (*post != '\0')
		ID_COPY(d->post, post);
	draft_step(d);
}

static void
draft_end(struct draft *d)
{
	d->finishing = 0;
	d->fn(d->arg);
}

static void
draft_step(struct draft *d)
{
	int64_t wait;

	if (d->req != NULL || d->look != NULL)
		return;
	if (d->adopt || (d->finishing && d->unclear)) {
		d->look = lookup_start(d->a, d->channel, d->since, MARK_DRAFT,
		    d->event_id, look_done, d);
		return;
	}
	if (d->finishing) {
		draft_end(d);
		return;
	}
	if (d->failed || d->text == NULL)
		return;
	wait = DRAFT_THROTTLE_MS - monotime_since(d->last);
	if (wait > 0)
		loop_timer(d->timer, wait);
	else
		send_text(d);
}

void
draft_update(struct draft *d, const char *text)
{
	char *cut;

	if (d->failed || d->finishing)
		return;
	/* NULL: nothing but blanks. */
	if ((cut = draft_truncate(text, DRAFT_UNITS)) == NULL)
		return;
	free(d->text);
	d->text = NULL;
	if (d->shown != NULL && strcmp(d->shown, cut) == 0) {
		free(cut);
		return;
	}
	d->text = cut;
	draft_step(d);
}

void
draft_finish(struct draft *d, draft_fn fn, void *arg)
{
	d->finishing = 1;
	d->fn = fn;
	d->arg = arg;
	if (d->req != NULL || d->look != NULL)
		return;
	loop_timer(d->timer, 0);
}

const char *
draft_post(const struct draft *d)
{
	return d->post;
}

void
draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	if (d->req != NULL)
		net_request_cancel(d->req);
	lookup_cancel(d->look);
	event_free(d->timer);
	free(d->text);
	free(d->shown);
	free(d);
}
