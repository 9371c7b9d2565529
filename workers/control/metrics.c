#include "config.h"

#include <event2/buffer.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/monotime.h"
#include "common/text.h"
#include "workers/control/control.h"

/*
 * OpenMetrics text. All samples of a family stand together, below its type,
 * so the status is gone through once for each family. Every family is named
 * even when nothing is known of it. The names are for ever: dashboards and
 * alerts are made of them.
 */

enum type { GAUGE, COUNTER, HISTOGRAM, INFO, STATESET };

static const char *const type_names[] = {
    [GAUGE] = "gauge",
    [COUNTER] = "counter",
    [HISTOGRAM] = "histogram",
    [INFO] = "info",
    [STATESET] = "stateset",
};

struct out {
	struct evbuffer *buf;
	struct json_object *data; /* the whole status */
	const char *name;         /* of the family being written */
};

struct family {
	const char *name;
	enum type type;
	const char *unit; /* or NULL */
	const char *help;
	void (*fn)(struct out *, const char *arg);
	const char *arg;
};

/* Parts of the status; NULL and 0 for what is not there. */

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *
str(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return v == NULL ? "" : json_object_get_string(v);
}

static int64_t
num(struct json_object *o, const char *key)
{
	return json_object_get_int64(get(o, key));
}

static size_t
len(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ?
	    json_object_array_length(list) : 0;
}

/* One label, with its separator; value is quoted. */
static void
label(struct out *o, int first, const char *key, const char *value)
{
	evbuffer_add_printf(o->buf, "%s%s=\"", first ? "{" : ",", key);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			evbuffer_add(o->buf, "\\n", 2);
		else {
			if (*value == '"' || *value == '\\')
				evbuffer_add(o->buf, "\\", 1);
			evbuffer_add(o->buf, value, 1);
		}
	}
	evbuffer_add(o->buf, "\"", 1);
}

/* name suffix {key="value",...} number; the labels end with a NULL key. */
static void
sample(struct out *o, const char *suffix, double n, ...)
{
	const char *key, *value;
	char text[TEXT_DOUBLE_SIZE];
	int first = 1;
	va_list ap;

	evbuffer_add_printf(o->buf, "%s%s", o->name, suffix);
	va_start(ap, n);
	while ((key = va_arg(ap, const char *)) != NULL) {
		value = va_arg(ap, const char *);
		label(o, first, key, value);
		first = 0;
	}
	va_end(ap);
	text_double(n, text);
	evbuffer_add_printf(o->buf, "%s %s\n", first ? "" : "}", text);
}

/* What is one number for all. */

static void
build(struct out *o, const char *arg)
{
	sample(o, "_info", 1, "version", str(o->data, "version"), NULL);
}

static void
started(struct out *o, const char *arg)
{
	sample(o, "", (double)(walltime_ms() - num(o->data, "upMs")) / 1000,
	    NULL);
}

static void
reload(struct out *o, const char *arg)
{
	struct json_object *r = get(o->data, "reload");

	if (r != NULL && strcmp(arg, "ok") == 0)
		sample(o, "", json_object_get_boolean(get(r, "ok")), NULL);
	else if (r != NULL)
		sample(o, "", (double)num(r, "at") / 1000, NULL);
}

static void
store(struct out *o, const char *arg)
{
	struct json_object *s = get(o->data, "store");

	if (s != NULL)
		sample(o, strcmp(arg, "db_bytes") == 0 ? "" : "_total",
		    (double)num(s, arg), NULL);
}

/* What each process has. */

static void
worker_sample(struct out *o, struct json_object *w, const char *suffix,
    double n)
{
	sample(o, suffix, n, "role", str(w, "role"), "name", str(w, "name"),
	    NULL);
}

static void
workers(struct out *o, const char *arg)
{
	struct json_object *list = get(o->data, "workers"), *w;
	size_t i;

	for (i = 0; i < len(list); i++) {
		w = json_object_array_get_idx(list, i);
		if (strcmp(arg, "restarts") == 0)
			worker_sample(o, w, "_total", (double)num(w, arg));
		else if (strcmp(arg, "pid") == 0)
			worker_sample(o, w, "", num(w, arg) != 0);
		else if (get(w, arg) != NULL)
			worker_sample(o, w, "", (double)num(w, arg));
	}
}

