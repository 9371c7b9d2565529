/*
 * The account's REST calls against any server. Byte 0 chooses what is asked
 * for; each line of the rest is an answer to the next request: a byte for
 * its ending and status, then the body. What the requests and the store's
 * messages are made of is looked at here; the other side of both is ours.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "common/chan_int.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "common/text.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/channels.h"
#include "workers/account/clock.h"
#include "workers/account/command/slash_int.h"
#include "workers/account/conn.h"
#include "workers/account/ctl/check_rights.h"
#include "workers/account/ctl/ctl_op.h"
#include "workers/account/decode.h"
#include "workers/account/drops.h"
#include "workers/account/gap/gapfill.h"
#include "workers/account/intake.h"
#include "workers/account/lookup.h"
#include "workers/account/names.h"
#include "workers/account/policy.h"
#include "workers/account/resolve.h"
#include "workers/account/storelink.h"
#include "workers/account/tool/act.h"
#include "workers/account/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define BOT "b10123456789abcdefghijklmn"
#define CHANNEL "c10123456789abcdefghijklmn"
#define POST "p10123456789abcdefghijklmn"
#define ANSWERS_MAX 200
#define NOW 1795341160956

struct net_request {
	TAILQ_ENTRY(net_request) entry;
	net_done_fn done;
	void *arg;
	int arg_free;
};

static TAILQ_HEAD(, net_request) asked = TAILQ_HEAD_INITIALIZER(asked);
static int dropped; /* the gap fill was given up */
static struct account acc = {.id = (char *)(uintptr_t) "a", .bot_id = BOT,
    .bot_name = "wbot0", .fill_age_ms = 3600000};

static int
channel_cmp(const struct channel *a, const struct channel *b)
{
	return strcmp(a->id, b->id);
}

RB_GENERATE_STATIC(channel_tree, channel, entry, channel_cmp)

/* Text that goes to somebody: whole, and UTF-8. */
static void
check_text(const char *s)
{
	if (s == NULL || strlen(s) > 1u << 20)
		abort();
	(void)text_valid(s, strlen(s));
}

/* Of every message: in the table and within its limit. */
static void
check_frame(enum proto_kind kind, struct json_object *msg)
{
	const struct proto_msg *m;
	size_t len;

	m = proto_find(proto_get(kind), SIDE_B, chan_msg_type(msg));
	json_object_to_json_string_length(msg,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (m == NULL || len > m->max)
		abort();
}

/* The network */

struct net_request *
net_request_start(struct net_endpoint *ep, const struct net_request_opts *o)
{
	struct net_request *r;
	const char *p;

	if (strncmp(o->path, "/api/v4/", 8) != 0)
		abort();
	for (p = o->path; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f ||
		    *p == '#')
			return NULL; /* as the real one does */
	if (o->body_len > 0 && !text_valid(o->body, o->body_len))
		abort();
	if ((r = calloc(1, sizeof(*r))) == NULL)
		abort();
	r->done = o->done;
	r->arg = o->arg;
	r->arg_free = o->arg_free;
	TAILQ_INSERT_TAIL(&asked, r, entry);
	return r;
}

enum net_ending
net_request_cancel(struct net_request *r)
{
	TAILQ_REMOVE(&asked, r, entry);
	if (r->arg_free)
		free(r->arg);
	free(r);
	return NET_MAYBE;
}

int
net_endpoint_errno(const struct net_endpoint *ep)
{
	return 0;
}

static void
answer(uint8_t how, const char *body, size_t len)
{
	static const int statuses[] = {200, 200, 200, 200, 201, 403, 404, 500};
	struct net_request *r = TAILQ_FIRST(&asked);
	struct net_result res = {.ending = NET_ANSWERED,
	    .content_type = "application/json", .retry_after_ms = -1,
	    .ratelimit_reset_ms = -1, .body = body, .len = len, .req = r};

	res.status = statuses[how & 7];
	res.partial = (how & 0xf8) == 0x08;
	if ((how & 0xf8) == 0x10) {
		res.ending = how & 1 ? NET_MAYBE : NET_NOT_SENT;
		res.error = "connect: refused";
		res.status = 0;
		res.body = "";
		res.len = 0;
	} else if ((how & 0xf8) == 0x18)
		res.status = 401;
	TAILQ_REMOVE(&asked, r, entry);
	r->done(r, &res, r->arg);
	free(r);
}

/* The rest of the worker */

void
conn_drop(struct account *a, const char *why)
{
	check_text(why);
	gapfill_stop(a);
	dropped = 1;
}

void
conn_unauthorised(struct account *a)
{
	gapfill_stop(a);
	dropped = 1;
}

int
conn_live(const struct account *a)
{
	return 1;
}

int64_t
clock_now(const struct account *a)
{
	return NOW;
}

int64_t
clock_offset(const struct account *a)
{
	return 0;
}

void
intake_open(struct account *a, struct channel *ch)
{
	if (channel_find(a, ch->id) != ch)
		abort();
}

void
intake_post(struct account *a, struct json_object *post)
{
	enum reason why;
	struct inbound *in =
	    decode_post(post, INBOUND_POST, a->policy->account, &why);

	if (in == NULL && why == REASON_OK)
		abort();
	inbound_free(in);
}

void
intake_reaction(struct account *a, struct inbound *in, int missed)
{
	if (!mm_id_valid(in->post_id) || !mm_id_valid(in->actor_id) ||
	    !mm_id_valid(in->channel_id) || in->emoji[0] == '\0' || !missed)
		abort();
	inbound_free(in);
}

void
drops_bad(struct account *a, enum inbound_kind kind, const char *name,
    const char *post, const char *channel, enum reason reason)
{
	if (reason == REASON_OK || reason == REASON_NONE)
		abort();
}

void
intake_known(struct account *a, const char *post_id)
{
	if (!mm_id_valid(post_id))
		abort();
}

int
intake_putting(const struct account *a)
{
	return 0;
}

int
storelink_full(const struct account *a)
{
	return 0;
}

void
storelink_tell(struct account *a, struct json_object *msg)
{
	check_frame(PROTO_STORE_ACCOUNT, msg);
	json_object_put(msg);
}

void
storelink_request(
    struct account *a, struct json_object *msg, store_fn fn, void *arg)
{
	check_frame(PROTO_STORE_ACCOUNT, msg);
	/* It has them all, if it is asked for posts. */
	if (fn != NULL && strcmp(api_str(msg, "t"), "posts.find") == 0)
		fn(a, msg, NULL, arg);
	else if (fn != NULL)
		fn(a, NULL, "gone", arg);
	json_object_put(msg);
}

void
callbacks_commands(struct account *a, struct json_object *list)
{
	struct json_object *o;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (strlen(api_str(o, "token")) > SLASH_TOKEN_MAX ||
		    !text_valid(api_str(o, "token"),
			strlen(api_str(o, "token"))))
			abort();
	}
	json_object_put(list);
}

