#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/buttons.h"
#include "workers/account/channels.h"
#include "workers/account/conn.h"
#include "workers/account/ctl.h"
#include "workers/account/ctl_files.h"
#include "workers/account/drops.h"
#include "workers/account/figures.h"
#include "workers/account/interact.h"
#include "workers/account/lanes.h"
#include "workers/account/names.h"
#include "workers/account/outbox.h"
#include "workers/account/resolve.h"
#include "workers/account/selftest.h"
#include "workers/account/storelink.h"

#define SEND_TEXT_MAX 65532 /* 16383 runes of four bytes */

/* A message that somebody waits for to be posted. */
struct sending {
	struct account *a;
	struct json_object *req; /* for its id */
	struct json_object *items;
	struct json_object *buttons, *presentation; /* or NULL */
	struct chan *c;          /* who asked; compared, the link may go */
	struct upload *files; /* until the upload begins */
	int64_t call;         /* control's number of it, 0: none */
	char *text;
	char root[MM_ID_SIZE];
	char channel[MM_ID_SIZE];
};

static void
sending_free(struct sending *s)
{
	json_object_put(s->req);
	json_object_put(s->items);
	json_object_put(s->buttons);
	json_object_put(s->presentation);
	ctl_files_drop(s->files);
	free(s->text);
	free(s);
}

static void
answer(struct sending *s, struct json_object *msg)
{
	/* Who asked may be gone; the message was sent all the same. */
	if (s->a->ctl == s->c)
		chan_send(s->c, msg, -1);
	else
		json_object_put(msg);
	sending_free(s);
}

static void
answer_err(struct sending *s, const char *code, const char *text)
{
	struct json_object *msg = chan_reply_msg("err", s->req);

	json_object_object_add(msg, "code", json_object_new_string(code));
	json_object_object_add(msg, "text", json_object_new_string(text));
	answer(s, msg);
}

static void
delivered(struct account *a, const char *post, const char *failed, void *arg)
{
	struct sending *s = arg;
	struct json_object *msg;

	if (failed != NULL) {
		answer_err(s, "refused", failed);
		return;
	}
	msg = chan_reply_msg("data", s->req);
	json_object_object_add(msg, "post", json_object_new_string(post));
	json_object_object_add(
	    msg, "channel", json_object_new_string(s->channel));
	answer(s, msg);
}

static void
stored(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct sending *s = arg;

	if (err != NULL)
		answer_err(s, "store", err);
	else
		outbox_add(a, s->items, "", 0, delivered, s);
}

/* The text, and the buttons that are its. -1: answered. */
static int
add_buttons(struct sending *s, struct json_object *item)
{
	struct json_object *props;
	const char *why;

	if (s->buttons == NULL && s->presentation == NULL)
		return 0;
	props = interact_props(
	    s->a, s->channel, s->buttons, s->presentation, &why);
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
		json_object_object_add(json_object_array_get_idx(s->items, 0),
		    "files", json_object_get(files));
	json_object_object_add(msg, "outbox", json_object_get(s->items));
	storelink_request(s->a, msg, stored, s);
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
resolved(
    struct account *a, const char *channel, const char *failed, void *arg)
{
	struct sending *s = arg;
	struct upload *files = s->files;
	struct json_object *item;
	char key[OUTBOX_KEY_SIZE];

	if (failed != NULL) {
		answer_err(s, "target", failed);
		return;
	}
	strlcpy(s->channel, channel, sizeof(s->channel));
	outbox_key(key, 0, 0);
	s->items = json_object_new_array();
	item = outbox_item(key, "post", channel, s->root, "", s->text);
	json_object_array_add(s->items, item);
	if (add_buttons(s, item) == -1)
		return;
	s->files = NULL;
	if (files != NULL)
		ctl_files_upload(a, channel, s->call, files, uploaded, s);
	else
		put(s, NULL);
}

static void
on_send(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct json_object *buttons, *presentation;
	const char *to, *text, *root;
	struct sending *s;
	struct fields f;
	size_t n_files;
	int64_t call;
	char why[256] = "";

	fields_open(&f, msg);
	to = fields_str(&f, "to", 512);
	text = fields_str(&f, "text", SEND_TEXT_MAX);
	root = fields_opt_str(&f, "root", MM_ID_LEN);
	buttons = fields_opt_arr(&f, "buttons", BUTTONS_MAX);
	presentation = fields_opt_obj(&f, "presentation");
	n_files = (size_t)fields_opt_int(&f, "files", 0, MM_FILES_MAX, 0);
	call = fields_opt_int(&f, "call", 1, INT64_MAX, 0);
	if (fields_end(&f) == -1 || n_files != ctl_files_waiting()) {
		chan_violation(c, "send");
		return;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->text = buttons_text(text, presentation)) == NULL)
		fatal("calloc");
	s->buttons = json_object_get(buttons);
	s->presentation = json_object_get(presentation);
	s->a = a;
	s->c = c;
	s->req = json_object_get(msg);
	s->call = call;
	if (n_files > 0)
		s->files = ctl_files_take(a, why, sizeof(why));
	if (root != NULL)
		strlcpy(s->root, root, sizeof(s->root));
	if (why[0] != '\0')
		answer_err(s, "upload", why);
	else if (n_files == 0 && s->text[strspn(s->text, " \t\r\n")] == '\0')
		answer_err(s, "empty", "Mattermost message is empty");
	else if (s->root[0] != '\0' && !mm_id_valid(s->root))
		answer_err(s, "root", "the thread root is not a post id");
	else if (!conn_live(a))
		answer_err(s, "offline", "the account is not connected");
	else
		resolve_start(a, to, resolved, s);
}

