#include "config.h"

#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

struct action {
	int64_t seq;
	const char *name;
	struct json_object *data; /* NULL when it is not an object */
};

static void
reply(struct wsconn *c, int64_t seq, const char *data)
{
	struct buf b = {0};

	buf_str(&b, "{\"status\":\"OK\"");
	if (seq != 0)
		buf_knum(&b, "seq_reply", seq);
	if (data != NULL)
		buf_fmt(&b, ",\"data\":%s", data);
	buf_str(&b, "}\n");
	ws_text(c, b.p, b.len);
	buf_free(&b);
}

static void
reply_fail(struct wsconn *c, int64_t seq, const char *id, const char *text,
    int status)
{
	struct buf b = {0};

	buf_str(&b, "{\"status\":\"FAIL\"");
	if (seq != 0)
		buf_knum(&b, "seq_reply", seq);
	buf_str(&b, ",\"error\":{");
	buf_kstr(&b, "id", id);
	buf_kstr(&b, "message", text);
	buf_kstr(&b, "detailed_error", "");
	buf_knum(&b, "status_code", status);
	buf_str(&b, "}}\n");
	ws_text(c, b.p, b.len);
	buf_free(&b);
}

static void
invalid_param(struct wsconn *c, const struct action *a, const char *param)
{
	struct buf b = {0};

	buf_fmt(&b, "Invalid %s parameter.", param);
	reply_fail(c, a->seq, "api.websocket_handler.invalid_param.app_error",
	    b.p, 400);
	buf_free(&b);
}

static const char *
data_str(const struct action *a, const char *key)
{
	struct json_object *o;

	if (a->data == NULL || !json_object_object_get_ex(a->data, key, &o) ||
	    !json_object_is_type(o, json_type_string))
		return NULL;
	return json_object_get_string(o);
}

static void
act_ping(struct wsconn *c, const struct action *a)
{
	struct buf b = {0};

	buf_fmt(&b, "{\"node_id\":\"\",\"server_time\":%lld,\"text\":\"pong\","
	    "\"version\":\"" SIM_VERSION "\"}", (long long)walltime_ms());
	reply(c, a->seq, b.p);
	buf_free(&b);
}

static void
act_typing(struct wsconn *c, const struct action *a)
{
	const char *id = data_str(a, "channel_id");
	const char *parent = data_str(a, "parent_id");
	struct channel *ch = id ? hmap_get(&st.channels, id) : NULL;

	if (ch == NULL || channel_member(ch, c->rec->user) == NULL) {
		invalid_param(c, a, "channel_id");
		return;
	}
	event_typing(ch, c->rec->user, parent ? parent : "");
	reply(c, a->seq, NULL);
}

static void
act_statuses(struct wsconn *c, const struct action *a)
{
	struct json_object *o = json_object_new_object();
	struct buf b = {0};
	size_t i;

	for (i = 0; i < st.nusers; i++)
		if (strcmp(st.user[i]->status, "offline") != 0)
			json_object_object_add(o, st.user[i]->id,
			    json_object_new_string(st.user[i]->status));
	buf_value(&b, o);
	json_object_put(o);
	reply(c, a->seq, b.p);
	buf_free(&b);
}

static void
act_statuses_by_ids(struct wsconn *c, const struct action *a)
{
	struct json_object *ids = NULL, *o;
	struct user *u;
	struct buf b = {0};
	size_t i, n;

	if (a->data != NULL)
		json_object_object_get_ex(a->data, "user_ids", &ids);
	if (!json_object_is_type(ids, json_type_array)) {
		invalid_param(c, a, "user_ids");
		return;
	}
	n = json_object_array_length(ids);
	buf_str(&b, "{");
	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(ids, i);
		if (!json_object_is_type(o, json_type_string))
			continue;
		u = hmap_get(&st.users, json_object_get_string(o));
		buf_kstr(&b, json_object_get_string(o),
		    u ? u->status : "offline");
	}
	buf_str(&b, "}");
	reply(c, a->seq, b.p);
	buf_free(&b);
}

