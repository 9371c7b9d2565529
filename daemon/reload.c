#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/conf.h"
#include "daemon/feed.h"
#include "daemon/links.h"
#include "daemon/listeners.h"
#include "daemon/logsink.h"
#include "daemon/reload.h"
#include "daemon/sdnotify.h"
#include "daemon/supervisor.h"

struct plan {
	struct supervisor *sup;
	const struct config *old;
	int listeners; /* sockets of the callback worker have changed */
	unsigned round;
	unsigned added, changed, removed, kept;
};

/* A worker that is to be there; same: it may stay as it is. */
static struct proc *
plan_worker(struct plan *pl, enum role role, const char *name, int same)
{
	struct supervisor *sup = pl->sup;
	struct proc *p = proc_find(sup, role, name);
	int fresh = p == NULL;

	if (fresh)
		p = proc_new(sup, role, name);
	else if (p->next == NEXT_REMOVE)
		same = 0;
	p->round = pl->round;
	if (pl->old == NULL)
		return p;
	if (fresh)
		pl->added++;
	else if (same)
		pl->kept++;
	else
		pl->changed++;
	p->changed = fresh || !same;
	return p;
}

/* Bindings are part of an account's links; the default agent may move. */
static int
same_agents(const struct config *a, const struct config_account *aa,
    const struct config *b, const struct config_account *ba)
{
	size_t i;

	if (aa->nagents != ba->nagents ||
	    strcmp(a->agents[a->default_agent].id,
		b->agents[b->default_agent].id) != 0)
		return 0;
	for (i = 0; i < aa->nagents; i++)
		if (strcmp(a->agents[aa->agents[i]].id,
			b->agents[ba->agents[i]].id) != 0)
			return 0;
	return 1;
}

static int
account_same(const struct plan *pl, const struct config_account *ac)
{
	const struct config_account *was;

	if (pl->old == NULL)
		return 0;
	was = config_account_find(pl->old, ac->id);
	return was != NULL && was->enabled &&
	    config_account_same(was, ac) &&
	    same_agents(pl->old, was, pl->sup->config, ac);
}

static int
agent_same(const struct plan *pl, const struct config_agent *ag)
{
	const struct config_agent *was;

	if (pl->old == NULL)
		return 0;
	was = config_agent_find(pl->old, ag->id);
	return was != NULL && config_agent_same(was, ag);
}

static int
dialer_same(const struct plan *pl)
{
	struct json_object *a, *b;
	int same;

	if (pl->old == NULL)
		return 0;
	a = config_dialer_json(pl->old);
	b = config_dialer_json(pl->sup->config);
	same = json_object_equal(a, b);
	json_object_put(a);
	json_object_put(b);
	return same;
}

static void
plan_list(struct plan *pl)
{
	const struct config *cf = pl->sup->config;
	struct proc *p;
	size_t i;

	if (pl->sup->online == NULL) {
		plan_worker(pl, ROLE_STORE, "", 1);
		plan_worker(pl, ROLE_CONTROL, "", 1);
	}
	/* Connections stay when it goes: their descriptors are handed out. */
	plan_worker(pl, ROLE_DIALER, "", dialer_same(pl));
	if (cf->gateway.wanted &&
	    (pl->sup->online == NULL || listeners_count() > 0))
		plan_worker(pl, ROLE_CALLBACK, "", pl->old != NULL &&
		    !pl->listeners && config_callback_same(pl->old, cf));
	for (i = 0; i < cf->nagents && pl->sup->online == NULL; i++) {
		p = plan_worker(pl, ROLE_AGENT, cf->agents[i].id,
		    agent_same(pl, &cf->agents[i]));
		p->agent = &cf->agents[i];
	}
	for (i = 0; i < cf->naccounts; i++) {
		if (!cf->accounts[i].enabled)
			continue;
		p = plan_worker(pl, ROLE_ACCOUNT, cf->accounts[i].id,
		    account_same(pl, &cf->accounts[i]));
		p->again = p->account != NULL &&
		    config_account_same_commands(
			p->account, &cf->accounts[i]);
		p->account = &cf->accounts[i];
	}
}

