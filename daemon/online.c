#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sandbox.h"
#include "daemon/conf.h"
#include "daemon/listeners.h"
#include "daemon/online.h"
#include "daemon/rundir.h"
#include "daemon/supervisor.h"

#define ALL_MS 90000  /* for everything */
#define ROWS_MAX 500  /* of one account */

struct online {
	struct json_object *rows; /* [{account, what, state, detail}] */
	int failed;
	struct event *timer;
};

static void
row_add(struct online *on, const char *account, const char *what,
    const char *state, const char *detail)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "account", account);
	add_str(o, "what", what);
	add_str(o, "state", state);
	add_str(o, "detail", detail);
	json_object_array_add(on->rows, o);
	if (strcmp(state, "fail") == 0)
		on->failed = 1;
}

int
online_row(struct proc *p, const char *what, const char *state,
    const char *detail)
{
	struct online *on = p->sup->online;

	if (on == NULL || p->role != ROLE_ACCOUNT || p->checked ||
	    p->rows == ROWS_MAX)
		return -1;
	if (strcmp(state, "ok") != 0 && strcmp(state, "warn") != 0 &&
	    strcmp(state, "fail") != 0)
		return -1;
	p->rows++;
	row_add(on, p->name, what, state, detail);
	return 0;
}

void
online_end(struct proc *p)
{
	p->checked = 1;
	supervisor_check(p->sup);
}

/* Nobody is started twice: who dies has failed. */
void
online_look(struct supervisor *sup)
{
	struct proc *p;
	int open = 0;

	RB_FOREACH (p, proc_tree, &sup->procs) {
		if (p->role != ROLE_ACCOUNT || p->checked)
			continue;
		if (p->phase != PHASE_DOWN) {
			open = 1;
			continue;
		}
		p->checked = 1;
		row_add(sup->online, p->name, "process", "fail",
		    p->why[0] == '\0' ? "it could not be started" : p->why);
	}
	if (!open)
		supervisor_stop(sup, "all is asked");
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sup = arg;
	struct proc *p;

	RB_FOREACH (p, proc_tree, &sup->procs)
		if (p->role == ROLE_ACCOUNT && !p->checked) {
			p->checked = 1;
			row_add(sup->online, p->name, "server", "fail",
			    "no answer in time");
		}
	supervisor_check(sup);
}

void
online_begin(struct supervisor *sup)
{
	struct online *on = sup->online;

	if ((on->timer = evtimer_new(sup->base, on_late, sup)) == NULL)
		fatalx("out of memory");
	loop_timer(on->timer, ALL_MS);
}

static const char *
text_of(struct json_object *row, const char *key)
{
	return json_object_get_string(json_object_object_get(row, key));
}

/* They are asked side by side: one after the other is easier to read. */
struct row {
	struct json_object *o;
	size_t at;
};

static int
row_cmp(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int d = strcmp(text_of(x->o, "account"), text_of(y->o, "account"));

	return d != 0 ? d : x->at < y->at ? -1 : x->at > y->at;
}

static void
rows_sort(struct online *on)
{
	size_t i, n = json_object_array_length(on->rows);
	struct json_object *sorted = json_object_new_array();
	struct row *rows;

	if ((rows = calloc(n + 1, sizeof(*rows))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++)
		rows[i] = (struct row){
		    json_object_array_get_idx(on->rows, i), i};
	qsort(rows, n, sizeof(*rows), row_cmp);
	for (i = 0; i < n; i++)
		json_object_array_add(sorted, json_object_get(rows[i].o));
	free(rows);
	json_object_put(on->rows);
	on->rows = sorted;
}

static void
print_table(const struct online *on)
{
	static const char *const keys[] = {
	    "account", "what", "state", "detail"};
	static const char *const head[] = {
	    "ACCOUNT", "WHAT", "STATE", "DETAIL"};
	size_t i, k, n = json_object_array_length(on->rows), w[3];
	struct json_object *row;

	for (k = 0; k < 3; k++)
		w[k] = strlen(head[k]);
	for (i = 0; i < n; i++)
		for (k = 0; k < 3; k++) {
			row = json_object_array_get_idx(on->rows, i);
			if (strlen(text_of(row, keys[k])) > w[k])
				w[k] = strlen(text_of(row, keys[k]));
		}
	for (i = 0; i <= n; i++) {
		row = i == 0 ? NULL :
			       json_object_array_get_idx(on->rows, i - 1);
		for (k = 0; k < 3; k++)
			printf("%-*s  ", (int)w[k],
			    row == NULL ? head[k] : text_of(row, keys[k]));
		printf("%s\n", row == NULL ? head[3] : text_of(row, keys[3]));
	}
}

static void
print_json(const struct online *on)
{
	struct json_object *o = json_object_new_object();

	add_bool(o, "ok", !on->failed);
	add_obj(o, "checks", json_object_get(on->rows));
	printf("%s\n", json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
		JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int
online_run(struct supervisor *sup, int json)
{
	struct online on = {.rows = json_object_new_array()};
	char why[256];

	sup->online = &on;
	rundir_users(sup);
	/* Who has the lock has the sockets, and answers at them. */
	if (rundir_make_small(sup) &&
	    listeners_open(sup, sup->config, why, sizeof(why)) == -1)
		row_add(&on, "", "gateway", "fail", why);
	sandbox_enter(SANDBOX_SUPERVISOR);
	supervisor_run(sup);
	listeners_close();
	rows_sort(&on);
	if (json)
		print_json(&on);
	else
		print_table(&on);
	event_free(on.timer);
	json_object_put(on.rows);
	return on.failed;
}
