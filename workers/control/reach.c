#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/control/control.h"

/*
 * What goes to one account as it comes: reactions, reading, the directory.
 * Only the members named here are passed on.
 */

#define ACT_MS 40000

struct member {
	const char *name;
	char type;   /* s: string, i: number, b: truth value */
	int optional;
	int64_t max; /* bytes or value */
};

static const struct member react[] = {
    {"post", 's', 0, 128},
    {"emoji", 's', 0, 128},
    {"remove", 'b', 0, 0},
    {"to", 's', 1, 512},
    {"dry", 'b', 1, 0},
    {NULL, 0, 0, 0},
};

static const struct member reading[] = {
    {"to", 's', 0, 512},
    {"limit", 'i', 1, 200},
    {"before", 's', 1, 128},
    {"after", 's', 1, 128},
    {"dry", 'b', 1, 0},
    {NULL, 0, 0, 0},
};

static const struct member directory[] = {
    {"kind", 's', 0, 16},
    {"query", 's', 1, 128},
    {"cursor", 's', 1, 95},
    {"group", 's', 1, 64},
    {NULL, 0, 0, 0},
};

static const struct member running[] = {
    {"job", 's', 0, 64},
    {NULL, 0, 0, 0},
};

static const struct reach {
	const char *name;
	const struct member *members;
	int logged; /* it changes something */
} reaches[] = {
    {"react", react, 1},
    {"read", reading, 0},
    {"directory", directory, 0},
    {"cron.run", running, 1},
};

static const struct reach *
reach_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++)
		if (strcmp(reaches[i].name, name) == 0)
			return &reaches[i];
	return NULL;
}

int
reach_knows(const char *name)
{
	return reach_find(name) != NULL;
}

struct chan *
call_account(struct call *call, const char *account)
{
	struct chan *c = peers_chan(call->control, "account", account);
	char text[256];

	call->asked = "the account";
	if (c != NULL)
		return c;
	snprintf(text, sizeof(text), "account %s is not running", account);
	call_answer(call, 0, text, NULL);
	return NULL;
}

static void
member_pass(struct fields *f, const struct member *m, struct json_object *args,
    struct json_object *msg)
{
	struct json_object *v = NULL;

	if (m->type == 's' && m->optional)
		fields_opt_str(f, m->name, (size_t)m->max);
	else if (m->type == 's')
		fields_str(f, m->name, (size_t)m->max);
	else if (m->type == 'i')
		fields_opt_int(f, m->name, 1, m->max, 1);
	else if (m->optional)
		fields_opt_bool(f, m->name, 0);
	else
		fields_bool(f, m->name);
	if (json_object_object_get_ex(args, m->name, &v) && v != NULL)
		json_object_object_add(msg, m->name, json_object_get(v));
}

void
reach_handle(struct call *call, const char *name, struct json_object *args)
{
	const struct reach *r = reach_find(name);
	struct json_object *msg = chan_msg(r->name);
	const struct member *m;
	const char *account;
	struct fields f;
	struct chan *c;

	fields_open(&f, args);
	account = fields_str(&f, "account", 64);
	for (m = r->members; m->name != NULL; m++)
		member_pass(&f, m, args, msg);
	if (fields_end(&f) == -1) {
		json_object_put(msg);
		call_answer(call, 0, fields_error(&f), NULL);
		return;
	}
	if (r->logged)
		log_event(LOG_INFO, "control.request", "verb", r->name,
		    "account", account, NULL);
	if ((c = call_account(call, account)) == NULL)
		json_object_put(msg);
	else
		ask_peer(call, c, msg, ACT_MS);
}