static void
plan_removals(struct plan *pl)
{
	struct proc *p, *next;

	RB_FOREACH_SAFE (p, proc_tree, &pl->sup->procs, next) {
		if (p->round == pl->round)
			continue;
		p->account = NULL;
		p->agent = NULL;
		if (p->next != NEXT_REMOVE) {
			pl->removed++;
			p->next = NEXT_REMOVE;
		}
	}
}

/* An operator who asks for a reload has just put something right. */
static void
retry_at_once(struct proc *p)
{
	if (p->phase != PHASE_DOWN)
		return;
	backoff_reset(&p->backoff);
	proc_stop(p, NEXT_START);
}

/* Last, when all pointers and links are those of the new configuration. */
static void
plan_act(struct plan *pl)
{
	struct supervisor *sup = pl->sup;
	struct proc *p, *next;
	struct proc *callback = proc_find(sup, ROLE_CALLBACK, "");
	int first = callback != NULL && callback->changed &&
	    callback->phase == PHASE_UP;

	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next) {
		if (p == callback && (p->changed || p->next == NEXT_REMOVE))
			feed_hook_token(p);
		if (p->next == NEXT_REMOVE) {
			proc_stop(p, NEXT_REMOVE);
			continue;
		}
		if (!p->changed) {
			retry_at_once(p);
			continue;
		}
		p->changed = 0;
		backoff_reset(&p->backoff);
		if (!p->exchanged) {
			p->exchanged = 1;
			sup->exchanging++;
		}
		/*
		 * Callers that it has taken in are answered by those who
		 * are there; the next one waits for who is coming.
		 */
		if (first && p->role == ROLE_ACCOUNT)
			p->after_callback = 1;
		else
			proc_stop(p, NEXT_START);
	}
}

void
reload_callback_gone(struct supervisor *sup)
{
	struct proc *p, *next;

	RB_FOREACH_SAFE (p, proc_tree, &sup->procs, next) {
		if (!p->after_callback)
			continue;
		p->after_callback = 0;
		if (!sup->stopping)
			proc_stop(p, NEXT_START);
	}
}

const char *
reload_plan(struct supervisor *sup, const struct config *old)
{
	static unsigned round;
	static char text[160];
	struct plan pl = {.sup = sup, .old = old, .round = ++round};
	struct proc *p;

	pl.listeners = listeners_changed(LISTEN_CALLBACK);
	plan_list(&pl);
	plan_removals(&pl);
	RB_FOREACH (p, proc_tree, &sup->procs)
		if (p->changed && p->next == NEXT_REMOVE)
			p->next = NEXT_START;
	links_plan(sup);
	if (old != NULL)
		plan_act(&pl);
	snprintf(text, sizeof(text),
	    "%u worker%s restarted, %u added, %u removed, %u left alone",
	    pl.changed, pl.changed == 1 ? "" : "s", pl.added, pl.removed,
	    pl.kept);
	return text;
}

/* All there is to say, one a line, cut at the end of text. */
static void
errors_text(const struct config_errors *e, enum config_severity least,
    char *text, size_t len)
{
	char line[512];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < e->len; i++) {
		if (e->msgs[i].severity < least)
			continue;
		config_message_text(&e->msgs[i], line, sizeof(line));
		if (text[0] != '\0')
			strlcat(text, "\n", len);
		strlcat(text, line, len);
	}
}

void
reload_log(const struct config_errors *e)
{
	char line[512];
	size_t i;

	for (i = 0; i < e->len; i++) {
		config_message_text(&e->msgs[i], line, sizeof(line));
		log_event(e->msgs[i].severity >= CONFIG_PARKED ? LOG_ERR :
			e->msgs[i].severity == CONFIG_WARNING ? LOG_WARNING :
								LOG_INFO,
		    "config.message", "text", line, NULL);
	}
}

