#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/cmd_int.h"
#include "workers/account/gates.h"
#include "workers/account/history/pending.h"
#include "workers/account/lanes.h"
#include "workers/account/outbox.h"
#include "workers/account/policy.h"
#include "workers/account/recheck.h"
#include "workers/account/route.h"
#include "workers/account/rowdata.h"
#include "workers/account/turn.h"

#define COMMIT_AGAIN_MS 2000

static void cmd_commit(struct cmd_run *);

int
cmd_at_once(enum command_id id)
{
	const struct cmd *c = cmd_find(id);

	/* What is not in the table is answered that it is not there. */
	return id != COMMAND_NONE && (c == NULL || (c->flags & CMD_AT_ONCE));
}

void
cmd_say(struct cmd_run *run, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) == -1)
		fatal("vasprintf");
	va_end(ap);
	strbuf_puts(&run->out, s);
	free(s);
}

void
cmd_code(struct cmd_run *run, const char *text)
{
	size_t n = 0;

	strbuf_putc(&run->out, '`');
	for (; *text != '\0' && n < 400; text++, n++)
		strbuf_putc(&run->out,
		    (unsigned char)*text < 0x20 || *text == '`' ? ' ' : *text);
	strbuf_putc(&run->out, '`');
}

static void
cmd_call(struct cmd_run *run)
{
	const struct cmd *c = cmd_find(run->id);

	if (c == NULL)
		cmd_say(run, "/%s is not available in this gateway.",
		    command_name(run->id));
	else if (c->run == NULL)
		cmd_say(run, "%s", c->none);
	else
		c->run(run);
	/* A message of several directives alone: each is set. */
	if (run->id == COMMAND_THINK && *api_str(run->row->data, "model")) {
		cmd_say(run, "\n");
		cmd_model(run);
	} else if (run->id == COMMAND_MODEL &&
	    *api_str(run->row->data, "think")) {
		cmd_say(run, "\n");
		cmd_think(run);
	}
}

char *
cmd_show(struct account *a, struct row *r, enum command_id id,
    const struct sessinfo *info)
{
	const struct cmd *c = cmd_find(id);
	struct cmd_run run = {.a = a, .row = r, .id = id, .args = "",
	    .out = STRBUF_INIT};

	if (c == NULL || !(c->flags & CMD_SHOWS))
		return NULL;
	run.agent = route_find_agent(a->policy, api_str(r->data, "agent"));
	run.info = *info;
	c->run(&run);
	return strbuf_take(&run.out);
}

/* The end of it */

static void
cmd_free(struct cmd_run *run)
{
	event_free(run->again);
	json_object_put(run->commit);
	json_object_put(run->items);
	json_object_put(run->ends);
	strbuf_free(&run->out);
	free(run);
}

static void
say_items(struct cmd_run *run)
{
	if (json_object_array_length(run->items) > 0)
		outbox_add(run->a, run->items, lanes_key(run->row),
		    run->row->seq, NULL, NULL);
}

/* What the store has now holds here as well. */
static void
cmd_apply(struct cmd_run *run)
{
	struct account *a = run->a;
	size_t i;

	if (run->reset)
		pending_forget(
		    a->pending, api_str(run->row->data, "session"));
	if (run->gate)
		gates_set(a, run->row->channel, run->mention);
	for (i = 0; run->ends != NULL &&
	     i < json_object_array_length(run->ends); i++)
		lanes_row_ended(a, json_object_get_int64(
		    json_object_array_get_idx(run->ends, i)));
	say_items(run);
}

static void cmd_dead(struct cmd_run *, const char *code, const char *why);

static void
committed(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct cmd_run *run = arg;
	struct row *r = run->row;

	if (err != NULL && store_err_passes(err)) {
		loop_timer(run->again, COMMIT_AGAIN_MS);
		return;
	}
	if (err != NULL) {
		log_event(LOG_ERR, "command.commit", "account", a->id,
		    "event_id", r->event, "error", err, NULL);
		if (!run->dead) {
			cmd_dead(run, err, "it could not be kept");
			return;
		}
	} else if (run->dead)
		say_items(run);
	else if (!run->denied) {
		log_event(LOG_INFO, "command", "account", a->id, "event_id",
		    r->event, "name", command_name(run->id), NULL);
		cmd_apply(run);
	}
	cmd_free(run);
	lanes_row_done(a, r);
}

