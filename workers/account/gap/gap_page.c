#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/decode.h"
#include "workers/account/gap/gap_page.h"
#include "workers/account/users.h"

#define IDS_MAX 200 /* of one posts.find; postern-frames(7) */

int64_t
page_at(struct json_object *page, size_t i)
{
	return api_int(json_object_array_get_idx(page, i), "create_at");
}

struct json_object *
page_sort(struct json_object *body)
{
	struct json_object *order = NULL, *posts = NULL, *post, *out;
	size_t i, n;

	if (!json_object_object_get_ex(body, "order", &order) ||
	    !json_object_is_type(order, json_type_array) ||
	    !json_object_object_get_ex(body, "posts", &posts) ||
	    !json_object_is_type(posts, json_type_object))
		return NULL;
	out = json_object_new_array();
	n = json_object_array_length(order);
	for (i = n; i > 0; i--) {
		const char *id = json_object_get_string(
		    json_object_array_get_idx(order, i - 1));

		if (id == NULL || !json_object_object_get_ex(posts, id, &post))
			continue;
		if (!mm_id_valid(api_str(post, "id"))) {
			json_object_put(out);
			return NULL;
		}
		json_object_array_add(out, json_object_get(post));
	}
	return out;
}

static int
is_own_join(struct json_object *post, const char *bot_id)
{
	const char *type = api_str(post, "type");
	struct json_object *props = NULL;

	if (strcmp(type, "system_join_channel") == 0)
		return strcmp(api_str(post, "user_id"), bot_id) == 0;
	if (strcmp(type, "system_add_to_channel") != 0)
		return 0;
	json_object_object_get_ex(post, "props", &props);
	return strcmp(api_str(props, "addedUserId"), bot_id) == 0;
}

int64_t
page_joined(struct json_object *page, const char *bot_id)
{
	size_t i;

	for (i = json_object_array_length(page); i > 0; i--)
		if (is_own_join(
			json_object_array_get_idx(page, i - 1), bot_id))
			return page_at(page, i - 1);
	return 0;
}

struct json_object *
page_ids(struct json_object *page, int64_t floor, size_t *from)
{
	size_t n = json_object_array_length(page);
	struct json_object *ids = json_object_new_array();

	for (; *from < n && json_object_array_length(ids) < IDS_MAX; (*from)++)
		if (page_at(page, *from) > floor)
			json_object_array_add(ids,
			    json_object_new_string(api_str(
				json_object_array_get_idx(page, *from),
				"id")));
	return ids;
}

static int
has_string(struct json_object *list, const char *s)
{
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);

	for (i = 0; i < n; i++)
		if (strcmp(json_object_get_string(
			json_object_array_get_idx(list, i)), s) == 0)
			return 1;
	return 0;
}

struct json_object *
page_strangers(struct account *a, struct json_object *page)
{
	struct json_object *ids = NULL;
	size_t i, n = json_object_array_length(page);
	const char *id;

	for (i = 0; i < n; i++) {
		id = api_str(json_object_array_get_idx(page, i), "user_id");
		if (!mm_id_valid(id) || users_name(a, id) != NULL ||
		    has_string(ids, id))
			continue;
		if (ids == NULL)
			ids = json_object_new_array();
		json_object_array_add(ids, json_object_new_string(id));
	}
	return ids;
}
