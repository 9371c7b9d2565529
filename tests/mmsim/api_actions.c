#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/mmsim/command.h"
#include "tests/mmsim/outgoing.h"
#include "tests/mmsim/post_edit.h"
#include "tests/mmsim/props.h"

/* What a cookie stands for; a real server encrypts it into the text. */
struct cookie {
	char text[ID_LEN * 4 + 1];
	struct channel *channel;
	struct json_object *integration;
};

struct click {
	struct req *r;
	struct post *post; /* NULL: of an ephemeral post */
	struct channel *channel;
	char post_id[ID_LEN + 1];
	char id[ID_LEN + 1]; /* trigger_id of the client's answer */
};

static struct hmap cookies;

void
actions_reset(void)
{
	struct cookie *k;
	size_t pos = 0;

	while ((k = hmap_next(&cookies, &pos)) != NULL) {
		json_object_put(k->integration);
		free(k);
	}
	hmap_free(&cookies);
	memset(&cookies, 0, sizeof(cookies));
}

char *
action_cookie(struct channel *c, struct json_object *integration)
{
	struct cookie *k = xcalloc(1, sizeof(*k));
	char id[ID_LEN + 1];
	int i;

	for (i = 0; i < 4; i++) {
		id_new(id);
		memcpy(k->text + i * ID_LEN, id, ID_LEN);
	}
	k->channel = c;
	k->integration = json_object_get(integration);
	hmap_put(&cookies, k->text, k);
	return xstrdup(k->text);
}

static void
integration_error(struct req *r)
{
	api_error(r, 400, "api.post.do_action.action_integration.app_error",
	    "Action integration error.");
}

/* Only these survive an update that brings its own props. */
static struct json_object *
update_props(const struct post *p, struct json_object *sent)
{
	static const char *const kept[] = {"from_webhook",
	    "override_username", "override_icon_url"};
	struct json_object *old = json_tokener_parse(p->props), *v;
	size_t i;

	json_object_get(sent);
	for (i = 0; i < 3; i++) {
		json_object_object_del(sent, kept[i]);
		if (json_object_object_get_ex(old, kept[i], &v))
			json_object_object_add(sent, kept[i],
			    json_object_get(v));
	}
	json_object_put(old);
	return sent;
}

/* The post's new text and props. 0: the answer was sent. */
static int
update(struct req *r, struct post *p, struct json_object *up)
{
	struct json_object *props, *msg;
	char *text = NULL;

	if (json_object_object_get_ex(up, "props", &props) &&
	    json_object_is_type(props, json_type_object)) {
		props = update_props(p, props);
		text = props_store(props, -1);
		json_object_put(props);
	}
	msg = json_object_new_string(jstr(up, "message"));
	if (!post_limits(r, msg, text ? text : "")) {
		free(text);
		json_object_put(msg);
		return 0;
	}
	post_change(p, msg, text, p->pinned);
	json_object_put(msg);
	return 1;
}

static void
tell_clicker(const struct click *k, struct json_object *o)
{
	struct json_object *v;
	const char *root = k->post_id;
	char *text;

	if (*jstr(o, "ephemeral_text") == '\0')
		return;
	if (k->post != NULL && k->post->root != NULL)
		root = k->post->root->id;
	if (json_object_object_get_ex(o, "skip_slack_parsing", &v) &&
	    json_object_get_boolean(v))
		text = xstrdup(jstr(o, "ephemeral_text"));
	else
		text = slack_links(jstr(o, "ephemeral_text"));
	ephemeral_send(k->r->user, k->channel, root, text, "{}");
	free(text);
}

static void
clicked(const struct outgoing_reply *a, void *arg)
{
	struct click *k = arg;
	struct json_object *o = NULL, *v;
	struct buf b = {0};

	if (a->status != 200 || a->len == 0 ||
	    json_first(a->body, a->len, &o) == -1 ||
	    (o != NULL && !json_object_is_type(o, json_type_object)))
		integration_error(k->r);
	else if (k->post != NULL && o != NULL &&
	    json_object_object_get_ex(o, "update", &v) &&
	    json_object_is_type(v, json_type_object) &&
	    !update(k->r, k->post, v))
		;
	else {
		tell_clicker(k, o);
		buf_str(&b, "{\"status\":\"OK\"");
		buf_kstr(&b, "trigger_id", k->id);
		buf_str(&b, "}");
		api_json(k->r, 200, &b);
	}
	json_object_put(o);
	free(k);
}

