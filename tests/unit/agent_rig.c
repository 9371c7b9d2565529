#include "config.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/chan.h"
#include "common/loop.h"
#include "tests/unit/agent_rig.h"

#define WORKER_FD 3

int64_t
rig_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const char *
rig_str(struct json_object *o, const char *key)
{
	struct json_object *v;

	assert_true(json_object_object_get_ex(o, key, &v));
	return json_object_get_string(v);
}

int64_t
rig_int(struct json_object *o, const char *key)
{
	struct json_object *v;

	assert_true(json_object_object_get_ex(o, key, &v));
	return json_object_get_int64(v);
}

static void
add_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

/* The supervisor. */

static void
on_nothing(struct chan *c, struct json_object *msg, int fd, void *arg)
{
}

static void
on_ready(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;

	r->ready = 1;
}

static void
on_log(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;

	if (getenv("RIG_VERBOSE") != NULL)
		fprintf(stderr, "%s\n", rig_str(msg, "line"));
	strlcat(r->log, rig_str(msg, "line"), sizeof(r->log));
	strlcat(r->log, "\n", sizeof(r->log));
}

static void
on_state(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;

	strlcpy(r->health, rig_str(msg, "state"), sizeof(r->health));
}

static const struct chan_handler up_handlers[] = {
    {"hello", on_nothing},
    {"ready", on_ready},
    {"log", on_log},
    {"state", on_state},
    {"ctl", on_nothing},
    {"broken", on_nothing},
    {"check", on_nothing},
    {"check.end", on_nothing},
    {NULL, NULL},
};

static void
on_up_closed(struct chan *c, const char *why, void *arg)
{
	struct rig *r = arg;

	r->exited = 1;
	r->up = NULL;
	chan_free(c);
}

/* The dialer. */

static void
on_dial(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct json_object *out;
	int s, on = 1;

	sin.sin_port = htons((uint16_t)r->port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(rig_int(msg, "ep"), 5);
	s = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_not_equal(s, -1);
	if (connect(s, (struct sockaddr *)&sin, sizeof(sin)) == -1) {
		close(s);
		out = chan_reply_msg("dial.err", msg);
		json_object_object_add(out, "ep", json_object_new_int(5));
		add_str(out, "stage", "connect");
		json_object_object_add(out, "errno", json_object_new_int(111));
		add_str(out, "text", "Connection refused");
		json_object_object_add(
		    out, "busy", json_object_new_boolean(0));
		chan_send(c, out, -1);
		return;
	}
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(fd_prepare(s), 0);
	out = chan_reply_msg("dial.ok", msg);
	json_object_object_add(out, "ep", json_object_new_int(5));
	chan_send(c, out, s);
}

static const struct chan_handler dial_handlers[] = {
    {"dial", on_dial},
    {NULL, NULL},
};

/* The store. */

static void
on_load(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;
	struct json_object *out;

	r->loads++;
	strlcpy(r->session, rig_str(msg, "session"), sizeof(r->session));
	assert_true(rig_int(msg, "max_bytes") > 0);
	if (r->history == NULL) {
		out = chan_reply_msg("err", msg);
		add_str(out, "error", "no");
		chan_send(c, out, -1);
		return;
	}
	out = chan_reply_msg("session", msg);
	json_object_object_add(
	    out, "messages", json_tokener_parse(r->history));
	chan_send(c, out, -1);
}

/* A store that has lost every attachment. */
static void
on_media(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct json_object *out = chan_reply_msg("err", msg);

	json_object_object_add(out, "code", json_object_new_string("denied"));
	json_object_object_add(out, "text", json_object_new_string(""));
	chan_send(c, out, -1);
}

static const struct chan_handler store_handlers[] = {
    {"session.load", on_load},
    {"media.get", on_media},
    {NULL, NULL},
};

/* The accounts. */

static void
note(struct rig *r, struct chan *c, const char *type, struct json_object *msg)
{
	struct rig_frame *f;

	assert_true(r->nframes < RIG_FRAMES);
	f = &r->frames[r->nframes++];
	f->account = c == r->turn[1];
	strlcpy(f->type, type, sizeof(f->type));
	f->msg = json_object_get(msg);
}

#define NOTE(fn, type)                                                         \
	static void fn(                                                        \
	    struct chan *c, struct json_object *msg, int fd, void *arg)        \
	{                                                                      \
		note(arg, c, type, msg);                                       \
	}
NOTE(on_text, "text")
NOTE(on_tool, "tool")
NOTE(on_thinking, "thinking")
NOTE(on_call, "call")
NOTE(on_final, "final")
NOTE(on_error, "error")

static const struct chan_handler turn_handlers[] = {
    {"turn.text", on_text},
    {"turn.tool", on_tool},
    {"tool.call", on_call},
    {"turn.thinking", on_thinking},
    {"turn.final", on_final},
    {"turn.error", on_error},
    {NULL, NULL},
};

static const struct chan_handler no_handlers[] = {
    {NULL, NULL},
};

static void
on_turn_closed(struct chan *c, const char *why, void *arg)
{
	struct rig *r = arg;

	r->turn_closed++;
	r->turn[c == r->turn[1]] = NULL;
	chan_free(c);
}

static void
on_link_closed(struct chan *c, const char *why, void *arg)
{
	struct rig *r = arg;

	if (r->store == c)
		r->store = NULL;
	if (r->dial == c)
		r->dial = NULL;
	if (r->control == c)
		r->control = NULL;
	chan_free(c);
}

/* The loop. */

static void
on_tick(int fd, short ev, void *arg)
{
	struct rig *r = arg;

	r->timed_out = 1;
	event_base_loopbreak(r->base);
}

static void
run_once(struct rig *r)
{
	event_base_loop(r->base, EVLOOP_ONCE);
}

void
rig_run(struct rig *r, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};
	struct event *tick = evtimer_new(r->base, on_tick, r);

	r->timed_out = 0;
	evtimer_add(tick, &tv);
	while (!r->timed_out)
		run_once(r);
	event_free(tick);
}