static void
act_active(struct wsconn *c, const struct action *a)
{
	struct json_object *o = NULL;

	if (a->data == NULL ||
	    !json_object_object_get_ex(a->data, "user_is_active", &o) ||
	    !json_object_is_type(o, json_type_boolean)) {
		invalid_param(c, a, "user_is_active");
		return;
	}
	status_set(c->rec->user,
	    json_object_get_boolean(o) ? "online" : "away", 0);
	reply(c, a->seq, NULL);
}

static const struct {
	const char *name;
	void (*fn)(struct wsconn *, const struct action *);
} actions[] = {{"ping", act_ping}, {"user_typing", act_typing},
    {"get_statuses", act_statuses},
    {"get_statuses_by_ids", act_statuses_by_ids},
    {"user_update_active_status", act_active}};

/* Before authentication only the challenge is heard; no reply otherwise. */
static void
challenge(struct wsconn *c, const struct action *a)
{
	const char *token;
	struct session *s;

	if (c->rec != NULL || a->seq <= 0)
		return;
	token = data_str(a, "token");
	s = token ? session_find(token) : NULL;
	if (s == NULL) {
		ws_close(c, 0);
		return;
	}
	ws_authenticated(c, s);
	reply(c, a->seq, NULL);
	status_set(s->user, "online", 0);
}

/* 1: the session may act; else the failure was sent. */
static int
session_ok(struct wsconn *c, const struct action *a)
{
	struct session *s = c->rec->sess;
	struct buf b = {0};

	if (c->rec->deauth) {
		reply_fail(c, a->seq,
		    "api.web_socket_router.not_authenticated.app_error",
		    "WebSocket connection is not authenticated. Please log in "
		    "and try again.", 401);
		return 0;
	}
	if (session_find(s->token) != NULL)
		return 1;
	/* 5.37 shows the token here; a client must not log this. */
	buf_fmt(&b, "Invalid session token=%s, err=", s->token);
	reply_fail(c, a->seq, "api.context.invalid_token.error", b.p, 401);
	buf_free(&b);
	return 0;
}

static void
action_run(struct wsconn *c, const struct action *a)
{
	size_t i;

	if (a->name[0] == '\0') {
		reply_fail(c, a->seq, "api.web_socket_router.no_action.app_error",
		    "No websocket action.", 400);
		return;
	}
	if (a->seq <= 0) {
		reply_fail(c, a->seq, "api.web_socket_router.bad_seq.app_error",
		    "Invalid sequence for WebSocket message.", 400);
		return;
	}
	if (!session_ok(c, a))
		return;
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, a->name) != 0)
			continue;
		actions[i].fn(c, a);
		return;
	}
	reply_fail(c, a->seq, "api.web_socket_router.bad_action.app_error",
	    "Unknown WebSocket action.", 500);
}

/* A member as Go decodes it: absent and null are the zero value. */
static int
member(struct json_object *o, const char *key, enum json_type type,
    struct json_object **val)
{
	*val = NULL;
	if (!json_object_object_get_ex(o, key, val) || *val == NULL)
		return 0;
	return json_object_is_type(*val, type) ? 0 : -1;
}

static int
action_decode(struct json_object *o, struct action *a)
{
	struct json_object *seq, *name, *data;

	if (o == NULL)
		return 0; /* null */
	if (!json_object_is_type(o, json_type_object) ||
	    member(o, "seq", json_type_int, &seq) == -1 ||
	    member(o, "action", json_type_string, &name) == -1 ||
	    member(o, "data", json_type_object, &data) == -1)
		return -1;
	if (seq != NULL)
		a->seq = json_object_get_int64(seq);
	if (name != NULL)
		a->name = json_object_get_string(name);
	a->data = data;
	return 0;
}

void
ws_message(struct wsconn *c, const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(128);
	struct action a = {0, "", NULL};
	struct json_object *o;

	if (tok == NULL)
		fatalx("json_tokener_new");
	o = len ? json_tokener_parse_ex(tok, text, (int)len + 1) : NULL;
	if (len == 0 ||
	    json_tokener_get_error(tok) != json_tokener_success ||
	    action_decode(o, &a) == -1)
		ws_close(c, 0);
	else if (!strcmp(a.name, "authentication_challenge"))
		challenge(c, &a);
	else if (c->rec != NULL && !c->rec->deaf)
		action_run(c, &a);
	json_object_put(o);
	json_tokener_free(tok);
}
