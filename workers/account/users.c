#include "config.h"

#include <sys/queue.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/tree.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/users.h"

struct user {
	RB_ENTRY(user) entry;
	TAILQ_ENTRY(user) age;
	enum tri is_bot;
	char id[MM_ID_SIZE];
	char name[MM_NAME_MAX + 1];
};

RB_HEAD(user_tree, user);

struct users {
	struct user_tree tree;
	TAILQ_HEAD(, user) ages; /* oldest first */
	int n;
};

static int
user_cmp(const struct user *a, const struct user *b)
{
	return strcmp(a->id, b->id);
}

RB_GENERATE_STATIC(user_tree, user, entry, user_cmp)

struct users *
users_new(void)
{
	struct users *us;

	if ((us = calloc(1, sizeof(*us))) == NULL)
		fatal("calloc");
	RB_INIT(&us->tree);
	TAILQ_INIT(&us->ages);
	return us;
}

static struct user *
user_find(struct users *us, const char *id)
{
	struct user key;

	if (!mm_id_valid(id))
		return NULL;
	ID_COPY(key.id, id);
	return RB_FIND(user_tree, &us->tree, &key);
}

const char *
users_name(struct account *a, const char *id)
{
	struct user *u = user_find(a->users, id);

	return u == NULL ? NULL : u->name;
}

static void
user_forget(struct users *us, struct user *u)
{
	RB_REMOVE(user_tree, &us->tree, u);
	TAILQ_REMOVE(&us->ages, u, age);
	us->n--;
	free(u);
}

void
users_learn(struct account *a, const char *id, const char *name)
{
	struct users *us = a->users;
	struct user *u;

	if (!mm_id_valid(id) || *name == '\0')
		return;
	if ((u = user_find(us, id)) == NULL) {
		if (us->n >= USERS_MAX)
			user_forget(us, TAILQ_FIRST(&us->ages));
		if ((u = calloc(1, sizeof(*u))) == NULL)
			fatal("calloc");
		ID_COPY(u->id, id);
		RB_INSERT(user_tree, &us->tree, u);
		TAILQ_INSERT_TAIL(&us->ages, u, age);
		us->n++;
	}
	if (strlcpy(u->name, name, sizeof(u->name)) >= sizeof(u->name))
		user_forget(us, u); /* no user name is that long */
}

enum tri
users_is_bot(struct account *a, const char *id)
{
	struct user *u = user_find(a->users, id);

	return u == NULL ? TRI_UNKNOWN : u->is_bot;
}

void
users_learn_one(struct account *a, struct json_object *obj)
{
	const char *id = api_str(obj, "id");
	struct json_object *v = NULL;
	struct user *u;

	users_learn(a, id, api_str(obj, "username"));
	if ((u = user_find(a->users, id)) == NULL)
		return;
	/* Absent, not false, for people: Mattermost 5.37. */
	json_object_object_get_ex(obj, "is_bot", &v);
	u->is_bot = json_object_get_boolean(v) ? TRI_YES : TRI_NO;
}

void
users_learn_all(struct account *a, struct json_object *list)
{
	size_t i, n;

	if (!json_object_is_type(list, json_type_array))
		return;
	n = json_object_array_length(list);
	for (i = 0; i < n; i++)
		users_learn_one(a, json_object_array_get_idx(list, i));
}
