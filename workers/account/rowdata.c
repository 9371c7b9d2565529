#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "workers/account/pipeline.h"
#include "workers/account/route.h"
#include "workers/account/rowdata.h"

/* "provider/model" with the provider's name taken off. */
static const char *
without_provider(const struct agent *a, const char *word)
{
	size_t n = strlen(a->provider);

	if (n > 0 && strncasecmp(word, a->provider, n) == 0 && word[n] == '/')
		return word + n + 1;
	return word;
}

static const char *
model_number(const struct agent *a, const char *word)
{
	const char *err;
	long long n = strtonum(word, 1, (long long)a->n_models, &err);

	return err == NULL ? a->models[n - 1] : NULL;
}

const char *
rowdata_model(const struct agent *a, const char *word)
{
	const char *name = without_provider(a, word), *found;
	size_t i;

	if (*a->model == '\0' || *name == '\0')
		return NULL;
	for (i = 0; i < a->n_models; i++)
		if (strcasecmp(a->models[i], name) == 0)
			return a->models[i];
	if (strcasecmp(a->model, name) == 0)
		return a->model;
	if (a->n_models > 0 && (found = model_number(a, word)) != NULL)
		return found;
	/* Of a server whose models nobody has listed, any that has room. */
	return a->n_models == 0 && strlen(name) < DIRECTIVE_ARG ? name : NULL;
}

static void
add_directives(struct json_object *d, const struct directives *all)
{
	const char *s;

	if ((s = directives_get(all, COMMAND_THINK)) != NULL)
		add_str(d, "think", s);
	if ((s = directives_get(all, COMMAND_MODEL)) != NULL)
		add_str(d, "model", s);
	if (all->shortcuts != 0)
		add_int(d, "shortcuts", (int)all->shortcuts);
}

/*
 * "/new [model] [message]": with a message it is a turn that begins a
 * session, without one a command. 1: the former.
 */
static int
begins_anew(const struct policy *p, const struct verdict *v,
    struct json_object *d)
{
	const struct agent *agent = route_find_agent(p, v->agent);
	char *args, *rest, word[DIRECTIVE_ARG] = "";
	size_t n;

	if ((args = strndup(v->command.args, v->command.args_len)) == NULL)
		fatal("strndup");
	n = strcspn(args, " \t");
	rest = args;
	if (n < sizeof(word)) {
		memcpy(word, args, n);
		word[n] = '\0';
		if (agent != NULL && agent->n_models > 0 &&
		    rowdata_model(agent, word) != NULL) {
			add_str(d, "model", word);
			rest = args + n + strspn(args + n, " \t");
		}
	}
	if (v->command.id == COMMAND_RESET && strcasecmp(word, "soft") == 0)
		rest = args + strlen(args);
	n = strlen(rest);
	if (n > 0) {
		add_str(d, "text", rest);
		add_bool(d, "reset", 1);
	}
	free(args);
	return n > 0;
}

static void
add_command(const struct policy *p, const struct verdict *v,
    struct json_object *d)
{
	const struct command *c = &v->command;
	char *args;

	if (c->id == COMMAND_NONE || !v->command_authorised)
		return;
	if ((c->id == COMMAND_NEW || c->id == COMMAND_RESET) &&
	    begins_anew(p, v, d))
		return;
	if ((args = strndup(c->args_len == 0 ? "" : c->args, c->args_len)) ==
	    NULL)
		fatal("strndup");
	add_str(d, "command", command_name(c->id));
	add_str(d, "args", args);
	add_bool(d, "spoken", c->spoken);
	free(args);
}

/*
 * A reaction belongs to the conversation itself. Where each message begins a
 * thread, no turn is ever the conversation's own: all of them show it.
 */
static const char *
notes_of(const struct policy *p, const struct inbound *in,
    const struct verdict *v)
{
	if (strcmp(v->session.key, v->session.base) == 0 ||
	    lane_reply_mode(p, in->surface) != REPLY_OFF)
		return v->session.base;
	return "";
}

/* What is not there is "" and false to all who read it. */
static void
add_some(struct json_object *d, const char *key, const char *value)
{
	if (*value != '\0')
		add_str(d, key, value);
}

static void
add_if(struct json_object *d, const char *key, int value)
{
	if (value)
		add_bool(d, key, 1);
}

struct json_object *
rowdata_make(const struct policy *p, const struct inbound *in,
    const struct verdict *v, const char *sender)
{
	struct json_object *d = json_object_new_object();
	int direct = in->surface == SURFACE_DIRECT;

	add_str(d, "agent", v->agent);
	add_str(d, "session", v->session.key);
	add_some(d, "parent", v->session.parent);
	add_some(d, "notes", notes_of(p, in, v));
	add_str(d, "text", v->text);
	add_str(d, "context", v->context != NULL ? v->context : "");
	add_str(d, "sender", sender);
	add_str(d, "actor", in->actor_id);
	add_str(d, "surface", surface_name(in->surface));
	add_if(d, "bot", inbound_of_bot(in));
	add_if(d, "addressed", v->addressed);
	add_str(d, "post", in->post_id);
	add_if(d, "history", in->surface != SURFACE_UNKNOWN &&
		(!direct || v->root[0] != '\0'));
	add_directives(d, &v->directives);
	add_command(p, v, d);
	add_if(d, "merge", in->kind == INBOUND_POST && in->n_files == 0 &&
		v->directives.shortcuts == 0 && v->text[0] != '\0' &&
		!json_object_object_get_ex(d, "reset", NULL));
	return d;
}

enum command_id
rowdata_command(struct json_object *d)
{
	struct json_object *v = NULL;
	int i;

	if (!json_object_object_get_ex(d, "command", &v))
		return COMMAND_NONE;
	for (i = COMMAND_NONE + 1; i < COMMAND_MAX; i++)
		if (strcmp(command_name((enum command_id)i),
			json_object_get_string(v)) == 0)
			return (enum command_id)i;
	return COMMAND_NONE;
}

int
rowdata_bool(struct json_object *d, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(d, key, &v);
	return json_object_get_boolean(v);
}
