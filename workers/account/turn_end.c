#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/figures.h"
#include "workers/account/lanes.h"
#include "workers/account/outbox.h"
#include "workers/account/prepare.h"
#include "workers/account/preview/preview.h"
#include "workers/account/rowdata.h"
#include "workers/account/sessinfo.h"
#include "workers/account/storelink.h"
#include "workers/account/tool/message_tool.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"

#define COMMIT_AGAIN_MS 2000

static void turn_settle(struct turn *);

/* Waits between the tries of a transient failure. */
static const int64_t retry_wait[] = {1000, 4000, 15000};

/* Ending begins: the preview comes to rest first. */

static void
preview_rested(void *arg)
{
	turn_settle(arg);
}

static void
turn_ending(struct turn *t)
{
	t->ending = 1;
	t->told = message_tool_replied(t) &&
	    *api_str(t->row->data, "to") != '\0';
	message_tool_end(t);
	typing_stop(t->typing);
	event_del(t->guard);
	if (t->row->preview != NULL)
		preview_finish(t->row->preview, preview_rested, t);
	else
		turn_settle(t);
}

void
turn_answer(struct turn *t, const char *text, struct json_object *transcript)
{
	if ((t->text = strdup(text)) == NULL)
		fatal("strdup");
	t->transcript = transcript;
	turn_ending(t);
}

void
turn_fail(struct turn *t, int transient, const char *code, const char *text,
    int64_t retry_ms)
{
	if ((t->error = strdup(text)) == NULL)
		fatal("strdup");
	strlcpy(t->code, code, sizeof(t->code));
	t->transient = transient;
	t->retry_ms = retry_ms;
	turn_ending(t);
}

void
turn_stop(struct turn *t)
{
	t->stopped = 1;
	turn_ending(t);
}

void
turn_deny(struct turn *t)
{
	t->denied = 1;
	turn_stop(t);
}

/* Ends that the store commits */

static void commit_send(struct turn *);
static void turn_refused(struct turn *, const char *);

/*
 * Nothing was written. A full disk or a locked database passes: the end of
 * the turn is kept and offered again. What the store will never take is
 * given up, so that the lane goes on.
 */
static void
commit_refused(struct turn *t, const char *err)
{
	struct account *a = t->a;
	struct row *r = t->row;

	log_event(LOG_ERR, "turn.commit", "account", a->id, "event_id",
	    r->event, "error", err, NULL);
	if (store_err_passes(err)) {
		loop_timer(t->again, COMMIT_AGAIN_MS);
		return;
	}
	if (!t->refused) {
		/* Too large, or the like: at least nothing is left behind. */
		t->refused = 1;
		turn_refused(t, err);
		return;
	}
	turn_over(t);
	lanes_row_done(a, r);
}

static enum prepare_end
end_of(const struct turn *t)
{
	if (t->stopped)
		return t->denied ? PREPARE_DENIED : PREPARE_STOPPED;
	return t->error == NULL ? PREPARE_ANSWERED : PREPARE_DEAD;
}

static void
committed(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct turn *t = arg;
	struct row *r = t->row;

	if (err != NULL) {
		commit_refused(t, err);
		return;
	}
	if (t->not_before != 0) {
		int64_t at = t->not_before;

		turn_over(t);
		lanes_row_again(a, r, at);
		return;
	}
	figures_turn(a, monotime_since(t->began), t->error == NULL);
	prepare_kept(t, end_of(t));
	outbox_add(a, t->items, lanes_key(r), r->seq, NULL, NULL);
	turn_over(t);
	sessinfo_told_next(r, reply);
	lanes_row_done(a, r);
}

static void
commit_send(struct turn *t)
{
	storelink_request(t->a, json_object_get(t->commit), committed, t);
}

void
turn_commit_again(int fd, short what, void *arg)
{
	commit_send(arg);
}

static struct json_object *
turn_items(struct turn *t, const char *text)
{
	return preview_items(t->a, t->row, t->agent, t->row->preview, text);
}

static struct json_object *
end_msg(struct turn *t, const char *type)
{
	struct json_object *msg = chan_msg(type);

	add_int(msg, "seq", t->row->seq);
	t->commit = msg;
	return msg;
}

