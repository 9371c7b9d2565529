#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/monotime.h"
#include "common/strbuf.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/command/cmd.h"
#include "workers/account/command/directive.h"
#include "workers/account/history/context.h"
#include "workers/account/history/pending.h"
#include "workers/account/history/recover.h"
#include "workers/account/lanes.h"
#include "workers/account/outbox.h"
#include "workers/account/policy.h"
#include "workers/account/prepare.h"
#include "workers/account/route.h"
#include "workers/account/rowdata.h"
#include "workers/account/sessinfo.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"

#define IDS_MAX 256 /* of merged messages, told to the agent */

struct prepared {
	struct account *a;
	struct turn *t; /* NULL: it is gone */
	struct row *row;
	int waiting;    /* for the store */
	struct recover *recover;
	struct json_object *reply; /* info's strings are its */
	struct sessinfo info;
	int recovered; /* it has asked the server */
	char *context;
	char *aside;
	const char *model; /* of the options, or NULL */
	struct json_object *options;
	struct json_object *usage;
	int64_t notes_upto;
};

static void ask(struct prepared *);

void
prepare_free(struct prepared *p)
{
	if (p == NULL)
		return;
	p->t = NULL;
	if (p->recover != NULL)
		recover_cancel(p->recover);
	p->recover = NULL;
	if (p->waiting)
		return; /* opened() will */
	json_object_put(p->reply);
	json_object_put(p->options);
	json_object_put(p->usage);
	free(p->context);
	free(p->aside);
	free(p);
}

static const char *
data(const struct prepared *p, const char *key)
{
	return api_str(p->row->data, key);
}

static int
is_anew(const struct prepared *p)
{
	return rowdata_bool(p->row->data, "reset");
}

/* The model for this turn: of the message, else of the session. */
static const char *
model_of(const struct prepared *p)
{
	const struct agent *g =
	    route_find_agent(p->a->policy, data(p, "agent"));
	const char *word = data(p, "model"), *m = NULL;

	if (g == NULL || *g->model == '\0')
		return NULL;
	if (*word != '\0' && strcasecmp(word, "default") == 0)
		return NULL;
	if (*word != '\0')
		m = rowdata_model(g, word);
	if (m == NULL && p->info.model[0] != '\0')
		m = rowdata_model(g, p->info.model);
	return m;
}

static void
make_options(struct prepared *p)
{
	struct json_object *o = json_object_new_object();
	const char *think = data(p, "think");

	if (*think == '\0')
		think = p->info.thinking;
	if (*think != '\0' && strcmp(think, "default") != 0)
		add_str(o, "thinking", think);
	p->model = model_of(p);
	if (p->model != NULL)
		add_str(o, "model", p->model);
	if (is_anew(p))
		add_bool(o, "fresh", 1);
	else if (*data(p, "parent") != '\0')
		add_str(o, "parent", data(p, "parent"));
	p->options = o;
}

static size_t
take_ids(struct prepared *p, const char *ids[IDS_MAX])
{
	struct json_object *list = NULL;
	size_t i, n = 0;

	if (json_object_object_get_ex(p->row->data, "ids", &list))
		n = json_object_array_length(list);
	for (i = 0; i < n && i < IDS_MAX; i++)
		ids[i] = json_object_get_string(
		    json_object_array_get_idx(list, i));
	return i;
}

static void
make_context(struct prepared *p)
{
	struct history_entry history[CONTEXT_HISTORY_MAX];
	struct context_note notes[SESSINFO_NOTES];
	const char *ids[IDS_MAX];
	struct context_more m = {.history = history, .notes = notes,
	    .elapsed = -1, .ids = ids, .zone = p->a->policy->zone};
	int64_t now = walltime_ms();
	size_t i;

	if (rowdata_bool(p->row->data, "history") && !is_anew(p))
		m.n_history = pending_before(p->a->pending, data(p, "session"),
		    p->row->at, data(p, "post"), history, &m.total);
	for (i = 0; i < p->info.n_notes; i++) {
		notes[i].text = p->info.notes[i].text;
		notes[i].at = p->info.notes[i].at;
		p->notes_upto = p->info.notes[i].n;
	}
	m.n_notes = i;
	if (p->info.turns > 0 && p->info.updated > 0 &&
	    p->info.updated <= now)
		m.elapsed = now - p->info.updated;
	m.n_ids = take_ids(p, ids);
	p->context = context_complete(data(p, "context"), &m);
}

/* What the message asks of the gateway itself, beside its text. */
static void
make_aside(struct prepared *p)
{
	static const struct {
		unsigned flag;
		enum command_id id;
	} all[] = {{SHORTCUT_HELP, COMMAND_HELP},
	    {SHORTCUT_COMMANDS, COMMAND_COMMANDS},
	    {SHORTCUT_STATUS, COMMAND_STATUS},
	    {SHORTCUT_WHOAMI, COMMAND_WHOAMI}};
	unsigned flags = (unsigned)api_int(p->row->data, "shortcuts");
	struct strbuf b = STRBUF_INIT;
	char *s;
	size_t i;

	if (flags == 0)
		return;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!(flags & all[i].flag) || (s = cmd_show(p->a, p->row,
			all[i].id, &p->info)) == NULL)
			continue;
		if (b.len > 0)
			strbuf_puts(&b, "\n\n");
		strbuf_puts(&b, s);
		free(s);
	}
	p->aside = strbuf_take(&b);
}

