#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/callback/interact.h"
#include "workers/account/callback/selftest.h"
#include "workers/account/channels.h"
#include "workers/account/command/slash.h"
#include "workers/account/conn.h"
#include "workers/account/ctl/ctl.h"
#include "workers/account/ctl/ctl_files.h"
#include "workers/account/ctl/ctl_op.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/jobs.h"
#include "workers/account/lanes.h"
#include "workers/account/names.h"
#include "workers/account/outbox.h"
#include "workers/worker.h"

static void
on_status(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct json_object *r = chan_reply_msg("data", msg);

	add_str(r, "state", conn_state_name(a));
	add_str(r, "error", conn_last_error(a));
	add_str(r, "bot", a->bot_name);
	add_str(r, "bot_id", a->bot_id);
	add_int(r, "since", conn_since(a));
	add_int(r, "channels", a->channels->n);
	add_int(r, "events", (int64_t)a->n_events);
	add_int(r, "accepted", (int64_t)a->n_accepted);
	add_int(r, "posts", (int64_t)a->n_answers);
	add_int(r, "resumes", (int64_t)a->n_resumes);
	add_int(r, "fills", (int64_t)a->n_fills);
	add_int(r, "waiting", lanes_waiting(a));
	add_int(r, "running", lanes_running(a));
	add_int(r, "outbox", outbox_pending(a));
	add_int(r, "last_in", a->last_in);
	add_int(r, "last_out", a->last_out);
	add_int(r, "close_code", a->close_code);
	add_obj(r, "drops", drops_counts(a));
	figures_add(a, r);
	add_obj(r, "names", names_status(a));
	add_obj(r, "callbacks", selftest_status(a));
	add_obj(r, "slash", slash_status(a));
	chan_send(c, r, -1);
}

/* A context for the buttons of a script. */
static void
on_sign(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct json_object *context, *r;
	const char *why;
	struct fields f;

	fields_open(&f, msg);
	context = fields_obj(&f, "context");
	if (fields_end(&f) == -1) {
		chan_violation(c, "sign");
		return;
	}
	context = interact_sign(a, json_object_get(context), &why);
	if (context != NULL) {
		r = chan_reply_msg("data", msg);
		add_obj(r, "context", context);
	} else {
		r = chan_reply_msg("err", msg);
		add_str(r, "code", "sign");
		add_str(r, "text", why);
	}
	chan_send(c, r, -1);
}

static const struct chan_handler handlers[] = {
    {"status", on_status},
    {"sign", on_sign},
    {"send", ctl_on_send},
    {"send.file", ctl_on_file},
    {"send.cancel", ctl_on_cancel},
    {"react", ctl_on_react},
    {"read", ctl_on_read},
    {"directory", ctl_on_directory},
    {"probe", ctl_on_probe},
    {"cron.run", jobs_on_run},
    {NULL, NULL},
};

static void
link_closed(struct chan *c, const char *why, void *arg)
{
	struct account *a = arg;

	worker_broken(a->worker, "control", "", why);
	a->ctl = NULL;
	ctl_files_end();
	chan_free(c);
}

void
ctl_set(struct account *a, int fd)
{
	struct chan *old = a->ctl;

	if (old != NULL)
		ctl_files_end();
	a->ctl = chan_new(a->base, fd, PROTO_CONTROL_ACCOUNT, SIDE_A, handlers,
	    link_closed, a);
	chan_free(old);
}
