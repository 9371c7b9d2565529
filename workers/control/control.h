/*
 * The control worker: answers posternctl(8) on the socket that the
 * supervisor bound, by asking the supervisor, the store and the accounts.
 * It holds no secret and reaches nothing else.
 */
#ifndef WORKERS_CONTROL_CONTROL_H
#define WORKERS_CONTROL_CONTROL_H

#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

#include <stddef.h>

#include "common/chan.h"
#include "common/monotime.h"

#define CONTROL_CLIENTS 32
#define CONTROL_IDLE_MS 60000    /* without a request: closed */
#define CONTROL_ACCEPT_MS 1000   /* pause when descriptors have run out */
#define CONTROL_LAST_MS 50       /* for the last words to one client */
/* The supervisor answers; or reads the file, and runs programs for it. */
#define CONTROL_SUPERVISOR_MS 10000
#define CONTROL_FILE_MS 80000
#define CONTROL_STATUS_MS 500    /* an account answers or is left out */
#define CONTROL_STORE_MS 5000
#define CONTROL_PROBE_MAX_MS 60000
#define CONTROL_SEND_MS 30000
#define CONTROL_UPLOAD_MS 1800000 /* with files; the account ends it before */
#define CONTROL_FILES 10         /* of one message: Mattermost 5.37 */
#define CONTROL_ROWS 100         /* of one list, unless asked otherwise */
#define CONTROL_ROWS_MAX 500     /* as the store has it */

struct control;
struct event;
struct event_base;
struct json_object;
struct scrape;
struct worker;

/* peers.c: the links to accounts, agents and the store. */

struct peer {
	RB_ENTRY(peer) node;
	struct control *control;
	const char *kind; /* "account", "agent", "callback", "store" */
	char *name;
	struct chan *chan; /* NULL: it is down for the moment */
};

RB_HEAD(peer_tree, peer);
RB_PROTOTYPE(peer_tree, peer, node, peer_cmp)

/* fd becomes the link to that peer. -1 (fd closed) for an unknown kind. */
int peers_link(struct control *, const char *kind, const char *name, int fd);
void peers_unlink(struct control *, const char *kind, const char *name);
/* NULL when there is none, or it is down. */
struct chan *peers_chan(
    struct control *, const char *kind, const char *name);
/* 1 when it is configured, up or down. */
int peers_know(struct control *, const char *kind, const char *name);

/* clients.c: connections of posternctl. */

struct client_file {
	int fd;
	char *name;
};

struct client {
	TAILQ_ENTRY(client) entry;
	struct control *control;
	struct chan *chan;
	struct event *idle;
	struct monotime active; /* when it last asked for something */
	uid_t uid;
	struct call *call;      /* under way, or NULL */
	struct client_file files[CONTROL_FILES]; /* for the next request */
	unsigned n_files;
};

TAILQ_HEAD(client_list, client);

/*
 * One request. It outlives its client: an answer that comes late finds
 * client NULL and is dropped.
 */
struct call {
	struct control *control;
	struct client *client;
	struct json_object *req;
	struct json_object *data; /* being put together, may be NULL */
	unsigned waiting;         /* answers still to come */
	const char *asked;        /* whom it was passed on to, or NULL */
	int probe;                /* ms for each account's server, 0: no */
	int64_t number;           /* it has files: what the account calls it */
	char account[65];         /* then: which one */
	/* Not a client's: gets data (consumed; NULL: none), then is freed. */
	void (*done)(void *arg, struct json_object *data);
	void *arg;
};

/* Begin to accept on fd, which stays ours. */
void clients_listen(struct control *, int fd);
/*
 * Answer and end the call. text may be NULL; data is consumed and may be
 * NULL.
 */
void call_answer(
    struct call *, int ok, const char *text, struct json_object *data);

/* cron.c: scheduled jobs; job: what the client says of one. */
void cron_add(struct call *, const char *account, struct json_object *job);
void cron_set(struct call *, const char *account, struct json_object *job);
void cron_rm(struct call *, const char *account, struct json_object *job);

/* files.c: what a client passes to be sent along */

/* The handler of "file" on a client's link. */
void files_take(struct chan *, struct json_object *, int fd, void *client);
void files_drop(struct client *);
/*
 * The client's files go to the account before send, which gets the members
 * that say so. How long to wait for the answer.
 */
int files_pass(struct call *, struct chan *account_chan, const char *account,
    struct json_object *send);
void files_cancel(struct call *);
/* A "send.progress" of the account. */
void files_progress(struct control *, const char *account,
    struct json_object *msg, struct chan *from);

/* verbs.c */

/*
 * Do what call->req says: 0 and call_answer() follows, now or later. -1
 * when it is malformed; the call is untouched then.
 */
int verbs_handle(struct call *);

/* reach.c: requests that go to an account as they come */

/* 1 when the verb is for an account and goes there. */
int reach_knows(const char *verb);
/* Ends in call_answer(). args has an account. */
void reach_handle(struct call *, const char *verb, struct json_object *args);
/* Its link, or NULL and the call is answered. */
struct chan *call_account(struct call *, const char *account);

/* ask.c: passing a call on. Each ends in call_answer(), now or later. */

/* msg is consumed; the peer's "data" or "err" is the answer. */
void ask_peer(struct call *, struct chan *, struct json_object *msg, int ms);
void ask_store(struct call *, struct json_object *msg);
/* arg may be NULL. fn, with the call, gets the answer. */
void ask_supervisor(
    struct call *, const char *verb, const char *arg, chan_reply_fn fn);
/* Its answer is the answer; arg is the call. */
void supervisor_answered(
    void *arg, const char *type, struct json_object *msg, int fd);
/* A string member; a NULL value is left out. */
void ask_add(struct json_object *, const char *key, const char *value);
/* A message's own members without "t" and "id", as a new object. */
struct json_object *call_members(struct json_object *msg);

/* metrics.c, scrape.c: figures for programs */

struct evbuffer;

/* data: as "status" has it. The whole text, "# EOF" included. */
void metrics_write(struct evbuffer *, struct json_object *data);
/* fd becomes a socket where readers are answered; one is enough. */
void scrape_listen(struct control *, int fd);
void scrape_close(struct control *);

/* status.c */

/* All that there is to say, for a program in this process. */
void status_gather(struct control *,
    void (*done)(void *arg, struct json_object *data), void *arg);

/* The supervisor's answer to "status"; arg is the call. */
void status_answered(
    void *arg, const char *type, struct json_object *msg, int fd);

struct control {
	struct worker *worker;
	struct event_base *base;
	struct peer_tree peers;
	int rootless;
	uid_t uid;
	int listen_fd;
	struct event *accept;
	struct event *accept_again;
	struct scrape *scrape; /* or NULL */
	struct client_list clients; /* the longest silent first */
	unsigned nclients;
};

#endif
