#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/utf8.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lookup.h"
#include "workers/account/outbox_int.h"

#define DOUBTS_MAX 3

/* The new post is there: the one that it stands for goes. */
void
outrow_posted(struct out_row *r, const char *post)
{
	if (!r->instead) {
		outrow_done(r, post);
		return;
	}
	ID_COPY(r->made, post);
	r->op = OUT_DELETE;
	outrow_delete(r);
}

/*
 * 200 and no word of a Mattermost server: the page of something in between,
 * to log in perhaps. Nothing is known of what was asked for.
 */
static int
is_strange(const struct net_result *res, struct json_object *body)
{
	return res->ending == NET_ANSWERED && res->status == 200 &&
	    !res->partial && !json_object_is_type(body, json_type_object);
}

static void
post_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct out_row *r = arg;
	const char *id = api_str(body, "id");

	r->req = NULL;
	if (res->ending == NET_ANSWERED &&
	    (res->status == 201 || (res->status == 200 && mm_id_valid(id)))) {
		/* Accepted, even when the body cannot be read: not again. */
		outrow_posted(r, mm_id_valid(id) ? id : "");
		return;
	}
	if (res->ending == NET_ANSWERED && res->status == 200) {
		r->unclear = 1;
		outrow_later(r, -1);
		return;
	}
	outrow_failed(r, res, body);
}

/*
 * The post cannot be edited: say it anew. Later pieces of the same answer
 * follow it, so that they stay in order.
 */
static void
edit_instead(struct out_row *r)
{
	struct out_row *e;

	TAILQ_FOREACH(e, outbox_rows(r->a), entry) {
		if (e->op != OUT_EDIT || e->seq != r->seq ||
		    strcmp(e->lane_key, r->lane_key) != 0)
			continue;
		e->op = OUT_POST;
		e->instead = 1;
	}
	outrow_go(r);
}

/* 1: the server's answer shows the text; 0: another; -1: it shows nothing. */
static int
edit_shown(const struct out_row *r, const struct net_result *res,
    struct json_object *body)
{
	char *want, *is;
	int same;

	if (body == NULL || res->partial ||
	    strcmp(api_str(body, "id"), r->post) != 0)
		return -1;
	want = utf8_trim(r->text);
	is = utf8_trim(api_str(body, "message"));
	same = strcmp(want, is) == 0;
	free(want);
	free(is);
	return same;
}

static void
edit_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct out_row *r = arg;
	int shown;

	r->req = NULL;
	if (is_strange(res, body)) {
		outrow_later(r, -1);
		return;
	}
	if (res->ending == NET_ANSWERED && res->status == 200) {
		shown = edit_shown(r, res, body);
		if (shown == 1 || (shown == -1 && ++r->doubts == DOUBTS_MAX))
			outrow_done(r, r->post);
		else if (shown == -1)
			outrow_later(r, -1);
		else
			edit_instead(r);
		return;
	}
	if (res->ending == NET_ANSWERED && res->status >= 400 &&
	    res->status < 500 && res->status != 401 && res->status != 408 &&
	    res->status != 429) {
		/* Deleted, or the edit window has closed. */
		edit_instead(r);
		return;
	}
	outrow_failed(r, res, body);
}

static void
delete_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct out_row *r = arg;

	r->req = NULL;
	if (is_strange(res, body)) {
		outrow_later(r, -1);
		return;
	}
	/* 403 and 404: it is gone, or not ours to remove any more. */
	if (res->ending == NET_ANSWERED && res->status < 500 &&
	    res->status != 401 && res->status != 429) {
		if (r->instead)
			r->op = OUT_POST;
		outrow_done(r, r->made);
	} else
		outrow_failed(r, res, body);
}

void
outrow_post(struct out_row *r)
{
	struct json_object *msg = json_object_new_object();
	struct json_object *props = json_object_new_object();

	if (r->props != NULL) {
		json_object_object_foreach(r->props, key, value)
			json_object_object_add(
			    props, key, json_object_get(value));
	}
	json_object_object_add(
	    props, MARK_OUTBOX, json_object_new_string(r->key));
	add_str(msg, "channel_id", r->channel);
	if (r->root[0] != '\0')
		add_str(msg, "root_id", r->root);
	add_str(msg, "message", r->text);
	add_str(msg, "pending_post_id", r->key);
	add_obj(msg, "props", props);
	if (r->files != NULL)
		add_obj(msg, "file_ids", json_object_get(r->files));
	r->req = api_send(r->a, "POST", "/posts", msg, post_done, r);
}

void
outrow_edit(struct out_row *r)
{
	struct json_object *msg = json_object_new_object();
	char path[64];

	add_str(msg, "message", r->text);
	snprintf(path, sizeof(path), "/posts/%s/patch", r->post);
	r->req = api_send(r->a, "PUT", path, msg, edit_done, r);
}

void
outrow_delete(struct out_row *r)
{
	char path[64];

	snprintf(path, sizeof(path), "/posts/%s", r->post);
	r->req = api_send(r->a, "DELETE", path, NULL, delete_done, r);
}
