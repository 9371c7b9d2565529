#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/bench.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/post_edit.h"
#include "tests/mmsim/props.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"

#define EMOJI_MAX 64

static void
reply_edited(struct req *r, const struct post *p)
{
	struct buf b = {0};

	render_post(&b, p, RENDER_NEW);
	api_json(r, 200, &b);
}

/* A post that the caller may change; else the answer was sent. */
static struct post *
own_post(struct req *r)
{
	struct post *p;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "post_id");
		return NULL;
	}
	p = post_by_id(r->arg[0]);
	if (p == NULL || p->delete_at ||
	    channel_member(p->channel, r->user) == NULL ||
	    (p->user != r->user && !r->user->is_admin)) {
		api_forbidden(r);
		return NULL;
	}
	return p;
}

static int
may_edit(struct req *r, const struct post *p)
{
	if (p->channel->delete_at) {
		api_error(r, 400,
		    "api.post.update_post.can_not_update_post_in_deleted."
		    "error", "Can not update a post in a deleted channel.");
		return 0;
	}
	if (sim.edit_limit >= 0 &&
	    walltime_ms() > p->create_at + (int64_t)sim.edit_limit * 1000) {
		api_error(r, 400,
		    "api.post.update_post.permissions_time_limit.app_error",
		    "Post edit is only allowed within the time limit. Please "
		    "ask your System Administrator for details.");
		return 0;
	}
	return 1;
}

/* The old row stays behind under an id of its own. */
static void
leave_tombstone(struct post *p)
{
	struct channel *c = p->channel;
	struct tombstone *t;

	c->tomb = xgrow(c->tomb, &c->captombs, c->ntombs + 1,
	    sizeof(*c->tomb));
	t = &c->tomb[c->ntombs++];
	id_new(t->id);
	t->post = p;
	t->at = p->update_at;
}

/* The length of "attachments":[..] at s. */
static size_t
array_text(const char *s)
{
	const char *p;
	int depth = 0, quoted = 0;

	for (p = strchr(s, ':'); p != NULL && *p != '\0'; p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == '[' || *p == '{'))
			depth++;
		else if (!quoted && (*p == ']' || *p == '}') && --depth <= 0)
			return (size_t)(p - s) + 1;
	}
	return strlen(s);
}

/*
 * message and props: NULL keeps the old ones. props text is taken. The
 * attachment part of props counts as content for edit_at.
 */
void
post_change(struct post *p, struct json_object *message, char *props,
    int pinned)
{
	const char *old_att = strstr(p->props, "\"attachments\":");
	const char *new_att = props ? strstr(props, "\"attachments\":")
				    : old_att;
	char *text = NULL;
	int changed;

	changed = props != NULL && (old_att == NULL) != (new_att == NULL);
	if (props != NULL && old_att != NULL && new_att != NULL)
		changed = array_text(old_att) != array_text(new_att) ||
		    strncmp(old_att, new_att, array_text(old_att)) != 0;
	if (message != NULL)
		text = utf8_clean(json_object_get_string(message),
		    (size_t)json_object_get_string_len(message));
	if (text != NULL && strcmp(text, p->message) != 0) {
		changed = 1;
		free(p->message);
		p->message = text;
		text = NULL;
	}
	free(text);
	if (props != NULL)
		props_set(p, props);
	p->pinned = pinned;
	p->update_at = tick_ms();
	if (changed)
		p->edit_at = p->update_at;
	p->channel->etag_at = p->update_at;
	leave_tombstone(p);
	sim.edits++;
	event_post("post_edited", p, NULL);
	bench_edited(p);
}

static struct json_object *
string_member(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	return v;
}

static struct json_object *
array_member(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_array))
		return NULL;
	return v;
}

static size_t
array_len(struct json_object *a)
{
	return a ? json_object_array_length(a) : 0;
}

/*
 * The server compares pairwise while the counts agree, and looks into an
 * integration that may not be there.
 */