static void
add_int(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static void
on_status(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct json_object *r = chan_reply_msg("data", msg);

	json_object_object_add(
	    r, "state", json_object_new_string(conn_state_name(a)));
	json_object_object_add(
	    r, "error", json_object_new_string(conn_last_error(a)));
	json_object_object_add(r, "bot", json_object_new_string(a->bot_name));
	json_object_object_add(r, "bot_id", json_object_new_string(a->bot_id));
	add_int(r, "since", conn_since(a));
	add_int(r, "channels", a->channels->n);
	add_int(r, "events", (int64_t)a->n_events);
	add_int(r, "accepted", (int64_t)a->n_accepted);
	add_int(r, "posts", (int64_t)a->n_answers);
	add_int(r, "resumes", (int64_t)a->n_resumes);
	add_int(r, "fills", (int64_t)a->n_fills);
	add_int(r, "waiting", lanes_waiting(a));
	add_int(r, "running", lanes_running(a));
	add_int(r, "outbox", outbox_pending(a));
	add_int(r, "last_in", a->last_in);
	add_int(r, "last_out", a->last_out);
	json_object_object_add(r, "drops", drops_counts(a));
	figures_add(a, r);
	json_object_object_add(r, "names", names_status(a));
	json_object_object_add(r, "callbacks", selftest_status(a));
	chan_send(c, r, -1);
}

/* A context for the buttons of a script. */
static void
on_sign(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct account *a = arg;
	struct json_object *context, *r;
	const char *why;
	struct fields f;

	fields_open(&f, msg);
	context = fields_obj(&f, "context");
	if (fields_end(&f) == -1) {
		chan_violation(c, "sign");
		return;
	}
	context = interact_sign(a, json_object_get(context), &why);
	if (context != NULL) {
		r = chan_reply_msg("data", msg);
		json_object_object_add(r, "context", context);
	} else {
		r = chan_reply_msg("err", msg);
		json_object_object_add(
		    r, "code", json_object_new_string("sign"));
		json_object_object_add(r, "text", json_object_new_string(why));
	}
	chan_send(c, r, -1);
}

static const struct chan_handler handlers[] = {
    {"status", on_status},
    {"sign", on_sign},
    {"send", on_send},
    {"send.file", ctl_on_file},
    {"send.cancel", ctl_on_cancel},
    {NULL, NULL},
};

static void
link_closed(struct chan *c, const char *why, void *arg)
{
	struct account *a = arg;

	a->ctl = NULL;
	ctl_files_end();
	chan_free(c);
}

void
ctl_set(struct account *a, int fd)
{
	struct chan *old = a->ctl;

	if (old != NULL)
		ctl_files_end();
	a->ctl = chan_new(a->base, fd, PROTO_CONTROL_ACCOUNT, SIDE_A, handlers,
	    link_closed, a);
	chan_free(old);
}
