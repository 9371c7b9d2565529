#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/add.h"
#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/parse.h"

/*
 * Names to ids: the same exactness as a target has, but only looked up. A
 * name that several have is told with all of them, and resolves to none.
 */

struct look {
	const struct invocation *inv;
	const char *name; /* without '#' or '@' */
	struct json_object *found;
};

static void
keep(struct look *l, struct json_object *rows)
{
	struct json_object *o;
	size_t i;

	for (i = 0; rows != NULL && i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		if (strcasecmp(json_str(o, "name"), l->name) == 0)
			json_object_array_add(l->found, json_object_get(o));
	}
}

/* All pages of one kind. -1: it failed, and that was said. */
static int
look_for(struct look *l, const char *kind)
{
	struct json_object *args;
	char cursor[96] = "";
	struct answer a;

	do {
		args = json_object_new_object();
		ask_str(args, "account", l->inv->account);
		ask_str(args, "kind", kind);
		ask_str(args, "query", l->name);
		ask_str(args, "cursor", *cursor == '\0' ? NULL : cursor);
		if (ask_daemon(l->inv, "directory", args, CLIENT_SEND_MS,
			&a) == -1)
			return -1;
		keep(l, json_get(a.data, "rows"));
		strlcpy(cursor, json_str(a.data, "next"), sizeof(cursor));
		client_free(&a);
	} while (*cursor != '\0');
	return 0;
}

static int
is_id(const char *s)
{
	return strlen(s) == 26 &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
}

/* What says itself which it is needs no directory. */
static int
is_target(struct look *l, const char *entry)
{
	static const char *const before[] = {
	    "user:", "channel:", "group:", "mattermost:"};
	struct json_object *o;
	size_t i, n;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		n = strlen(before[i]);
		if (strncmp(entry, before[i], n) != 0 || !is_id(entry + n))
			continue;
		o = json_object_new_object();
		ask_str(o, "kind", i == 0 || i == 3 ? "user" : "channel");
		ask_str(o, "id", entry);
		json_object_array_add(l->found, o);
		return 1;
	}
	return 0;
}

/* users, channels or what the entry looks like; 0 after a complaint. */
static int
kinds_of(const struct invocation *inv, const char *entry)
{
	const char *kind = inv->kind == NULL ? "auto" : inv->kind;

	if (strcmp(kind, "user") == 0)
		return 1;
	if (strcmp(kind, "group") == 0 || strcmp(kind, "channel") == 0)
		return 2;
	if (strcmp(kind, "auto") != 0) {
		ask_complain("--kind is user, group or auto, not %s", kind);
		return 0;
	}
	return *entry == '@' ? 1 : *entry == '#' ? 2 : 3;
}

static void
print_json(const struct look *l, const char *entry)
{
	struct json_object *list = json_object_new_array();
	struct json_object *o = json_object_new_object(), *one;
	size_t n = json_object_array_length(l->found);

	ask_str(o, "input", entry);
	add_bool(o, "resolved", n == 1);
	if (n == 1) {
		one = json_object_array_get_idx(l->found, 0);
		ask_str(o, "id", json_str(one, "id"));
		ask_str(o, "kind", json_str(one, "kind"));
		ask_str(o, "name", json_str(one, "name"));
	} else {
		ask_str(o, "note", n == 0 ? "not found" : "ambiguous");
		add_obj(o, "candidates", json_object_get(l->found));
	}
	json_object_array_add(list, o);
	output_json(list);
	json_object_put(list);
}

static void
print(const struct look *l, const char *entry)
{
	size_t i, n = json_object_array_length(l->found);
	struct json_object *o;
	char line[512];

	if (n == 0)
		ask_complain("nobody and no channel is called %s", entry);
	else if (n > 1)
		ask_complain("%s is ambiguous:", entry);
	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(l->found, i);
		snprintf(line, sizeof(line), "%s -> %s %s", entry,
		    json_str(o, "id"), json_str(o, "name"));
		output_text(line);
	}
}

int
cmd_channels_resolve(const struct invocation *inv)
{
	const char *entry = inv->operand;
	struct look l = {.inv = inv, .found = json_object_new_array()};
	int kinds = kinds_of(inv, entry), rc = kinds == 0 ? 2 : 0;

	l.name = entry + (*entry == '@' || *entry == '#');
	if (rc == 0 && !is_target(&l, entry) &&
	    (((kinds & 1) && look_for(&l, "peers") == -1) ||
		((kinds & 2) && look_for(&l, "groups") == -1)))
		rc = 1;
	if (rc == 0) {
		if (inv->given & OPT_JSON)
			print_json(&l, entry);
		else
			print(&l, entry);
		rc = json_object_array_length(l.found) == 1 ? 0 : 1;
	}
	json_object_put(l.found);
	return rc;
}
