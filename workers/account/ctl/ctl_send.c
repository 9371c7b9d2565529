#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/proto.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/buttons.h"
#include "workers/account/callback/interact.h"
#include "workers/account/conn.h"
#include "workers/account/ctl/ctl_files.h"
#include "workers/account/ctl/ctl_op.h"
#include "workers/account/lane.h"
#include "workers/account/outbox.h"
#include "workers/account/resolve.h"
#include "workers/account/storelink.h"
#include "workers/account/text/chunk.h"
#include "workers/account/tool/act.h"

#define SEND_TEXT_MAX 65532 /* 16383 runes of four bytes */
#define SEND_POSTS_MAX 50   /* that one message becomes */

/* A message that somebody waits for to be posted. */
struct sending {
	struct ctl_op op;
	struct json_object *items;
	struct json_object *buttons, *presentation; /* or NULL */
	struct upload *files; /* until the upload begins */
	int64_t call;         /* control's number of it, 0: none */
	int dry;
	int pin;              /* the first post, when all are there */
	char *pin_failed;
	char *text;
	char root[MM_ID_SIZE];
	char channel[MM_ID_SIZE];
	struct sent *sent; /* one for each item */
	size_t n, left;
};

struct sent {
	struct sending *s;
	char post[MM_ID_SIZE];
	char *failed;
};

static void
sending_free(struct sending *s)
{
	size_t i;

	json_object_put(s->items);
	json_object_put(s->buttons);
	json_object_put(s->presentation);
	ctl_files_drop(s->files);
	for (i = 0; i < s->n; i++)
		free(s->sent[i].failed);
	free(s->sent);
	free(s->pin_failed);
	free(s->text);
	free(s);
}

static void
answer_err(struct sending *s, const char *code, const char *text)
{
	ctl_op_err(&s->op, code, text);
	sending_free(s);
}

/* Ids of what was posted. */
static struct json_object *
posted(const struct sending *s)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->sent[i].failed == NULL)
			json_object_array_add(
			    list, json_object_new_string(s->sent[i].post));
	return list;
}

static void
answer_data(struct sending *s)
{
	struct json_object *msg = ctl_op_data(&s->op);

	if (s->n > 0)
		add_str(msg, "post", s->sent[0].post);
	if (s->n > 1)
		add_obj(msg, "posts", posted(s));
	add_str(msg, "channel", s->channel);
	if (s->pin && !s->dry)
		add_bool(msg, "pinned", s->pin_failed == NULL);
	if (s->pin_failed != NULL)
		add_str(msg, "pin_error", s->pin_failed);
	ctl_op_answer(&s->op, msg);
	sending_free(s);
}

/* A message that is there and could not be pinned is no failed one. */
static void
pinned(struct account *a, int ok, const char *text, void *arg)
{
	struct sending *s = arg;

	if (!ok && (s->pin_failed = strdup(text)) == NULL)
		fatal("strdup");
	answer_data(s);
}

static void
sent_all(struct sending *s)
{
	const char *why = NULL;
	struct json_object *msg;
	size_t i, bad = 0;

	for (i = 0; i < s->n; i++)
		if (s->sent[i].failed != NULL) {
			why = why == NULL ? s->sent[i].failed : why;
			bad++;
		}
	if (bad == 0) {
		if (s->pin)
			act_pin(s->op.a, s->sent[0].post, pinned, s);
		else
			answer_data(s);
		return;
	}
	msg = chan_reply_msg("err", s->op.req);
	add_str(msg, "code", bad == s->n ? "refused" : "partial");
	add_str(msg, "text", why);
	add_obj(msg, "posts", posted(s));
	add_str(msg, "channel", s->channel);
	ctl_op_answer(&s->op, msg);
	sending_free(s);
}

static void
delivered(struct account *a, const char *post, const char *failed, void *arg)
{
	struct sent *p = arg;
	struct sending *s = p->s;

	if (failed != NULL) {
		if ((p->failed = strdup(failed)) == NULL)
			fatal("strdup");
	} else if (mm_id_valid(post))
		ID_COPY(p->post, post);
	if (--s->left == 0)
		sent_all(s);
}

/* Several posts go in order: a lane of their own sees to that. */
static void
stored(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct sending *s = arg;
	struct json_object *one;
	char lane[LANE_KEY_SIZE] = "";
	size_t i, n = s->n;

	if (err != NULL) {
		answer_err(s, "store", err);
		return;
	}
	if (n > 1)
		snprintf(lane, sizeof(lane), "ctl.%s", api_str(
			json_object_array_get_idx(s->items, 0), "key"));
	s->left++; /* held back until all have been given over */
	for (i = 0; i < n; i++) {
		one = json_object_new_array();
		json_object_array_add(one,
		    json_object_get(json_object_array_get_idx(s->items, i)));
		outbox_add(a, one, lane, 0, delivered, &s->sent[i]);
		json_object_put(one);
	}
	if (--s->left == 0)
		sent_all(s);
}

/* The buttons are the first post's. -1: answered. */
static int
add_buttons(struct sending *s, struct json_object *item)
{
	struct json_object *props;
	const char *why;

	if (s->buttons == NULL && s->presentation == NULL)
		return 0;
	props = interact_props(
	    s->op.a, s->channel, s->buttons, s->presentation, NULL, &why);
	if (props == NULL && why != NULL) {
		answer_err(s, "buttons", why);
		return -1;
	}
	if (props != NULL)
		outbox_item_props(item, props);
	return 0;
}

