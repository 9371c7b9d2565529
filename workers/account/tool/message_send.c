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
#include "common/strbuf.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/buttons.h"
#include "workers/account/callback/interact.h"
#include "workers/account/channels.h"
#include "workers/account/lanes.h"
#include "workers/account/outbox.h"
#include "workers/account/preview/preview.h"
#include "workers/account/storelink.h"
#include "workers/account/text/chunk.h"
#include "workers/account/tool/act.h"
#include "workers/account/tool/message_tool.h"
#include "workers/account/tool/message_tool_int.h"
#include "workers/account/turn.h"
#include "workers/account/turn_end.h"

#define REJOIN_BACK_MS (60 * 60 * 1000) /* older than any turn */
#define AGAIN_MS 1000 /* a row of which nobody here knows the end yet */

static void put(struct tool_op *);

/* FNV-1a: tells apart what one turn sends; nobody gains by a collision. */
static uint64_t
hash(uint64_t h, const char *s)
{
	do {
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	} while (*s++ != '\0');
	return h;
}

static const char *
json_text(struct json_object *o)
{
	return o == NULL ? "" :
	    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

/* How often this turn has sent the same before. */
static unsigned
times_before(struct turn_tools *ts, uint64_t h)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < ts->n_sent; i++)
		n += ts->sent[i] == h;
	if (ts->n_sent < TOOL_SENDS_MAX)
		ts->sent[ts->n_sent++] = h;
	return n;
}

/* The end */

static void
sent_dup(char **to, const char *why)
{
	if ((*to = strdup(why)) == NULL)
		fatal("strdup");
}

struct json_object *
tool_posted(const struct tool_op *op)
{
	struct json_object *ids = json_object_new_array();
	size_t i;

	for (i = 0; i < op->n; i++)
		if (op->posts[i].post[0] != '\0')
			json_object_array_add(ids,
			    json_object_new_string(op->posts[i].post));
	return ids;
}