static int
attachments_panic(struct json_object *old, struct json_object *new)
{
	struct json_object *a = array_member(old, "attachments"), *x, *v;
	struct json_object *b = array_member(new, "attachments"), *y;
	size_t i, j, n = array_len(a);

	if (n != array_len(b))
		return 0;
	for (i = 0; i < n; i++) {
		x = array_member(json_object_array_get_idx(a, i), "actions");
		y = array_member(json_object_array_get_idx(b, i), "actions");
		if (array_len(x) != array_len(y))
			return 0;
		for (j = 0; j < array_len(x); j++)
			if (!json_object_object_get_ex(
				json_object_array_get_idx(x, j), "integration",
				&v) ||
			    !json_object_object_get_ex(
				json_object_array_get_idx(y, j), "integration",
				&v))
				return 1;
	}
	return 0;
}

/* The server of 5.37 dies in this request; the client sees a hang-up. */
static int
edit_panics(const struct post *p, struct json_object *msg, const char *props)
{
	struct json_object *old, *new;
	int panics;

	if (msg != NULL && strcmp(json_object_get_string(msg), p->message) != 0)
		return 0;
	old = json_tokener_parse(p->props);
	new = props ? json_tokener_parse(props) : json_object_get(old);
	panics = attachments_panic(old, new);
	json_object_put(old);
	json_object_put(new);
	return panics;
}

static void
edit(struct req *r, struct post *p, struct json_object *o, int replace)
{
	struct json_object *msg = string_member(o, "message"), *v;
	char *props = NULL;
	int pinned = replace ? 0 : p->pinned;

	if (json_object_object_get_ex(o, "props", &v) &&
	    json_object_is_type(v, json_type_object))
		props = props_store(v, -1);
	else if (replace)
		props = xstrdup("{}");
	if (json_object_object_get_ex(o, "is_pinned", &v) &&
	    json_object_is_type(v, json_type_boolean))
		pinned = json_object_get_boolean(v);
	if (!post_limits(r, msg, props ? props : "")) {
		free(props);
		return;
	}
	if (edit_panics(p, msg, props)) {
		free(props);
		http_hangup(r, HTTP_END_FIN);
		return;
	}
	if (msg == NULL && replace) {
		msg = json_object_new_string("");
		post_change(p, msg, props, pinned);
		json_object_put(msg);
	} else
		post_change(p, msg, props, pinned);
	reply_edited(r, p);
}

void
post_patch(struct req *r)
{
	struct json_object *o = req_json(r);
	struct post *p;

	if (o == NULL)
		api_bad_body(r, "post");
	else if ((p = own_post(r)) != NULL && may_edit(r, p))
		edit(r, p, o, 0);
	json_object_put(o);
}

void
post_put(struct req *r)
{
	struct json_object *o = req_json(r);
	struct post *p;

	if (o == NULL)
		api_bad_body(r, "post");
	else if (strcmp(jstr(o, "id"), r->arg[0]) != 0)
		api_bad_body(r, "id");
	else if ((p = own_post(r)) != NULL && may_edit(r, p))
		edit(r, p, o, 1);
	json_object_put(o);
}

static void
pin(struct req *r, int on)
{
	struct post *p = post_by_id(r->arg[0]);

	if (!id_valid(r->arg[0]))
		api_bad_url(r, "post_id");
	else if (p == NULL || p->delete_at ||
	    channel_member(p->channel, r->user) == NULL)
		api_forbidden(r);
	else if (edit_panics(p, NULL, NULL))
		http_hangup(r, HTTP_END_FIN);
	else {
		post_change(p, NULL, NULL, on);
		api_ok(r);
	}
}

void
post_pin(struct req *r)
{
	pin(r, 1);
}

void
post_unpin(struct req *r)
{
	pin(r, 0);
}

static int
emoji_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(s[i] >= 'A' && s[i] <= 'Z') ||
			(s[i] >= '0' && s[i] <= '9') ||
			strchr("-+_", s[i])))
			return 0;
	return i >= 1 && i <= EMOJI_MAX;
}

