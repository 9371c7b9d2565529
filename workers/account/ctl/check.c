#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/callback/selftest.h"
#include "workers/account/ctl/check.h"
#include "workers/account/ctl/check_rights.h"
#include "workers/account/names.h"
#include "workers/net/net.h"
#include "workers/worker.h"

#define REACH_MS 200      /* between two looks at the test of our address */
#define REACH_TRIES 25
#define EDIT_SECONDS 300  /* an answer that streams longer is rare */
#define DETAIL_MAX 900

static struct {
	int native;       /* commands.native */
	int manual;       /* an administrator has made some of them */
	int tries;
	struct event *timer;
} self;

void
check_row(struct account *a, const char *what, const char *state,
    const char *fmt, ...)
{
	char detail[DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	worker_check(a->worker, what, state, detail);
}

static void
end(struct account *a)
{
	worker_check_end(a->worker);
}

/* What somebody who is no client of ours would call it. */
static const char *
said(const struct net_result *r, struct json_object *body)
{
	static char buf[256];

	return api_error(r, body, buf, sizeof(buf));
}

/* The last step: do callbacks come in? */

static void
reach_row(struct account *a, struct json_object *p)
{
	const char *state = api_str(p, "state");
	char what[64];

	snprintf(what, sizeof(what), "reach of %s", api_str(p, "what"));
	if (strcmp(state, "reachable") == 0)
		check_row(a, what, "ok", "%s", api_str(p, "url"));
	else
		check_row(a, what, "fail", "%s: %s", api_str(p, "url"),
		    *api_str(p, "error") != '\0' ? api_str(p, "error") :
						  "no answer in time");
}

static void
on_reach(int fd, short what, void *arg)
{
	struct account *a = arg;
	struct json_object *list = selftest_status(a);
	size_t i, n = json_object_array_length(list), good = 0;

	for (i = 0; i < n; i++)
		good += strcmp(api_str(json_object_array_get_idx(list, i),
				   "state"), "reachable") == 0;
	if (good < n && ++self.tries < REACH_TRIES) {
		loop_timer(self.timer, REACH_MS);
	} else {
		for (i = 0; i < n; i++)
			reach_row(a, json_object_array_get_idx(list, i));
		end(a);
	}
	json_object_put(list);
}

static void
reach(struct account *a)
{
	selftest_start(a);
	if ((self.timer = evtimer_new(a->base, on_reach, a)) == NULL)
		fatalx("evtimer_new");
	loop_timer(self.timer, 0);
}

static void
name_row(struct account *a, const char *name, const char *id)
{
	int found = id != NULL && *id != '\0';

	check_row(a, "name in an allowlist", found ? "ok" : "fail",
	    "%s is %s", name, found ? id : "nobody on this server");
}

/* Names in allowlists, and the ids they stand for. */
static void
named(struct account *a, const char *failed)
{
	struct json_object *names = names_status(a);

	if (failed != NULL)
		check_row(a, "names", "fail", "%s", failed);
	else if (json_object_is_type(names, json_type_object)) {
		json_object_object_foreach(names, name, id)
			name_row(a, name, json_object_get_string(id));
	}
	json_object_put(names);
	reach(a);
}

static void
rights_done(struct account *a)
{
	names_start(a, named);
}

/* What the server says of itself. */

static int
is_true(struct json_object *config, const char *key)
{
	return strcmp(api_str(config, key), "true") == 0;
}

static void
post_size(struct account *a, int64_t max)
{
	if (max <= 0)
		check_row(a, "post size", "warn", "the server does not say");
	else if (a->out.limit > (size_t)max)
		check_row(a, "post size", "fail", "the server takes %lld "
		    "characters, textChunkLimit is %zu", (long long)max,
		    a->out.limit);
	else
		check_row(a, "post size", "ok",
		    "MaxPostSize %lld, textChunkLimit %zu", (long long)max,
		    a->out.limit);
}

static void
edit_limit(struct account *a, const char *text)
{
	long long n = *text == '\0' ? -1 : strtoll(text, NULL, 10);

	if (n < 0)
		check_row(a, "edit limit", "ok", "none");
	else
		check_row(a, "edit limit",
		    n < EDIT_SECONDS && a->stream.mode != STREAM_OFF ?
			"warn" : "ok", "%lld s: a longer answer ends in new "
		    "posts", n);
}

static void
configured(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	int64_t file;

	if (!api_ok(r, body, 200)) {
		check_row(a, "server", "fail", "%s", said(r, body));
		check_rights(a, rights_done);
		return;
	}
	check_row(a, "server", "ok", "Mattermost %s",
	    api_str(body, "Version"));
	post_size(a, strtoll(api_str(body, "MaxPostSize"), NULL, 10));
	edit_limit(a, api_str(body, "PostEditTimeLimit"));
	file = strtoll(api_str(body, "MaxFileSize"), NULL, 10);
	if (*api_str(body, "EnableFileAttachments") != '\0' &&
	    !is_true(body, "EnableFileAttachments"))
		check_row(a, "attachments", "warn", "switched off there");
	else
		check_row(a, "attachments",
		    file > 0 && file < a->media_max ? "warn" : "ok",
		    "MaxFileSize %lld bytes, ours %lld", (long long)file,
		    (long long)a->media_max);
	if (self.native && *api_str(body, "EnableCommands") != '\0' &&
	    !is_true(body, "EnableCommands"))
		check_row(a, "slash commands", "fail",
		    "EnableCommands is false there");
	check_rights(a, rights_done);
}

static void
rate_limit(struct account *a, const struct net_result *r)
{
	const char *max = net_result_header(r, "X-Ratelimit-Limit");
	const char *left = net_result_header(r, "X-Ratelimit-Remaining");

	if (max == NULL)
		check_row(a, "rate limit", "ok", "none");
	else
		check_row(a, "rate limit", "ok", "%.20s at once, %.20s left",
		    max, left == NULL ? "?" : left);
}

static void
identified(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	const char *id = api_str(body, "id");

	if (r->ending == NET_ANSWERED && r->status == 401) {
		check_row(a, "token", "fail", "the server refuses it (401)");
		end(a);
		return;
	}
	if (!api_ok(r, body, 200) || !mm_id_valid(id)) {
		check_row(a, "token", "fail", "%s",
		    r->ending == NET_ANSWERED && r->status == 200 ?
			"no Mattermost server answers at baseUrl" :
			said(r, body));
		end(a);
		return;
	}
	ID_COPY(a->bot_id, id);
	strlcpy(a->bot_name, api_str(body, "username"), sizeof(a->bot_name));
	check_row(a, "token", "ok", "@%s, %s", a->bot_name, id);
	rate_limit(a, r);
	rights_user(body, self.native && !self.manual);
	callbacks_identified(a);
	if (api_get(a, "/config/client?format=old", configured, NULL) == NULL)
		fatalx("a path of our own");
}

void
check_config(struct account *a, struct json_object *config)
{
	struct json_object *c = NULL, *v = NULL;

	if (!json_object_object_get_ex(config, "commands", &c))
		return;
	self.native = json_object_object_get_ex(c, "native", &v) &&
	    json_object_is_type(v, json_type_boolean) &&
	    json_object_get_boolean(v);
}

void
check_manual(void)
{
	self.manual = 1;
}

void
check_start(struct account *a)
{
	if (a->problem != NULL) {
		check_row(a, "token", "fail", "%s", a->problem);
		end(a);
		return;
	}
	if (api_get(a, "/users/me", identified, NULL) == NULL)
		fatalx("a path of our own");
}
