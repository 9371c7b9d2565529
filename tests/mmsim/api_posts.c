#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/bench.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/pending.h"
#include "tests/mmsim/post_edit.h"
#include "tests/mmsim/props.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"

#define FILES_PER_POST 10

static const char *
added_user(const struct post *p)
{
	static char id[ID_LEN + 1];
	const char *s;

	if (strcmp(p->type, "system_add_to_channel") != 0 ||
	    (s = strstr(p->props, "\"addedUserId\":\"")) == NULL)
		return NULL;
	snprintf(id, sizeof(id), "%.26s", s + 15);
	return id;
}

/* Own, unattached and named once: others are dropped without a word. */
static void
attach_files(struct post *p, struct json_object *json)
{
	struct json_object *ids;
	struct file *f;
	size_t i, n;

	if (json == NULL ||
	    !json_object_object_get_ex(json, "file_ids", &ids) ||
	    !json_object_is_type(ids, json_type_array))
		return;
	n = json_object_array_length(ids);
	for (i = 0; i < n; i++) {
		f = hmap_get(&st.files, json_object_get_string(
		    json_object_array_get_idx(ids, i)));
		if (f == NULL || f->user != p->user || f->post != NULL)
			continue;
		f->post = p;
		p->file = xrealloc(p->file,
		    (p->nfiles + 1) * sizeof(struct file *));
		p->file[p->nfiles++] = f;
	}
}

static void
take_sent(struct post *p, struct json_object *json)
{
	struct json_object *v;

	if (json == NULL)
		return;
	if (*jstr(json, "pending_post_id") != '\0')
		p->pending_id = xstrdup(jstr(json, "pending_post_id"));
	/* An administrator may date a post. */
	if (p->user->is_admin &&
	    json_object_object_get_ex(json, "create_at", &v) &&
	    json_object_get_int64(v) > 0)
		p->create_at = p->update_at = json_object_get_int64(v);
	if (json_object_object_get_ex(json, "is_pinned", &v))
		p->pinned = json_object_get_boolean(v);
	if (json_object_object_get_ex(json, "reply_count", &v) &&
	    json_object_is_type(v, json_type_int))
		p->sent_reply_count = json_object_get_int64(v);
	attach_files(p, json);
}

struct post *
post_publish(struct channel *c, struct user *u, struct post *root,
    const char *message, const char *type, char *props,
    struct json_object *json, int set_online)
{
	struct post *p = post_new(c, u, root, message, type, props);
	struct member *m;
	char *mentions;
	int system = !strncmp(type, "system_", 7);

	props_set(p, props);
	take_sent(p, json);
	mentions = mentions_of(p, added_user(p));
	event_posted(p, mentions, set_online);
	free(mentions);
	if (!system && !u->is_bot) {
		m = channel_member(c, u);
		if (m != NULL)
			m->last_viewed_at = p->create_at;
		event_channel_viewed(c, u);
	}
	if (!system)
		mentions_outside(p);
	bench_post(p);
	return p;
}

void
post_system(struct channel *c, struct user *u, const char *type, char *props,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	post_publish(c, u, NULL, text, type, props, NULL, 1);
}

/* The root that root_id names; 0 when the answer was sent. */
static int
root_of(struct req *r, struct json_object *o, const struct channel *c,
    struct post **root)
{
	const char *id = jstr(o, "root_id");

	*root = NULL;
	if (*id == '\0') {
		if (*jstr(o, "parent_id") == '\0')
			return 1;
		api_error(r, 400, "api.post.create_post.root_id.app_error",
		    "Invalid RootId parameter.");
		return 0;
	}
	*root = post_by_id(id);
	if (*root == NULL || (*root)->delete_at || (*root)->root != NULL) {
		api_error(r, 400, "api.post.create_post.root_id.app_error",
		    "Invalid RootId parameter.");
		return 0;
	}
	if ((*root)->channel == c)
		return 1;
	api_error(r, 400, "api.post.create_post.channel_root_id.app_error",
	    "Invalid ChannelId for RootId parameter.");
	return 0;
}

