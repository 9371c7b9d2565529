#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/conn.h"
#include "workers/account/ctl/ctl_op.h"
#include "workers/account/resolve.h"
#include "workers/account/target.h"
#include "workers/account/tool/act.h"
#include "workers/account/tool/tool_args.h"

#define READ_BYTES (900u * 1024) /* a frame of 1 MiB, and its edges */
#define PROBE_MS 2500 /* OpenClaw's */
#define PROBE_MAX_MS 60000

/* A request; an operator may do what the bot may, where it is switched on. */
struct acting {
	struct ctl_op op;
	char post[MM_ID_SIZE];
	char *emoji;
	int remove, dry;
	char channel[MM_ID_SIZE];
	int limit;
	char before[MM_ID_SIZE], after[MM_ID_SIZE];
	struct monotime begun;
};

void
ctl_op_begin(struct ctl_op *op, struct account *a, struct chan *c,
    struct json_object *req)
{
	op->a = a;
	op->c = c;
	op->req = json_object_get(req);
}

struct json_object *
ctl_op_data(const struct ctl_op *op)
{
	return chan_reply_msg("data", op->req);
}

void
ctl_op_answer(struct ctl_op *op, struct json_object *msg)
{
	/* Who asked may be gone; it was done all the same. */
	if (op->a->ctl == op->c)
		chan_send(op->c, msg, -1);
	else
		json_object_put(msg);
	json_object_put(op->req);
	op->req = NULL;
}

void
ctl_op_err(struct ctl_op *op, const char *code, const char *text)
{
	struct json_object *msg = chan_reply_msg("err", op->req);

	add_str(msg, "code", code);
	add_str(msg, "text", text);
	ctl_op_answer(op, msg);
}

const char *
ctl_offline(const struct account *a)
{
	static char text[512];
	const char *why = conn_last_error(a);

	snprintf(text, sizeof(text), "account %s is not connected%s%s", a->id,
	    *why == '\0' ? "" : ": ", why);
	return text;
}

static struct acting *
acting_new(struct account *a, struct chan *c, struct json_object *msg)
{
	struct acting *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		fatal("calloc");
	ctl_op_begin(&t->op, a, c, msg);
	t->begun = monotime_now();
	return t;
}

static void
acting_err(struct acting *t, const char *code, const char *text)
{
	ctl_op_err(&t->op, code, text);
	free(t->emoji);
	free(t);
}

static void
acting_done(struct acting *t, struct json_object *msg)
{
	if (t->channel[0] != '\0')
		add_str(msg, "channel", t->channel);
	ctl_op_answer(&t->op, msg);
	free(t->emoji);
	free(t);
}

/* Reactions */

static void
reacted(struct account *a, int ok, const char *text, void *arg)
{
	struct acting *t = arg;
	struct json_object *msg;

	if (!ok) {
		acting_err(t, "refused", text);
		return;
	}
	msg = ctl_op_data(&t->op);
	add_str(msg, "text", text);
	acting_done(t, msg);
}

static void
react_go(struct acting *t)
{
	if (t->dry) {
		acting_done(t, ctl_op_data(&t->op));
		return;
	}
	/* A target that was named is where the post has to be. */
	act_react(t->op.a, t->channel[0] == '\0' ? NULL : t->channel, t->post,
	    t->emoji, t->remove, reacted, t);
}

static void
react_resolved(
    struct account *a, const char *channel, const char *failed, void *arg)
{
	struct acting *t = arg;

	if (failed != NULL) {
		acting_err(t, "target", failed);
		return;
	}
	ID_COPY(t->channel, channel);
	react_go(t);
}

void
ctl_on_react(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct acting *t;
	const char *post, *emoji, *to;
	struct fields f;
	int remove, dry;

	fields_open(&f, msg);
	post = fields_str(&f, "post", 128);
	emoji = fields_str(&f, "emoji", 128);
	to = fields_opt_str(&f, "to", 512);
	remove = fields_bool(&f, "remove");
	dry = fields_opt_bool(&f, "dry", 0);
	if (fields_end(&f) == -1) {
		chan_violation(c, "react");
		return;
	}
	t = acting_new(a, c, msg);
	t->remove = remove;
	t->dry = dry;
	if ((t->emoji = strdup(emoji)) == NULL)
		fatal("strdup");
	if (!a->tools.reactions)
		acting_err(t, "disabled",
		    "Mattermost reactions are disabled in config");
	else if (!mm_id_valid(post))
		acting_err(t, "post",
		    "Mattermost react requires messageId (post id)");
	else if (emoji[strspn(emoji, " :")] == '\0')
		acting_err(t, "emoji", "Mattermost react requires emoji");
	else if (!conn_live(a))
		acting_err(t, "offline", ctl_offline(a));
	else {
		ID_COPY(t->post, post);
		if (to != NULL)
			resolve_start(a, to, react_resolved, t);
		else
			react_go(t);
	}
}

