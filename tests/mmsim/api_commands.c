#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/monotime.h"
#include "tests/mmsim/command.h"

#define TRIGGER_MAX 128
#define DISPLAY_MAX 64
#define DESCRIPTION_MAX 128

static const char *const builtins[] = {"away", "code", "collapse", "dnd",
    "echo", "expand", "groupmsg", "header", "help", "invite", "join", "kick",
    "leave", "logout", "me", "msg", "mute", "offline", "online", "open",
    "purpose", "remove", "rename", "search", "secure-connection", "settings",
    "share-channel", "shortcuts", "shrug", "status"};

static struct {
	struct command **cmd;
	size_t n, cap;
	int role; /* team_user has manage_slash_commands */
	char role_id[ID_LEN + 1];
} all;

static const char *const team_user_perms[] = {"add_user_to_team",
    "list_team_channels", "join_public_channels", "read_public_channel",
    "view_team", "create_public_channel", "create_private_channel",
    "invite_user"};

static void
fields_free(struct command *c)
{
	free(c->trigger);
	free(c->method);
	free(c->username);
	free(c->icon_url);
	free(c->hint);
	free(c->desc);
	free(c->display_name);
	free(c->description);
	free(c->url);
}

void
commands_reset(void)
{
	size_t i;

	for (i = 0; i < all.n; i++) {
		fields_free(all.cmd[i]);
		free(all.cmd[i]);
	}
	free(all.cmd);
	memset(&all, 0, sizeof(all));
}

struct command *
command_find(const struct team *t, const char *trigger)
{
	size_t i;

	for (i = 0; i < all.n; i++)
		if (all.cmd[i]->team == t && all.cmd[i]->delete_at == 0 &&
		    !strcmp(all.cmd[i]->trigger, trigger))
			return all.cmd[i];
	return NULL;
}

static int
is_builtin(const char *trigger)
{
	size_t i;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (!strcmp(builtins[i], trigger))
			return 1;
	return 0;
}

static int
is_team_admin(const struct team *t, const struct user *u)
{
	struct tmember *m = team_member(t, u);

	return u->is_admin || (m != NULL && m->admin);
}

/* manage_slash_commands in the team. */
static int
may_manage(const struct team *t, const struct user *u)
{
	return is_team_admin(t, u) || (all.role && team_member(t, u) != NULL);
}

static void
render_command(struct buf *b, const struct command *c)
{
	buf_str(b, "{");
	buf_kstr(b, "id", c->id);
	buf_kstr(b, "token", c->token);
	buf_knum(b, "create_at", c->create_at);
	buf_knum(b, "update_at", c->update_at);
	buf_knum(b, "delete_at", c->delete_at);
	buf_kstr(b, "creator_id", c->creator->id);
	buf_kstr(b, "team_id", c->team->id);
	buf_kstr(b, "trigger", c->trigger);
	buf_kstr(b, "method", c->method);
	buf_kstr(b, "username", c->username);
	buf_kstr(b, "icon_url", c->icon_url);
	buf_kbool(b, "auto_complete", c->auto_complete);
	buf_kstr(b, "auto_complete_desc", c->desc);
	buf_kstr(b, "auto_complete_hint", c->hint);
	buf_kstr(b, "display_name", c->display_name);
	buf_kstr(b, "description", c->description);
	buf_kstr(b, "url", c->url);
	buf_kstr(b, "plugin_id", "");
	buf_str(b, "}");
}

static void
reply_command(struct req *r, int status, const struct command *c)
{
	struct buf b = {0};

	render_command(&b, c);
	api_json(r, status, &b);
}

static void
no_command(struct req *r)
{
	api_error(r, 404, "store.sql_command.save.get.app_error",
	    "Unable to get the command.");
}

static void
replace(char **slot, struct json_object *o, const char *key)
{
	free(*slot);
	*slot = xstrdup(jstr(o, key));
}