static void
go(struct prepared *p)
{
	make_options(p);
	make_context(p);
	make_aside(p);
	turn_prepared(p->t);
}

static void
on_recovered(void *arg)
{
	struct prepared *p = arg;

	p->recover = NULL;
	p->recovered = 1;
	/* It took its time: the session may have begun anew meanwhile. */
	ask(p);
}

/*
 * A session that began anew while the server was asked has no part in what
 * was said before; the message is answered all the same.
 */
static void
check_generation(struct prepared *p, int64_t gen)
{
	if (p->recovered && gen != p->info.gen)
		pending_forget(p->a->pending, data(p, "session"));
}

static void
opened(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct prepared *p = arg;
	int64_t gen = p->info.gen;

	p->waiting = 0;
	if (p->t == NULL) {
		prepare_free(p);
		return;
	}
	json_object_put(p->reply);
	p->reply = json_object_get(reply);
	if (err != NULL || sessinfo_read(reply, &p->info) == -1) {
		/* Without it the turn would be another one. */
		log_event(LOG_WARNING, "session.open", "account", a->id,
		    "event_id", p->row->event, "error",
		    err != NULL ? err : "not of its shape", NULL);
		turn_fail(p->t, 1, "store",
		    "I cannot read this conversation now", 0);
		return;
	}
	check_generation(p, gen);
	if (!p->recovered && !is_anew(p))
		p->recover = recover_start(
		    a, p->row, p->info.messages > 0, on_recovered, p);
	if (p->recover == NULL)
		go(p);
}

static void
ask(struct prepared *p)
{
	struct json_object *told = sessinfo_take(p->row);

	if (told != NULL) {
		opened(p->a, told, NULL, p);
		json_object_put(told);
		return;
	}
	p->waiting = 1;
	sessinfo_ask(p->a, data(p, "session"), data(p, "agent"),
	    data(p, "notes"), opened, p);
}

void
prepare_start(struct turn *t)
{
	struct prepared *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("calloc");
	p->a = t->a;
	p->t = t;
	p->row = t->row;
	t->prep = p;
	ask(p);
}

const char *
prepare_context(const struct prepared *p)
{
	return p->context;
}

struct json_object *
prepare_options(const struct prepared *p)
{
	return json_object_get(p->options);
}

void
prepare_usage(
    struct prepared *p, struct json_object *usage, const char *model)
{
	struct json_object *o;

	if (p == NULL)
		return;
	json_object_put(p->usage);
	p->usage = o = json_object_new_object();
	add_int(o, "prompt", api_int(usage, "prompt"));
	add_int(o, "completion", api_int(usage, "completion"));
	if (model != NULL)
		add_str(o, "model", model);
}

struct json_object *
prepare_items(struct turn *t, struct json_object *items)
{
	size_t i, n = json_object_array_length(items);
	struct json_object *all;
	char key[OUTBOX_KEY_SIZE];

	if (t->prep == NULL || t->prep->aside == NULL)
		return items;
	all = json_object_new_array();
	outbox_key(key, t->row->seq, (int)n);
	json_object_array_add(all, outbox_item(key, "post", t->row->channel,
	    t->row->root, "", t->prep->aside));
	for (i = 0; i < n; i++)
		json_object_array_add(all,
		    json_object_get(json_object_array_get_idx(items, i)));
	json_object_put(items);
	return all;
}

/* What was answered, or given up, together with the row. */
static void
add_merged(const struct row *r, struct json_object *msg,
    enum prepare_end how)
{
	struct json_object *o, *seqs;
	const struct row *m;

	if (TAILQ_EMPTY(&r->merged))
		return;
	seqs = json_object_new_array();
	TAILQ_FOREACH(m, &r->merged, entry)
		json_object_array_add(seqs, json_object_new_int64(m->seq));
	o = json_object_new_object();
	add_str(o, "outcome", how == PREPARE_STOPPED ? "stopped" :
	    how == PREPARE_DENIED ? "denied" : "merged");
	add_obj(o, "seqs", seqs);
	add_obj(msg, "ends", o);
}

static void
add_session(const struct prepared *p, struct json_object *msg)
{
	struct json_object *o;

	if (is_anew(p)) {
		add_bool(msg, "reset", 1);
		if (*data(p, "model") != '\0' && p->model != NULL) {
			o = json_object_new_object();
			add_str(o, "model", p->model);
			add_obj(msg, "meta", o);
		}
	} else if (*data(p, "parent") != '\0')
		add_str(msg, "parent", data(p, "parent"));
	if (p->usage != NULL)
		add_obj(msg, "usage", json_object_get(p->usage));
	if (p->notes_upto > 0) {
		o = json_object_new_object();
		add_str(o, "session", data(p, "notes"));
		add_int(o, "upto", p->notes_upto);
		add_obj(msg, "notes", o);
	}
}

void
prepare_commit(struct turn *t, struct json_object *msg, enum prepare_end how)
{
	add_merged(t->row, msg, how);
	if (t->prep != NULL && t->prep->context != NULL &&
	    how == PREPARE_ANSWERED)
		add_session(t->prep, msg);
}

void
prepare_kept(struct turn *t, enum prepare_end how)
{
	struct prepared *p = t->prep;

	if (p == NULL || p->context == NULL || how != PREPARE_ANSWERED)
		return;
	/* What came while it ran is for the turn after. */
	pending_set_whole(p->a->pending, data(p, "session"));
	pending_shown(p->a->pending, data(p, "session"), p->row->at,
	    data(p, "post"));
}
