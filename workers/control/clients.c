#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/control/control.h"
#include "workers/worker.h"

/*
 * Whatever a client sends or leaves undone costs it its connection and
 * nobody else anything.
 */

static void
client_free(struct client *cl)
{
	struct control *co = cl->control;

	if (cl->call != NULL) {
		files_cancel(cl->call);
		cl->call->client = NULL;
	}
	files_drop(cl);
	TAILQ_REMOVE(&co->clients, cl, entry);
	co->nclients--;
	event_free(cl->idle);
	chan_free(cl->chan);
	free(cl);
}

static void
on_close(struct chan *c, const char *why, void *arg)
{
	struct client *cl = arg;

	if (strcmp(why, "hangup") != 0)
		log_event(LOG_NOTICE, "control.client_broken", "uid",
		    LOG_NUM(cl->uid), "why", why, NULL);
	client_free(cl);
}

static void
on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct client *cl = arg;

	/* An answer is due, or one is still being read. */
	if (cl->call != NULL || chan_queued(cl->chan) > 0) {
		if (monotime_since(cl->active) < 2 * CONTROL_IDLE_MS) {
			loop_timer(cl->idle, CONTROL_IDLE_MS);
			return;
		}
	}
	client_free(cl);
}

static void
client_touch(struct client *cl)
{
	struct control *co = cl->control;

	cl->active = monotime_now();
	TAILQ_REMOVE(&co->clients, cl, entry);
	TAILQ_INSERT_TAIL(&co->clients, cl, entry);
	loop_timer(cl->idle, CONTROL_IDLE_MS);
}

static void
call_drop(struct call *call)
{
	json_object_put(call->data);
	json_object_put(call->req);
	free(call);
}

static void
on_req(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct client *cl = arg;
	struct call *call;

	if (cl->call != NULL) {
		chan_violation(c, "a request before the answer to the last");
		return;
	}
	client_touch(cl);
	if ((call = calloc(1, sizeof(*call))) == NULL)
		fatal("calloc");
	call->control = cl->control;
	call->client = cl;
	call->req = json_object_get(msg);
	cl->call = call;
	if (verbs_handle(call) == -1) {
		call_drop(call);
		cl->call = NULL;
		chan_violation(c, "badly formed request");
	}
}

static const struct chan_handler handlers[] = {
    {"file", files_take},
    {"req", on_req},
    {NULL, NULL},
};

void
call_answer(struct call *call, int ok, const char *text,
    struct json_object *data)
{
	struct client *cl = call->client;
	struct json_object *msg;

	if (call->done != NULL) {
		call->done(call->arg, data);
	} else if (cl == NULL) {
		json_object_put(data);
	} else {
		msg = chan_reply_msg("res", call->req);
		add_bool(msg, "ok", ok);
		if (text != NULL)
			add_str(msg, "text", text);
		if (data != NULL)
			add_obj(msg, "data", data);
		cl->call = NULL;
		files_drop(cl);
		client_touch(cl);
		if (chan_send(cl->chan, msg, -1) == -1) {
			msg = chan_reply_msg("res", call->req);
			add_bool(msg, "ok", 0);
			add_str(msg, "text", "answer too large");
			chan_send(cl->chan, msg, -1);
		}
	}
	call_drop(call);
}

/* Room for one more: the client that has been silent longest goes. */
static int
make_room(struct control *co)
{
	struct client *cl;

	if (co->nclients < CONTROL_CLIENTS)
		return 0;
	TAILQ_FOREACH (cl, &co->clients, entry)
		if (cl->call == NULL) {
			client_free(cl);
			return 0;
		}
	return -1;
}

/* The mode of the socket decides who gets here; this says who it is. */
static int
admit(struct control *co, int fd, uid_t *uid)
{
	gid_t gid;

	if (getpeereid(fd, uid, &gid) == -1) {
		log_warn("control client");
		return -1;
	}
	if (co->rootless && *uid != 0 && *uid != co->uid) {
		log_event(LOG_WARNING, "control.refused", "uid",
		    LOG_NUM(*uid), NULL);
		return -1;
	}
	return make_room(co);
}

static void
client_new(struct control *co, int fd)
{
	struct client *cl;
	uid_t uid;

	if (admit(co, fd, &uid) == -1) {
		close(fd);
		return;
	}
	if ((cl = calloc(1, sizeof(*cl))) == NULL)
		fatal("calloc");
	cl->control = co;
	cl->uid = uid;
	cl->active = monotime_now();
	if ((cl->idle = evtimer_new(co->base, on_idle, cl)) == NULL)
		fatalx("out of memory");
	TAILQ_INSERT_TAIL(&co->clients, cl, entry);
	co->nclients++;
	cl->chan = chan_new(
	    co->base, fd, PROTO_CLIENT, SIDE_A, handlers, on_close, cl);
	loop_timer(cl->idle, CONTROL_IDLE_MS);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct control *co = arg;
	int conn, n;

	for (n = 0; n < CONTROL_CLIENTS; n++) {
		conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn == -1)
			break;
		client_new(co, conn);
	}
	if (n > 0)
		return;
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		log_warn("control socket");
		event_del(co->accept);
		loop_timer(co->accept_again, CONTROL_ACCEPT_MS);
	}
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *co = arg;

	event_add(co->accept, NULL);
}

void
clients_listen(struct control *co, int fd)
{
	/* Another one before us may have changed it. */
	if (fd_prepare(fd) == -1)
		fatal("control socket");
	co->listen_fd = fd;
	co->accept = event_new(
	    co->base, fd, EV_READ | EV_PERSIST, on_accept, co);
	co->accept_again = evtimer_new(co->base, on_accept_again, co);
	if (co->accept == NULL || co->accept_again == NULL)
		fatalx("out of memory");
	event_add(co->accept, NULL);
}