static struct reaction *
reaction_slot(struct post *p, struct user *u, const char *emoji)
{
	struct reaction *x = post_reaction(p, u, emoji);

	if (x != NULL)
		return x;
	p->reaction = xgrow(p->reaction, &p->capreactions, p->nreactions + 1,
	    sizeof(*p->reaction));
	x = &p->reaction[p->nreactions++];
	memset(x, 0, sizeof(*x));
	x->user = u;
	x->emoji = xstrdup(emoji);
	return x;
}

/* The post of a reaction request, or NULL with the answer sent. */
static struct post *
reaction_target(struct req *r, const char *id)
{
	struct post *p = post_by_id(id);

	if (p == NULL || channel_member(p->channel, r->user) == NULL) {
		api_forbidden(r);
		return NULL;
	}
	if (p->delete_at) {
		api_error(r, 404, "app.post.get.app_error",
		    "Unable to get the post.");
		return NULL;
	}
	if (p->channel->delete_at) {
		api_error(r, 403,
		    "api.reaction.save.archived_channel.app_error",
		    "You cannot react in an archived channel.");
		return NULL;
	}
	return p;
}

void
reaction_post(struct req *r)
{
	struct json_object *o = req_json(r), *at;
	const char *emoji = jstr(o, "emoji_name");
	struct reaction *x;
	struct buf b = {0};
	struct post *p;

	if (o == NULL)
		api_bad_body(r, "reaction");
	else if (!id_valid(jstr(o, "user_id")) ||
	    !id_valid(jstr(o, "post_id")) || *emoji == '\0' ||
	    strlen(emoji) > EMOJI_MAX)
		api_bad_body(r, "reaction");
	else if (strcmp(jstr(o, "user_id"), r->user->id) != 0)
		api_forbidden(r);
	else if ((p = reaction_target(r, jstr(o, "post_id"))) == NULL)
		;
	else if (!emoji_ok(emoji))
		api_error(r, 400,
		    "model.reaction.is_valid.emoji_name.app_error",
		    "Invalid emoji name.");
	else {
		x = reaction_slot(p, r->user, emoji);
		x->create_at = x->update_at = tick_ms();
		if (json_object_object_get_ex(o, "create_at", &at) &&
		    json_object_get_int64(at) > 0)
			x->create_at = json_object_get_int64(at);
		x->delete_at = 0;
		p->update_at = p->channel->etag_at = x->update_at;
		event_reaction("reaction_added", p, x);
		render_reaction(&b, p, x);
		api_json(r, 200, &b);
	}
	json_object_put(o);
}

void
reaction_delete(struct req *r)
{
	struct user *u = api_user_arg(r, r->arg[0]);
	struct reaction *x, gone = {0};
	struct post *p;

	if (u == NULL)
		return;
	if (u != r->user && !r->user->is_admin) {
		api_forbidden(r);
		return;
	}
	if ((p = reaction_target(r, r->arg[1])) == NULL)
		return;
	x = post_reaction(p, u, r->arg[2]);
	if (x == NULL) {
		gone.user = u;
		gone.emoji = (char *)(uintptr_t)r->arg[2];
		x = &gone;
	}
	x->update_at = tick_ms();
	x->delete_at = x->update_at;
	p->update_at = p->channel->etag_at = x->update_at;
	event_reaction("reaction_removed", p, x);
	api_ok(r);
}

void
reactions_get(struct req *r)
{
	struct post *p = post_by_id(r->arg[0]);
	struct buf b = {0};
	size_t i;

	if (p == NULL || channel_member(p->channel, r->user) == NULL) {
		api_forbidden(r);
		return;
	}
	buf_str(&b, "[");
	for (i = 0; i < p->nreactions; i++) {
		if (p->reaction[i].delete_at)
			continue;
		buf_str(&b, b.len > 1 ? "," : "");
		render_reaction(&b, p, &p->reaction[i]);
	}
	buf_str(&b, "]");
	if (b.len == 2) {
		b.len = 0;
		buf_str(&b, "null");
	}
	api_json(r, 200, &b);
}
