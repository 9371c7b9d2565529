#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "common/cron.h"
#include "common/fields.h"
#include "common/zone.h"
#include "workers/control/control.h"

/*
 * Scheduled jobs: what a client says of one is checked here, so that the
 * store keeps none that cannot be read.
 */

#define NAME_MAX_LEN 128
#define MESSAGE_MAX 16384
#define TARGET_MAX 512
#define SESSION_MAX 384
#define ID_MAX 64

struct job {
	const char *name, *agent, *kind, *expr, *zone, *rules, *message;
	const char *to, *thread, *session;
	int64_t every, at;
	int catch_up;
};

static int
job_take(struct job *j, struct json_object *o, struct fields *f)
{
	fields_open(f, o);
	j->name = fields_str(f, "name", NAME_MAX_LEN);
	j->agent = fields_str(f, "agent", ID_MAX);
	j->kind = fields_str(f, "kind", 16);
	j->expr = fields_str(f, "expr", CRON_EXPR_MAX);
	j->zone = fields_str(f, "zone", NAME_MAX_LEN);
	j->rules = fields_str(f, "rules", ZONE_TEXT_MAX);
	j->every = fields_int(f, "every", 0, INT64_MAX);
	j->at = fields_int(f, "at", 0, INT64_MAX);
	j->message = fields_str(f, "message", MESSAGE_MAX);
	j->to = fields_str(f, "to", TARGET_MAX);
	j->thread = fields_str(f, "thread", ID_MAX);
	j->session = fields_str(f, "session", SESSION_MAX);
	j->catch_up = fields_bool(f, "catch_up");
	return fields_end(f);
}

/* Why it cannot be, or NULL. */
static const char *
job_refusal(const struct job *j)
{
	struct sched s;
	const char *why;

	if (sched_parse(&s, j->kind, j->expr, j->rules, j->every, j->at,
		&why) == -1)
		return why;
	sched_clear(&s);
	if (j->message[strspn(j->message, " \t\r\n")] == '\0')
		return "the message is empty";
	if (*j->to == '\0' && *j->session == '\0')
		return "it needs a target or a session";
	return NULL;
}

void
cron_add(struct call *call, const char *account, struct json_object *job)
{
	struct json_object *msg;
	const char *why = NULL;
	struct fields f;
	struct job j;
	char text[256];

	if (job_take(&j, job, &f) == -1)
		why = fields_error(&f);
	else if (!peers_know(call->control, "account", account)) {
		snprintf(text, sizeof(text), "there is no account %s",
		    account);
		why = text;
	} else
		why = job_refusal(&j);
	if (why != NULL) {
		call_answer(call, 0, why, NULL);
		return;
	}
	msg = chan_msg("cron.add");
	ask_add(msg, "account", account);
	ask_add(msg, "name", j.name);
	ask_add(msg, "agent", j.agent);
	ask_add(msg, "kind", j.kind);
	ask_add(msg, "expr", j.expr);
	ask_add(msg, "zone", j.zone);
	ask_add(msg, "rules", j.rules);
	add_int(msg, "every", j.every);
	add_int(msg, "at", j.at);
	ask_add(msg, "message", j.message);
	ask_add(msg, "to", j.to);
	ask_add(msg, "thread", j.thread);
	ask_add(msg, "session", j.session);
	add_bool(msg, "catch_up", j.catch_up);
	ask_store(call, msg);
}

void
cron_set(struct call *call, const char *account, struct json_object *job)
{
	const char *id, *rules, *why;
	struct json_object *msg;
	struct zone *zone;
	struct fields f;
	int enabled;

	fields_open(&f, job);
	id = fields_str(&f, "id", ID_MAX);
	enabled = fields_bool(&f, "enabled");
	rules = fields_opt_str(&f, "rules", ZONE_TEXT_MAX);
	if (fields_end(&f) == -1) {
		call_answer(call, 0, fields_error(&f), NULL);
		return;
	}
	if (rules != NULL) {
		if ((zone = zone_parse(rules, &why)) == NULL) {
			call_answer(call, 0, why, NULL);
			return;
		}
		zone_free(zone);
	}
	msg = chan_msg("cron.set");
	ask_add(msg, "account", account);
	ask_add(msg, "job", id);
	add_bool(msg, "enabled", enabled);
	ask_add(msg, "rules", rules);
	ask_store(call, msg);
}

void
cron_rm(struct call *call, const char *account, struct json_object *job)
{
	struct json_object *msg;
	struct fields f;
	const char *id;

	fields_open(&f, job);
	id = fields_str(&f, "id", ID_MAX);
	if (fields_end(&f) == -1) {
		call_answer(call, 0, fields_error(&f), NULL);
		return;
	}
	msg = chan_msg("cron.rm");
	ask_add(msg, "account", account);
	ask_add(msg, "job", id);
	ask_store(call, msg);
}