/* Limits of model.Post.IsValid. 0 when the answer was sent. */
int
post_limits(struct req *r, struct json_object *message, const char *props)
{
	const char *text = message ? json_object_get_string(message) : "";

	if (message != NULL &&
	    memchr(text, 0, (size_t)json_object_get_string_len(message))) {
		api_error(r, 500, "app.post.save.app_error",
		    "Unable to save the Post.");
		return 0;
	}
	if (utf8_runes(text) > (size_t)sim.max_post_size) {
		api_error(r, 400, "model.post.is_valid.msg.app_error",
		    "Invalid message.");
		return 0;
	}
	if (utf8_runes(props) > (size_t)sim.max_props_size) {
		api_error(r, 400, "model.post.is_valid.props.app_error",
		    "Invalid props.");
		return 0;
	}
	return 1;
}

static int
files_ok(struct req *r, struct json_object *o)
{
	struct json_object *ids, *id;
	size_t i, n = 0, usable = 0;
	struct file *f;

	if (json_object_object_get_ex(o, "file_ids", &ids) &&
	    json_object_is_type(ids, json_type_array))
		n = json_object_array_length(ids);
	for (i = 0; i < n; i++) {
		id = json_object_array_get_idx(ids, i);
		f = hmap_get(&st.files, json_object_get_string(id));
		usable += f != NULL && f->post == NULL;
	}
	if (usable <= FILES_PER_POST)
		return 1;
	api_error(r, 400, "model.post.is_valid.file_ids.app_error",
	    "Invalid file ids. Note that uploads are limited to 5 files "
	    "maximum. Please use additional posts for more files.");
	return 0;
}

static int
type_ok(struct req *r, const char *type)
{
	if (!strncmp(type, "system_", 7)) {
		api_error(r, 400, "api.context.invalid_param.app_error",
		    "Invalid post.type parameter.");
		return 0;
	}
	if (*type == '\0' || !strncmp(type, "custom_", 7) ||
	    !strcmp(type, "me") || !strcmp(type, "slack_attachment"))
		return 1;
	api_error(r, 400, "model.post.is_valid.type.app_error",
	    "Invalid type.");
	return 0;
}

static void
reply_post(struct req *r, int status, const struct post *p, enum render how)
{
	struct buf b = {0};

	render_post(&b, p, how);
	api_json(r, status, &b);
}

/* All checks passed but those of the content. */
static void
create_checked(struct req *r, struct json_object *o, struct channel *c)
{
	struct json_object *msg = NULL, *props = NULL;
	struct post *root, *p;
	const char *online;
	char *text, *clean;
	int on;

	json_object_object_get_ex(o, "message", &msg);
	if (!json_object_is_type(msg, json_type_string))
		msg = NULL;
	json_object_object_get_ex(o, "props", &props);
	if (!type_ok(r, jstr(o, "type")) || !root_of(r, o, c, &root) ||
	    !files_ok(r, o))
		return;
	text = props_store(props, r->user->is_bot ? 1 : -1);
	if (!post_limits(r, msg, text)) {
		free(text);
		return;
	}
	online = req_query(r, "set_online");
	on = online == NULL || strcmp(online, "false") != 0;
	clean = msg == NULL ? xstrdup("") : utf8_clean(
	    json_object_get_string(msg),
	    (size_t)json_object_get_string_len(msg));
	p = post_publish(c, r->user, root, clean, jstr(o, "type"), text, o,
	    on);
	free(clean);
	pending_put(p);
	reply_post(r, 201, p, RENDER_NEW);
}

static void
create_post(struct req *r)
{
	struct json_object *o = req_json(r);
	struct channel *c = hmap_get(&st.channels, jstr(o, "channel_id"));
	struct post *p;

	if (o == NULL)
		api_bad_body(r, "post");
	else if (c == NULL ||
	    (channel_member(c, r->user) == NULL && !r->user->is_admin))
		api_forbidden(r);
	else if ((p = pending_get(jstr(o, "pending_post_id"))) != NULL) {
		sim.pending_hits++;
		reply_post(r, 201, p, RENDER_BARE);
	} else if (pending_busy(jstr(o, "pending_post_id")))
		api_error(r, 500, "api.post.deduplicate_create_post.pending",
		    "Rejected post since another client is making the same "
		    "request.");
	else if (c->delete_at)
		api_error(r, 400, "api.post.create_post."
		    "can_not_post_to_deleted.error",
		    "Can not post to deleted channel.");
	else if (*jstr(o, "id") != '\0')
		api_error(r, 400, "app.post.save.existing.app_error",
		    "You cannot update an existing Post.");
	else
		create_checked(r, o, c);
	json_object_put(o);
}