static void
cmd_commit(struct cmd_run *run)
{
	storelink_request(
	    run->a, json_object_get(run->commit), committed, run);
}

static void
on_again(int fd, short what, void *arg)
{
	cmd_commit(arg);
}

static struct json_object *
meta(const struct cmd_run *run)
{
	struct json_object *o = json_object_new_object();

	if (run->model != NULL)
		add_str(o, "model", run->model);
	if (run->thinking != NULL)
		add_str(o, "thinking", run->thinking);
	return o;
}

static void
add_changes(struct cmd_run *run, struct json_object *msg)
{
	struct json_object *o;

	if (run->reset)
		add_bool(msg, "reset", 1);
	if (run->model != NULL || run->thinking != NULL)
		add_obj(msg, "meta", meta(run));
	if (run->gate) {
		o = json_object_new_object();
		add_str(o, "channel", run->row->channel);
		add_str(o, "mode", gates_mode(run->mention));
		add_obj(msg, "gate", o);
	}
	if (run->ends != NULL) {
		o = json_object_new_object();
		add_str(o, "outcome", "stopped");
		add_obj(o, "seqs", json_object_get(run->ends));
		add_obj(msg, "ends", o);
	}
}

/* The end of its row, with what it has to say. */
static struct json_object *
end_msg(struct cmd_run *run, const char *type)
{
	struct row *r = run->row;
	struct json_object *msg = chan_msg(type);
	char key[OUTBOX_KEY_SIZE];

	run->items = json_object_new_array();
	if (run->out.len > 0) {
		outbox_key(key, r->seq, 0);
		json_object_array_add(run->items, outbox_item(key, "post",
		    r->channel, r->root, "", run->out.s));
	}
	add_int(msg, "seq", r->seq);
	add_obj(msg, "outbox", json_object_get(run->items));
	return msg;
}

static void
cmd_end(struct cmd_run *run)
{
	struct row *r = run->row;

	run->commit = end_msg(run, "turn.commit");
	add_str(run->commit, "session", api_str(r->data, "session"));
	add_str(run->commit, "agent", api_str(r->data, "agent"));
	add_str(run->commit, "outcome", run->denied ? "denied" : "command");
	add_changes(run, run->commit);
	cmd_commit(run);
}

static void
cmd_dead(struct cmd_run *run, const char *code, const char *why)
{
	char reason[256];

	json_object_put(run->commit);
	json_object_put(run->items);
	run->dead = 1;
	strbuf_truncate(&run->out, 0);
	cmd_say(run, "I could not do this: %s.", why);
	snprintf(reason, sizeof(reason), "%s: %s", code, why);
	run->commit = end_msg(run, "turn.dead");
	add_str(run->commit, "reason", reason);
	add_int(run->commit, "status", 0);
	cmd_commit(run);
}

/* The beginning */

static void
opened(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct cmd_run *run = arg;

	if (err != NULL || sessinfo_read(reply, &run->info) == -1) {
		memset(&run->info, 0, sizeof(run->info));
		run->info.model = run->info.thinking = run->info.used = "";
		cmd_say(run, "I cannot read this conversation now. Please "
			     "try again later.");
	} else
		cmd_call(run);
	cmd_end(run);
}

void
cmd_start(struct account *a, struct row *r)
{
	const char *agent = api_str(r->data, "agent");
	struct cmd_run *run;

	if ((run = calloc(1, sizeof(*run))) == NULL ||
	    (run->again = evtimer_new(a->base, on_again, run)) == NULL)
		fatal("calloc");
	run->a = a;
	run->row = r;
	run->id = r->cmd;
	run->args = api_str(r->data, "args");
	run->agent = route_find_agent(a->policy, agent);
	if (r->attempts >= TURN_CRASHES_MAX) {
		cmd_dead(run, "crash", "the worker died over it");
		return;
	}
	turn_claim(a, r);
	if (!recheck_allows(a, r)) {
		run->denied = 1;
		cmd_end(run);
		return;
	}
	sessinfo_ask(
	    a, api_str(r->data, "session"), agent, "", opened, run);
}
