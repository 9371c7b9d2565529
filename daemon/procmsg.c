#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "daemon/ctlreq.h"
#include "daemon/links.h"
#include "daemon/online.h"
#include "daemon/supervisor.h"

/*
 * What workers tell the supervisor. Each handler takes all members by type
 * and bound; anything else is the end of that worker.
 */

static int
shape(struct chan *c, struct fields *f)
{
	if (fields_end(f) == 0)
		return 0;
	chan_violation(c, "badly formed message");
	return -1;
}

static void
on_hello(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;
	const char *version;
	struct fields f;
	int64_t proto;

	fields_open(&f, msg);
	version = fields_str(&f, "version", 32);
	proto = fields_int(&f, "proto", 0, INT32_MAX);
	fields_int(&f, "pid", 0, INT32_MAX);
	fields_opt_str(&f, "sandbox", 64);
	if (shape(c, &f) == -1)
		return;
	if (p->phase != PHASE_HELLO) {
		chan_violation(c, "a second hello");
		return;
	}
	if (proto != PROTO_VERSION || strcmp(version, PACKAGE_VERSION) != 0) {
		log_warnx("%s: program is version %s, protocol %lld; "
		    "this is %s, %d", proc_label(p), version,
		    (long long)proto, PACKAGE_VERSION, PROTO_VERSION);
		chan_violation(c, "program of another version");
		return;
	}
	proc_hello(p);
}

static void
on_ready(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct fields f;

	fields_open(&f, msg);
	if (shape(c, &f) == 0)
		proc_ready(arg);
}

/* A worker gone mad must not fill the disk. */
static int
log_allowed(struct proc *p)
{
	if (monotime_since(p->log_window) > PROC_LOG_WINDOW_MS) {
		if (p->log_lines > PROC_LOG_LINES)
			log_event(LOG_WARNING, "log.suppressed", "worker",
			    proc_label(p), "lines",
			    LOG_NUM(p->log_lines - PROC_LOG_LINES), NULL);
		p->log_window = monotime_now();
		p->log_lines = 0;
	}
	return ++p->log_lines <= PROC_LOG_LINES;
}

static void
on_log(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;
	char clean[LOG_LINE_MAX];
	struct fields f;
	const char *line;
	int64_t prio;
	size_t i;

	fields_open(&f, msg);
	prio = fields_int(&f, "prio", LOG_EMERG, LOG_DEBUG);
	line = fields_str(&f, "line", LOG_LINE_MAX - 1);
	if (shape(c, &f) == -1 || !log_allowed(p))
		return;
	/* One line stays one line, whoever wrote it. */
	strlcpy(clean, line, sizeof(clean));
	for (i = 0; clean[i] != '\0'; i++)
		if ((unsigned char)clean[i] < 0x20 || clean[i] == 0x7f)
			clean[i] = '?';
	log_relay((int)prio, clean);
}

static void
on_state(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;
	const char *state, *reason, *detail;
	struct fields f;
	int changed;

	fields_open(&f, msg);
	state = fields_str(&f, "state", 32);
	reason = fields_opt_str(&f, "reason", PROTO_SMALL);
	detail = fields_opt_str(&f, "detail", PROTO_SMALL);
	if (shape(c, &f) == -1)
		return;
	changed = health_report(&p->health, state, reason, detail);
	if (changed == -1) {
		chan_violation(c, "unknown state");
		return;
	}
	if (changed)
		supervisor_check(p->sup);
}

/* A link has ended because of what came over it, the worker says. */
static void
on_broken(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	const char *kind, *peer, *why;
	struct fields f;

	fields_open(&f, msg);
	kind = fields_str(&f, "kind", 32);
	peer = fields_str(&f, "peer", 128);
	why = fields_str(&f, "why", 128);
	if (shape(c, &f) == 0)
		links_broken(arg, kind, peer, why);
}

static void
on_ctl(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;

	if (p->role != ROLE_CONTROL) {
		chan_violation(c, "ctl from a worker that is not control");
		return;
	}
	ctlreq_handle(p, msg);
}

static void
on_check(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct proc *p = arg;
	const char *what, *state, *detail;
	struct fields f;

	fields_open(&f, msg);
	what = fields_str(&f, "what", 64);
	state = fields_str(&f, "state", 8);
	detail = fields_str(&f, "detail", PROTO_SMALL);
	if (shape(c, &f) == -1)
		return;
	if (online_row(p, what, state, detail) == -1)
		chan_violation(c, "nobody asked");
}

static void
on_check_end(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct fields f;

	fields_open(&f, msg);
	if (shape(c, &f) == 0)
		online_end(arg);
}

const struct chan_handler proc_handlers[] = {
    {"broken", on_broken},
    {"check", on_check},
    {"check.end", on_check_end},
    {"hello", on_hello},
    {"ready", on_ready},
    {"log", on_log},
    {"state", on_state},
    {"ctl", on_ctl},
    {NULL, NULL},
};
