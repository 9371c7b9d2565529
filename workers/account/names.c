#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/allow.h"
#include "workers/account/api.h"
#include "workers/account/names.h"
#include "workers/account/policy.h"

#define BATCH_MAX 100 /* names of one request */

struct names {
	int wanted;                /* names may stand in allowlists */
	int once;                  /* they have been asked for */
	struct json_object *known; /* {name: id}, what was resolved */
	struct json_object *open;  /* {name: true}, still to be asked for */
	struct json_object *lost;  /* {name: true}, nobody has it */
	struct net_request *req;
	names_fn fn;
};

static void next(struct account *);

struct names *
names_new(void)
{
	struct names *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		fatal("calloc");
	n->known = json_object_new_object();
	n->open = json_object_new_object();
	n->lost = json_object_new_object();
	return n;
}

void
names_init(struct account *a)
{
	/* What remains a name matches nobody. */
	a->names->wanted = a->policy->by_name;
	a->policy->by_name = 0;
}

static void
add_open(const char *name, void *arg)
{
	json_object_object_add(arg, name, json_object_new_boolean(1));
}

static void
done(struct account *a, const char *failed)
{
	names_fn fn = a->names->fn;

	a->names->fn = NULL;
	a->names->once |= failed == NULL;
	fn(a, failed);
}

static void
resolved(struct account *a, struct json_object *user)
{
	struct names *n = a->names;
	const char *id = api_str(user, "id");
	char *name = allow_normalise(api_str(user, "username"));

	/* Only what was asked for. */
	if (mm_id_valid(id) &&
	    json_object_object_get_ex(n->open, name, NULL)) {
		policy_resolve(a->policy, name, id);
		json_object_object_add(
		    n->known, name, json_object_new_string(id));
		json_object_object_del(n->open, name);
		log_event(LOG_NOTICE, "access.name", "account", a->id, "name",
		    name, "user", id, NULL);
	}
	free(name);
}

/* The first names of open, which leave it when the answer has come. */
static struct json_object *
batch(const struct names *n)
{
	struct json_object *list = json_object_new_array();

	json_object_object_foreach(n->open, name, v)
	{
		(void)v;
		if (json_object_array_length(list) == BATCH_MAX)
			break;
		json_object_array_add(list, json_object_new_string(name));
	}
	return list;
}

static void
answered(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct names *n = a->names;
	struct json_object *asked = arg;
	const char *name;
	char why[256];
	size_t i;

	n->req = NULL;
	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		json_object_put(asked);
		done(a, api_error(r, body, why, sizeof(why)));
		return;
	}
	for (i = 0; i < json_object_array_length(body); i++)
		resolved(a, json_object_array_get_idx(body, i));
	for (i = 0; i < json_object_array_length(asked); i++) {
		name = json_object_get_string(
		    json_object_array_get_idx(asked, i));
		if (!json_object_object_get_ex(n->open, name, NULL))
			continue;
		json_object_object_del(n->open, name);
		json_object_object_add(
		    n->lost, name, json_object_new_boolean(1));
		log_event(LOG_WARNING, "access.name_unknown", "account", a->id,
		    "name", name, NULL);
	}
	json_object_put(asked);
	next(a);
}

static void
next(struct account *a)
{
	struct names *n = a->names;
	struct json_object *list;

	if (json_object_object_length(n->open) == 0) {
		done(a, NULL);
		return;
	}
	list = batch(n);
	n->req = api_send(a, "POST", "/users/usernames", json_object_get(list),
	    answered, list);
	if (n->req == NULL) {
		json_object_put(list);
		done(a, "the names of allowlists cannot be asked for");
	}
}

void
names_start(struct account *a, names_fn fn)
{
	struct names *n = a->names;

	n->fn = fn;
	json_object_put(n->open);
	json_object_put(n->lost);
	n->open = json_object_new_object();
	n->lost = json_object_new_object();
	if (n->wanted)
		policy_names(a->policy, add_open, n->open);
	next(a);
}

void
names_stop(struct account *a)
{
	struct names *n = a->names;

	if (n->req != NULL)
		net_request_cancel(n->req);
	n->req = NULL;
	n->fn = NULL;
}

int
names_known(const struct account *a)
{
	return !a->names->wanted || a->names->once;
}

static void
add_all(struct json_object *to, struct json_object *from, int with_id)
{
	json_object_object_foreach(from, name, v)
		json_object_object_add(to, name,
		    with_id ? json_object_get(v) : json_object_new_string(""));
}

struct json_object *
names_status(const struct account *a)
{
	const struct names *n = a->names;
	struct json_object *o;

	if (!n->wanted)
		return NULL;
	o = json_object_new_object();
	add_all(o, n->known, 1);
	add_all(o, n->open, 0);
	add_all(o, n->lost, 0);
	return o;
}
