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

/* Why it cannot be, or NULL. */
static const char *
job_refusal(const struct cron_job *j)
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
	struct cron_job j;
	char text[256];

	fields_open(&f, job);
	cron_job_take(&j, &f);
	if (fields_end(&f) == -1)
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
	id = fields_str(&f, "id", CRON_ID_MAX);
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
	id = fields_str(&f, "id", CRON_ID_MAX);
	if (fields_end(&f) == -1) {
		call_answer(call, 0, fields_error(&f), NULL);
		return;
	}
	msg = chan_msg("cron.rm");
	ask_add(msg, "account", account);
	ask_add(msg, "job", id);
	ask_store(call, msg);
}
