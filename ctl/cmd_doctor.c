#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/add.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/config_file.h"
#include "ctl/doctor.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/conf.h"

static const char *const levels[] = {"note", "warning", "error"};

void
doctor_say(struct doctor *d, enum finding_level level, const char *code,
    const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ask_str(o, "level", levels[level]);
	ask_str(o, "code", code);
	ask_str(o, "text", text);
	json_object_array_add(d->findings, o);
	if ((int)level > d->worst)
		d->worst = level;
}

static void
print(struct json_object *list)
{
	static const char *const head[] = {"LEVEL", "CODE", "WHAT", NULL};
	struct json_object *o;
	struct table t;
	size_t i;

	table_init(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		table_add(&t, json_str(o, "level"));
		table_add(&t, json_str(o, "code"));
		table_add(&t, json_str(o, "text"));
	}
	if (t.rows > 0)
		table_print(&t);
}

int
cmd_doctor(const struct invocation *inv)
{
	struct doctor d = {.inv = inv, .findings = json_object_new_array()};
	struct json_object *o;
	struct config *cfg;
	int well;

	if (inv->given & OPT_FIX)
		doctor_fix(&d, config_file_path(inv));
	cfg = doctor_config(&d, config_file_path(inv));
	if (cfg != NULL)
		doctor_host(&d, cfg);
	config_free(cfg);
	doctor_daemon(&d);
	well = d.worst < FINDING_WARNING;
	if (inv->given & OPT_JSON) {
		o = json_object_new_object();
		add_bool(o, "ok", well);
		add_obj(o, "findings", json_object_get(d.findings));
		output_json(o);
		json_object_put(o);
	} else {
		print(d.findings);
		if (well)
			printf("all is well\n");
	}
	json_object_put(d.findings);
	return well ? 0 : 1;
}