static void
take_fields(struct command *c, struct json_object *o)
{
	struct json_object *v;
	char *p;

	replace(&c->trigger, o, "trigger");
	for (p = c->trigger; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	replace(&c->method, o, "method");
	replace(&c->username, o, "username");
	replace(&c->icon_url, o, "icon_url");
	replace(&c->hint, o, "auto_complete_hint");
	replace(&c->desc, o, "auto_complete_desc");
	replace(&c->display_name, o, "display_name");
	replace(&c->description, o, "description");
	replace(&c->url, o, "url");
	c->auto_complete = json_object_object_get_ex(o, "auto_complete", &v) &&
	    json_object_get_boolean(v);
}

static int
invalid(struct req *r, const char *what, const char *text)
{
	struct buf id = {0};

	buf_fmt(&id, "model.command.is_valid.%s.app_error", what);
	api_error(r, 400, id.p, text);
	buf_free(&id);
	return 0;
}

/* 0: the answer was sent. */
static int
is_valid(struct req *r, const struct command *c)
{
	size_t n = strlen(c->trigger);

	if (n < 1 || n > TRIGGER_MAX || c->trigger[0] == '/' ||
	    strchr(c->trigger, ' ') != NULL)
		return invalid(r, "trigger", "Invalid trigger.");
	if (strcmp(c->method, "P") != 0 && strcmp(c->method, "G") != 0)
		return invalid(r, "method", "Invalid Method.");
	if (strncmp(c->url, "http://", 7) != 0 &&
	    strncmp(c->url, "https://", 8) != 0)
		return invalid(r, c->url[0] ? "url_http" : "url",
		    c->url[0] ? "Invalid URL. Must be a valid URL and start "
		    "with http:// or https://." : "Invalid URL.");
	if (utf8_runes(c->display_name) > DISPLAY_MAX)
		return invalid(r, "display_name", "Invalid title.");
	if (utf8_runes(c->description) > DESCRIPTION_MAX)
		return invalid(r, "description", "Invalid description.");
	return 1;
}

static void
command_create(struct req *r)
{
	struct json_object *o = req_json(r);
	struct team *t = hmap_get(&st.teams, jstr(o, "team_id"));
	struct command *c;

	if (o == NULL) {
		api_bad_body(r, "command");
		return;
	}
	if (t == NULL || !may_manage(t, r->user)) {
		api_forbidden(r);
		json_object_put(o);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	take_fields(c, o);
	if (*jstr(o, "id") != '\0')
		api_error(r, 500, "app.command.createcommand.internal_error",
		    "Unable to save the Command.");
	else if (command_find(t, c->trigger) != NULL || is_builtin(c->trigger))
		api_error(r, 400, "api.command.duplicate_trigger.app_error",
		    "This trigger word is already in use. Please choose "
		    "another word.");
	else if (is_valid(r, c)) {
		id_new(c->id);
		id_new(c->token);
		c->team = t;
		c->creator = r->user;
		c->create_at = c->update_at = tick_ms();
		all.cmd = xgrow(all.cmd, &all.cap, all.n + 1,
		    sizeof(*all.cmd));
		all.cmd[all.n++] = c;
		reply_command(r, 201, c);
		c = NULL;
	}
	if (c != NULL)
		fields_free(c);
	free(c);
	json_object_put(o);
}

static void
put_builtin(struct buf *b, const char *trigger)
{
	buf_str(b, "{\"id\":\"\",\"token\":\"\",\"create_at\":0,"
	    "\"update_at\":0,\"delete_at\":0,\"creator_id\":\"\","
	    "\"team_id\":\"\"");
	buf_kstr(b, "trigger", trigger);
	buf_str(b, ",\"method\":\"\",\"username\":\"\",\"icon_url\":\"\","
	    "\"auto_complete\":true,\"auto_complete_desc\":\"\","
	    "\"auto_complete_hint\":\"\"");
	buf_kstr(b, "display_name", trigger);
	buf_str(b, ",\"description\":\"\",\"url\":\"\",\"plugin_id\":\"\"}");
}

/* Without the permission only the built-in ones are listed. */
static void
command_list(struct req *r)
{
	const char *id = req_query(r, "team_id"), *only;
	struct team *t = id ? hmap_get(&st.teams, id) : NULL;
	struct buf b = {0};
	size_t i, n = 0;
	int custom;

	only = req_query(r, "custom_only");
	custom = only != NULL && !strcmp(only, "true");
	if (t == NULL) {
		api_error(r, 400, "api.context.invalid_body_param.app_error",
		    "Invalid or missing team_id in request body.");
		return;
	}
	if ((team_member(t, r->user) == NULL && !r->user->is_admin) ||
	    (custom && !may_manage(t, r->user))) {
		api_forbidden(r);
		return;
	}
	buf_str(&b, "[");
	for (i = 0; !custom && i < sizeof(builtins) / sizeof(char *); i++) {
		buf_str(&b, n++ ? "," : "");
		put_builtin(&b, builtins[i]);
	}
	for (i = 0; i < all.n; i++) {
		if (all.cmd[i]->team != t || all.cmd[i]->delete_at != 0 ||
		    !may_manage(t, r->user))
			continue;
		buf_str(&b, n++ ? "," : "");
		render_command(&b, all.cmd[i]);
	}
	buf_str(&b, "]");
	api_json(r, 200, &b);
}

/*
 * The live command of the path. What the caller may not manage is not
 * there for him; changing a colleague's takes a team administrator.
 */
static struct command *
command_arg(struct req *r, int change)
{
	size_t i;

	for (i = 0; i < all.n; i++)
		if (!strcmp(all.cmd[i]->id, r->arg[0]) &&
		    all.cmd[i]->delete_at == 0)
			break;
	if (i == all.n || !may_manage(all.cmd[i]->team, r->user)) {
		no_command(r);
		return NULL;
	}
	if (change && all.cmd[i]->creator != r->user &&
	    !is_team_admin(all.cmd[i]->team, r->user)) {
		api_forbidden(r);
		return NULL;
	}
	return all.cmd[i];
}

static void
command_get(struct req *r)
{
	struct command *c = command_arg(r, 0);

	if (c != NULL)
		reply_command(r, 200, c);
}

/* Neither duplicates nor built-in names are looked at here (5.37). */
static void
command_update(struct req *r)
{
	struct json_object *o = req_json(r);
	struct command *c, next = {0};

	if (o == NULL || strcmp(jstr(o, "id"), r->arg[0]) != 0)
		api_bad_body(r, "command");
	else if ((c = command_arg(r, 1)) != NULL) {
		if (strcmp(jstr(o, "team_id"), c->team->id) != 0)
			api_error(r, 400,
			    "api.command.team_mismatch.app_error",
			    "Unable to update commands across teams.");
		else {
			take_fields(&next, o);
			if (is_valid(r, &next)) {
				take_fields(c, o);
				c->update_at = tick_ms();
				reply_command(r, 200, c);
			}
			fields_free(&next);
		}
	}
	json_object_put(o);
}

static void
command_delete(struct req *r)
{
	struct command *c = command_arg(r, 1);

	if (c == NULL)
		return;
	c->delete_at = c->update_at = tick_ms();
	api_ok(r);
}

static void
command_regen(struct req *r)
{
	struct command *c = command_arg(r, 1);
	struct buf b = {0};

	if (c == NULL)
		return;
	id_new(c->token);
	buf_str(&b, "{");
	buf_kstr(&b, "token", c->token);
	buf_str(&b, "}");
	api_json(r, 200, &b);
}

static void
reply_role(struct req *r)
{
	struct buf b = {0};
	size_t i;

	if (all.role_id[0] == '\0')
		id_new(all.role_id);
	buf_str(&b, "{");
	buf_kstr(&b, "id", all.role_id);
	buf_str(&b, ",\"name\":\"team_user\",\"display_name\":"
	    "\"authentication.roles.team_user.name\",\"description\":"
	    "\"authentication.roles.team_user.description\"");
	buf_knum(&b, "create_at", walltime_ms());
	buf_knum(&b, "update_at", walltime_ms());
	buf_str(&b, ",\"delete_at\":0,\"permissions\":[");
	for (i = 0; i < sizeof(team_user_perms) / sizeof(char *); i++)
		buf_fmt(&b, "%s\"%s\"", i ? "," : "", team_user_perms[i]);
	if (all.role)
		buf_str(&b, ",\"manage_slash_commands\"");
	buf_str(&b, "],\"scheme_managed\":true,\"built_in\":true}");
	api_json(r, 200, &b);
}

/* What the other built-in roles grant, as far as anybody asks. */
static int
role_other(struct req *r)
{
	static const struct {
		const char *name, *perms;
	} list[] = {
	    {"system_user", "\"create_direct_channel\","
		"\"create_group_channel\",\"view_members\""},
	    {"system_admin", "\"manage_system\",\"create_direct_channel\""},
	    {"team_admin", "\"manage_slash_commands\",\"manage_team\""},
	    {"channel_user", "\"read_channel\",\"create_post\","
		"\"upload_file\",\"add_reaction\",\"edit_post\""},
	    {"channel_admin", "\"manage_channel_roles\""},
	};
	struct buf b = {0};
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcmp(list[i].name, r->arg[0]) != 0)
			continue;
		buf_str(&b, "{");
		buf_kstr(&b, "name", list[i].name);
		buf_fmt(&b, ",\"permissions\":[%s],\"scheme_managed\":true,"
		    "\"built_in\":true}", list[i].perms);
		api_json(r, 200, &b);
		return 1;
	}
	return 0;
}

