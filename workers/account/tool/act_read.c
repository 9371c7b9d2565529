#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/policy.h"
#include "workers/account/tool/act.h"

struct reading {
	struct account *a;
	act_fn fn;
	void *arg;
	char channel[MM_ID_SIZE];
	size_t max;
	int after;
};

const char *
act_may_read(const struct account *a, const char *here, const char *channel,
    char type)
{
	const struct policy *p = a->policy;
	size_t i;

	if (strcmp(here, channel) == 0)
		return NULL;
	if (type == 'O' || type == 'P') {
		if (p->group_policy == GROUPS_OPEN)
			return NULL;
		for (i = 0; i < p->n_groups; i++)
			if (strcmp(p->groups[i].channel_id, "*") == 0 ||
			    strcmp(p->groups[i].channel_id, channel) == 0)
				return NULL;
	}
	return "Mattermost read target channel is not allowed.";
}

static void
reading_end(struct reading *r, int ok, const char *text)
{
	r->fn(r->a, ok, text, r->arg);
	free(r);
}

/* Of the kinds that a post has: it goes into frames, which are not deep. */
static int
is_flat(struct json_object *v)
{
	size_t i;

	if (!json_object_is_type(v, json_type_array))
		return !json_object_is_type(v, json_type_object);
	for (i = 0; i < json_object_array_length(v); i++)
		if (!json_object_is_type(json_object_array_get_idx(v, i),
			json_type_string))
			return 0;
	return 1;
}

/* The server's post without what nobody reads, and when it was written. */
static struct json_object *
message_json(struct json_object *post)
{
	static const char *const keys[] = {"id", "create_at", "edit_at",
	    "user_id", "channel_id", "root_id", "message", "type", "file_ids",
	    "reply_count", NULL};
	struct json_object *o = json_object_new_object(), *v;
	int64_t ms = api_int(post, "create_at");
	time_t t = (time_t)(ms / 1000);
	char utc[64];
	struct tm tm;
	size_t i;

	for (i = 0; keys[i] != NULL; i++)
		if (json_object_object_get_ex(post, keys[i], &v) && is_flat(v))
			json_object_object_add(
			    o, keys[i], json_object_get(v));
	add_int(o, "timestampMs", ms);
	if (gmtime_r(&t, &tm) != NULL &&
	    strftime(utc, sizeof(utc), "%Y-%m-%dT%H:%M:%S", &tm) > 0) {
		snprintf(utc + strlen(utc), 8, ".%03dZ", (int)(ms % 1000));
		add_str(o, "timestampUtc", utc);
	}
	return o;
}

static size_t
json_size(struct json_object *o)
{
	size_t len;

	json_object_to_json_string_length(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	return len;
}

/* In the server's order, the newest first, as many as fit; or NULL. */
static struct json_object *
messages_json(struct json_object *body, size_t max, int *cut)
{
	struct json_object *order, *posts, *post, *list, *m;
	size_t i, used = 0;

	if (!json_object_object_get_ex(body, "order", &order) ||
	    !json_object_is_type(order, json_type_array) ||
	    !json_object_object_get_ex(body, "posts", &posts) ||
	    !json_object_is_type(posts, json_type_object))
		return NULL;
	list = json_object_new_array();
	for (i = 0; i < json_object_array_length(order); i++) {
		m = json_object_array_get_idx(order, i);
		if (!json_object_is_type(m, json_type_string) ||
		    !json_object_object_get_ex(
			posts, json_object_get_string(m), &post)) {
			json_object_put(list);
			return NULL;
		}
		m = message_json(post);
		if ((used += json_size(m) + 1) > max) {
			json_object_put(m);
			*cut = 1;
			break;
		}
		json_object_array_add(list, m);
	}
	return list;
}

static void
read_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct reading *r = arg;
	struct json_object *list, *out;
	char why[256], text[320];
	int more = 0;

	if (!api_ok(res, body, 200)) {
		snprintf(text, sizeof(text), "Mattermost read failed: %s",
		    api_error(res, body, why, sizeof(why)));
		reading_end(r, 0, text);
		return;
	}
	if ((list = messages_json(body, r->max, &more)) == NULL) {
		reading_end(
		    r, 0, "Unexpected Mattermost channel posts response.");
		return;
	}
	if (*api_str(body, r->after ? "next_post_id" : "prev_post_id") != '\0')
		more = 1;
	out = json_object_new_object();
	add_bool(out, "ok", 1);
	add_str(out, "channelId", r->channel);
	add_obj(out, "messages", list);
	add_bool(out, "hasMore", more);
	reading_end(r, 1,
	    json_object_to_json_string_ext(out,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
}

void
act_read(struct account *a, const struct act_read *ask, act_fn fn, void *arg)
{
	struct reading *r;
	char path[160];
	const char *key = *ask->before != '\0' ? "&before=" :
	    *ask->after != '\0'		       ? "&after=" :
						 "";

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->a = a;
	r->fn = fn;
	r->arg = arg;
	r->max = ask->max;
	r->after = *ask->after != '\0';
	ID_COPY(r->channel, ask->channel);
	snprintf(path, sizeof(path), "/channels/%s/posts?per_page=%d%s%s",
	    r->channel, ask->limit, key,
	    *ask->before != '\0' ? ask->before : ask->after);
	api_get(a, path, read_done, r);
}
