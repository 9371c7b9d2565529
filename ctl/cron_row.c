#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "common/cron.h"
#include "common/monotime.h"
#include "ctl/cron_row.h"
#include "ctl/output.h"
#include "ctl/when.h"

int64_t
cron_row_next(struct json_object *o, int64_t now)
{
	int64_t floor = json_int(o, "floor"), next;
	struct sched s;
	const char *why;

	if (!json_true(o, "enabled") ||
	    sched_parse(&s, json_str(o, "kind"), json_str(o, "expr"),
		json_str(o, "rules"), json_int(o, "every"),
		json_int(o, "at"), &why) == -1)
		return 0;
	if (s.kind == SCHED_CRON || floor > now)
		floor = now;
	next = sched_next(&s, floor);
	sched_clear(&s);
	return next != 0 && next < now ? now : next;
}

const char *
cron_row_schedule(struct json_object *o)
{
	static char buf[512];

	if (strcmp(json_str(o, "kind"), "cron") == 0)
		snprintf(buf, sizeof(buf), "cron %s (%s)",
		    json_str(o, "expr"), json_str(o, "zone"));
	else if (strcmp(json_str(o, "kind"), "every") == 0)
		snprintf(buf, sizeof(buf), "every %s",
		    when_text(json_int(o, "every")));
	else
		snprintf(buf, sizeof(buf), "at %s",
		    output_time(json_int(o, "at")));
	return buf;
}

const char *
cron_row_state(struct json_object *o)
{
	const char *state = json_str(o, "state");

	if (*state == '\0')
		return json_int(o, "skipped") > 0 ? "skipped" : "";
	if (strcmp(state, "done") == 0)
		return json_str(o, "outcome");
	return strcmp(state, "dead") == 0 ? "failed" : "running";
}

const char *
cron_row_error(struct json_object *o)
{
	const char *error = json_str(o, "error");

	if (strcmp(json_str(o, "state"), "dead") != 0)
		return "";
	return *error != '\0' ? error : json_str(o, "reason");
}

struct json_object *
cron_row_json(struct json_object *o)
{
	struct json_object *j = json_object_new_object();
	int64_t next = cron_row_next(o, walltime_ms());

	json_object_object_foreach(o, key, value)
		if (strcmp(key, "rules") != 0 && strcmp(key, "floor") != 0 &&
		    strcmp(key, "catch_up") != 0)
			json_object_object_add(
			    j, key, json_object_get(value));
	add_str(j, "catch_up", json_true(o, "catch_up") ? "once" : "skip");
	add_int(j, "next_at", next);
	return j;
}

void
cron_row_print_json(struct json_object *o)
{
	struct json_object *j = cron_row_json(o);

	output_json(j);
	json_object_put(j);
}
