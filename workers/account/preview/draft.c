#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lookup.h"
#include "workers/account/preview/draft.h"

struct draft {
	struct account *a;
	struct net_request *req;
	struct event *timer;
	char channel[MM_ID_SIZE];
	char root[MM_ID_SIZE];
	char event_id[EVENT_ID_SIZE];
	char post[MM_ID_SIZE]; /* "" before it exists */
	char *text;            /* newest, not sent yet; NULL none */
	char *sent;            /* what the last request said */
	struct monotime last;  /* when it began */
	int held;
	int failed;            /* no more requests */
	int unclear;           /* a create had no clear end */
	int spoiled;           /* an edit had none, or will never be taken */
	draft_fn changed;
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
    const char *event_id, draft_fn changed, void *arg)
{
	struct draft *d;

	if ((d = calloc(1, sizeof(*d))) == NULL ||
	    (d->timer = evtimer_new(a->base, on_timer, d)) == NULL)
		fatal("calloc");
	d->a = a;
	ID_COPY(d->channel, channel);
	ID_COPY(d->root, root);
	ID_COPY(d->event_id, event_id);
	d->changed = changed;
	d->arg = arg;
	d->last = monotime_add(monotime_now(), -DRAFT_THROTTLE_MS);
	return d;
}

static void
failed(struct draft *d, const struct net_result *r, struct json_object *body)
{
	char buf[256];

	d->failed = 1;
	draft_stop(d);
	log_event(LOG_INFO, "draft.failed", "account", d->a->id, "channel",
	    d->channel, "error", api_error(r, body, buf, sizeof(buf)), NULL);
}

/* Refused for good, not for now. */
static int
refused(const struct net_result *r)
{
	return r->ending == NET_ANSWERED && r->status >= 400 &&
	    r->status < 500 && r->status != 401 && r->status != 408 &&
	    r->status != 429;
}

/* A gateway's answer says nothing about what is behind it. */
static int
late(const struct net_result *r)
{
	return r->ending == NET_MAYBE || (r->ending == NET_ANSWERED &&
		(r->status == 502 || r->status == 504 || r->status == 408));
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
		d->unclear = late(r) || (r->ending == NET_ANSWERED &&
			(r->status < 300 || r->status >= 500));
		failed(d, r, body);
	}
	draft_step(d);
	d->changed(d->arg);
}

static void
edit_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct draft *d = arg;

	d->req = NULL;
	if (r->ending != NET_ANSWERED || r->status != 200) {
		d->spoiled = late(r) || refused(r);
		failed(d, r, body);
	}
	draft_step(d);
	d->changed(d->arg);
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
	add_str(msg, "channel_id", d->channel);
	if (d->root[0] != '\0')
		add_str(msg, "root_id", d->root);
	add_str(msg, "message", d->text);
	add_str(msg, "pending_post_id", pending);
	add_obj(msg, "props", props);
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
		add_str(msg, "message", d->text);
		snprintf(path, sizeof(path), "/posts/%s/patch", d->post);
		d->req = api_send(d->a, "PUT", path, msg, edit_done, d);
	}
	free(d->sent);
	d->sent = d->text;
	d->text = NULL;
	d->last = monotime_now();
}

static void
draft_step(struct draft *d)
{
	int64_t wait;

	if (d->req != NULL || d->text == NULL ||
	    (d->held && d->post[0] == '\0'))
		return;
	wait = DRAFT_THROTTLE_MS - monotime_since(d->last);
	if (wait > 0)
		loop_timer(d->timer, wait);
	else
		send_text(d);
}

void
draft_adopt(struct draft *d, const char *post)
{
	if (d->req == NULL && d->post[0] == '\0')
		ID_COPY(d->post, post);
}

void
draft_hold(struct draft *d, int on)
{
	d->held = on;
	draft_step(d);
}

void
draft_update(struct draft *d, const char *text)
{
	if (d->failed)
		return;
	free(d->text);
	d->text = NULL;
	if (d->sent != NULL && strcmp(d->sent, text) == 0)
		return;
	if ((d->text = strdup(text)) == NULL)
		fatal("strdup");
	draft_step(d);
}

void
draft_stop(struct draft *d)
{
	free(d->text);
	d->text = NULL;
	event_del(d->timer);
}

void
draft_abort(struct draft *d)
{
	int left;

	draft_stop(d);
	if (d->req == NULL)
		return;
	left = net_request_cancel(d->req) != NET_NOT_SENT;
	d->req = NULL;
	d->failed = 1;
	if (d->post[0] == '\0')
		d->unclear = left;
	else
		d->spoiled = left;
}

int
draft_busy(const struct draft *d)
{
	return d->req != NULL;
}

int
draft_coming(const struct draft *d)
{
	return d->post[0] == '\0' && (d->req != NULL || d->text != NULL);
}

int
draft_failed(const struct draft *d)
{
	return d->failed;
}

const char *
draft_post(const struct draft *d)
{
	return d->post;
}

int
draft_usable(const struct draft *d)
{
	return d->post[0] != '\0' && !d->spoiled && d->req == NULL;
}

int
draft_unclear(const struct draft *d)
{
	return d->unclear;
}

void
draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	if (d->req != NULL)
		net_request_cancel(d->req);
	event_free(d->timer);
	free(d->text);
	free(d->sent);
	free(d);
}