/* What each account has. */

static struct json_object *
account_at(struct out *o, size_t i)
{
	struct json_object *list = get(o->data, "accounts");

	return i < len(list) ? json_object_array_get_idx(list, i) : NULL;
}

static void
states(struct out *o, const char *arg)
{
	static const char *const names[] = {"backoff", "connected",
	    "connecting", "disabled", "down", "parked", "starting",
	    "stopping", "up", NULL};
	struct json_object *a;
	size_t i, k;

	for (i = 0; (a = account_at(o, i)) != NULL; i++)
		for (k = 0; names[k] != NULL; k++)
			sample(o, "",
			    strcmp(names[k], str(a, "state")) == 0,
			    "account", str(a, "id"), o->name, names[k], NULL);
}

static void
handled(struct out *o, const char *arg)
{
	struct json_object *a, *list, *h;
	size_t i, k;

	for (i = 0; (a = account_at(o, i)) != NULL; i++) {
		list = get(get(a, "live"), "handled");
		for (k = 0; k < len(list); k++) {
			h = json_object_array_get_idx(list, k);
			sample(o, "_total", (double)num(h, "n"), "account",
			    str(a, "id"), "kind", str(h, "kind"), "reason",
			    str(h, "reason"), NULL);
		}
	}
}

/* arg: a member of what the account itself says; counters end in "+". */
static void
live(struct out *o, const char *arg)
{
	struct json_object *a, *l;
	int counter = arg[strlen(arg) - 1] == '+';
	char key[32];
	size_t i;

	snprintf(key, sizeof(key), "%.*s", (int)strlen(arg) - counter, arg);
	for (i = 0; (a = account_at(o, i)) != NULL; i++)
		if ((l = get(a, "live")) != NULL)
			sample(o, counter ? "_total" : "",
			    (double)num(l, key), "account", str(a, "id"),
			    NULL);
}

static void
turns_failed(struct out *o, const char *arg)
{
	struct json_object *a, *t;
	size_t i;

	for (i = 0; (a = account_at(o, i)) != NULL; i++)
		if ((t = get(get(a, "live"), "turns")) != NULL)
			sample(o, "_total", (double)num(t, "failed"),
			    "account", str(a, "id"), NULL);
}

static void
turn_histogram(struct out *o, const char *id, struct json_object *turns)
{
	struct json_object *le = get(turns, "seconds");
	struct json_object *counts = get(turns, "counts");
	int64_t n = 0;
	char bound[TEXT_DOUBLE_SIZE];
	size_t i;

	for (i = 0; i < len(counts); i++) {
		n += json_object_get_int64(
		    json_object_array_get_idx(counts, i));
		if (i < len(le))
			text_double(json_object_get_double(
			    json_object_array_get_idx(le, i)), bound);
		else
			strlcpy(bound, "+Inf", sizeof(bound));
		sample(o, "_bucket", (double)n, "account", id, "le", bound,
		    NULL);
	}
	sample(o, "_count", (double)n, "account", id, NULL);
	sample(o, "_sum", (double)num(turns, "sum_ms") / 1000, "account", id,
	    NULL);
}

static void
turns(struct out *o, const char *arg)
{
	struct json_object *a, *t;
	size_t i;

	for (i = 0; (a = account_at(o, i)) != NULL; i++)
		if ((t = get(get(a, "live"), "turns")) != NULL)
			turn_histogram(o, str(a, "id"), t);
}

/* What the store has for each account. "_at": the time since then. */
static void
kept(struct out *o, const char *arg)
{
	struct json_object *accounts = get(get(o->data, "store"), "accounts");
	size_t n = strlen(arg);
	int64_t v;

	if (accounts == NULL)
		return;
	json_object_object_foreach(accounts, id, c)
	{
		v = num(c, arg);
		if (n > 3 && strcmp(arg + n - 3, "_at") == 0)
			sample(o, "",
			    v == 0 ? 0.0 : (double)(walltime_ms() - v) / 1000,
			    "account", id, NULL);
		else
			sample(o, "", (double)v, "account", id, NULL);
	}
}

