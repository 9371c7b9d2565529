#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/cron.h"
#include "common/monotime.h"
#include "common/zone.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/cron_row.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "ctl/report.h"
#include "ctl/when.h"
#include "common/zonefile.h"

/* cron add */

#define MESSAGE_MAX 16384 /* as the store has it */
#define BACK_SECONDS (400LL * 86400) /* of a zone's past that is kept */

struct when {
	const char *kind;
	const char *expr;
	const char *zone;
	char rules[ZONE_TEXT_MAX + 1];
	int64_t every, at;
};

int
cron_zone(const char *name, char *rules, size_t len, const char **why)
{
	return zonefile_read(
	    name, walltime_ms() / 1000 - BACK_SECONDS, rules, len, why);
}

static int
take_zone(const struct invocation *inv, struct when *w)
{
	const char *why;

	w->zone = inv->tz != NULL ? inv->tz : zonefile_local();
	if (cron_zone(w->zone, w->rules, sizeof(w->rules), &why) == 0)
		return 0;
	ask_complain("--tz %s: %s", w->zone, why);
	return -1;
}

static int
take_cron(const struct invocation *inv, struct when *w)
{
	struct sched s;
	const char *why;

	w->kind = "cron";
	w->expr = inv->cron;
	if (take_zone(inv, w) == -1)
		return -1;
	if (sched_parse(&s, "cron", w->expr, w->rules, 0, 0, &why) == -1) {
		ask_complain("--cron %s: %s", inv->cron, why);
		return -1;
	}
	sched_clear(&s);
	return 0;
}

static int
take_every(const struct invocation *inv, struct when *w)
{
	w->kind = "every";
	if (inv->tz != NULL) {
		ask_complain("an interval has no time zone");
		return -1;
	}
	if (when_duration(inv->every, &w->every) == 0 &&
	    w->every >= CRON_EVERY_MIN && w->every <= CRON_EVERY_MAX)
		return 0;
	ask_complain("--every %s: an interval is from 1s to 366d, such as 90s, "
		     "10m, 1h30m, 2d", inv->every);
	return -1;
}

static int
take_at(const struct invocation *inv, struct when *w)
{
	int64_t now = walltime_ms();
	struct zone *zone;
	const char *why;
	int rc;

	w->kind = "at";
	if (take_zone(inv, w) == -1)
		return -1;
	if ((zone = zone_parse(w->rules, &why)) == NULL)
		return -1;
	rc = when_time(inv->at, zone, now, &w->at);
	zone_free(zone);
	if (rc == -1)
		ask_complain("--at %s: a time is such as \"2027-03-01 09:00\", "
			     "2027-03-01T08:00:00Z, 09:00 or +20m", inv->at);
	else if (w->at <= now)
		ask_complain("--at %s: that time is past", inv->at);
	return rc == 0 && w->at > now ? 0 : -1;
}

static int
take_when(const struct invocation *inv, struct when *w)
{
	memset(w, 0, sizeof(*w));
	w->expr = w->zone = "";
	if ((inv->cron != NULL) + (inv->every != NULL) + (inv->at != NULL) !=
	    1) {
		ask_complain("\"add\" needs one of --cron, --every and --at");
		return -1;
	}
	if (inv->cron != NULL)
		return take_cron(inv, w);
	return inv->every != NULL ? take_every(inv, w) : take_at(inv, w);
}

/* -1 after a complaint. */
static int
take_catch_up(const struct invocation *inv)
{
	if (inv->catch_up == NULL || strcmp(inv->catch_up, "once") == 0)
		return 1;
	if (strcmp(inv->catch_up, "skip") == 0)
		return 0;
	ask_complain("--catch-up is once or skip");
	return -1;
}

/* The agent of "agent:ID:...", when none was named. Static buffer. */
static const char *
agent_of(const struct invocation *inv)
{
	static char agent[65];
	const char *p = inv->session;
	size_t n;

	if (inv->agent != NULL)
		return inv->agent;
	if (p == NULL || strncmp(p, "agent:", 6) != 0)
		return "";
	p += 6;
	n = strcspn(p, ":");
	if (p[n] != ':' || n >= sizeof(agent))
		return "";
	memcpy(agent, p, n);
	agent[n] = '\0';
	return agent;
}

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

static struct json_object *
make_job(const struct invocation *inv, const struct when *w,
    const char *message, int catch_up)
{
	struct json_object *o = json_object_new_object();

	ask_str(o, "name", or_empty(inv->name));
	ask_str(o, "agent", agent_of(inv));
	ask_str(o, "kind", w->kind);
	ask_str(o, "expr", w->expr);
	ask_str(o, "zone", w->zone);
	ask_str(o, "rules", w->rules);
	add_int(o, "every", w->every);
	add_int(o, "at", w->at);
	ask_str(o, "message", message);
	ask_str(o, "to", or_empty(inv->target));
	ask_str(o, "thread", or_empty(inv->thread_id));
	ask_str(o, "session", or_empty(inv->session));
	add_bool(o, "catch_up", catch_up);
	return o;
}

static int
is_long(const char *s, size_t max)
{
	return s != NULL && strlen(s) > max;
}

/* What is wrong with the rest, or NULL. */
static const char *
add_refusal(const struct invocation *inv, const char *message)
{
	if (message[strspn(message, " \t\r\n")] == '\0')
		return "the message is empty";
	if (strlen(message) > MESSAGE_MAX)
		return "the message is too long: 16384 bytes are the most";
	if (inv->target == NULL && inv->session == NULL)
		return "say where the answer goes with --to, or which session "
		       "to wake with --session";
	if (inv->thread_id != NULL && inv->target == NULL)
		return "--thread-id needs --to";
	if (inv->thread_id != NULL && strlen(inv->thread_id) != 26)
		return "--thread-id is the id of a post: 26 characters";
	if (is_long(inv->name, 128) || is_long(inv->target, 512) ||
	    is_long(inv->session, 384) || is_long(inv->agent, 64))
		return "a name, a target or a session is too long";
	return NULL;
}

static int
added(const struct invocation *inv, struct json_object *data)
{
	struct json_object *job = json_get(data, "job");
	int64_t next;

	if (!json_true(data, "added")) {
		ask_complain(strcmp(json_str(data, "why"), "name") == 0
			? "there is a job of that name already"
			: "the account has too many jobs");
		return 1;
	}
	if (inv->given & OPT_JSON) {
		cron_row_print_json(job);
		return 0;
	}
	next = cron_row_next(job, walltime_ms());
	printf("Added job %s%s%s; next run %s.\n", json_str(job, "id"),
	    inv->name == NULL ? "" : ", ", or_empty(inv->name),
	    output_time(next));
	return 0;
}

int
cmd_cron_add(const struct invocation *inv)
{
	struct json_object *args;
	const char *message, *why;
	struct when w;
	struct answer a;
	int catch_up, rc;

	if ((message = message_text(inv)) == NULL ||
	    take_when(inv, &w) == -1 || (catch_up = take_catch_up(inv)) == -1)
		return 2;
	if ((why = add_refusal(inv, message)) != NULL) {
		ask_complain("%s", why);
		return 2;
	}
	args = json_object_new_object();
	ask_str(args, "account", inv->account);
	add_obj(args, "job", make_job(inv, &w, message, catch_up));
	if (ask_daemon(inv, "cron-add", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	rc = added(inv, a.data);
	client_free(&a);
	return rc;
}