int
reload_check(const char *path, char *text, size_t len)
{
	struct config_errors e;
	struct config *cf;
	int bad;

	config_errors_init(&e);
	cf = config_load(path, &e);
	errors_text(&e, CONFIG_WARNING, text, len);
	bad = cf == NULL || e.parked > 0;
	config_errors_free(&e);
	config_free(cf);
	if (bad)
		return -1;
	if (text[0] == '\0')
		strlcpy(text, "configuration is fine", len);
	return 0;
}

static int
differ(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) != 0;
}

/* What only a restart of the whole daemon can change. */
static void
warn_fixed(const struct config *a, const struct config *b)
{
	const char *key = NULL;

	if (differ(a->store_path, b->store_path))
		key = "the database directory";
	else if (a->retention_days != b->retention_days)
		key = "store.retentionDays";
	else if (differ(a->run_dir, b->run_dir))
		key = "the runtime directory";
	else if (differ(a->control_socket, b->control_socket))
		key = "the control socket";
	else if (differ(a->user, b->user) ||
	    differ(a->store_user, b->store_user) ||
	    differ(a->group, b->group))
		key = "a user or group";
	if (key != NULL)
		log_warnx("%s changed: that needs a restart of posternd", key);
}

static void
switch_over(struct supervisor *sup, struct config *cf, char *text, size_t len)
{
	struct config *old = sup->config;

	warn_fixed(old, cf);
	sup->config = cf;
	if (differ(old->log.destination, cf->log.destination) ||
	    old->log.json != cf->log.json || old->log.prio != cf->log.prio ||
	    old->log.trace != cf->log.trace)
		logsink_setup(cf, sup->foreground);
	sup->reloading = 1;
	snprintf(text, len, "%s", reload_plan(sup, old));
	if (listeners_changed(LISTEN_METRICS))
		feed_metrics(sup);
	config_free(old);
}

static void
append_warnings(const struct config_errors *e, char *text, size_t len)
{
	size_t used = strlen(text);

	if (e->warnings == 0 || used + 1 >= len)
		return;
	text[used++] = '\n';
	errors_text(e, CONFIG_WARNING, text + used, len - used);
}

static void
note_outcome(struct supervisor *sup, int ok, const char *text)
{
	sup->reload.at = walltime_ms();
	sup->reload.ok = ok;
	strlcpy(sup->reload.text, text, sizeof(sup->reload.text));
}

int
reload_now(struct supervisor *sup, char *text, size_t len)
{
	struct config_errors e;
	struct config *cf;

	if (sup->stopping) {
		strlcpy(text, "the daemon is stopping", len);
		return -1;
	}
	if (sup->reloading) {
		sup->reload_again = 1;
		strlcpy(text, "a reload is under way; another will follow", len);
		return 0;
	}
	sdnotify_reloading();
	config_errors_init(&e);
	cf = config_load(sup->config_path, &e);
	reload_log(&e);
	/* An account that ran must not be lost to a secret that is gone. */
	if (cf == NULL || e.parked > 0 ||
	    listeners_open(sup, cf, text, len) == -1) {
		if (cf == NULL || e.parked > 0)
			errors_text(&e, CONFIG_PARKED, text, len);
		config_free(cf);
		config_errors_free(&e);
		log_event(LOG_ERR, "reload.failed", "file", sup->config_path,
		    "note", "the configuration before it stays", NULL);
		note_outcome(sup, 0, text);
		sdnotify("READY=1");
		return -1;
	}
	switch_over(sup, cf, text, len);
	log_event(LOG_INFO, "reload.applied", "result", text, NULL);
	note_outcome(sup, 1, text);
	append_warnings(&e, text, len);
	config_errors_free(&e);
	supervisor_check(sup);
	return 0;
}

void
reload_request(struct supervisor *sup)
{
	char text[4096];

	reload_now(sup, text, sizeof(text));
}

void
reload_done(struct supervisor *sup)
{
	sup->reloading = 0;
	log_event(LOG_INFO, "reload.done", NULL);
	sdnotify("READY=1");
	if (sup->reload_again) {
		sup->reload_again = 0;
		reload_request(sup);
	}
}
