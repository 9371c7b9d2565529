#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/command/slash_int.h"
#include "workers/account/storelink.h"

static void on_timer(int, short, void *);

struct slash *
slash_new(struct account *a)
{
	struct slash *s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->timer = evtimer_new(a->base, on_timer, a)) == NULL)
		fatal("calloc");
	s->a = a;
	TAILQ_INIT(&s->specs);
	TAILQ_INIT(&s->cmds);
	return s;
}

static void
on_timer(int fd, short what, void *arg)
{
	slash_sync(arg);
}

static struct slash_spec *
spec_find(struct slash *s, const char *trigger)
{
	struct slash_spec *sp;

	TAILQ_FOREACH(sp, &s->specs, entry)
		if (strcmp(sp->trigger, trigger) == 0)
			return sp;
	return NULL;
}

/* The first of a trigger wins. */
static struct slash_spec *
spec_add(struct slash *s, const char *trigger, const char *name,
    const char *desc, const char *hint, const char *prompt)
{
	struct slash_spec *sp = spec_find(s, trigger);
	char cut[SLASH_DESC_MAX + 1];

	if (sp != NULL || *trigger == '\0')
		return sp;
	if ((sp = calloc(1, sizeof(*sp))) == NULL)
		fatal("calloc");
	slash_desc(desc, cut);
	(void)strlcpy(sp->trigger, trigger, sizeof(sp->trigger));
	sp->name = text_dup(name);
	sp->desc = text_dup(cut);
	sp->hint = text_dup(hint);
	sp->prompt = *prompt != '\0' ? text_dup(prompt) : NULL;
	TAILQ_INSERT_TAIL(&s->specs, sp, entry);
	return sp;
}

static int
is_true(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_is_type(o, json_type_object) &&
	    json_object_object_get_ex(o, key, &v) &&
	    json_object_is_type(v, json_type_boolean) &&
	    json_object_get_boolean(v);
}

/* {name: {description, hint, prompt}} */
static void
add_named(struct slash *s, struct json_object *o, const char *key, int skill)
{
	char trigger[SLASH_TRIGGER_MAX + 1], made[SLASH_DESC_MAX];
	struct json_object *map;
	const char *desc;

	if (!json_object_object_get_ex(o, key, &map) ||
	    !json_object_is_type(map, json_type_object))
		return;
	json_object_object_foreach(map, name, v) {
		slash_trigger(name, trigger, sizeof(trigger));
		if (*trigger == '\0') {
			log_event(LOG_WARNING, "slash.name", "account",
			    s->a->id, "name", name, "error",
			    "no server takes this as a trigger", NULL);
			continue;
		}
		desc = api_str(v, "description");
		if (*desc == '\0') {
			(void)snprintf(made, sizeof(made), skill ?
				"Run skill %.80s" : "Run %.80s", name);
			desc = made;
		}
		spec_add(s, trigger, name, desc, *api_str(v, "hint") != '\0' ?
			api_str(v, "hint") : "[args]", api_str(v, "prompt"));
	}
}

void
slash_config(struct account *a, struct json_object *config)
{
	struct json_object *o = NULL;
	const struct slash_builtin *b;
	struct slash *s = a->slash;
	char trigger[64];

	json_object_object_get_ex(config, "commands", &o);
	s->on = is_true(o, "native");
	if (!s->on)
		return;
	s->url = text_dup(api_str(config, "commandUrl"));
	for (b = slash_builtins; b->name != NULL; b++) {
		slash_trigger(b->name, trigger, sizeof(trigger));
		spec_add(s, trigger, b->name, b->desc, b->hint, "");
	}
	add_named(s, o, "custom", 0);
	if (is_true(o, "nativeSkills"))
		add_named(s, o, "skills", 1);
}

void
slash_manual(struct account *a, const char *name, const char *token)
{
	const char *trigger = strchr(name, '/');
	struct slash_spec *sp;
	char team[MM_ID_SIZE] = "";

	if (trigger == NULL)
		trigger = name;
	else if (trigger - name == MM_ID_LEN) {
		memcpy(team, name, MM_ID_LEN);
		trigger++;
	} else
		return;
	if (!a->slash->on)
		return;
	sp = spec_add(a->slash, trigger, strncmp(trigger, SLASH_PREFIX,
		strlen(SLASH_PREFIX)) == 0 ? trigger + strlen(SLASH_PREFIX) :
	    trigger, "", "", "");
	if (sp == NULL)
		return;
	sp->manual = 1;
	slash_put(a, sp, team, "", token, 0);
}