/* files: ids of the server, or NULL. */
static void
put(struct sending *s, struct json_object *files)
{
	struct json_object *msg = chan_msg("outbox.put");

	if (files != NULL)
		add_obj(json_object_array_get_idx(s->items, 0), "files",
		    json_object_get(files));
	add_obj(msg, "outbox", json_object_get(s->items));
	storelink_request(s->op.a, msg, stored, s);
}

/* A failed upload is a failed send. */
static void
uploaded(struct account *a, struct json_object *ids, const char *failed,
    void *arg)
{
	struct sending *s = arg;

	if (failed != NULL)
		answer_err(s, "upload", failed);
	else if (ids == NULL)
		answer_err(s, "cancelled", "cancelled");
	else
		put(s, ids);
}

static void
items_make(struct sending *s, char **chunks, size_t n)
{
	char key[OUTBOX_KEY_SIZE];
	size_t i;

	s->n = s->left = n == 0 ? 1 : n; /* files alone have no text */
	s->items = json_object_new_array();
	if ((s->sent = calloc(s->n, sizeof(*s->sent))) == NULL)
		fatal("calloc");
	for (i = 0; i < s->n; i++) {
		s->sent[i].s = s;
		outbox_key(key, 0, (int)i);
		json_object_array_add(s->items, outbox_item(key, "post",
		    s->channel, s->root, "", n == 0 ? "" : chunks[i]));
	}
}

/* The text as posts, as an answer's would be. -1: answered. */
static int
items_text(struct sending *s)
{
	const struct out_cfg *out = &s->op.a->out;
	char *prefix, *text, **chunks, why[128];
	size_t n;

	prefix = out_prefix(
	    out, out->n_agents > 0 ? out->agents[0].id : "");
	text = out_render(out, s->text, prefix);
	chunks = out_chunks(out, text, &n);
	if (n <= SEND_POSTS_MAX)
		items_make(s, chunks, n);
	chunk_free(chunks, n);
	free(text);
	free(prefix);
	if (n <= SEND_POSTS_MAX)
		return 0;
	snprintf(why, sizeof(why), "the message is too long: it would be %zu "
	    "posts, %d are the most", n, SEND_POSTS_MAX);
	answer_err(s, "long", why);
	return -1;
}

static void
resolved(
    struct account *a, const char *channel, const char *failed, void *arg)
{
	struct sending *s = arg;
	struct upload *files = s->files;

	if (failed != NULL) {
		answer_err(s, "target", failed);
		return;
	}
	ID_COPY(s->channel, channel);
	if (s->dry) {
		answer_data(s);
		return;
	}
	if (items_text(s) == -1 ||
	    add_buttons(s, json_object_array_get_idx(s->items, 0)) == -1)
		return;
	s->files = NULL;
	if (files != NULL)
		ctl_files_upload(a, channel, s->call, files, uploaded, s);
	else
		put(s, NULL);
}

/* Refused before anything is looked up, or NULL. */
static const char *
refusal(struct sending *s, size_t n_files, const char **code)
{
	*code = "empty";
	if (n_files == 0 && s->text[strspn(s->text, " \t\r\n")] == '\0')
		return "Mattermost message is empty";
	*code = "offline";
	if (!conn_live(s->op.a))
		return ctl_offline(s->op.a);
	return NULL;
}

void
ctl_on_send(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct json_object *buttons, *presentation;
	const char *to, *text, *root, *no, *code;
	struct sending *s;
	struct fields f;
	size_t n_files;
	int64_t call;
	char why[256] = "";
	int dry, pinning;

	fields_open(&f, msg);
	to = fields_str(&f, "to", 512);
	text = fields_str(&f, "text", SEND_TEXT_MAX);
	root = fields_opt_str(&f, "root", 128);
	buttons = fields_opt_arr(&f, "buttons", PROTO_LIST);
	presentation = fields_opt_obj(&f, "presentation");
	n_files = (size_t)fields_opt_int(&f, "files", 0, MM_FILES_MAX, 0);
	call = fields_opt_int(&f, "call", 1, INT64_MAX, 0);
	dry = fields_opt_bool(&f, "dry", 0);
	pinning = fields_opt_bool(&f, "pin", 0);
	if (fields_end(&f) == -1 || n_files != ctl_files_waiting()) {
		chan_violation(c, "send");
		return;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->text = buttons_text(text, presentation)) == NULL)
		fatal("calloc");
	ctl_op_begin(&s->op, a, c, msg);
	s->buttons = json_object_get(buttons);
	s->presentation = json_object_get(presentation);
	s->call = call;
	s->dry = dry;
	s->pin = pinning;
	if (n_files > 0)
		s->files = ctl_files_take(a, why, sizeof(why));
	if (mm_id_valid(root == NULL ? "" : root))
		ID_COPY(s->root, root);
	if (why[0] != '\0')
		answer_err(s, "upload", why);
	else if (root != NULL && s->root[0] == '\0')
		answer_err(s, "root", "the thread root is not a post id");
	else if ((no = refusal(s, n_files, &code)) != NULL)
		answer_err(s, code, no);
	else
		resolve_start(a, to, resolved, s);
}