/* Buttons go with the first post of the answer. */
static void
props_add(struct turn *t)
{
	struct json_object *item;

	if (t->props == NULL || json_object_array_length(t->items) == 0)
		return;
	item = json_object_array_get_idx(t->items, 0);
	if (strcmp(api_str(item, "op"), "post") == 0)
		outbox_item_props(item, json_object_get(t->props));
}

static void
end_answer(struct turn *t)
{
	struct json_object *msg = end_msg(t, "turn.commit");
	int silent = out_silent(t->text);
	int alone = rowdata_bool(t->row->data, "alone");

	t->items = turn_items(t, silent || t->told ? NULL : t->text);
	props_add(t);
	t->items = prepare_items(t, t->items);
	if (rowdata_bool(t->row->data, "quiet"))
		outbox_scheduled(t->items);
	if (!t->command && !alone) {
		add_str(msg, "session", api_str(t->row->data, "session"));
		add_str(msg, "agent", t->agent);
		add_obj(msg, "transcript", json_object_get(t->transcript));
		sessinfo_ask_next(t->row, msg);
	}
	add_str(msg, "outcome",
	    t->command ? "command"
	    : silent   ? "silent"
		       : "answered");
	add_obj(msg, "outbox", json_object_get(t->items));
	if (!alone)
		prepare_commit(t, msg, PREPARE_ANSWERED);
	commit_send(t);
}

static void
end_stopped(struct turn *t)
{
	struct json_object *msg = end_msg(t, "turn.commit");

	t->items = turn_items(t, NULL);
	add_str(msg, "outcome", t->denied ? "denied" : "stopped");
	add_obj(msg, "outbox", json_object_get(t->items));
	prepare_commit(t, msg, end_of(t));
	commit_send(t);
}

static void
end_retry(struct turn *t)
{
	struct json_object *msg = end_msg(t, "turn.retry");
	int64_t wait = retry_wait[t->row->tries++];

	if (wait < t->retry_ms)
		wait = t->retry_ms;
	t->not_before = walltime_ms() + wait;
	add_int(msg, "not_before", t->not_before);
	add_str(msg, "reason", t->code);
	commit_send(t);
}

/* Who asked is told, shortly; the rest is for the operator. */
static void
notice_add(struct turn *t, struct json_object *items)
{
	char text[1200], key[OUTBOX_KEY_SIZE];
	int len = (int)strlen(t->error);
	struct json_object *v = NULL;

	if (len > 0 && t->error[len - 1] == '.')
		len--;
	json_object_object_get_ex(t->row->data, "addressed", &v);
	if (!json_object_get_boolean(v) || t->row->channel[0] == '\0')
		return;
	snprintf(text, sizeof(text), "I could not answer this: %.*s.", len,
	    t->error);
	outbox_key(
	    key, t->row->seq, (int)json_object_array_length(items));
	json_object_array_add(items, outbox_item(key, "post",
	    t->row->channel, t->row->root, "", text));
}

static void
end_dead(struct turn *t)
{
	struct json_object *msg = end_msg(t, "turn.dead");
	char reason[256];

	snprintf(reason, sizeof(reason), "%s: %s", t->code, t->error);
	t->items = turn_items(t, NULL);
	notice_add(t, t->items);
	add_str(msg, "reason", reason);
	add_int(msg, "status", 0);
	add_obj(msg, "outbox", json_object_get(t->items));
	prepare_commit(t, msg, PREPARE_DEAD);
	commit_send(t);
}

static void
turn_refused(struct turn *t, const char *err)
{
	json_object_put(t->commit);
	json_object_put(t->items);
	t->commit = t->items = NULL;
	t->not_before = 0;
	free(t->error);
	if ((t->error = strdup("the answer could not be kept")) == NULL)
		fatal("strdup");
	strlcpy(t->code, err, sizeof(t->code));
	end_dead(t);
}

static void
turn_settle(struct turn *t)
{
	if (t->stopped)
		end_stopped(t);
	else if (t->error == NULL)
		end_answer(t);
	else if (t->transient &&
	    t->row->tries < (int)(sizeof(retry_wait) / sizeof(retry_wait[0])))
		end_retry(t);
	else
		end_dead(t);
}
