/*
 * The slash commands that an account has created, so that it knows its own
 * when the server does not let it list them. (o) may be left out.
 *
 *  command.list  -
 *                -> command {commands [{team, trigger, id}]}
 *  command.set   team, trigger, command: its id, "" forgets it  -> ok
 */
#include "config.h"

#include <json-c/json.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/store/op.h"

#define COMMANDS_KEEP 2000 /* of an account: one frame holds them */
#define TRIGGER_MAX 128	   /* Mattermost 5.37 */

static void
command_row(struct json_object *o, sqlite3_stmt *s)
{
	add_str(o, "team", db_text(s, 0));
	add_str(o, "trigger", db_text(s, 1));
	add_str(o, "id", db_text(s, 2));
}

enum store_rc
op_command_list(struct op_call *c)
{
	struct json_object *list;
	sqlite3_stmt *s;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	list = json_object_new_array();
	rc = db_rows(c->db, Q_COMMAND_LIST, &s, "si", c->peer->id,
	    (int64_t)COMMANDS_KEEP);
	rc = op_rows(c, rc, s, command_row, list);
	return op_reply_list(c, "command", "commands", list, rc);
}

static enum store_rc
has_room(struct op_call *c, const char *team, const char *trigger)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(
	    c->db, Q_COMMAND_COUNT, &s, "sss", c->peer->id, team, trigger);
	if (rc != STORE_OK)
		return rc;
	if (sqlite3_column_int64(s, 0) >= COMMANDS_KEEP)
		rc = STORE_QUOTA;
	db_end(s);
	return rc;
}

enum store_rc
op_command_set(struct op_call *c)
{
	const char *team, *trigger, *id;
	struct fields f;
	enum store_rc rc;

	fields_open(&f, c->msg);
	team = fields_str(&f, "team", STORE_ID);
	trigger = fields_str(&f, "trigger", TRIGGER_MAX);
	id = fields_str(&f, "command", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if (*team == '\0' || *trigger == '\0')
		return op_bad(c, "team or trigger is empty");
	if (*id != '\0' && (rc = has_room(c, team, trigger)) != STORE_OK)
		return rc;
	if (*id == '\0')
		rc = db_run(c->db, Q_COMMAND_DELETE, "sss", c->peer->id, team,
		    trigger);
	else
		rc = db_run(c->db, Q_COMMAND_SET, "ssss", c->peer->id, team,
		    trigger, id);
	if (rc != STORE_OK && rc != STORE_NONE)
		return rc;
	c->reply = chan_reply_msg("ok", c->msg);
	return STORE_OK;
}