static void
get_post(struct req *r)
{
	struct post *p;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "post_id");
		return;
	}
	p = post_by_id(r->arg[0]);
	if (p == NULL || p->delete_at)
		api_error(r, 404, "app.post.get.app_error",
		    "Unable to get the post.");
	else if (channel_member(p->channel, r->user) == NULL &&
	    !r->user->is_admin)
		api_forbidden(r);
	else {
		struct buf etag = {0};

		buf_fmt(&etag, SIM_VERSION ".%s.%lld", p->id,
		    (long long)p->update_at);
		api_etag(r, etag.p);
		buf_free(&etag);
		reply_post(r, 200, p, RENDER_STORED);
	}
}

static void
delete_post(struct req *r)
{
	struct post *p;
	size_t i;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "post_id");
		return;
	}
	p = post_by_id(r->arg[0]);
	if (p == NULL || p->delete_at ||
	    channel_member(p->channel, r->user) == NULL ||
	    (p->user != r->user && !r->user->is_admin)) {
		api_forbidden(r);
		return;
	}
	if (p->channel->delete_at) {
		api_error(r, 400, "api.post.delete_post."
		    "can_not_delete_post_in_deleted.error",
		    "Can not delete a post in a deleted channel.");
		return;
	}
	event_post("post_deleted", p, r->user);
	sim.deletes++;
	p->delete_at = p->update_at = tick_ms();
	p->channel->etag_at = p->delete_at;
	if (p->root != NULL)
		p->root->live_replies--;
	for (i = 0; i < p->nreplies; i++)
		if (p->reply[i]->delete_at == 0)
			p->reply[i]->delete_at = p->reply[i]->update_at =
			    p->delete_at;
	bench_deleted(p);
	api_ok(r);
}

/* Ephemeral posts are for admins only (create_post_ephemeral). */
static void
create_ephemeral(struct req *r)
{
	struct json_object *o = req_json(r), *v = NULL;
	struct user *to;
	struct channel *c;
	struct bcast bc = {0};
	struct buf b = {0}, d = {0};
	char id[ID_LEN + 1];

	json_object_object_get_ex(o, "post", &v);
	to = hmap_get(&st.users, jstr(o, "user_id"));
	c = hmap_get(&st.channels, jstr(v, "channel_id"));
	if (to == NULL)
		api_bad_body(r, "user_id");
	else if (v == NULL)
		api_bad_body(r, "post");
	else if (!r->user->is_admin || c == NULL)
		api_forbidden(r);
	else {
		id_new(id);
		buf_fmt(&b, "{\"id\":\"%s\",\"create_at\":%lld,"
		    "\"update_at\":0,\"edit_at\":0,\"delete_at\":0,"
		    "\"is_pinned\":false,\"user_id\":\"%s\",\"channel_id\":"
		    "\"%s\",\"root_id\":\"\",\"parent_id\":\"\","
		    "\"original_id\":\"\"", id, (long long)walltime_ms(),
		    r->user->id, c->id);
		buf_kstr(&b, "message", jstr(v, "message"));
		buf_str(&b, ",\"type\":\"system_ephemeral\",\"props\":{},"
		    "\"hashtags\":\"\",\"pending_post_id\":\"\","
		    "\"reply_count\":0,\"last_reply_at\":0,"
		    "\"participants\":null,\"metadata\":{}}");
		buf_str(&d, "{\"post\":");
		buf_json(&d, b.p, b.len);
		buf_str(&d, "}");
		bc = (struct bcast){.channel = c, .user = to};
		event_publish("ephemeral_message", d.p, &bc);
		buf_free(&d);
		api_json(r, 201, &b);
	}
	json_object_put(o);
}

const struct route routes_posts[] = {
    {"POST", "/api/v4/posts", create_post, 0},
    {"GET", "/api/v4/posts/{id}", get_post, 0},
    {"PUT", "/api/v4/posts/{id}/patch", post_patch, 0},
    {"PUT", "/api/v4/posts/{id}", post_put, 0},
    {"POST", "/api/v4/posts/{id}/pin", post_pin, 0},
    {"POST", "/api/v4/posts/{id}/unpin", post_unpin, 0},
    {"DELETE", "/api/v4/posts/{id}", delete_post, 0},
    {"POST", "/api/v4/posts/ephemeral", create_ephemeral, 0},
    {"POST", "/api/v4/reactions", reaction_post, 0},
    {"DELETE", "/api/v4/users/{id}/posts/{id}/reactions/{name}",
	reaction_delete, 0},
    {"GET", "/api/v4/posts/{id}/reactions", reactions_get, 0},
    {NULL, NULL, NULL, 0}};