static void
call(struct click *k, struct json_object *integration, const char *type,
    const char *source, const char *selected)
{
	struct json_object *ctx = NULL;
	struct buf b = {0};
	char *trigger = trigger_new(k->r->user, k->id);

	buf_str(&b, "{");
	buf_kstr(&b, "user_id", k->r->user->id);
	buf_kstr(&b, "user_name", k->r->user->username);
	buf_kstr(&b, "channel_id", k->channel->id);
	buf_kstr(&b, "channel_name", k->channel->name);
	buf_kstr(&b, "team_id", k->channel->team ? k->channel->team->id : "");
	buf_kstr(&b, "team_domain",
	    k->channel->team ? k->channel->team->name : "");
	buf_kstr(&b, "post_id", k->post_id);
	buf_kstr(&b, "trigger_id", trigger);
	buf_kstr(&b, "type", type);
	buf_kstr(&b, "data_source", source);
	json_object_object_get_ex(integration, "context", &ctx);
	ctx = json_object_is_type(ctx, json_type_object)
	    ? json_object_get(ctx) : NULL;
	if (!strcmp(type, "select") && *selected != '\0') {
		if (ctx == NULL)
			ctx = json_object_new_object();
		json_object_object_add(ctx, "selected_option",
		    json_object_new_string(selected));
	}
	if (ctx != NULL && json_object_object_length(ctx) > 0) {
		buf_str(&b, ",\"context\":");
		buf_value(&b, ctx);
	}
	buf_str(&b, "}");
	json_object_put(ctx);
	free(trigger);
	outgoing_call("POST", jstr(integration, "url"), "application/json",
	    NULL, b.p, b.len, clicked, k);
	buf_free(&b);
}

/* The first action of that id; its integration is in it. */
static struct json_object *
action_find(struct json_object *props, const char *id)
{
	struct json_object *atts, *acts, *a;
	size_t i, j;

	if (!json_object_object_get_ex(props, "attachments", &atts) ||
	    !json_object_is_type(atts, json_type_array))
		return NULL;
	for (i = 0; i < json_object_array_length(atts); i++) {
		if (!json_object_object_get_ex(
			json_object_array_get_idx(atts, i), "actions", &acts))
			continue;
		for (j = 0; j < json_object_array_length(acts); j++) {
			a = json_object_array_get_idx(acts, j);
			if (!strcmp(jstr(a, "id"), id))
				return a;
		}
	}
	return NULL;
}

static struct click *
click_new(struct req *r, struct post *p, struct channel *c)
{
	struct click *k = xcalloc(1, sizeof(*k));

	k->r = r;
	k->post = p;
	k->channel = c;
	strlcpy(k->post_id, r->arg[0], sizeof(k->post_id));
	return k;
}

static void
click_post(struct req *r, struct post *p, const char *selected)
{
	struct json_object *props = json_tokener_parse(p->props), *a, *in;

	a = action_find(props, r->arg[1]);
	if (a == NULL || !json_object_object_get_ex(a, "integration", &in))
		api_error(r, 404, "api.post.do_action.action_id.app_error",
		    "Invalid action id.");
	else
		call(click_new(r, p, p->channel), in, jstr(a, "type"),
		    jstr(a, "data_source"), selected);
	json_object_put(props);
}

/* A body that is no JSON counts as an empty one. */
void
action_click(struct req *r)
{
	struct json_object *o = NULL;
	struct cookie *k;
	struct post *p;

	if (r->body_len > 0 && json_first(r->body, r->body_len, &o) == -1)
		o = NULL;
	p = post_by_id(r->arg[0]);
	if (!id_valid(r->arg[0]))
		api_bad_url(r, "post_id");
	else if (*jstr(o, "cookie") != '\0') {
		k = hmap_get(&cookies, jstr(o, "cookie"));
		if (k == NULL)
			integration_error(r);
		else if (channel_member(k->channel, r->user) == NULL)
			api_forbidden(r);
		else
			call(click_new(r, NULL, k->channel), k->integration,
			    "", "", "");
	} else if (p == NULL || channel_member(p->channel, r->user) == NULL)
		api_forbidden(r);
	else if (p->delete_at != 0)
		api_error(r, 404, "app.post.get.app_error",
		    "Unable to get the post.");
	else
		click_post(r, p, jstr(o, "selected_option"));
	json_object_put(o);
}