static void
callbacks(struct out *o, const char *arg)
{
	struct json_object *list = get(get(o->data, "callbacks"), arg);
	const char *key = strcmp(arg, "statuses") == 0 ? "status" : "result";

	if (list == NULL)
		return;
	json_object_object_foreach(list, name, n)
		sample(o, "_total", (double)json_object_get_int64(n), key,
		    name, NULL);
}

static void
connections(struct out *o, const char *arg)
{
	struct json_object *c = get(o->data, "callbacks");

	if (c != NULL)
		sample(o, "", (double)num(c, "connections"), NULL);
}

static const struct family families[] = {
    {"postern_build", INFO, NULL, "Version of the daemon.", build, NULL},
    {"postern_start_time_seconds", GAUGE, "seconds",
	"When the daemon was started.", started, NULL},
    {"postern_reload_ok", GAUGE, NULL, "The last reload was applied.", reload,
	"ok"},
    {"postern_reload_time_seconds", GAUGE, "seconds",
	"When the last reload was.", reload, "at"},
    {"postern_account_state", STATESET, NULL, "State of an account.", states,
	NULL},
    {"postern_events", COUNTER, NULL,
	"What came, by kind and by what was decided.", handled, NULL},
    {"postern_gap_fills", COUNTER, NULL,
	"Times that missed posts were looked for.", live, "fills+"},
    {"postern_resumes", COUNTER, NULL, "Connections that were resumed.", live,
	"resumes+"},
    {"postern_posts", COUNTER, NULL, "Posts and edits that were made.", live,
	"posts+"},
    {"postern_turns_running", GAUGE, NULL, "Turns under way.", live,
	"running"},
    {"postern_turns_waiting", GAUGE, NULL, "Turns that wait.", live,
	"waiting"},
    {"postern_turns_failed", COUNTER, NULL, "Turns that were given up.",
	turns_failed, NULL},
    {"postern_turn_seconds", HISTOGRAM, "seconds",
	"From the start of a turn to its commit.", turns, NULL},
    {"postern_inbox_pending", GAUGE, NULL, "Events without an end.", kept,
	"inbox_pending"},
    {"postern_outbox_pending", GAUGE, NULL, "Posts not yet made.", kept,
	"outbox_pending"},
    {"postern_outbox_oldest_seconds", GAUGE, "seconds",
	"How long the oldest of them has waited.", kept, "outbox_oldest_at"},
    {"postern_dead_letters", GAUGE, NULL, "What was given up and is kept.",
	kept, "dead"},
    {"postern_worker_up", GAUGE, NULL, "The process exists.", workers, "pid"},
    {"postern_worker_restarts", COUNTER, NULL,
	"Times that it died and was started again.", workers, "restarts"},
    {"postern_worker_resident_bytes", GAUGE, "bytes",
	"Memory, shared pages included.", workers, "resident"},
    {"postern_worker_private_bytes", GAUGE, "bytes",
	"Memory that is its own.", workers, "private"},
    {"postern_callbacks", COUNTER, NULL,
	"Callbacks by what became of them.", callbacks, "results"},
    {"postern_callback_answers", COUNTER, NULL, "Callbacks by HTTP status.",
	callbacks, "statuses"},
    {"postern_callback_connections", GAUGE, NULL,
	"Connections to the callback worker.", connections, NULL},
    {"postern_store_commits", COUNTER, NULL, "Commits of the database.",
	store, "commits"},
    {"postern_store_operations", COUNTER, NULL,
	"Operations in those commits.", store, "ops"},
    {"postern_store_bytes", GAUGE, "bytes", "Size of the database.", store,
	"db_bytes"},
};

void
metrics_write(struct evbuffer *buf, struct json_object *data)
{
	struct out o = {.buf = buf, .data = data};
	const struct family *f;
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		f = &families[i];
		o.name = f->name;
		evbuffer_add_printf(
		    buf, "# TYPE %s %s\n", f->name, type_names[f->type]);
		if (f->unit != NULL)
			evbuffer_add_printf(
			    buf, "# UNIT %s %s\n", f->name, f->unit);
		evbuffer_add_printf(buf, "# HELP %s %s\n", f->name, f->help);
		f->fn(&o, f->arg);
	}
	evbuffer_add_printf(buf, "# EOF\n");
}