static void
sent_ok(struct tool_op *op)
{
	struct json_object *o = json_object_new_object();
	struct json_object *ids = tool_posted(op);

	add_bool(o, "ok", 1);
	add_obj(o, "messageId",
	    json_object_get(json_object_array_get_idx(ids, 0)));
	add_str(o, "channelId", op->channel);
	if (op->n > 1)
		add_obj(o, "messageIds", ids);
	else
		json_object_put(ids);
	if (op->part != NULL) {
		add_str(o, "deliveryStatus", "partial_failed");
		add_str(o, "error", op->part);
	}
	if (op->args.pin)
		add_bool(o, "pinned", op->pin_failed == NULL);
	if (op->pin_failed != NULL)
		add_str(o, "pinError", op->pin_failed);
	if (op->args.silent)
		add_str(o, "note", "silent changes nothing: Mattermost "
				   "notifies as each reader has it");
	tool_op_end(op, 1,
	    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

/* A message that is there and could not be pinned is no failed one. */
static void
pinned(struct account *a, int ok, const char *text, void *arg)
{
	struct tool_op *op = arg;
	char why[400];

	if (ok || !op->args.pin_required) {
		if (!ok)
			sent_dup(&op->pin_failed, text);
		sent_ok(op);
		return;
	}
	snprintf(why, sizeof(why),
	    "the message was posted, and could not be pinned: %.300s", text);
	tool_op_end(op, 0, why);
}

static void
sent_all(struct tool_op *op)
{
	struct turn *t = op->t;
	const char *why = NULL;
	char text[512];
	size_t i, bad = 0;

	for (i = 0; i < op->n; i++)
		if (op->posts[i].failed != NULL) {
			why = why == NULL ? op->posts[i].failed : why;
			bad++;
		}
	if (t != NULL && bad < op->n && tool_is_here(op)) {
		t->tools->replied = 1;
		if (t->row->preview != NULL &&
		    strcmp(op->root, t->row->root) == 0)
			preview_overtaken(t->row->preview);
	}
	if (bad > 0 && bad < op->n && op->args.best_effort)
		sent_dup(&op->part, why);
	if (bad == 0 || op->part != NULL) {
		if (op->args.pin && op->posts[0].post[0] != '\0')
			act_pin(op->a, op->posts[0].post, pinned, op);
		else
			sent_ok(op);
		return;
	}
	snprintf(text, sizeof(text), bad == op->n
		? "Mattermost send failed: %.300s"
		: "Mattermost send failed after a part of it was posted: "
		  "%.300s", why);
	tool_op_end(op, 0, text);
}

static void
post_end(struct tool_post *p, const char *post, const char *failed)
{
	if (p->ended)
		return;
	p->ended = 1;
	if (failed != NULL) {
		if ((p->failed = strdup(failed)) == NULL)
			fatal("strdup");
	} else if (mm_id_valid(post))
		ID_COPY(p->post, post);
	if (--p->op->left == 0)
		sent_all(p->op);
}

static void
delivered(struct account *a, const char *post, const char *failed, void *arg)
{
	post_end(arg, post, failed);
}

/* Sending */

static void
on_again(int fd, short what, void *arg)
{
	put(arg);
}

/* One row for the outbox. */
static void
deliver(struct tool_op *op, size_t i)
{
	struct json_object *one = json_object_new_array();

	json_object_array_add(one,
	    json_object_get(json_object_array_get_idx(op->items, i)));
	outbox_add(op->a, one, op->lane, op->seq, delivered, &op->posts[i]);
	json_object_put(one);
}

/*
 * The store had the row, and has not heard of its end: the answer to our own
 * put was lost with an earlier store, or what we told that one of the end.
 * It joins the outbox, if it is not there, as rows of an earlier life do:
 * looked for before it is sent.
 */
static void
rejoin(struct tool_op *op, size_t i)
{
	struct json_object *msg = NULL;

	if (json_object_deep_copy(json_object_array_get_idx(op->items, i),
		&msg, NULL) == -1)
		fatalx("out of memory");
	add_str(msg, "lane", op->lane);
	add_int(msg, "seq", op->seq);
	add_int(msg, "created", walltime_ms() - REJOIN_BACK_MS);
	log_event(LOG_INFO, "tool.rejoin", "account", op->a->id, "key",
	    api_str(msg, "key"), NULL);
	if (outbox_restore(op->a, msg) == -1)
		fatalx("outbox: a row of our own is wrong");
	json_object_put(msg);
	outbox_kick(op->a);
}

/* What the store knows of a row. 0: nothing of its end: ask again. */
static int
row_state(struct tool_op *op, size_t i, struct json_object *row)
{
	const char *state = api_str(row, "state");
	struct json_object *dup = NULL;

	json_object_object_get_ex(row, "dup", &dup);
	if (strcmp(state, "done") == 0)
		post_end(&op->posts[i], api_str(row, "post"), NULL);
	else if (strcmp(state, "dead") == 0)
		post_end(&op->posts[i], "", api_str(row, "error"));
	else if (json_object_get_boolean(dup)) {
		rejoin(op, i);
		return 0;
	} else {
		op->posts[i].watched = 1;
		deliver(op, i);
	}
	return 1;
}

static void
stored(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct tool_op *op = arg;
	struct json_object *rows = NULL;
	size_t i, n = op->n;
	int unknown = 0;
	char text[96];

	if (err == NULL) {
		json_object_object_get_ex(reply, "rows", &rows);
		if (!json_object_is_type(rows, json_type_array) ||
		    json_object_array_length(rows) != n)
			err = "answer";
	}
	if (err != NULL && op->again != NULL) {
		/* Rows of an earlier run are on their way all the same. */
		loop_timer(op->again, AGAIN_MS);
		return;
	}
	if (err != NULL) {
		snprintf(text, sizeof(text),
		    "the message could not be kept: %.32s", err);
		tool_op_end(op, 0, text);
		return;
	}
	/* Held back, so that the last of them does not end the op here. */
	op->left++;
	for (i = 0; i < n; i++)
		if (!op->posts[i].ended && !op->posts[i].watched)
			unknown |= !row_state(op, i,
			    json_object_array_get_idx(rows, i));
	if (--op->left == 0) {
		sent_all(op);
		return;
	}
	if (!unknown)
		return;
	if (op->again == NULL &&
	    (op->again = evtimer_new(a->base, on_again, op)) == NULL)
		fatalx("evtimer_new");
	loop_timer(op->again, AGAIN_MS);
}

static void
put(struct tool_op *op)
{
	struct json_object *msg = chan_msg("tool.put");

	add_int(msg, "seq", op->seq);
	add_obj(msg, "outbox", json_object_get(op->items));
	storelink_request(op->a, msg, stored, op);
}

static void
items_make(struct tool_op *op, char **chunks, size_t n)
{
	struct turn_tools *ts = op->t->tools;
	uint64_t h = 0xcbf29ce484222325u;
	char key[OUTBOX_KEY_SIZE];
	unsigned before;
	size_t i;

	/*
	 * What was asked for, not how it came out: the marker and the root
	 * depend on what this life of the worker has learnt so far.
	 */
	h = hash(hash(hash(h, op->channel), op->args.post), op->args.text);
	h = hash(h, op->args.top_level ? "top" : "");
	if (op->args.media != NULL)
		h = hash(h, op->args.media);
	if (op->args.filename != NULL)
		h = hash(h, op->args.filename);
	h = hash(hash(h, json_text(op->args.buttons)),
	    json_text(op->args.presentation));
	before = times_before(ts, h);
	op->items = json_object_new_array();
	op->n = op->left = n;
	if ((op->posts = calloc(n, sizeof(*op->posts))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++) {
		op->posts[i].op = op;
		op->posts[i].i = i;
		snprintf(key, sizeof(key), "t%llx.%016llx.%u.%zu",
		    (long long)op->seq, (unsigned long long)h, before, i);
		json_object_array_add(op->items, outbox_item(key, "post",
		    op->channel, op->root, "", chunks[i]));
	}
	/* The first has the file. */
	if (op->files != NULL)
		add_obj(json_object_array_get_idx(op->items, 0), "files",
		    json_object_get(op->files));
}

/*
 * The props of the first post, which carries the buttons. NULL, or why they
 * cannot be. Without the capability a presentation is only its text.
 */
static const char *
props_make(const struct tool_op *op, struct json_object **props)
{
	const char *why = NULL;

	if (!op->a->tools.buttons)
		return op->args.buttons == NULL ? NULL :
		    "buttons are not enabled here; say it in the message";
	if (op->args.buttons == NULL && op->args.presentation == NULL)
		return NULL;
	*props = interact_props(op->a, op->channel, op->args.buttons,
	    op->args.presentation, op->args.attachment, &why);
	if (*props == NULL && why == NULL && op->args.buttons != NULL)
		why = "no button has both a text and a callback_data";
	return why;
}

/* "[from #town] ": where a post elsewhere comes from. */
static void
add_marker(const struct tool_op *op, struct strbuf *b)
{
	static const char slot[] = "{channel}";
	const char *m = op->a->tools.marker, *p;
	const struct row *r = op->t->row;
	struct channel *ch = channel_find(op->a, r->channel);

	if ((p = strstr(m, slot)) == NULL) {
		strbuf_puts(b, m);
		return;
	}
	strbuf_add(b, m, (size_t)(p - m));
	if (ch != NULL && ch->type != 'D' && ch->name != NULL) {
		strbuf_putc(b, '#');
		strbuf_puts(b, ch->name);
	} else {
		strbuf_putc(b, '@');
		strbuf_puts(b, api_str(r->data, "sender"));
	}
	strbuf_puts(b, p + sizeof(slot) - 1);
}

/* channel and root are known: put it together. */
static void
send_text(struct tool_op *op)
{
	struct turn *t = op->t;
	struct strbuf b = STRBUF_INIT;
	struct json_object *props = NULL;
	char *said, *raw, *text, *prefix, **chunks;
	static char nothing[] = "";
	char *empty = nothing;
	const char *no = NULL;
	size_t n;

	if (!tool_is_here(op) && t->row->channel[0] != '\0')
		add_marker(op, &b);
	said = buttons_text(op->args.text, op->args.presentation);
	strbuf_puts(&b, said);
	free(said);
	raw = strbuf_take(&b);
	prefix = out_prefix(&op->a->out, t->agent);
	text = out_render(&op->a->out, raw, prefix);
	chunks = out_chunks(&op->a->out, text, &n);
	if (n == 0 && op->files != NULL) {
		op->t->row->posts++;
		items_make(op, &empty, 1);
	} else if (n == 0)
		no = "Mattermost message is empty";
	else if ((size_t)t->row->posts + n > TURN_POSTS_MAX - 1 ||
	    t->tools->bytes + strlen(text) > TOOL_BYTES_MAX)
		no = "this is more than one message may post: 20 posts, "
		     "256 KiB";
	else if ((no = props_make(op, &props)) == NULL) {
		t->row->posts += (int)n;
		t->tools->bytes += strlen(text);
		items_make(op, chunks, n);
		if (props != NULL)
			outbox_item_props(
			    json_object_array_get_idx(op->items, 0), props);
	}
	chunk_free(chunks, n);
	free(text);
	free(prefix);
	free(raw);
	if (no != NULL)
		tool_op_end(op, 0, no);
	else
		put(op);
}

/* The thread */

static void
root_done(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct tool_op *op = arg;
	const char *root = api_str(body, "root_id");
	char why[256], text[320];

	if (op->t == NULL) {
		tool_op_end(op, 0, "");
		return;
	}
	if (!api_ok(res, body, 200)) {
		snprintf(text, sizeof(text), "replyTo: %s",
		    api_error(res, body, why, sizeof(why)));
		tool_op_end(op, 0, text);
		return;
	}
	if (strcmp(api_str(body, "channel_id"), op->channel) != 0) {
		tool_op_end(op, 0,
		    "replyTo: the post is not in that conversation");
		return;
	}
	ID_COPY(op->root, mm_id_valid(root) ? root : op->args.post);
	send_text(op);
}

/* The thread of a post that was not asked to go into one. */
static void
root_implied(struct tool_op *op)
{
	const struct row *r = op->t->row;
	const char *post = api_str(r->data, "post");
	struct channel *ch = channel_find(op->a, r->channel);
	enum surface s = surface_of(ch == NULL ? 0 : ch->type);

	if (op->args.top_level || !tool_is_here(op) || r->root[0] == '\0')
		return;
	/* Mode first: only the first reply begins a thread. */
	if (strcmp(r->root, post) == 0 && op->t->tools->replied &&
	    lane_reply_mode(op->a->policy, s) == REPLY_FIRST)
		return;
	ID_COPY(op->root, r->root);
}

void
tool_send(struct tool_op *op)
{
	const struct row *r = op->t->row;
	char path[64];

	if (op->args.media != NULL && !op->media_seen) {
		tool_media(op);
		return;
	}
	if (op->args.post[0] == '\0') {
		root_implied(op);
		send_text(op);
	} else if (tool_is_here(op) && r->root[0] != '\0' &&
	    strcmp(op->args.post, api_str(r->data, "post")) == 0) {
		ID_COPY(op->root, r->root);
		send_text(op);
	} else {
		snprintf(path, sizeof(path), "/posts/%s", op->args.post);
		api_get(op->a, path, root_done, op);
	}
}