void
ctl_op_begin(struct ctl_op *op, struct account *a, struct chan *c,
    struct json_object *req)
{
	*op = (struct ctl_op){a, c, json_object_get(req)};
}

struct json_object *
ctl_op_data(const struct ctl_op *op)
{
	return chan_reply_msg("data", op->req);
}

void
ctl_op_answer(struct ctl_op *op, struct json_object *msg)
{
	json_object_put(msg);
	json_object_put(op->req);
}

void
ctl_op_err(struct ctl_op *op, const char *code, const char *text)
{
	check_text(text);
	json_object_put(op->req);
}

const char *
ctl_offline(const struct account *a)
{
	return "not connected";
}

void
check_row(struct account *a, const char *what, const char *state,
    const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	check_text(what);
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

/* What is asked for */

static void
on_target(struct account *a, const char *channel, const char *failed, void *arg)
{
	if ((channel == NULL) == (failed == NULL))
		abort();
	if (failed != NULL)
		check_text(failed);
}

static void
on_names(struct account *a, const char *failed)
{
}

static void
on_act(struct account *a, int ok, const char *text, void *arg)
{
	struct json_tokener *tok = json_tokener_new_ex(5);
	struct json_object *o = json_tokener_parse_ex(
	    tok, text, (int)strlen(text) + 1);

	check_text(text);
	if (strlen(text) > 8192 + 512)
		abort();
	/* Deeper than a frame may be with all that is around it. */
	if (ok && *text == '{' && o == NULL)
		abort();
	json_object_put(o);
	json_tokener_free(tok);
}

static void
on_found(struct account *a, const char *post, const char *failed, void *arg)
{
	if (*post != '\0' && !mm_id_valid(post))
		abort();
}

static void
on_all(struct account *a, const char (*posts)[MM_ID_SIZE], size_t n,
    const char *failed, void *arg)
{
	if (n > LOOKUP_MAX)
		abort();
}

static void
on_done(struct account *a)
{
}

static void
list(const char *kind, const char *query)
{
	struct json_object *msg = chan_msg("directory");

	json_object_object_add(msg, "kind", json_object_new_string(kind));
	json_object_object_add(msg, "query", json_object_new_string(query));
	ctl_on_directory(NULL, msg, -1, &acc);
	json_object_put(msg);
}

static void
rights(const char *roles)
{
	struct json_object *me = json_object_new_object();

	json_object_object_add(me, "roles", json_object_new_string(roles));
	rights_user(me, 1);
	json_object_put(me);
	check_rights(&acc, on_done);
}

static void
ask(unsigned what, const char *line)
{
	struct act_read read = {CHANNEL, 60, "", "", 8192};

	switch (what % 9) {
	case 0:
		gapfill_start(&acc);
		break;
	case 1:
		resolve_start(&acc, line, on_target, NULL);
		break;
	case 2:
		names_start(&acc, on_names);
		break;
	case 3:
		act_read(&acc, &read, on_act, NULL);
		break;
	case 4:
		act_react(&acc, CHANNEL, POST, line, 0, on_act, NULL);
		break;
	case 5:
		list(*line & 1 ? "groups" : "peers", *line & 2 ? "u" : "");
		break;
	case 6:
		rights(line);
		break;
	case 7:
		if (*line & 1)
			lookup_all(&acc, CHANNEL, NOW, MARK_OUTBOX, "k",
			    on_all, NULL);
		else
			lookup_start(&acc, CHANNEL, NOW, MARK_OUTBOX, "k",
			    on_found, NULL);
		break;
	default:
		slash_sync(&acc);
	}
}

static struct json_object *
config(void)
{
	return json_tokener_parse(
	    "{\"account\":\"a\",\"groupPolicy\":\"allowlist\","
	    "\"dangerouslyAllowNameMatching\":true,\"allowFrom\":"
	    "[\"wuser0\",\"@alice\"],\"commands\":{\"native\":true},"
	    "\"dmChannelRetry\":{\"maxRetries\":0},"
	    "\"commandUrl\":\"http://127.0.0.1:8080/cb\"}");
}

static void
sink(int prio, const char *line, void *arg)
{
}

static void
begin(void)
{
	struct json_object *c = config();
	const char *why;

	if (acc.base == NULL) {
		log_set_sink(sink, NULL);
		acc.base = loop_new();
		acc.users = users_new();
		acc.names = names_new();
		acc.fill = gapfill_new(&acc);
		acc.resolver = resolver_new(c);
		acc.channels = channels_new(&acc);
		acc.slash = slash_new(&acc);
		slash_config(&acc, c);
	}
	if ((acc.policy = policy_compile(c, &why)) == NULL)
		abort();
	dropped = 0;
	names_init(&acc);
	json_object_put(acc.slash->record);
	acc.slash->record = json_object_new_array();
	json_object_put(c);
}

/* What stays from one input to the next is bounded: caches, users. */
static void
end(int filling)
{
	struct slash_cmd *c;
	struct channel *ch;
	int i;

	for (i = 0; i < ANSWERS_MAX && !TAILQ_EMPTY(&asked); i++)
		answer(0x10, "", 0);
	if (!TAILQ_EMPTY(&asked))
		abort(); /* it would never come to its end */
	if (filling && !gapfill_complete(&acc) && !dropped)
		abort(); /* stuck until the connection ends */
	gapfill_stop(&acc);
	while ((c = TAILQ_FIRST(&acc.slash->cmds)) != NULL)
		slash_drop(&acc, c);
	while ((ch = channel_first(&acc)) != NULL) {
		RB_REMOVE(channel_tree, &acc.channels->tree, ch);
		free(ch->name);
		free(ch->display);
		free(ch);
	}
	acc.channels->n = 0;
	policy_free(acc.policy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *p, *nl, *stop;
	size_t len;
	int i;

	if (size < 1 || size > 65536)
		return 0;
	if ((text = malloc(size)) == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	stop = text + size - 1;
	begin();
	if ((p = memchr(text, '\n', size - 1)) != NULL)
		*p++ = '\0';
	ask(data[0], text);
	for (i = 0; i < ANSWERS_MAX && p != NULL && p < stop &&
	     !TAILQ_EMPTY(&asked); i++, p = nl) {
		if ((nl = memchr(p, '\n', (size_t)(stop - p))) != NULL)
			*nl++ = '\0';
		len = (size_t)((nl == NULL ? stop : nl - 1) - p);
		answer((uint8_t)*p, len > 0 ? p + 1 : p, len > 0 ? len - 1 : 0);
	}
	end(data[0] % 9 == 0);
	free(text);
	return 0;
}
