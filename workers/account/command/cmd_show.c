#include "config.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/cmd_int.h"
#include "workers/account/conn.h"
#include "workers/account/gate.h"
#include "workers/account/gates.h"
#include "workers/account/history/context.h"
#include "workers/account/lanes.h"
#include "workers/account/policy.h"
#include "workers/account/rowdata.h"

#define MODELS_SHOWN 100 /* a post has room for no more */

static const enum command_id often[] = {COMMAND_NEW, COMMAND_STOP,
    COMMAND_STATUS, COMMAND_MODEL, COMMAND_THINK, COMMAND_COMMANDS};

static int
is_direct(const struct cmd_run *run)
{
	return strcmp(api_str(run->row->data, "surface"), "direct") == 0;
}

static void
line(struct cmd_run *run, const struct cmd *c)
{
	cmd_say(run, "- `/%s%s%s` - %s\n", command_name(c->id),
	    *c->args == '\0' ? "" : " ", c->args, c->help);
}

/* A slash alone never reaches a bot: the server takes it for its own. */
static void
how(struct cmd_run *run)
{
	if (is_direct(run))
		cmd_say(run, "Put a blank before the slash, or the bot's name: "
			     "the server keeps what begins with one.\n");
	else
		cmd_say(run, "Write them after the bot's name: "
			     "`@%s /status`.\n", run->a->bot_name);
}

void
cmd_help(struct cmd_run *run)
{
	size_t i;

	how(run);
	for (i = 0; i < sizeof(often) / sizeof(often[0]); i++)
		line(run, cmd_find(often[i]));
}

void
cmd_commands(struct cmd_run *run)
{
	const struct cmd *c;
	size_t i, n;

	c = cmd_table(&n);
	how(run);
	for (i = 0; i < n; i++)
		if (c[i].help != NULL)
			line(run, &c[i]);
}

/* The model in force, with where it comes from. */
static void
say_model(struct cmd_run *run)
{
	const struct agent *g = run->agent;

	if (g == NULL || *g->model == '\0') {
		cmd_say(run, "none (the agent echoes)");
		return;
	}
	if (*g->provider != '\0') {
		cmd_say(run, "%s/", g->provider);
	}
	cmd_code(run, *run->info.model != '\0' ? run->info.model : g->model);
	if (*run->info.model != '\0')
		cmd_say(run, " (set here; the default is `%s`)", g->model);
}

static void
say_gate(struct cmd_run *run)
{
	enum tri t = gates_get(run->a, run->row->channel);
	enum surface s = strcmp(api_str(run->row->data, "surface"),
	    "group") == 0 ? SURFACE_GROUP : SURFACE_CHANNEL;

	if (is_direct(run))
		cmd_say(run, "every message");
	else if (t != TRI_UNKNOWN)
		cmd_say(run, "%s (set here)",
		    t == TRI_YES ? "when mentioned" : "every message");
	else
		cmd_say(run, "%s", gate_applied(run->a->policy, s,
		    run->row->channel) ? "when mentioned" : "every message");
}

void
cmd_status(struct cmd_run *run)
{
	char ago[CONTEXT_ELAPSED_SIZE];
	int waiting, busy;

	cmd_say(run, "- agent: ");
	cmd_code(run, api_str(run->row->data, "agent"));
	cmd_say(run, "\n- model: ");
	say_model(run);
	cmd_say(run, "\n- thinking: %s\n- session: ",
	    *run->info.thinking == '\0' ? "default" : run->info.thinking);
	cmd_code(run, api_str(run->row->data, "session"));
	cmd_say(run, ", %lld messages", (long long)run->info.messages);
	if (run->info.updated > 0) {
		context_elapsed(walltime_ms() - run->info.updated, ago);
		cmd_say(run, ", last used %s ago", ago);
	}
	cmd_say(run, "\n- answers: ");
	say_gate(run);
	lanes_load(run->row, &waiting, &busy);
	cmd_say(run, "\n- now: %s, %d waiting\n- account: ",
	    busy ? "answering" : "idle", waiting);
	cmd_code(run, run->a->id);
	cmd_say(run, ", %s", conn_state_name(run->a));
}

void
cmd_whoami(struct cmd_run *run)
{
	struct json_object *d = run->row->data;

	cmd_say(run, "- user: ");
	cmd_code(run, api_str(d, "sender"));
	cmd_say(run, "\n- user id: ");
	cmd_code(run, api_str(d, "actor"));
	cmd_say(run, "\n- here: %s, ", api_str(d, "surface"));
	cmd_code(run, run->row->channel);
	cmd_say(run, "\n- may give commands: yes");
}

void
cmd_models(struct cmd_run *run)
{
	const struct agent *g = run->agent;
	const char *current, *provider = run->args;
	size_t i;

	if (g == NULL || *g->model == '\0') {
		cmd_say(run, "No models available.");
		return;
	}
	if (*provider != '\0' && strcasecmp(provider, g->provider) != 0) {
		cmd_say(run, "Unknown provider: ");
		cmd_code(run, provider);
		return;
	}
	current = *run->info.model != '\0' ? run->info.model : g->model;
	cmd_say(run, "Models of %s:\n", g->provider);
	if (g->n_models == 0)
		cmd_say(run, "- `%s` [current]\n", current);
	for (i = 0; i < g->n_models && i < MODELS_SHOWN; i++)
		cmd_say(run, "%zu. `%s/%s`%s\n", i + 1, g->provider,
		    g->models[i],
		    strcmp(g->models[i], current) == 0 ? " [current]" : "");
	if (i < g->n_models)
		cmd_say(run, "%zu more are not shown.\n", g->n_models - i);
	cmd_say(run, "Choose with `/model <name>`.");
}

void
cmd_context(struct cmd_run *run)
{
	cmd_say(run, "The model remembers up to %lld messages of this "
		     "conversation (",
	    (long long)run->info.messages);
	cmd_code(run, api_str(run->row->data, "session"));
	cmd_say(run, "), the newest that fit its window. /new begins an "
		     "empty one.");
}

void
cmd_usage(struct cmd_run *run)
{
	const struct sessinfo *s = &run->info;

	if (s->turns == 0) {
		cmd_say(run, "No use of a model has been counted in this "
			     "conversation.");
		return;
	}
	cmd_say(run, "%lld turns, %lld tokens in, %lld tokens out",
	    (long long)s->turns, (long long)s->prompt,
	    (long long)s->completion);
	if (*s->used != '\0') {
		cmd_say(run, ", last with ");
		cmd_code(run, s->used);
	}
	cmd_say(run, ".");
}
