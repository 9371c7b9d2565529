/*
 * An agent worker in its jail, and all that it talks to: supervisor,
 * dialer, store and accounts at the other ends of its links, and a model
 * server on a real socket that answers as a test scripts it.
 */
#ifndef TESTS_UNIT_AGENT_RIG_H
#define TESTS_UNIT_AGENT_RIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RIG_WAIT_MS 5000
#define RIG_FRAMES 4096
#define RIG_SSE "Content-Type: text/event-stream\r\n"
#define RIG_JSON "Content-Type: application/json\r\n"
#define RIG_KEY "sk-rig-0123456789"

struct bufferevent;
struct chan;
struct event_base;
struct json_object;
struct rig;

/* One connection of the worker to the model server. */
struct rig_conn {
	struct rig *rig;
	struct bufferevent *bev;
	int asked; /* the worker waits for an answer */
};

/* One request for a completion has come: body and headers are in the rig. */
typedef void (*rig_serve_fn)(struct rig *, struct rig_conn *);

struct rig_frame {
	int account;
	char type[32];
	struct json_object *msg;
};

struct rig_opts {
	int echo;
	int parallel; /* 0: the default */
	int window;   /* 0: 100000 tokens */
	int max_tokens; /* 0: not set */
	int no_store; /* no link to it at the start */
	int no_server; /* the model's port refuses */
	rig_serve_fn serve;
};

struct rig {
	struct event_base *base;
	pid_t pid;
	struct chan *up, *dial, *store, *control;
	struct chan *turn[2];
	int ready, turn_closed, exited, timed_out;
	char health[64];
	char log[65536];
	int port;
	struct evconnlistener *listener;
	rig_serve_fn serve;
	char request[2 * 1024 * 1024]; /* head and body of the last one */
	char *body;
	int requests, conns, open, busy, most_busy;
	int warmed; /* answers to the request that warms a connection */
	int64_t asked_at; /* monotonic us */
	const char *sender; /* of the next turn; NULL: "ann" */
	const char *history; /* JSON of the messages; NULL: the store refuses */
	int loads;
	char session[512];
	struct rig_frame frames[RIG_FRAMES];
	size_t nframes;
	struct json_object *status;
};

struct rig *rig_new(const struct rig_opts *);
/* Ends the worker by "stop", and fails when it does not leave well. */
void rig_free(struct rig *);

void rig_start(struct rig *, int account, int turn, const char *text);
/* As rig_start(), with more members of "turn.start" as JSON, or NULL. */
void rig_start_with(struct rig *, int account, int turn, const char *text,
    int deadline_ms, const char *context, const char *options);
void rig_cancel(struct rig *, int account, int turn);
void rig_link_turn(struct rig *, int account);
void rig_link_store(struct rig *);

/* Run the loop for that long. */
void rig_run(struct rig *, int ms);
/* Run until the n-th frame of that type is there, and give it. */
struct json_object *rig_frame(
    struct rig *, int account, const char *type, int turn, int n);
int rig_count(struct rig *, int account, const char *type, int turn);
/* The end of a turn: final's text, or error's code. */
const char *rig_final(struct rig *, int account, int turn);
struct json_object *rig_error(struct rig *, int account, int turn);
/* Run until *what is at least n. */
void rig_until(struct rig *, const int *what, int n);

const char *rig_str(struct json_object *, const char *key);
int64_t rig_int(struct json_object *, const char *key);
int64_t rig_now_us(void);

/* The model server, agent_rig_server.c. Called by rig_new(). */
void rig_listen(struct rig *, const struct rig_opts *);

/* For the server's scripts. */
void rig_head(struct rig_conn *, int status, const char *headers);
void rig_send(struct rig_conn *, const char *data);
void rig_piece(struct rig_conn *, const char *text); /* content delta */
void rig_done(struct rig_conn *); /* finish, [DONE], end of the answer */
void rig_answer(
    struct rig_conn *, int status, const char *headers, const char *body);
void rig_close(struct rig_conn *);
void rig_reset(struct rig_conn *);
/* Call fn for the connection later. */
void rig_later(struct rig_conn *, int ms, rig_serve_fn);

/* Scripts: "Hel" and "lo", "whole" unstreamed, and "half" without an end. */
void rig_serve_hello(struct rig *, struct rig_conn *);
void rig_serve_slowly(struct rig *, struct rig_conn *);
void rig_serve_json(struct rig *, struct rig_conn *);
void rig_serve_half(struct rig *, struct rig_conn *);

/* The agent's frames to an account: tExt tHinking tOol fInal eRror. */
const char *rig_order(struct rig *, int account);

#endif