/* Reading */

static void
read_end(struct account *a, int ok, const char *text, void *arg)
{
	struct acting *t = arg;
	struct json_object *o, *msg, *v;

	if (!ok) {
		acting_err(t, "refused", text);
		return;
	}
	msg = ctl_op_data(&t->op);
	o = json_tokener_parse(text);
	if (json_object_object_get_ex(o, "messages", &v))
		add_obj(msg, "messages", json_object_get(v));
	if (json_object_object_get_ex(o, "hasMore", &v))
		add_obj(msg, "hasMore", json_object_get(v));
	json_object_put(o);
	acting_done(t, msg);
}

static void
read_resolved(
    struct account *a, const char *channel, const char *failed, void *arg)
{
	struct acting *t = arg;
	struct act_read ask = {
	    t->channel, t->limit, t->before, t->after, READ_BYTES};

	if (failed != NULL) {
		acting_err(t, "target", failed);
		return;
	}
	ID_COPY(t->channel, channel);
	if (t->dry)
		acting_done(t, ctl_op_data(&t->op));
	else
		act_read(a, &ask, read_end, t);
}

static const char *
read_refusal(struct account *a, const char *to, const char *before,
    const char *after)
{
	if (!a->tools.messages)
		return "Mattermost message reads are disabled in config "
		       "(actions.messages)";
	if (target_is_user(to))
		return "Mattermost read requires a channel target.";
	if (*before != '\0' && *after != '\0')
		return "Mattermost read accepts either before or after, not "
		       "both.";
	if ((*before != '\0' && !mm_id_valid(before)) ||
	    (*after != '\0' && !mm_id_valid(after)))
		return "before and after take the id of a post";
	if (!conn_live(a))
		return ctl_offline(a);
	return NULL;
}

void
ctl_on_read(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	const char *to, *before, *after, *no;
	struct account *a = arg;
	struct acting *t;
	struct fields f;
	int limit, dry;

	fields_open(&f, msg);
	to = fields_str(&f, "to", 512);
	limit = (int)fields_opt_int(
	    &f, "limit", 1, READ_LIMIT_MAX, READ_LIMIT);
	before = fields_opt_str(&f, "before", 128);
	after = fields_opt_str(&f, "after", 128);
	dry = fields_opt_bool(&f, "dry", 0);
	if (fields_end(&f) == -1) {
		chan_violation(c, "read");
		return;
	}
	before = before == NULL ? "" : before;
	after = after == NULL ? "" : after;
	t = acting_new(a, c, msg);
	if ((no = read_refusal(a, to, before, after)) != NULL) {
		acting_err(t, "refused", no);
		return;
	}
	t->limit = limit;
	t->dry = dry;
	ID_COPY(t->before, before);
	ID_COPY(t->after, after);
	resolve_start(a, to, read_resolved, t);
}

/* Is the server there, and does it know us? */

static void
probed(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct acting *t = arg;
	struct json_object *msg = ctl_op_data(&t->op), *bot;
	int ok = api_ok(res, body, 200);
	char why[256];

	add_bool(msg, "ok", ok);
	add_obj(msg, "status",
	    res->ending == NET_ANSWERED ? json_object_new_int(res->status)
					: NULL);
	add_int(msg, "elapsedMs", monotime_since(t->begun));
	if (ok) {
		bot = json_object_new_object();
		add_str(bot, "id", api_str(body, "id"));
		add_str(bot, "username", api_str(body, "username"));
		add_obj(msg, "bot", bot);
	} else
		add_str(msg, "error", api_error(res, body, why, sizeof(why)));
	acting_done(t, msg);
}

void
ctl_on_probe(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct acting *t;
	struct fields f;
	int64_t ms;

	fields_open(&f, msg);
	ms = fields_opt_int(&f, "timeout", 1, PROBE_MAX_MS, PROBE_MS);
	if (fields_end(&f) == -1) {
		chan_violation(c, "probe");
		return;
	}
	t = acting_new(a, c, msg);
	if (a->problem != NULL || a->ep == NULL)
		acting_err(t, "missing", "bot token or baseUrl missing");
	else if (api_send_within(
		     a, "GET", "/users/me", NULL, ms, probed, t) == NULL)
		acting_err(t, "probe", "the request cannot be made");
}