struct slash_cmd *
slash_find(struct account *a, const char *team, const char *trigger)
{
	struct slash_cmd *c;

	TAILQ_FOREACH(c, &a->slash->cmds, entry)
		if (strcmp(c->spec->trigger, trigger) == 0 &&
		    strcmp(c->team, team) == 0)
			return c;
	return NULL;
}

void
slash_drop(struct account *a, struct slash_cmd *c)
{
	TAILQ_REMOVE(&a->slash->cmds, c, entry);
	slash_check_drop(a, c);
	secret_free(c->token);
	free(c);
}

struct slash_cmd *
slash_put(struct account *a, const struct slash_spec *sp, const char *team,
    const char *id, const char *token, int ours)
{
	struct slash *s = a->slash;
	struct slash_cmd *c = slash_find(a, team, sp->trigger);
	struct secret *t = secret_new(token, strlen(token));

	if (t == NULL)
		return NULL;
	/* Another command or another token: whoever has the old is nobody. */
	if (c != NULL && (strcmp(c->id, id) != 0 ||
		!secret_equal(c->token, t))) {
		slash_drop(a, c);
		c = NULL;
	}
	if (c != NULL) {
		secret_free(t);
		c->ours = ours;
		c->seen = 1;
		return c;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	c->spec = sp;
	c->token = t;
	ID_COPY(c->team, team);
	ID_COPY(c->id, id);
	c->ours = ours;
	c->seen = 1;
	c->tokens = -1;
	TAILQ_INIT(&c->checks);
	TAILQ_INSERT_TAIL(&s->cmds, c, entry);
	return c;
}

static int
record_at(struct slash *s, const char *team, const char *trigger, size_t *at)
{
	struct json_object *o;
	size_t i;

	for (i = 0; s->record != NULL &&
	     i < json_object_array_length(s->record); i++) {
		o = json_object_array_get_idx(s->record, i);
		if (strcmp(api_str(o, "team"), team) == 0 &&
		    strcmp(api_str(o, "trigger"), trigger) == 0) {
			*at = i;
			return 1;
		}
	}
	return 0;
}

const char *
slash_recorded(struct account *a, const char *team, const char *trigger)
{
	size_t i;

	if (!record_at(a->slash, team, trigger, &i))
		return "";
	return api_str(json_object_array_get_idx(a->slash->record, i), "id");
}

void
slash_record(struct account *a, const char *team, const char *trigger,
    const char *id)
{
	struct json_object *o = json_object_new_object(), *msg;
	struct slash *s = a->slash;
	size_t i;

	if (record_at(s, team, trigger, &i))
		json_object_array_del_idx(s->record, i, 1);
	add_str(o, "team", team);
	add_str(o, "trigger", trigger);
	add_str(o, "id", id);
	if (*id != '\0') {
		if (s->record == NULL)
			s->record = json_object_new_array();
		json_object_array_add(s->record, json_object_get(o));
	}
	msg = chan_msg("command.set");
	add_str(msg, "team", team);
	add_str(msg, "trigger", trigger);
	add_str(msg, "command", id);
	json_object_put(o);
	storelink_request(a, msg, NULL, NULL);
}

void
slash_tell(struct account *a)
{
	struct json_object *list = json_object_new_array(), *o;
	struct slash *s = a->slash;
	struct slash_cmd *c;

	TAILQ_FOREACH(c, &s->cmds, entry) {
		if (s->stopped)
			break;
		if (c->team[0] == '\0')
			continue;
		o = json_object_new_object();
		add_str(o, "team", c->team);
		add_str(o, "id", c->id);
		add_str(o, "trigger", c->spec->trigger);
		add_str(o, "token", secret_bytes(c->token));
		json_object_array_add(list, o);
	}
	callbacks_commands(a, list);
}

struct json_object *
slash_status(const struct account *a)
{
	struct json_object *o;
	const struct slash_cmd *c;
	int n = 0;

	if (!a->slash->on)
		return NULL;
	TAILQ_FOREACH(c, &a->slash->cmds, entry)
		n += c->team[0] != '\0';
	o = json_object_new_object();
	add_int(o, "commands", n);
	if (a->slash->problem != NULL)
		add_str(o, "problem", a->slash->problem);
	return o;
}
