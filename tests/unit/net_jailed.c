/*
 * A worker in the jail of an account, for test_net_jail: makes requests on
 * the endpoints it is given and reports what came of them. Endpoints: 1
 * http, 2 https, 3 https of an unknown issuer, 4 nobody listens.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/net/net.h"
#include "workers/net/ws.h"
#include "workers/worker.h"

#define NENDPOINTS 4

struct jailed {
	struct worker *w;
	struct net *net;
	struct net_endpoint *ep[NENDPOINTS + 1];
	int step;
	int many;
	char text[512];
};

static void next(struct jailed *);

static void
note(struct jailed *j, const char *text)
{
	strlcat(j->text, text, sizeof(j->text));
	strlcat(j->text, "; ", sizeof(j->text));
}

static void
on_done(struct net_request *req, const struct net_result *res, void *arg)
{
	static const char *const endings[] = {"not-sent", "maybe", "answered"};
	struct jailed *j = arg;
	char text[128];

	snprintf(text, sizeof(text), "%s %d %.70s", endings[res->ending],
	    res->status, res->error != NULL ? res->error : res->body);
	note(j, text);
	next(j);
}

static void
on_many(struct net_request *req, const struct net_result *res, void *arg)
{
	struct jailed *j = arg;

	if (res->status != 200)
		note(j, "bad");
	if (--j->many == 0)
		next(j);
}

static void
on_open(struct ws *ws, void *arg)
{
	ws_send_text(ws, "hello", 5);
}

static void
on_text(struct ws *ws, const char *msg, size_t len, void *arg)
{
	ws_close(ws, 1000);
}

static void
on_closed(struct ws *ws, enum ws_end end, int code, const char *why, void *arg)
{
	char text[64];

	snprintf(text, sizeof(text), "ws %s %d", ws_end_name(end), code);
	note(arg, text);
	next(arg);
}

static void
request(struct jailed *j, int ep, const char *method, net_done_fn fn)
{
	struct net_request_opts o = {.method = method,
	    .path = "/x",
	    .body = "{}",
	    .body_len = strcmp(method, "POST") == 0 ? 2 : 0,
	    .done = fn,
	    .arg = j};

	net_request_start(j->ep[ep], &o);
}

static void
many(struct jailed *j, int ep)
{
	j->many = 200;
	for (int i = 0; i < 200; i++)
		request(j, ep, "GET", on_many);
}

static void
next(struct jailed *j)
{
	static const struct ws_callbacks cb = {
	    .open = on_open, .text = on_text, .closed = on_closed};
	struct ws_opts o = {.path = "/ws", .cb = &cb, .arg = j};

	switch (++j->step) {
	case 1:
		request(j, 1, "GET", on_done);
		break;
	case 2:
		request(j, 1, "POST", on_done);
		break;
	case 3:
		request(j, 2, "POST", on_done);
		break;
	case 4:
		request(j, 3, "GET", on_done);
		break;
	case 5:
		ws_connect(j->ep[1], &o);
		break;
	case 6:
		ws_connect(j->ep[2], &o);
		break;
	case 7:
		ws_connect(j->ep[3], &o);
		break;
	case 8:
		request(j, 4, "POST", on_done);
		break;
	case 9:
		many(j, 1);
		break;
	case 10:
		many(j, 2);
		break;
	default:
		worker_report(j->w, "done", j->text, NULL);
	}
}

static void
prepare(struct worker *w)
{
	struct jailed *j = calloc(1, sizeof(*j));

	if (j == NULL)
		fatal("calloc");
	j->w = w;
	j->net = net_new(worker_base(w));
	worker_set_state(w, j);
}

static void
init(struct worker *w, struct json_object *config)
{
	struct jailed *j = worker_state(w);
	static const char *const hosts[] = {
	    NULL, "::1", "chat.test", "chat.test", "localhost"};
	struct net_endpoint_opts o = {0};
	struct fields f;
	char key[8];
	int i;

	fields_open(&f, config);
	for (i = 1; i <= NENDPOINTS; i++) {
		snprintf(key, sizeof(key), "port%d", i);
		o.host = hosts[i];
		o.https = i == 2 || i == 3;
		o.port = (uint16_t)fields_int(&f, key, 1, 65535);
		j->ep[i] = net_endpoint_new(j->net, i, &o);
	}
	if (fields_end(&f) == -1)
		fatalx("init: %s", fields_error(&f));
}

static void
take_fd(struct worker *w, const char *name, int fd)
{
	struct jailed *j = worker_state(w);

	if (net_set_ca(j->net, fd) == -1)
		fatalx("no CA");
}

static void
link_dialer(struct worker *w, const char *kind, const char *peer,
    struct json_object *opts, int fd)
{
	struct jailed *j = worker_state(w);

	net_set_dialer(j->net, fd);
}

static void
start(struct worker *w)
{
	worker_ready(w);
	next(worker_state(w));
}

static void
stop(struct worker *w)
{
	struct jailed *j = worker_state(w);

	/* What a worker need not do must not kill it either. */
	net_free(j->net);
	free(j);
	worker_exit(w);
}

int
main(int argc, char *argv[])
{
	static const struct worker_role role = {
	    .title = "account",
	    .sandbox = SANDBOX_ACCOUNT,
	    .prepare = prepare,
	    .init = init,
	    .fd = take_fd,
	    .link = link_dialer,
	    .start = start,
	    .stop = stop,
	};

	return worker_main(argc, argv, &role);
}
