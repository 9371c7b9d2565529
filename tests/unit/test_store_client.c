#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/monotime.h"
#include "tests/unit/test_store_client.h"

static void
on_row(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct client *cl = arg;

	assert_true(cl->n_rows < CLIENT_ROWS);
	cl->rows[cl->n_rows++] = strdup(json_object_to_json_string(msg));
}

static void
on_closed(struct chan *c, const char *why, void *arg)
{
	struct client *cl = arg;

	cl->closed = 1;
}

static void
on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct client *cl = arg;

	cl->replies++;
	cl->errs += msg == NULL || strcmp(type, "err") == 0;
	strlcpy(cl->type, type, sizeof(cl->type));
	json_object_put(cl->reply);
	cl->reply = json_object_get(msg);
	if (cl->fd != -1)
		close(cl->fd);
	cl->fd = fd;
	if (cl->on_reply != NULL)
		cl->on_reply(cl, type, msg);
}

static const struct chan_handler account_handlers[] = {
    {"inbox.row", on_row},
    {"outbox.row", on_row},
    {"mark.row", on_row},
    {"grant.row", on_row},
    {"cron.row", on_row},
    {"cron.gone", on_row},
    {NULL, NULL},
};
static const struct chan_handler no_handlers[] = {{NULL, NULL}};

void
client_start(
    struct client *cl, struct event_base *base, const char *kind, int fd)
{
	int account = strcmp(kind, "account") == 0;
	enum proto_kind proto = account ? PROTO_STORE_ACCOUNT
				: strcmp(kind, "agent") == 0
				    ? PROTO_STORE_AGENT
				    : PROTO_STORE_CONTROL;

	memset(cl, 0, sizeof(*cl));
	cl->base = base;
	cl->fd = -1;
	cl->chan = chan_new(base, fd, proto, SIDE_B,
	    account ? account_handlers : no_handlers, on_closed, cl);
}

void
client_close(struct client *cl)
{
	if (cl->chan != NULL)
		chan_free(cl->chan);
	while (cl->n_rows > 0)
		free(cl->rows[--cl->n_rows]);
	json_object_put(cl->reply);
	if (cl->fd != -1)
		close(cl->fd);
	memset(cl, 0, sizeof(*cl));
}

struct json_object *
client_message(const char *type, const char *text)
{
	struct json_object *m = chan_msg(type), *o = json_tokener_parse(text);

	assert_non_null(o);
	json_object_object_foreach (o, key, value)
		json_object_object_add(m, key, json_object_get(value));
	json_object_put(o);
	return m;
}

void
ask(struct client *cl, const char *type, const char *text)
{
	assert_int_equal(chan_request(cl->chan, client_message(type, text), -1,
			     10000, on_reply, cl),
	    0);
}

void
tell(struct client *cl, const char *type, const char *text)
{
	assert_int_equal(
	    chan_send(cl->chan, client_message(type, text), -1), 0);
}

/* Run the loop until the client has n replies. */
void
wait_replies(struct client *cl, int n)
{
	struct monotime end = monotime_add(monotime_now(), 10000);

	while (cl->replies < n && !cl->closed) {
		assert_true(monotime_left(end) > 0);
		event_base_loop(cl->base, EVLOOP_ONCE);
	}
}

void
client_run_ms(struct event_base *base, int ms)
{
	struct monotime end = monotime_add(monotime_now(), ms);

	while (monotime_left(end) > 0) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

const char *
call(struct client *cl, const char *type, const char *text)
{
	int n = cl->replies;

	ask(cl, type, text);
	wait_replies(cl, n + 1);
	return cl->type;
}

void
put(struct client *cl, const char *event, size_t fill)
{
	char *text = malloc(fill + 256), *x = malloc(fill + 1);

	memset(x, 'x', fill);
	x[fill] = '\0';
	snprintf(text, fill + 256,
	    "{\"kind\":\"post\",\"event\":\"%s\",\"lane\":\"l\","
	    "\"channel\":\"c1\",\"at\":5,\"data\":{\"x\":\"%s\"},"
	    "\"mark\":true}",
	    event, x);
	ask(cl, "inbox.put", text);
	free(text);
	free(x);
}

struct json_object *
row(struct client *cl, size_t i)
{
	assert_true(i < cl->n_rows);
	return json_tokener_parse(cl->rows[i]);
}
