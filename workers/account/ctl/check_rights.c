#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/ctl/check_rights.h"

#define TEAMS_MAX 50
#define ROLES_MAX 64
#define LIST_MAX 400 /* bytes of names in one line */

static struct {
	void (*done)(struct account *);
	int slash;
	char user_roles[512];
	struct json_object *teams; /* each gets "roles" and "members" */
	size_t team;
	struct json_object *roles; /* {name: role or null} */
	int failed;
} self;

static void roles_next(struct account *);
static void team_next(struct account *);

static void
failed(struct account *a, const char *what, const struct net_result *r,
    struct json_object *body)
{
	char buf[256];

	self.failed = 1;
	check_row(a, what, "fail", "%s", api_error(r, body, buf, sizeof(buf)));
}

/* roles: names separated by spaces. */
static int
grants(const char *roles, const char *right)
{
	struct json_object *role, *list, *v;
	char name[128];
	size_t i, n;

	while (*(roles += strspn(roles, " ")) != '\0') {
		n = strcspn(roles, " ");
		snprintf(name, sizeof(name), "%.*s", (int)n, roles);
		roles += n;
		if (!json_object_object_get_ex(self.roles, name, &role) ||
		    !json_object_object_get_ex(role, "permissions", &list) ||
		    !json_object_is_type(list, json_type_array))
			continue;
		for (i = 0; i < json_object_array_length(list); i++) {
			v = json_object_array_get_idx(list, i);
			if (json_object_is_type(v, json_type_string) &&
			    strcmp(json_object_get_string(v), right) == 0)
				return 1;
		}
	}
	return 0;
}

/* Note which roles have to be looked at. */
static void
want_roles(const char *roles)
{
	char name[128];
	size_t n;

	while (*(roles += strspn(roles, " ")) != '\0') {
		n = strcspn(roles, " ");
		snprintf(name, sizeof(name), "%.*s", (int)n, roles);
		roles += n;
		if (json_object_object_length(self.roles) < ROLES_MAX &&
		    !json_object_object_get_ex(self.roles, name, NULL) &&
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
			strlen(name))
			json_object_object_add(self.roles, name, NULL);
	}
}

static void
list_add(char *list, const char *name)
{
	size_t len = strlen(list);

	if (len + strlen(name) + 8 > LIST_MAX) {
		if (len < 3 || strcmp(list + len - 3, "...") != 0)
			strlcat(list, " ...", LIST_MAX);
		return;
	}
	if (list[0] != '\0')
		strlcat(list, ", ", LIST_MAX);
	strlcat(list, name, LIST_MAX);
}

/* One team's channels: every one has to grant all of these. */
static void
channels_row(struct account *a, struct json_object *team)
{
	static const char *const rights[] = {"read_channel", "create_post",
	    "upload_file", "add_reaction", NULL};
	struct json_object *list = NULL, *m;
	char where[512], bad[4][LIST_MAX] = {"", "", "", ""};
	size_t i, k, n;
	int any = 0;

	json_object_object_get_ex(team, "members", &list);
	n = list == NULL ? 0 : json_object_array_length(list);
	for (i = 0; i < n; i++) {
		m = json_object_array_get_idx(list, i);
		for (k = 0; rights[k] != NULL; k++)
			if (!grants(api_str(m, "roles"), rights[k]) &&
			    !grants(api_str(team, "roles"), rights[k]) &&
			    !grants(self.user_roles, rights[k]))
				list_add(bad[k], api_str(m, "channel_id"));
	}
	for (k = 0; rights[k] != NULL; k++) {
		if (bad[k][0] == '\0')
			continue;
		any = 1;
		snprintf(where, sizeof(where), "%s in team %.64s", rights[k],
		    api_str(team, "name"));
		check_row(a, "permission", "fail", "no %s: channels %s",
		    where, bad[k]);
	}
	if (!any)
		check_row(a, "channels", "ok",
		    "%zu in team %.64s, to read, post, upload and react", n,
		    api_str(team, "name"));
}

static void
slash_row(struct account *a, struct json_object *team)
{
	int may = grants(api_str(team, "roles"), "manage_slash_commands") ||
	    grants(self.user_roles, "manage_slash_commands");

	check_row(a, "slash commands", may ? "ok" : "fail", may ?
		"may be made in team %.64s" :
		"no manage_slash_commands in team %.64s: make the bot a team "
		"administrator, or give commands.tokens",
	    api_str(team, "name"));
}

