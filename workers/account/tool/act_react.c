#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/text/emoji.h"
#include "workers/account/tool/act.h"

struct react {
	struct account *a;
	act_fn fn;
	void *arg;
	char channel[MM_ID_SIZE];
	char post[MM_ID_SIZE];
	char *emoji;
	int remove;
};

static void
react_end(struct react *r, int ok, const char *text)
{
	r->fn(r->a, ok, text, r->arg);
	free(r->emoji);
	free(r);
}

static void
react_failed(struct react *r, const char *why)
{
	char text[384];

	snprintf(text, sizeof(text), "Mattermost %s reaction failed: %s",
	    r->remove ? "remove" : "add", why);
	react_end(r, 0, text);
}

static void
react_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct react *r = arg;
	char why[256], text[192];

	/* The body of the answer does not matter. */
	if (res->ending != NET_ANSWERED || res->status / 100 != 2) {
		react_failed(r, api_error(res, body, why, sizeof(why)));
		return;
	}
	snprintf(text, sizeof(text),
	    r->remove ? "Removed reaction :%s: from %s"
		      : "Reacted with :%s: on %s", r->emoji, r->post);
	react_end(r, 1, text);
}

static void
react_go(struct react *r)
{
	struct account *a = r->a;
	struct json_object *msg;
	struct net_request *req;
	char path[192];

	if (r->remove) {
		snprintf(path, sizeof(path), "/users/%s/posts/%s/reactions/%s",
		    a->bot_id, r->post, r->emoji);
		req = api_send(a, "DELETE", path, NULL, react_done, r);
	} else {
		msg = json_object_new_object();
		add_str(msg, "user_id", a->bot_id);
		add_str(msg, "post_id", r->post);
		add_str(msg, "emoji_name", r->emoji);
		req = api_send(a, "POST", "/reactions", msg, react_done, r);
	}
	if (req == NULL)
		react_failed(r, "the request cannot be made");
}

static void
proved(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct react *r = arg;
	char why[256];

	if (!api_ok(res, body, 200))
		react_failed(r, api_error(res, body, why, sizeof(why)));
	else if (strcmp(api_str(body, "channel_id"), r->channel) != 0)
		react_failed(r, "the post is not in that conversation");
	else
		react_go(r);
}

void
act_react(struct account *a, const char *channel, const char *post,
    const char *emoji, int remove, act_fn fn, void *arg)
{
	struct react *r;
	char path[64];

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->a = a;
	r->fn = fn;
	r->arg = arg;
	r->remove = remove;
	r->emoji = emoji_name(emoji);
	if (r->emoji == NULL) {
		react_end(r, 0, "Mattermost react requires emoji");
		return;
	}
	if (!mm_id_valid(post)) {
		react_end(
		    r, 0, "Mattermost react requires messageId (post id)");
		return;
	}
	if (!emoji_name_valid(r->emoji)) {
		react_failed(r, "no emoji has that name");
		return;
	}
	if (a->bot_id[0] == '\0') {
		react_end(r, 0, "Mattermost reactions failed: could not "
				"resolve bot user id.");
		return;
	}
	ID_COPY(r->post, post);
	if (channel == NULL) {
		react_go(r);
		return;
	}
	ID_COPY(r->channel, channel);
	snprintf(path, sizeof(path), "/posts/%s", r->post);
	api_get(a, path, proved, r);
}
