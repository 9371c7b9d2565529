#include "config.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "common/proto.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/cmd_int.h"
#include "workers/account/command/directive.h"
#include "workers/account/gates.h"
#include "workers/account/lanes.h"
#include "workers/account/policy.h"
#include "workers/account/rowdata.h"
#include "workers/account/turn.h"

/* What a directive of that name said, else the argument. */
static const char *
wanted(const struct cmd_run *run, const char *key)
{
	const char *s = api_str(run->row->data, key);

	return *s != '\0' ? s : run->args;
}

static int
is_default(const char *s)
{
	return strcasecmp(s, "default") == 0 || strcasecmp(s, "reset") == 0;
}

/* Takes the model that word names. 0, or -1 when it names none. */
static int
take_model(struct cmd_run *run, const char *word)
{
	const struct agent *g = run->agent;
	const char *name;

	if (g == NULL || (name = rowdata_model(g, word)) == NULL)
		return -1;
	run->model = strcmp(name, g->model) == 0 ? "" : name;
	return 0;
}

void
cmd_new(struct cmd_run *run)
{
	const char *model = api_str(run->row->data, "model");

	if (run->id == COMMAND_RESET && strncasecmp(run->args, "soft", 4) == 0) {
		cmd_say(run, "Nothing to load anew: the agent's prompt is "
			     "read with each message. /reset forgets the "
			     "conversation.");
		return;
	}
	run->reset = 1;
	cmd_say(run, "New session.");
	if (*model != '\0' && take_model(run, model) == 0) {
		cmd_say(run, " Model: ");
		cmd_code(run, *run->model != '\0' ? run->model :
		    run->agent->model);
	}
}

struct stopping {
	struct cmd_run *run;
	const char *actor;
	int stopped, more;
	size_t dropped;
};

/*
 * The turn that runs ends at once. What the same person has said since and
 * before the stop is not answered either; what others said is.
 */
static void
stop_row(struct row *r, void *arg)
{
	struct stopping *s = arg;
	struct cmd_run *run = s->run;

	if (r->seq >= run->row->seq || r->cmd != COMMAND_NONE || r->ended)
		return;
	if (r->turn != NULL) {
		s->stopped |= turn_cancel(r->turn);
		return;
	}
	if (r->busy || strcmp(api_str(r->data, "actor"), s->actor) != 0)
		return;
	if (s->dropped == PROTO_ENDS) {
		s->more = 1;
		return;
	}
	r->ended = 1;
	s->dropped++;
	if (run->ends == NULL)
		run->ends = json_object_new_array();
	json_object_array_add(run->ends, json_object_new_int64(r->seq));
}

/*
 * Said at the top of a conversation whose answers go into threads, it means
 * all of them: it has no thread of its own.
 */
static int
is_for_all(const struct cmd_run *run)
{
	const struct row *r = run->row;
	enum surface s = surface_from(api_str(r->data, "surface"));

	if (lane_reply_mode(run->a->policy, s) == REPLY_OFF)
		return 0;
	return r->root[0] == '\0' ||
	    strcmp(r->root, api_str(r->data, "post")) == 0;
}

void
cmd_stop(struct cmd_run *run)
{
	struct row *r = run->row;
	struct stopping s = {.run = run,
	    .actor = api_str(r->data, "actor")};
	lanes_each(run->a, r, is_for_all(run), stop_row, &s);
	if (s.stopped || s.dropped > 0)
		cmd_say(run, s.more ? "Stopped. So much was waiting that some of "
		    "it still is: say it once more." : "Stopped.");
	/* A mere "stop" among people was not meant for us. */
	else if (!rowdata_bool(r->data, "spoken") ||
	    strcmp(api_str(r->data, "surface"), "direct") == 0)
		cmd_say(run, "Nothing is running here.");
}

void
cmd_model(struct cmd_run *run)
{
	const struct agent *g = run->agent;
	const char *word = wanted(run, "model");

	if (g == NULL || *g->model == '\0') {
		cmd_say(run, "This agent has no model: it echoes.");
		return;
	}
	if (*word == '\0' || strcasecmp(word, "status") == 0) {
		cmd_say(run, "Model: %s/", g->provider);
		cmd_code(run, *run->info.model != '\0' ? run->info.model :
		    g->model);
		cmd_say(run, "\nChoose with `/model <name>`, see them with "
			     "/models.");
		return;
	}
	if (strcasecmp(word, "list") == 0) {
		cmd_models(run);
		return;
	}
	if (is_default(word))
		run->model = "";
	else if (take_model(run, word) == -1) {
		cmd_say(run, "There is no model ");
		cmd_code(run, word);
		cmd_say(run, " here. /models lists them.");
		return;
	}
	cmd_say(run, "Model of this conversation: ");
	cmd_code(run, *run->model != '\0' ? run->model : g->model);
	cmd_say(run, ".");
}

void
cmd_think(struct cmd_run *run)
{
	const char *word = wanted(run, "think"), *level;

	if (*word == '\0') {
		cmd_say(run, "Thinking: %s. Choose with `/think "
			     "off|minimal|low|medium|high|default`.",
		    *run->info.thinking == '\0' ? "default" :
		    run->info.thinking);
		return;
	}
	if ((level = directive_thinking(word)) == NULL) {
		cmd_code(run, word);
		cmd_say(run, " is no level: off, minimal, low, medium, high "
			     "or default.");
		return;
	}
	run->thinking = level;
	cmd_say(run, "Thinking: %s.", *level == '\0' ? "default" : level);
}

void
cmd_activation(struct cmd_run *run)
{
	static const char *const words[] = {
	    "as configured", "every message", "when mentioned"};
	const char *word = run->args;

	if (strcmp(api_str(run->row->data, "surface"), "direct") == 0) {
		cmd_say(run, "In a direct message every message is answered.");
		return;
	}
	if (*word == '\0') {
		cmd_say(run, "Answers: %s. Choose with `/activation "
			     "mention|always|default`.",
		    words[gates_get(run->a, run->row->channel)]);
		return;
	}
	if (gates_word(word, &run->mention) == -1) {
		cmd_say(run, "It is `mention`, `always` or `default`.");
		return;
	}
	run->gate = 1;
	cmd_say(run, "Answers in this channel: %s.", words[run->mention]);
}