static void
role_get(struct req *r)
{
	if (strcmp(r->arg[0], "team_user") != 0 && role_other(r))
		return;
	if (strcmp(r->arg[0], "team_user") != 0)
		api_error(r, 404, "app.role.get_by_name.app_error",
		    "Unable to get role.");
	else
		reply_role(r);
}

/* Of the permissions only manage_slash_commands has an effect. */
static void
role_patch(struct req *r)
{
	struct json_object *o = req_json(r), *perms = NULL;
	size_t i, n;

	json_object_object_get_ex(o, "permissions", &perms);
	if (!json_object_is_type(perms, json_type_array))
		api_bad_body(r, "role");
	else if (strcmp(r->arg[0], all.role_id) != 0)
		api_error(r, 404, "app.role.get.app_error",
		    "Unable to get role.");
	else {
		all.role = 0;
		n = json_object_array_length(perms);
		for (i = 0; i < n; i++)
			all.role |= !strcmp("manage_slash_commands",
			    json_object_get_string(
				json_object_array_get_idx(perms, i)));
		reply_role(r);
	}
	json_object_put(o);
}

const struct route routes_commands[] = {
    {"POST", "/api/v4/commands", command_create, 0},
    {"GET", "/api/v4/commands", command_list, 0},
    {"POST", "/api/v4/commands/execute", command_execute, 0},
    {"GET", "/api/v4/commands/{id}", command_get, 0},
    {"PUT", "/api/v4/commands/{id}", command_update, 0},
    {"DELETE", "/api/v4/commands/{id}", command_delete, 0},
    {"PUT", "/api/v4/commands/{id}/regen_token", command_regen, 0},
    {"POST", "/hooks/commands/{id}", command_webhook, API_OPEN},
    {"GET", "/api/v4/roles/name/{name}", role_get, 0},
    {"PUT", "/api/v4/roles/{id}/patch", role_patch, API_ADMIN},
    {"POST", "/api/v4/posts/{id}/actions/{id}", action_click, 0},
    {NULL, NULL, NULL, 0}};
