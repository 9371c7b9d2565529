#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/reason.h"
#include "ctl/explain.h"
#include "ctl/output.h"

static void
put(FILE *f, const char *before, const char *text, const char *after)
{
	if (*text != '\0')
		fprintf(f, "%s%s%s", before, text, after);
}

static const char *
kind_words(const char *kind)
{
	static const char *const words[][2] = {{"post", "The post"},
	    {"edit", "The edit"}, {"reaction", "A reaction to it"},
	    {"button", "A click on its button"},
	    {"slash", "The slash command"}, {"hook", "The hook's message"},
	    {"cron", "The scheduled message"}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], kind) == 0)
			return words[i][1];
	return "It";
}

/* "The bot itself wrote it, for post 8d3b...: the post was ..." */
static void
begin(FILE *f, struct json_object *o)
{
	const char *kind = json_str(o, "kind"), *words = kind_words(kind);

	if (json_true(o, "own"))
		fprintf(f, "The bot itself wrote it, because of %s %s: ", kind,
		    json_str(o, "event"));
	fprintf(f, "%s was ", words);
}

/* "ignored at stage gate (no-mention): The channel requires ..., by ..." */
static void
ignored(FILE *f, struct json_object *o)
{
	const char *name = json_str(o, "reason");
	const char *why = reason_explain(reason_from(name));

	fprintf(f, "ignored at stage %s, %s", json_str(o, "stage"), name);
	if (reason_from(name) != REASON_NONE)
		fprintf(f, ": %.*s", (int)strlen(why) - 1, why);
	put(f, " (decided by ", json_str(o, "rule"), ")");
	fputs(".", f);
}

static void
done(FILE *f, struct json_object *o)
{
	struct json_object *posts = json_get(o, "answer_posts");
	const char *outcome = json_str(o, "outcome");
	size_t n = posts == NULL ? 0 : json_object_array_length(posts);
	const char *error = json_str(o, "error");

	if (strcmp(outcome, "command") == 0)
		fputs(", and was obeyed as a command", f);
	else if (strcmp(outcome, "silent") == 0)
		fputs(", and the agent chose to say nothing", f);
	else if (strcmp(outcome, "stopped") == 0)
		fputs(", and was stopped by somebody before it was answered",
		    f);
	else if (strcmp(outcome, "denied") == 0)
		fputs(", but whoever said it was not let in any more when its "
		      "turn came", f);
	else if (strcmp(outcome, "merged") == 0)
		fputs(", and was answered together with a later message", f);
	else if (strcmp(outcome, "answered") != 0)
		put(f, ", and ended as ", outcome, "");
	else if (n == 0) /* on its way, or elsewhere by the message tool */
		fputs(", and was answered", f);
	else
		fprintf(f, ", and was answered by %zu post%s", n,
		    n == 1 ? "" : "s");
	put(f, ", but the answer could not be posted: ", error, "");
	n = strlen(error);
	if (n == 0 || error[n - 1] != '.')
		fputs(".", f);
}

/* How a turn failed, by the agent's code for it. */
static const char *
failure_words(const char *code)
{
	static const char *const words[][2] = {
	    {"auth", "the model's server refuses the key"},
	    {"rate", "the model is over its rate limit"},
	    {"server", "the model's server has a problem"},
	    {"network", "the model's server cannot be reached"},
	    {"protocol", "the model's server gave an answer that cannot be read"},
	    {"cut", "the model's answer broke off"},
	    {"deadline", "the model took too long"},
	    {"busy", "the agent has too many messages"},
	    {"config", "the model's server does not accept the request"}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], code) == 0)
			return words[i][1];
	return code;
}

static void
accepted(FILE *f, struct json_object *o)
{
	const char *state = json_str(o, "state");
	const char *error = json_str(o, "error");
	const char *reason = json_str(o, "reason");

	fprintf(f, "accepted at stage %s", json_str(o, "stage"));
	put(f, " (decided by ", json_str(o, "rule"), ")");
	if (strcmp(state, "noted") == 0)
		fputs(", and is told to the agent with its next turn.", f);
	else if (strcmp(state, "dead") == 0) {
		fprintf(f, ", but was given up after %lld failed attempt%s",
		    (long long)json_int(o, "attempts") + 1,
		    json_int(o, "attempts") == 0 ? "" : "s");
		put(f, ": ", *error != '\0' ? error : failure_words(reason), "");
		fputs("; it is among the dead letters.", f);
	} else if (strcmp(state, "running") == 0)
		fputs(", and is being answered now.", f);
	else if (strcmp(state, "pending") == 0) {
		fputs(", and waits for its turn", f);
		put(f, " after a failure: ", failure_words(reason), "");
		fputs(".", f);
	} else
		done(f, o);
}

char *
explain_sentence(struct json_object *row)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		fatal("open_memstream");
	begin(f, row);
	if (strcmp(json_str(row, "state"), "ignored") == 0)
		ignored(f, row);
	else
		accepted(f, row);
	if (fclose(f) != 0)
		fatal("open_memstream");
	return text;
}