void
rig_until(struct rig *r, const int *what, int n)
{
	struct timeval tv = {RIG_WAIT_MS / 1000, 0};
	struct event *tick = evtimer_new(r->base, on_tick, r);

	r->timed_out = 0;
	evtimer_add(tick, &tv);
	while (!r->timed_out && *what < n)
		run_once(r);
	event_free(tick);
	assert_true(*what >= n);
}

static struct json_object *
frame_find(struct rig *r, int account, const char *type, int turn, int n)
{
	struct rig_frame *f;
	size_t i;

	for (i = 0; i < r->nframes; i++) {
		f = &r->frames[i];
		if (f->account == account && strcmp(f->type, type) == 0 &&
		    rig_int(f->msg, "turn") == turn && n-- == 0)
			return f->msg;
	}
	return NULL;
}

struct json_object *
rig_frame(struct rig *r, int account, const char *type, int turn, int n)
{
	struct timeval tv = {2 * RIG_WAIT_MS / 1000, 0};
	struct event *tick = evtimer_new(r->base, on_tick, r);
	struct json_object *msg;

	r->timed_out = 0;
	evtimer_add(tick, &tv);
	while ((msg = frame_find(r, account, type, turn, n)) == NULL &&
	    !r->timed_out && !r->exited)
		run_once(r);
	event_free(tick);
	if (msg == NULL)
		fail_msg("no turn.%s of turn %d; log:\n%s", type, turn, r->log);
	return msg;
}

int
rig_count(struct rig *r, int account, const char *type, int turn)
{
	int n = 0;

	while (frame_find(r, account, type, turn, n) != NULL)
		n++;
	return n;
}

const char *
rig_order(struct rig *r, int account)
{
	static char buf[RIG_FRAMES + 1];
	size_t i, n = 0;

	for (i = 0; i < r->nframes; i++)
		if (r->frames[i].account == account)
			buf[n++] = r->frames[i].type[1];
	buf[n] = '\0';
	return buf;
}

const char *
rig_final(struct rig *r, int account, int turn)
{
	return rig_str(rig_frame(r, account, "final", turn, 0), "text");
}

struct json_object *
rig_error(struct rig *r, int account, int turn)
{
	return rig_frame(r, account, "error", turn, 0);
}

/* Making it all. */

static void
send_link(struct rig *r, const char *kind, const char *peer, int fd)
{
	struct json_object *msg = chan_msg("link");

	add_str(msg, "kind", kind);
	add_str(msg, "peer", peer);
	assert_int_equal(chan_send(r->up, msg, fd), 0);
}

static void
pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(fd_prepare(fd[0]), 0);
	assert_int_equal(fd_prepare(fd[1]), 0);
}

void
rig_link_turn(struct rig *r, int account)
{
	int fd[2];

	pair(fd);
	r->turn[account] = chan_new(r->base, fd[0], PROTO_TURN, SIDE_B,
	    turn_handlers, on_turn_closed, r);
	send_link(r, "turn", account ? "beta" : "alpha", fd[1]);
}

void
rig_link_store(struct rig *r)
{
	int fd[2];

	pair(fd);
	r->store = chan_new(r->base, fd[0], PROTO_STORE_AGENT, SIDE_A,
	    store_handlers, on_link_closed, r);
	send_link(r, "store", "", fd[1]);
}

static void
link_rest(struct rig *r)
{
	int fd[2];

	pair(fd);
	r->dial = chan_new(r->base, fd[0], PROTO_DIAL, SIDE_A, dial_handlers,
	    on_link_closed, r);
	send_link(r, "dial", "", fd[1]);
	pair(fd);
	r->control = chan_new(r->base, fd[0], PROTO_CONTROL_AGENT, SIDE_B,
	    no_handlers, on_link_closed, r);
	send_link(r, "control", "", fd[1]);
}