static void
tell(struct account *a)
{
	size_t i, n = json_object_array_length(self.teams);
	struct json_object *team;
	int may = grants(self.user_roles, "create_direct_channel");

	check_row(a, "direct messages", may ? "ok" : "fail", "%s", may ?
		"may be begun" : "no create_direct_channel");
	for (i = 0; i < n && i < TEAMS_MAX; i++) {
		team = json_object_array_get_idx(self.teams, i);
		channels_row(a, team);
		if (self.slash)
			slash_row(a, team);
	}
	self.done(a);
}

/* What the roles grant: one request each. */

static void
role_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	char *name = arg;

	if (api_ok(r, body, 200))
		json_object_object_add(
		    self.roles, name, json_object_get(body));
	else {
		failed(a, name, r, body);
		json_object_object_del(self.roles, name);
	}
	free(name);
	roles_next(a);
}

static void
roles_next(struct account *a)
{
	char path[256], *name = NULL;

	json_object_object_foreach(self.roles, key, role)
		if (role == NULL && name == NULL &&
		    (name = strdup(key)) == NULL)
			fatal("strdup");
	if (name == NULL) {
		if (self.failed)
			self.done(a);
		else
			tell(a);
		return;
	}
	snprintf(path, sizeof(path), "/roles/name/%s", name);
	if (api_get(a, path, role_done, name) == NULL)
		fatalx("a path of our own");
}

/* Its roles in each team and in the channels of that. */

static struct json_object *
this_team(void)
{
	return json_object_array_get_idx(self.teams, self.team);
}

static void
members_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	size_t i;

	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		failed(a, "channels", r, body);
	} else {
		for (i = 0; i < json_object_array_length(body); i++)
			want_roles(api_str(
			    json_object_array_get_idx(body, i), "roles"));
		add_obj(this_team(), "members", json_object_get(body));
	}
	self.team++;
	team_next(a);
}

static void
member_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	char path[128];

	if (!api_ok(r, body, 200)) {
		failed(a, "team", r, body);
		self.team++;
		team_next(a);
		return;
	}
	want_roles(api_str(body, "roles"));
	add_str(this_team(), "roles", api_str(body, "roles"));
	snprintf(path, sizeof(path), "/users/me/teams/%s/channels/members",
	    api_str(this_team(), "id"));
	if (api_get_large(a, path, members_done, NULL) == NULL)
		fatalx("a path of our own");
}

static void
team_next(struct account *a)
{
	char path[128];

	while (self.team < json_object_array_length(self.teams) &&
	    !mm_id_valid(api_str(this_team(), "id")))
		self.team++;
	if (self.team >= json_object_array_length(self.teams) ||
	    self.team >= TEAMS_MAX) {
		roles_next(a);
		return;
	}
	snprintf(path, sizeof(path), "/teams/%s/members/%s",
	    api_str(this_team(), "id"), a->bot_id);
	if (api_get(a, path, member_done, NULL) == NULL)
		fatalx("a path of our own");
}

static void
teams_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	char names[LIST_MAX] = "";
	size_t i, n;

	if (!api_ok(r, body, 200) ||
	    !json_object_is_type(body, json_type_array)) {
		failed(a, "teams", r, body);
		self.done(a);
		return;
	}
	self.teams = json_object_get(body);
	n = json_object_array_length(body);
	for (i = 0; i < n; i++)
		list_add(names, api_str(
		    json_object_array_get_idx(body, i), "name"));
	check_row(a, "teams", n == 0 ? "warn" : "ok", "%s",
	    n == 0 ? "the bot is in none: direct messages only" : names);
	team_next(a);
}

void
rights_user(struct json_object *me, int slash)
{
	json_object_put(self.roles);
	json_object_put(self.teams);
	memset(&self, 0, sizeof(self));
	self.roles = json_object_new_object();
	self.slash = slash;
	strlcpy(self.user_roles, api_str(me, "roles"),
	    sizeof(self.user_roles));
	want_roles(self.user_roles);
}

void
check_rights(struct account *a, void (*done)(struct account *))
{
	self.done = done;
	if (api_get(a, "/users/me/teams", teams_done, NULL) == NULL)
		fatalx("a path of our own");
}
