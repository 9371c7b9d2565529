#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/confirm.h"

#define TRIES 5
#define AGAIN_MS 1000 /* doubled after each */

struct confirm {
	struct account *a;
	struct json_object *what;
	struct event *timer;
	int tries;
};

struct json_object *
confirm_make(struct json_object *post, const char *line)
{
	struct json_object *o = json_object_new_object(), *props, *old = NULL;
	struct json_object *att = json_object_new_object();
	struct json_object *list = json_object_new_array();

	add_str(att, "text", line);
	json_object_array_add(list, att);
	props = json_object_new_object();
	if (json_object_object_get_ex(post, "props", &old) &&
	    json_object_is_type(old, json_type_object)) {
		json_object_object_foreach(old, key, value)
			json_object_object_add(
			    props, key, json_object_get(value));
	}
	add_obj(props, "attachments", list);
	add_str(o, "post", api_str(post, "id"));
	add_obj(o, "props", props);
	return o;
}

static void
confirm_free(struct confirm *c)
{
	event_free(c->timer);
	json_object_put(c->what);
	free(c);
}

static void confirm_send(struct confirm *);

static void
on_timer(int fd, short what, void *arg)
{
	confirm_send(arg);
}

static void
sent(struct account *a, const struct net_result *r, struct json_object *body,
    void *arg)
{
	struct confirm *c = arg;
	char why[256];

	if (r->ending == NET_ANSWERED && r->status == 200) {
		confirm_free(c);
		return;
	}
	if ((r->ending == NET_ANSWERED && r->status >= 400 &&
		r->status < 500 && r->status != 429) || ++c->tries == TRIES) {
		log_event(LOG_WARNING, "confirm.failed", "account", a->id,
		    "post", api_str(c->what, "post"), "error",
		    api_error(r, body, why, sizeof(why)), NULL);
		confirm_free(c);
		return;
	}
	loop_timer(c->timer, (int64_t)AGAIN_MS << (c->tries - 1));
}

static void
confirm_send(struct confirm *c)
{
	struct json_object *msg = json_object_new_object(), *props = NULL;
	char path[64];

	json_object_object_get_ex(c->what, "props", &props);
	add_obj(msg, "props", json_object_get(props));
	snprintf(path, sizeof(path), "/posts/%.26s/patch",
	    api_str(c->what, "post"));
	if (api_send(c->a, "PUT", path, msg, sent, c) == NULL)
		confirm_free(c);
}

void
confirm_start(struct account *a, struct json_object *what)
{
	struct confirm *c;

	if (!mm_id_valid(api_str(what, "post")))
		return;
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->timer = evtimer_new(a->base, on_timer, c)) == NULL)
		fatal("calloc");
	c->a = a;
	c->what = json_object_get(what);
	confirm_send(c);
}
