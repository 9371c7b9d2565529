#include "config.h"

#include <json-c/json.h>
#include <stddef.h>
#include <string.h>

#include "common/add.h"
#include "common/monotime.h"
#include "ctl/output.h"
#include "ctl/snapshot.h"

#define ABNORMAL 1006 /* RFC 6455, 7.1.5: no close frame came */

/* Our state, and how the peer calls it. */
static const struct {
	const char *state, *lifecycle;
} lifecycles[] = {
    {"starting", "starting"},
    {"up", "starting"},
    {"connecting", "starting"},
    {"connected", "ready"},
    {"backoff", "recovering"},
    {"down", "recovering"},
    {"parked", "blocked"},
};

static const char *
lifecycle(struct json_object *o)
{
	const char *state = json_str(o, "state");
	size_t i;

	/* It had been there since it was started. */
	if (strcmp(state, "connecting") == 0 &&
	    json_int(o, "lastConnectedAt") > json_int(o, "lastStartAt"))
		return "recovering";
	for (i = 0; i < sizeof(lifecycles) / sizeof(lifecycles[0]); i++)
		if (strcmp(lifecycles[i].state, state) == 0)
			return lifecycles[i].lifecycle;
	return "stopped";
}

/* As it is there, or null. */
static void
copy(struct json_object *to, const char *key, struct json_object *from,
    const char *name)
{
	add_obj(to, key, json_object_get(json_get(from, name)));
}

static void
add_time(struct json_object *to, const char *key, int64_t at)
{
	add_obj(to, key, at == 0 ? NULL : json_object_new_int64(at));
}

static void
add_disconnect(struct json_object *to, struct json_object *o)
{
	struct json_object *was = json_get(o, "lastDisconnect"), *d;
	int64_t code = json_int(json_get(o, "live"), "close_code");

	if (was == NULL) {
		add_obj(to, "lastDisconnect", NULL);
		return;
	}
	/* Of a process before this one, the end was the process's own. */
	if (code == 0 || json_int(was, "at") < json_int(o, "lastStartAt"))
		code = ABNORMAL;
	d = json_object_new_object();
	add_int(d, "at", json_int(was, "at"));
	add_int(d, "status", code);
	if (json_str(was, "error")[0] != '\0')
		add_str(d, "error", json_str(was, "error"));
	add_obj(to, "lastDisconnect", d);
}

static void
add_error(struct json_object *to, struct json_object *o, int connected)
{
	const char *why = json_str(o, "lastError");

	if (why[0] == '\0')
		why = json_str(o, "reason");
	add_obj(to, "lastError", connected || why[0] == '\0' ? NULL :
		json_object_new_string(why));
}

static struct json_object *
snapshot(struct json_object *o)
{
	struct json_object *s = json_object_new_object();
	struct json_object *live = json_get(o, "live");
	int connected = strcmp(json_str(o, "state"), "connected") == 0;

	copy(s, "accountId", o, "id");
	copy(s, "name", o, "name");
	add_bool(s, "enabled", json_true(o, "enabled"));
	add_bool(s, "configured", json_true(o, "configured"));
	add_bool(s, "running", json_true(o, "running"));
	add_bool(s, "connected", connected);
	add_str(s, "lifecycle", lifecycle(o));
	add_bool(s, "restartPending",
	    strcmp(json_str(o, "state"), "down") == 0);
	add_time(s, "lastStartAt", json_int(o, "lastStartAt"));
	add_time(s, "lastStopAt", json_int(o, "lastStopAt"));
	add_time(s, "lastConnectedAt", json_int(o, "lastConnectedAt"));
	add_disconnect(s, o);
	add_error(s, o, connected);
	add_time(s, "lastInboundAt", json_int(live, "last_in"));
	add_time(s, "lastOutboundAt", json_int(live, "last_out"));
	add_bool(s, "busy", json_int(live, "running") > 0);
	add_int(s, "activeRuns", json_int(live, "running"));
	copy(s, "botTokenSource", o, "botTokenSource");
	copy(s, "botTokenStatus", o, "botTokenStatus");
	copy(s, "baseUrl", o, "server");
	copy(s, "baseUrlSource", o, "baseUrlSource");
	copy(s, "dmPolicy", o, "dmPolicy");
	if (json_get(o, "probe") != NULL) {
		copy(s, "probe", o, "probe");
		add_int(s, "lastProbeAt", walltime_ms());
	}
	return s;
}

struct json_object *
snapshots(struct json_object *accounts)
{
	struct json_object *list = json_object_new_array();
	size_t i, n;

	n = accounts == NULL ? 0 : json_object_array_length(accounts);
	for (i = 0; i < n; i++)
		json_object_array_add(list,
		    snapshot(json_object_array_get_idx(accounts, i)));
	return list;
}