static struct json_object *
config_json(struct rig *r, const struct rig_opts *o)
{
	struct json_object *cfg = json_object_new_object(), *m;
	char url[64];

	add_str(cfg, "agent", "ann");
	add_str(cfg, "name", "Ann");
	add_str(cfg, "runtime", o->echo ? "echo" : "model");
	json_object_object_add(cfg, "deadlineMs", json_object_new_int(20000));
	add_str(cfg, "prompt", "Be kind.");
	if (o->echo)
		return cfg;
	m = json_object_new_object();
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1", r->port);
	json_object_object_add(m, "endpoint", json_object_new_int(5));
	add_str(m, "baseUrl", url);
	json_object_object_add(m, "proxy", NULL);
	add_str(m, "api", "openai-completions");
	add_str(m, "model", "gpt-rig");
	json_object_object_add(m, "contextWindow",
	    json_object_new_int(o->window == 0 ? 100000 : o->window));
	json_object_object_add(m, "maxTokens",
	    o->max_tokens == 0 ? NULL : json_object_new_int(o->max_tokens));
	json_object_object_add(m, "images", json_object_new_boolean(0));
	if (o->parallel != 0)
		json_object_object_add(
		    m, "parallel", json_object_new_int(o->parallel));
	json_object_object_add(cfg, "model", m);
	return cfg;
}

static void
spawn(struct rig *r)
{
	const char *path = getenv("POSTERN_AGENT");
	int fd[2];

	if (path == NULL)
		path = "./postern-agent";
	pair(fd);
	assert_int_not_equal(r->pid = fork(), -1);
	if (r->pid == 0) {
		if (fd[1] == WORKER_FD)
			fcntl(WORKER_FD, F_SETFD, 0);
		else if (dup2(fd[1], WORKER_FD) == -1)
			_exit(127);
		closefrom(WORKER_FD + 1);
		execl(path, "postern-agent", "-n", "ann", "-R", NULL);
		_exit(127);
	}
	close(fd[1]);
	r->up = chan_new(r->base, fd[0], PROTO_SUPERVISOR, SIDE_A,
	    up_handlers, on_up_closed, r);
}

struct rig *
rig_new(const struct rig_opts *o)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct json_object *msg;

	assert_non_null(r);
	signal(SIGPIPE, SIG_IGN);
	r->base = loop_new();
	r->serve = o->serve;
	r->history = "[]";
	rig_listen(r, o);
	spawn(r);
	msg = chan_msg("init");
	json_object_object_add(msg, "config", config_json(r, o));
	chan_set_state(r->up, PROTO_INIT);
	chan_send(r->up, msg, -1);
	if (!o->echo) {
		msg = chan_msg("secret");
		add_str(msg, "name", "apiKey");
		add_str(msg, "value", RIG_KEY);
		chan_send(r->up, msg, -1);
		link_rest(r);
	}
	if (!o->no_store)
		rig_link_store(r);
	rig_link_turn(r, 0);
	rig_link_turn(r, 1);
	chan_send(r->up, chan_msg("start"), -1);
	chan_set_state(r->up, PROTO_ANY);
	rig_until(r, &r->ready, 1);
	return r;
}

void
rig_free(struct rig *r)
{
	size_t i;
	int status;

	if (!r->exited)
		chan_send(r->up, chan_msg("stop"), -1);
	rig_until(r, &r->exited, 1);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* Whatever happened, the log has neither key nor message. */
	assert_null(strstr(r->log, RIG_KEY));
	assert_null(strstr(r->log, "a secret text"));
	for (i = 0; i < r->nframes; i++)
		json_object_put(r->frames[i].msg);
	json_object_put(r->status);
	chan_free(r->turn[0]);
	chan_free(r->turn[1]);
	chan_free(r->store);
	chan_free(r->dial);
	chan_free(r->control);
	if (r->listener != NULL)
		evconnlistener_free(r->listener);
	rig_run(r, 50); /* the server sees its connections end */
	event_base_free(r->base);
	free(r);
}

void
rig_start_with(struct rig *r, int account, int turn, const char *text,
    int deadline_ms, const char *context, const char *options)
{
	struct json_object *msg = chan_msg("turn.start");

	json_object_object_add(msg, "turn", json_object_new_int(turn));
	add_str(msg, "session", "agent:ann:main");
	add_str(msg, "text", text);
	add_str(msg, "context", context);
	add_str(msg, "sender", r->sender == NULL ? "ann" : r->sender);
	json_object_object_add(msg, "addressed", json_object_new_boolean(1));
	json_object_object_add(
	    msg, "deadline_ms", json_object_new_int(deadline_ms));
	json_object_object_add(msg, "options", json_tokener_parse(options));
	assert_int_equal(chan_send(r->turn[account], msg, -1), 0);
}

void
rig_start(struct rig *r, int account, int turn, const char *text)
{
	rig_start_with(r, account, turn, text, 0, "", "{}");
}

void
rig_cancel(struct rig *r, int account, int turn)
{
	struct json_object *msg = chan_msg("turn.cancel");

	json_object_object_add(msg, "turn", json_object_new_int(turn));
	assert_int_equal(chan_send(r->turn[account], msg, -1), 0);
}
